//! The same for LLM rules.

use super::*;
use crate::document::ProfileRule;

const LLM: &str = "llmProviders:
  - {name: corp, kind: openai, url: 'https://llm.corp.test/v1', credential: corp-key}
  - {name: anthropic, credential: anthropic-key}
llm:
  - allow: {id: claude, provider: anthropic, models: ['claude-haiku-*', claude-sonnet-4-5], aliases: {fast: claude-haiku-4-5}, hosted: {allow: [web-search], strip: [web-fetch]}, budget: {usd: 5, per: day}}
  - allow: {id: corp, provider: corp, maxOutputTokens: 1000}
  - allow: {id: embed, provider: openai, endpoints: [embeddings], credential: openai-key}
  - forbid: {id: no-mcp, hosted: {any: [remote-mcp]}}
  - forbid: {id: old, provider: corp, models: ['gpt-3*']}
tests:
  - allow: {llm: {provider: anthropic, model: claude-sonnet-4-5}}
  - allow: {llm: {provider: anthropic, model: fast, hosted: [web-search]}}
  - allow: {llm: {provider: anthropic, model: fast, hosted: [web-fetch]}}
  - deny: {llm: {provider: anthropic, model: claude-opus-4}}
  - deny: {llm: {provider: anthropic, model: fast, hosted: [code-execution]}}
  - deny: {llm: {provider: anthropic, model: fast, hosted: [remote-mcp, web-search]}}
  - allow: {llm: {provider: anthropic, endpoint: models}}
  - allow: {llm: {provider: corp, model: qwen3, maxOutputTokens: 1000}}
  - deny: {llm: {provider: corp, model: qwen3, maxOutputTokens: 1001}}
  - deny: {llm: {provider: corp, model: GPT-3.5}}
  - allow: {llm: {provider: openai, endpoint: embeddings, model: text-embedding-3-small}}
  - deny: {llm: {provider: openai, model: gpt-5}}
  - deny: {llm: {provider: gemini, model: gemini-3-pro}}
  - allow: {connect: 'llm.ringfence.internal:80'}
  - deny: {http: {method: POST, url: 'https://api.anthropic.com/v1/messages'}}
";

fn llm_actions() -> Vec<Action> {
    let profile = &profiles(LLM)[0];
    let tests = profile.tests.iter();
    tests
        .map(|test| test.tried().action_in(profile).unwrap())
        .collect()
}

#[test]
fn llm_rules_are_tested_explained_and_suggested() {
    let outcomes = run_tests(&profiles(LLM), now()).unwrap();
    let failed: Vec<_> = outcomes
        .iter()
        .filter(|it| !it.passed)
        .map(ToString::to_string)
        .collect();
    assert_eq!(failed, Vec::<String>::new());
    assert_eq!(outcomes.len(), 15);
    let snapshot = Snapshot::compile(Generation(7), &profiles(LLM)).unwrap();
    assert_eq!(snapshot.rule_count(), 5);
    let report: Vec<_> = llm_actions()
        .iter()
        .map(|action| {
            let suggested = snapshot.suggest(action, now());
            let suggested = suggested.map_or_else(|| "nothing".to_owned(), |rule| rule.to_line());
            format!(
                "{action}\n{}suggested: {suggested}\n",
                snapshot.explain(action, now())
            )
        })
        .collect();
    insta::assert_snapshot!(report.join("\n"));
}

#[test]
fn a_suggested_llm_rule_allows_what_was_denied() {
    let all = profiles(LLM);
    let snapshot = Snapshot::compile(Generation(7), &all).unwrap();
    let mut count = 0;
    for action in llm_actions() {
        let Some(ProfileRule::Llm(rule)) = snapshot.suggest(&action, now()) else {
            continue;
        };
        count += 1;
        let more = LLM.replace("tests:", &format!("  - {}\ntests:", rule.to_line()));
        let again = Snapshot::compile(Generation(8), &profiles(&more)).unwrap();
        let decision = again.decide(&action, now()).decision;
        assert!(decision.is_allow(), "{more}{}", decision.reason);
        let alone = snapshot.decide(&action, now()).decision;
        assert!(!alone.is_allow());
    }
    assert_eq!(count, 5);
}

#[test]
fn changes_of_llm_rules_and_providers_are_differences() {
    let after = LLM
        .replace("llm.corp.test", "llm2.corp.test")
        .replace("usd: 5", "usd: 6")
        .replace(
            "  - forbid: {id: old, provider: corp, models: ['gpt-3*']}\n",
            "",
        );
    let after = after.split("tests:").next().unwrap();
    let found = diff(&profiles(LLM), &profiles(after), &llm_actions(), now()).unwrap();
    insta::assert_snapshot!(found);
}

#[test]
fn an_llm_rule_on_one_line_reads_back_as_itself() {
    let many = "llm:
  - allow: {id: x, provider: openai, models: [], aliases: {}}
";
    assert!(Profile::parse("p", many).is_err());
    let full = "llm:
  - allow: {id: full, provider: openai, models: ['gpt-*'], aliases: {fast: gpt-5-mini, 'on': gpt-5}, endpoints: [responses], maxOutputTokens: 9, hosted: {allow: [], strip: ['other:x']}, credential: k, tokenRequired: true, secrets: observe, capture: true, requestOctets: 7, concurrency: 2, rates: [{requests: 1, tokens: 2, per: second}], budget: [{usd: 0.000000001, tokens: 3, per: hour, scope: workspace}], prices: {'gpt-*': {input: 1.5, output: 2, cacheRead: 0.1, cacheWrite: 3}}, unknownPrice: {input: 1, output: 2}, fallback: [{provider: groq}, {model: x}], loops: {repeats: 2, stop: true}, reason: 'a: b', expires: '2030-01-31T12:00:00Z'}
  - forbid: {models: ['gpt-3*'], endpoints: [completions], hosted: {any: [background]}}
";
    for text in [LLM, full] {
        for profile in profiles(text) {
            let mut yaml = "llmProviders:\n".to_owned();
            for terms in &profile.llm_providers {
                yaml.push_str(&format!("  - {}\n", terms.to_line()));
            }
            if profile.llm_providers.is_empty() {
                yaml.clear();
            }
            yaml.push_str("llm:\n");
            for rule in &profile.llm {
                yaml.push_str(&format!("  - {}\n", rule.to_line()));
            }
            let again = &profiles(&yaml)[0];
            assert_eq!(again.llm, profile.llm, "{yaml}");
            assert_eq!(again.llm_providers, profile.llm_providers);
            let json = serde_json::to_string(&profile).unwrap();
            assert_eq!(serde_json::from_str::<Profile>(&json).unwrap(), profile);
        }
    }
}

#[test]
fn recorded_llm_actions_are_simulated() {
    let observed: Vec<_> = llm_actions()
        .into_iter()
        .map(|action| Observed {
            action,
            effect: Effect::Allow,
            count: 2,
        })
        .collect();
    let snapshot = Snapshot::compile(Generation(7), &profiles(LLM)).unwrap();
    let simulation = simulate(&snapshot, &observed, now());
    assert_eq!(simulation.newly_denied.len(), 8);
    assert_eq!(simulation.unchanged, 14);
    let json = serde_json::to_string(&observed[2].action).unwrap();
    assert_eq!(
        serde_json::from_str::<Action>(&json).unwrap(),
        observed[2].action
    );
}
