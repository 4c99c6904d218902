use super::*;
use crate::PolicyError;

const HEAD: &str = "apiVersion: ringfence/v1\nkind: Profile\nname: p\n";

fn refusal(body: &str) -> PolicyError {
    match Profile::parse("p.yaml", &format!("{HEAD}{body}\n")) {
        Ok(_) => panic!("{body} was taken"),
        Err(error) => error,
    }
}

fn rule(rule: &str) -> String {
    let error = refusal(&format!("llm:\n  - {rule}"));
    let help = error.help.clone().unwrap_or_default();
    format!("{error} / {help}").replace('\n', " ")
}

fn provider(fields: &str) -> String {
    refusal(&format!("llmProviders:\n  - {{{fields}}}")).to_string()
}

fn taken(body: &str) -> Profile {
    let mut profiles = Profile::parse("p.yaml", &format!("{HEAD}{body}\n")).unwrap();
    profiles.swap_remove(0)
}

#[test]
fn rules_that_say_two_things_or_nothing_are_refused() {
    for (fields, part) in [
        ("", "names no `provider`"),
        ("provider: nowhere", "there is no provider `nowhere`"),
        ("provider: Anthropic", "lower-case"),
        ("provider: openai, models: ['*']", "leave the list out"),
        ("provider: openai, models: null", ""),
        ("provider: openai, models: gpt-5", "a list is expected"),
        (
            "provider: openai, endpoints: []",
            "`endpoints` is an empty list",
        ),
        (
            "provider: openai, endpoints: [files]",
            "unknown word `files`",
        ),
        (
            "provider: openai, hosted: {allow: [web_search]}",
            "something that a provider does",
        ),
        (
            "provider: openai, hosted: {strip: []}",
            "`strip` is an empty list",
        ),
        (
            "provider: openai, hosted: {any: [web-search]}",
            "belongs to a forbid",
        ),
        (
            "provider: openai, hosted: {allow: [web-search], strip: [web-fetch, web-search]}",
            "in `allow` as well",
        ),
        ("provider: openai, maxOutputTokens: 0", "at least 1"),
        ("provider: openai, maxOutputTokens: 8k", "whole number"),
        ("provider: openai, requestOctets: 0", "at least 1"),
        ("provider: openai, concurrency: 0", "at least 1"),
        ("provider: openai, tokenRequired: true", "the rule has none"),
        ("provider: openai, secrets: hide", "unknown word `hide`"),
    ] {
        let error = rule(&format!("allow: {{{fields}}}"));
        assert!(error.contains(part), "{fields}: {error}");
    }
}

#[test]
fn terms_that_say_nothing_or_cannot_be_kept_are_refused() {
    for (fields, part) in [
        ("provider: openai, rates: []", "`rates` is an empty list"),
        (
            "provider: openai, rates: [{per: minute}]",
            "says nothing without",
        ),
        (
            "provider: openai, rates: [{requests: 0, per: minute}]",
            "at least 1",
        ),
        (
            "provider: openai, rates: [{requests: 1, per: month}]",
            "unknown word `month`",
        ),
        ("provider: openai, loops: {}", "says nothing without"),
        ("provider: openai, loops: {repeats: 1}", "2 or more"),
        (
            "provider: openai, fallback: []",
            "`fallback` is an empty list",
        ),
        ("provider: openai, fallback: [{}]", "was sent before"),
        (
            "provider: openai, fallback: [{provider: openai}]",
            "was sent before",
        ),
        (
            "provider: openai, fallback: [{provider: anthropic}]",
            "another dialect",
        ),
        (
            "provider: openai, fallback: [{provider: x}]",
            "there is no provider `x`",
        ),
        (
            "provider: openai, fallback: [{model: 'a b'}]",
            "the name of a model",
        ),
        (
            "provider: openai, aliases: {}",
            "`aliases` is an empty list",
        ),
        (
            "provider: openai, aliases: {'a b': gpt-5}",
            "the name of a model",
        ),
        (
            "provider: openai, aliases: {a: 'gpt-*'}",
            "the name of a model",
        ),
        (
            "provider: openai, models: [gpt-5*], aliases: {a: o3}",
            "which the rule does not allow",
        ),
        ("provider: openai, aliases: {a: b, b: c}", "itself a name"),
        ("provider: openai, aliases: {a: a}", "itself a name"),
        (
            "provider: openai, host: api.openai.com",
            "unknown field `host`",
        ),
        ("provider: openai, expires: tomorrow", "RFC 3339"),
    ] {
        let error = rule(&format!("allow: {{{fields}}}"));
        assert!(error.contains(part), "{fields}: {error}");
    }
}

#[test]
fn a_forbid_is_about_requests_alone() {
    for (fields, part) in [
        ("models: []", "`models` is an empty list"),
        ("hosted: {allow: [web-search]}", "a forbid says with `any`"),
        ("hosted: {}", "a forbid says with `any`"),
        ("hosted: {any: []}", "`any` is an empty list"),
        ("aliases: {a: b}", "no `aliases`"),
        ("maxOutputTokens: 5", "no `maxOutputTokens`"),
        ("credential: x", "no `credential`"),
        ("capture: true", "no `capture`"),
        ("secrets: block", "no `secrets`"),
        ("budget: {usd: 1, per: day}", "no `budget`"),
        ("unknownPrice: {input: 1, output: 1}", "no `unknownPrice`"),
        ("loops: {stop: true}", "no `loops`"),
    ] {
        let error = rule(&format!("forbid: {{{fields}}}"));
        assert!(error.contains(part), "{fields}: {error}");
    }
    let all = taken("llm:\n  - forbid: {}\n  - forbid: {hosted: {any: ['other:memory']}}");
    assert_eq!(all.llm.len(), 2);
}

#[test]
fn budgets_say_how_much_of_what_and_when_they_start_anew() {
    for (budget, part) in [
        ("{usd: 5}", "`per` is missing"),
        ("{per: day}", "says nothing without `usd` or `tokens`"),
        ("{tokens: 0, per: day}", "at least 1"),
        ("{usd: 5, per: week}", "unknown word `week`"),
        ("{usd: 5, per: run, scope: agent}", "each run by itself"),
        ("{usd: 5, per: day, scope: user}", "unknown word `user`"),
        ("{usd: 5, per: day, tokens: many}", "whole number"),
        ("{usd: -1, per: day}", "an amount of US dollars"),
        ("{usd: 1e3, per: day}", "an amount of US dollars"),
        ("{usd: .5, per: day}", "an amount of US dollars"),
        ("{usd: 5 USD, per: day}", "an amount of US dollars"),
        ("{usd: 0.0000000001, per: day}", "an amount of US dollars"),
        ("{usd: null, per: day}", ""),
        ("[]", "`budget` is an empty list"),
        ("[{usd: 5, per: day}, {per: run}]", "says nothing without"),
        ("null", ""),
        ("5", ""),
    ] {
        let error = rule(&format!("allow: {{provider: openai, budget: {budget}}}"));
        assert!(error.contains(part), "{budget}: {error}");
    }
}

#[test]
fn money_is_what_its_text_says() {
    for (text, amount) in [
        ("5", "5.00"),
        ("'5'", "5.00"),
        ("0.1", "0.10"),
        ("0.30000001", "0.30000001"),
        ("123456789.000000001", "123456789.000000001"),
    ] {
        let body =
            format!("llm:\n  - allow: {{provider: openai, budget: {{usd: {text}, per: day}}}}");
        let profile = taken(&body);
        let budgets = profile.llm[0].terms().budget.clone().unwrap();
        let money = budgets[0].usd.unwrap().money();
        assert_eq!(money.to_string(), amount, "{text}");
    }
}

#[test]
fn one_budget_and_a_list_of_one_are_the_same() {
    let budgets = |text: &str| {
        let body = format!("llm:\n  - allow: {{provider: openai, budget: {text}}}");
        taken(&body).llm.swap_remove(0)
    };
    let one = budgets("{usd: 5, per: day}");
    assert_eq!(one, budgets("[{usd: 5, per: day}]"));
    assert_ne!(one, budgets("[{usd: 5, per: day}, {tokens: 9, per: run}]"));
    let again = taken(&format!("llm:\n  - {}", one.to_line()));
    assert_eq!(again.llm, [one]);
}

#[test]
fn an_error_has_its_place_in_the_text() {
    for (line, place) in [
        ("allow: {provider: nowhere}", "p.yaml:5:23: "),
        (
            "allow: {provider: openai, budget: {usd: 1, per: week}}",
            "p.yaml:5:53: ",
        ),
        (
            "allow: {provider: openai, budget: [{usd: 1, per: day}, {per: day}]}",
            "p.yaml:5:60: ",
        ),
        (
            "allow: {provider: openai, hosted: {strip: [web-fetch], allow: [web-fetch]}}",
            "p.yaml:5:48: ",
        ),
    ] {
        let error = refusal(&format!("llm:\n  - {line}")).to_string();
        assert!(error.starts_with(place), "{line}: {error}");
    }
}

#[test]
fn providers_that_cannot_be_told_apart_are_refused() {
    let local = "kind: openai, url: 'http://llm.test:8000/v1'";
    for (fields, part) in [
        (
            "name: openai, credential: k, kind: openai",
            "with its `kind`",
        ),
        (
            "name: openai, url: 'https://evil.test/v1'",
            "with its `url`",
        ),
        ("name: openai", "says nothing about `openai`"),
        (
            "name: Local, kind: openai, url: 'https://a.test'",
            "1 to 32 lower-case",
        ),
        (
            "name: mine, kind: openai, url: 'https://api.openai.com/v1'",
            "the provider `openai` already",
        ),
        (
            "name: mine, kind: openai, url: 'https://api.openai.com'",
            "the provider `openai` already",
        ),
        (
            "name: mine, kind: openai, url: 'https://API.openai.com/V1/x'",
            "the provider `openai` already",
        ),
        (
            "name: mine, kind: openai, url: 'https://api.anthropic.com/x'",
            "the provider `anthropic` already",
        ),
        (
            "name: a, kind: openai, url: 'https://a.test/v1'}\n  - {name: a, kind: openai, url: 'https://b.test/v1'",
            "already a provider `a`",
        ),
        (
            "name: a, kind: openai, url: 'https://a.test/v1'}\n  - {name: b, kind: anthropic, url: 'https://a.test/v1/b'",
            "the provider `a` already",
        ),
        (
            "name: openai, credential: k}\n  - {name: openai, credential: l",
            "already a provider `openai`",
        ),
    ] {
        let error = provider(fields);
        assert!(error.contains(part), "{fields}: {error}");
    }
    let apart = format!(
        "llmProviders:\n  - {{name: a, {local}}}\n  - {{name: b, kind: openai, url: 'http://llm.test:8000/v1beta'}}\n  - {{name: c, kind: openai, url: 'http://llm.test:8001/v1'}}"
    );
    assert_eq!(taken(&apart).llm_providers.len(), 3);
}

#[test]
fn providers_that_cannot_be_reached_are_refused() {
    for (fields, part) in [
        ("kind: openai", "`url` is missing"),
        ("url: 'https://a.test'", "`kind` is missing"),
        (
            "kind: cohere, url: 'https://a.test'",
            "unknown word `cohere`",
        ),
        ("kind: openai, url: 'a.test/v1'", "a base URL"),
        ("kind: openai, url: 'ftp://a.test/v1'", "a base URL"),
        ("kind: openai, url: 'https://user@a.test/v1'", "a base URL"),
        ("kind: openai, url: 'https://192.0.2.1/v1'", "a base URL"),
        ("kind: openai, url: 'https://[::1]/v1'", "a base URL"),
        ("kind: openai, url: 'https://a.test:0/v1'", "a base URL"),
        ("kind: openai, url: 'https://a.test:x/v1'", "a base URL"),
        ("kind: openai, url: 'https://a.test/v1/'", "a base URL"),
        ("kind: openai, url: 'https://a.test/'", "a base URL"),
        ("kind: openai, url: 'https://a.test/a/../b'", "a base URL"),
        ("kind: openai, url: 'https://a.test/a%2fb'", "a base URL"),
        ("kind: openai, url: 'https://a.test/v1?x=1'", "a base URL"),
        (
            "kind: openai, url: 'https://llm.ringfence.internal/v1'",
            "Ringfence itself",
        ),
        (
            "kind: openai, url: 'https://a.test/v1', addresses: []",
            "an empty list",
        ),
        (
            "kind: openai, url: 'https://a.test/v1', addresses: [0.0.0.0/0]",
            "every address",
        ),
        (
            "kind: openai, url: 'http://host.ringfence.internal:11434/v1', addresses: [10.0.0.0/8]",
            "loopback",
        ),
    ] {
        let error = provider(&format!("name: corp, {fields}"));
        assert!(error.contains(part), "{fields}: {error}");
    }
}

#[test]
fn two_profiles_mean_the_same_by_one_name() {
    let head = "apiVersion: ringfence/v1\nkind: Profile\n";
    let two = |one: &str, other: &str| {
        let yaml = format!("{head}name: p\n{one}\n---\n{head}name: q\n{other}\n");
        Profile::parse("p.yaml", &yaml)
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    let described = |fields: &str| format!("llmProviders: [{{{fields}}}]");
    let corp = described("name: corp, kind: openai, url: 'https://llm.corp.test/v1'");
    assert_eq!(two(&corp, &corp), Ok(()));
    let own = described("name: own, kind: openai, url: 'https://llm.corp.test/v2'");
    assert_eq!(two(&corp, &own), Ok(()));
    for (other, part) in [
        (
            "name: corp, kind: openai, url: 'https://evil.test/v1'",
            "describes the provider `corp` otherwise",
        ),
        (
            "name: own, kind: openai, url: 'https://llm.corp.test/v1/x'",
            "calls this provider `corp`",
        ),
    ] {
        let error = two(&corp, &described(other)).unwrap_err();
        assert!(error.contains(part), "{error}");
        assert!(error.starts_with("p.yaml:9:16:"), "{error}");
    }
    let alias = |provider: &str, model: &str| {
        format!("llm: [{{allow: {{provider: {provider}, aliases: {{fast: {model}}}}}}}]")
    };
    assert_eq!(two(&alias("openai", "a"), &alias("openai", "a")), Ok(()));
    assert_eq!(two(&alias("openai", "a"), &alias("groq", "b")), Ok(()));
    let error = two(&alias("openai", "a"), &alias("openai", "b")).unwrap_err();
    assert!(
        error.contains("`fast` means `a` in another rule"),
        "{error}"
    );
}

#[test]
fn a_test_names_a_provider_that_there_is() {
    for (test, part) in [
        ("{provider: nowhere, model: x}", "no such provider"),
        ("{model: x}", "`provider` is missing"),
        (
            "{provider: openai, hosted: [web_search]}",
            "something that a provider does",
        ),
        (
            "{provider: openai, endpoint: files}",
            "unknown word `files`",
        ),
    ] {
        let error = refusal(&format!("tests:\n  - deny: {{llm: {test}}}")).to_string();
        assert!(error.contains(part), "{test}: {error}");
    }
}
