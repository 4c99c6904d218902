//! Which rule says on what terms a request is sent, and what it says.

use std::time::Duration;

use ringfence_model::llm::Money;

use super::*;

fn usd(text: &str) -> Money {
    text.parse().unwrap()
}

#[test]
fn all_that_a_rule_says_is_in_its_terms() {
    let snapshot = llm(
        "allow: {id: all, provider: openai, maxOutputTokens: 100, hosted: {allow: [code-execution], strip: [web-search]}, secrets: block, capture: true, concurrency: 3, rates: [{requests: 60, per: minute}, {tokens: 9, per: day}], budget: [{usd: 5, per: day}, {usd: 0.50, tokens: 7, per: run}, {usd: 1, per: month, scope: profile}, {tokens: 2, per: total, scope: workspace}, {tokens: 3, per: hour, scope: run}], prices: {'gpt-*': {input: 1, output: 2}, gpt-5: {input: 3, output: 4, cacheRead: 0.3, cacheWrite: 5}, 'gpt-5-*': {input: 6, output: 7}}, unknownPrice: {input: 10, output: 20}, fallback: [{model: gpt-5-mini}, {provider: groq, model: x}], loops: {repeats: 4, stop: true}}",
    );
    let verdict = to(&snapshot, "openai", asked("gpt-5"));
    let budget = |scope, window, tokens, cost: Option<&str>| BudgetTerms {
        scope,
        window,
        tokens,
        cost: cost.map(usd),
    };
    let price = |input: &str, output: &str| Price {
        input: usd(input),
        output: usd(output),
        cache_read: None,
        cache_write: None,
    };
    let cached = Price {
        cache_read: Some(usd("0.3")),
        cache_write: Some(usd("5")),
        ..price("3", "4")
    };
    let rate = |requests, tokens, seconds| RateTerms {
        requests,
        tokens,
        per: Duration::from_secs(seconds),
    };
    let expected = LlmTerms {
        rule: RuleRef("p/llm/all".to_owned()),
        max_output_tokens: Some(100),
        hosted: vec![HostedFeature::CodeExecution],
        strip: vec![HostedFeature::WebSearch],
        secrets: LlmSecrets::Block,
        capture: true,
        concurrency: Some(3),
        rates: vec![rate(Some(60), None, 60), rate(None, Some(9), 86_400)],
        budgets: vec![
            budget(BudgetScope::Agent, BudgetWindow::Day, None, Some("5")),
            budget(BudgetScope::Run, BudgetWindow::Total, Some(7), Some("0.5")),
            budget(
                BudgetScope::Profile("p".to_owned()),
                BudgetWindow::Month,
                None,
                Some("1"),
            ),
            budget(BudgetScope::Workspace, BudgetWindow::Total, Some(2), None),
            budget(BudgetScope::Run, BudgetWindow::Hour, Some(3), None),
        ],
        // The first that covers a model says most about it.
        prices: vec![
            ("gpt-5".to_owned(), cached),
            ("gpt-5-*".to_owned(), price("6", "7")),
            ("gpt-*".to_owned(), price("1", "2")),
        ],
        unknown_price: Some(price("10", "20")),
        fallback: vec![
            (None, Some("gpt-5-mini".to_owned())),
            (Some(provider("groq")), Some("x".to_owned())),
        ],
        loops: LoopTerms {
            repeats: Some(4),
            stop: true,
        },
    };
    assert_eq!(terms(&verdict), &expected);
}

#[test]
fn a_rule_that_says_little_redacts_and_records_no_texts() {
    let verdict = to(&llm("allow: {provider: openai}"), "openai", asked("x"));
    let terms = terms(&verdict);
    assert_eq!((terms.secrets, terms.capture), (LlmSecrets::Redact, false));
    assert_eq!((terms.max_output_tokens, terms.concurrency), (None, None));
    assert!(terms.budgets.is_empty() && terms.rates.is_empty() && terms.strip.is_empty());
}

#[test]
fn the_first_rule_by_name_that_allows_a_request_gives_its_terms() {
    for rules in [
        "allow: {id: b, provider: openai, concurrency: 2}
         allow: {id: a, provider: openai, models: [gpt-5], concurrency: 1}
         allow: {id: 0, provider: openai, models: [other]}",
        "allow: {id: 0x, provider: openai, models: [other]}
         allow: {id: a, provider: openai, models: [gpt-5], concurrency: 1}
         allow: {id: b, provider: openai, concurrency: 2}",
    ] {
        let rules = rules.replace("id: 0,", "id: 0x,");
        let snapshot = llm(&rules);
        for (model, rule, concurrency) in [("gpt-5", "p/llm/a", 1), ("o3", "p/llm/b", 2)] {
            let verdict = to(&snapshot, "openai", asked(model));
            assert_eq!(terms(&verdict).concurrency, Some(concurrency));
            assert_eq!(verdict.decision.rule, Some(RuleRef(rule.to_owned())));
        }
    }
}

#[test]
fn a_credential_is_the_rules_or_the_providers_and_two_are_none() {
    let described = "llmProviders: [{name: openai, credential: shared}]";
    for (rules, expected) in [
        ("allow: {provider: openai}", Ok(Some("shared"))),
        (
            "allow: {provider: openai, credential: own}",
            Ok(Some("own")),
        ),
        (
            "allow: {provider: groq}\nallow: {provider: openai, models: [x], credential: own}",
            Ok(None),
        ),
        (
            "allow: {provider: openai}\nallow: {provider: openai, credential: own}",
            Err(ReasonCode::CredentialAmbiguous),
        ),
        (
            "allow: {provider: openai, credential: shared}\nallow: {provider: openai}",
            Ok(Some("shared")),
        ),
    ] {
        let snapshot = with(described, rules);
        let name = if rules.contains("groq") {
            "groq"
        } else {
            "openai"
        };
        let verdict = to(&snapshot, name, asked("gpt-5"));
        let found = match &verdict.grant {
            None => Err(verdict.decision.code),
            Some(grant) => {
                let credential = grant.terms[0].credential.as_ref().map(ToString::to_string);
                assert_eq!(
                    credential,
                    verdict
                        .decision
                        .credential
                        .as_ref()
                        .map(ToString::to_string)
                );
                Ok(credential)
            }
        };
        assert_eq!(found, expected.map(|it| it.map(str::to_owned)), "{rules}");
    }
    // Without a credential of the provider, a rule with one counts before a rule without.
    let rules = "allow: {id: a, provider: openai}\nallow: {id: b, provider: openai, credential: own, tokenRequired: true}";
    let verdict = to(&llm(rules), "openai", asked("gpt-5"));
    assert_eq!(verdict.decision.rule, Some(RuleRef("p/llm/b".to_owned())));
    assert!(verdict.grant.unwrap().terms[0].token_required);
}

#[test]
fn a_grant_ends_when_its_rule_does() {
    let until = "2026-07-01T00:00:00Z";
    let rules = format!("allow: {{provider: openai, expires: '{until}'}}");
    let verdict = to(&llm(&rules), "openai", asked("x"));
    assert_eq!(
        verdict.grant.unwrap().valid_until,
        Some(until.parse().unwrap())
    );
}
