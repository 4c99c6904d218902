//! Connections to the providers that LLM rules are about, and requests to them that came as
//! something else.

use ringfence_model::Destination;

use super::*;

const OWN: &str = "llmProviders:
  - {name: corp, kind: openai, url: 'https://llm.corp.test:8443/v1', addresses: [10.1.0.0/16]}
  - {name: corp-claude, kind: anthropic, url: 'https://llm.corp.test:8443/anthropic'}
  - {name: local, kind: openai, url: 'http://host.ringfence.internal:11434/v1'}";

fn shown(snapshot: &Snapshot, text: &str) -> String {
    carries(&snapshot.decide(&action(text), now()))
}

#[test]
fn a_rule_opens_its_provider_for_requests_that_are_read() {
    let snapshot = with(
        OWN,
        "allow: {provider: openai}
         allow: {provider: corp}
         allow: {provider: local}",
    );
    for (text, expected) in [
        ("api.openai.com:443", "https"),
        ("api.openai.com:80", "port-not-allowed"),
        ("api.anthropic.com:443", "no-rule"),
        ("llm.corp.test:8443", "https"),
        ("host.ringfence.internal:11434", "http"),
        ("GET https://api.openai.com/v1/models", "protocol-mismatch"),
        ("GET https://api.openai.com/other", "path-not-allowed"),
        ("llm.ringfence.internal:80", "http"),
        ("llm.ringfence.internal:443", "https"),
        ("llm.ringfence.internal:22", "control-plane"),
        ("otel.ringfence.internal:80", "http"),
        ("otel.ringfence.internal:22", "control-plane"),
        ("x.otel.ringfence.internal:80", "control-plane"),
        ("git.ringfence.internal:443", "control-plane"),
        (
            "GET https://llm.ringfence.internal/openai/v1/models",
            "control-plane",
        ),
        (
            "GET http://otel.ringfence.internal/v1/traces",
            "control-plane",
        ),
    ] {
        assert_eq!(shown(&snapshot, text), expected, "{text}");
    }
    for own in ["llm.ringfence.internal:80", "otel.ringfence.internal:80"] {
        let proxy = snapshot.decide(&action(own), now());
        assert!(!permits(&proxy, "127.0.0.1") && !permits(&proxy, "93.184.216.34"));
    }
    let corp = to(&snapshot, "corp", asked("m"));
    assert!(permits(&corp, "10.1.2.3") && !permits(&corp, "93.184.216.34"));
    let local = to(&snapshot, "local", asked("m"));
    assert!(permits(&local, "127.0.0.1") && !permits(&local, "93.184.216.34"));
    assert_eq!(
        (carries(&local), carries(&corp)),
        ("http".into(), "https".into())
    );
    let provider = corp.grant.unwrap().llm.unwrap();
    assert_eq!(provider.base_path, "/v1");
}

#[test]
fn without_a_rule_that_allows_some_its_own_name_is_closed() {
    for rules in [
        "forbid: {provider: openai}",
        "allow: {provider: openai, expires: '2020-01-01T00:00:00Z'}",
    ] {
        assert_eq!(
            shown(&llm(rules), "llm.ringfence.internal:443"),
            "control-plane"
        );
    }
}

#[test]
fn providers_are_found_by_place_and_name_where_a_rule_is_about_them() {
    let snapshot = with(
        OWN,
        "allow: {provider: corp}\nallow: {provider: corp-claude}\nforbid: {provider: groq}",
    );
    let at = |text: &str| -> Vec<String> {
        let destination: Destination = text.parse().unwrap();
        let found = snapshot.llm_at(&destination.host, destination.port);
        found.map(|it| it.name.to_string()).collect()
    };
    assert_eq!(at("llm.corp.test:8443"), ["corp", "corp-claude"]);
    assert_eq!(at("api.groq.com:443"), ["groq"]);
    for text in [
        "llm.corp.test:443",
        "api.openai.com:443",
        "host.ringfence.internal:11434",
    ] {
        assert_eq!(at(text), Vec::<String>::new(), "{text}");
    }
    assert!(snapshot.llm_named(&provider("corp")).is_some());
    assert!(snapshot.llm_named(&provider("openai")).is_none());
    assert_eq!(snapshot.llm_providers().len(), 3);
    let all = llm("forbid: {hosted: {any: [web-search]}}");
    assert_eq!(all.llm_providers().len(), 6, "it is about every provider");
}

#[test]
fn a_request_that_did_not_come_as_one_is_let_through_by_no_other_rule() {
    let network = "network:
  - allow: {host: api.openai.com, ports: [80, 443]}
  - allow: {host: llm.corp.test, ports: [8443, 9000]}
  - allow: {host: host.ringfence.internal, ports: [8080, 11434]}
api:
  - allow: {host: api.openai.com, credential: key}";
    let others = format!("{network}\n{OWN}");
    let snapshot = with(
        &others,
        "allow: {provider: openai}
         allow: {provider: corp}
         allow: {provider: local}",
    );
    for (text, expected) in [
        (
            "POST https://api.openai.com/v1/chat/completions",
            "protocol-mismatch",
        ),
        ("POST https://api.openai.com/V1/files", "protocol-mismatch"),
        (
            "POST http://api.openai.com/v1/chat/completions",
            "protocol-mismatch",
        ),
        ("POST https://api.openai.com/v1;x/chat", "protocol-mismatch"),
        ("GET https://api.openai.com/dashboard", "https"),
        ("POST https://llm.corp.test:8443/v1/x", "protocol-mismatch"),
        (
            "POST https://llm.corp.test:8443/anthropic/v1/messages",
            "https",
        ),
        ("POST https://llm.corp.test:9000/v1/x", "https"),
        (
            "POST http://host.ringfence.internal:11434/v1/x",
            "protocol-mismatch",
        ),
        ("POST http://host.ringfence.internal:8080/v1/x", "http"),
        ("api.openai.com:443", "https"),
    ] {
        assert_eq!(shown(&snapshot, text), expected, "{text}");
    }
    let decision = snapshot
        .decide(&action("POST https://api.openai.com/v1/x"), now())
        .decision;
    assert_eq!(
        decision.reason,
        "LLM requests to api.openai.com are decided by llm rules, and this did not come as one"
    );
    assert!(snapshot.has_api_rules(&"llm.corp.test:8443".parse().unwrap()));
    assert!(!snapshot.has_api_rules(&"llm.corp.test:9000".parse().unwrap()));
}

#[test]
fn a_forbid_of_another_section_takes_requests_to_a_provider() {
    for (section, is_taken) in [
        ("network: [{forbid: {host: api.openai.com}}]", true),
        (
            "network: [{forbid: {host: '*.openai.com', ports: [443]}}]",
            true,
        ),
        (
            "network: [{forbid: {host: api.openai.com, methods: [POST]}}]",
            true,
        ),
        (
            "network: [{forbid: {host: api.openai.com, ports: [80]}}]",
            false,
        ),
        (
            "network: [{forbid: {host: api.openai.com, paths: ['/v1/chat/**']}}]",
            true,
        ),
        (
            "network: [{forbid: {host: api.openai.com, paths: ['/v1/files/**']}}]",
            false,
        ),
        (
            "api: [{forbid: {host: api.openai.com, headers: {params: [{name: x-a, required: true}]}}}]",
            true,
        ),
        ("network: [{forbid: {host: api.anthropic.com}}]", false),
    ] {
        let snapshot = with(section, "allow: {provider: openai}");
        let expected = if is_taken {
            ReasonCode::Forbidden
        } else {
            ReasonCode::Allowed
        };
        assert_eq!(
            code(&snapshot, "openai", asked("gpt-5")),
            expected,
            "{section}"
        );
    }
    let networks = with(
        "network: [{forbid: {cidr: 93.184.216.0/24}}]",
        "allow: {provider: openai}",
    );
    let verdict = to(&networks, "openai", asked("gpt-5"));
    assert!(!permits(&verdict, "93.184.216.34") && permits(&verdict, "8.8.8.8"));
}
