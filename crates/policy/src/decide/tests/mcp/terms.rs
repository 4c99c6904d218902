//! On what terms a message goes on, what lists show, and the words of refusals.

use std::time::Duration;

use ringfence_model::Access;

use super::*;

fn terms(verdict: &Verdict) -> &McpTerms {
    let terms = verdict.grant.as_ref().unwrap().terms.first().unwrap();
    terms.mcp.as_deref().unwrap()
}

#[test]
fn terms_are_those_of_the_first_rule_that_allows() {
    let snapshot = mcp(
        "allow: {id: b, server: desk, tools: ['*'], pin: off, tokenRequired: true}
         allow: {id: a, server: desk, tools: [query], pin: review, recheck: always, secrets: block, capture: true, rate: {requests: 9, per: minute}}
         allow: {id: c, server: desk, prompts: ['*'], recheck: 1m, secrets: observe}",
    );
    let verdict = ask(&snapshot, call("query", json!({})));
    let found = terms(&verdict);
    assert_eq!(found.rule.0, "p/mcp/a");
    assert_eq!((found.pin, found.recheck), (PinMode::Review, None));
    assert_eq!((found.secrets, found.capture), (McpSecrets::Block, true));
    let rate = McpRate {
        requests: 9,
        per: Duration::from_secs(60),
    };
    assert_eq!(found.rate, Some(rate));
    let sent = verdict.grant.as_ref().unwrap().terms.first().unwrap();
    assert!(sent.token_required, "one of them wants it");
    assert_eq!(sent.credential.as_ref().unwrap().as_str(), "desk-key");
    let verdict = ask(&snapshot, call("other", json!({})));
    let found = terms(&verdict);
    assert_eq!(
        (found.pin, found.recheck),
        (PinMode::Off, Some(Duration::from_secs(5)))
    );
    assert_eq!(
        (found.secrets, found.capture, found.rate),
        (McpSecrets::Redact, false, None)
    );
    let verdict = ask(&snapshot, message(McpVerb::GetPrompt, Some("x")));
    assert_eq!(terms(&verdict).recheck, Some(Duration::from_secs(60)));
    assert_eq!(terms(&verdict).pin, PinMode::FirstUse);
}

#[test]
fn two_credentials_for_one_message_are_refused() {
    let snapshot = mcp("allow: {server: desk, tools: [a, b], credential: one}
         allow: {server: desk, tools: [a], credential: two}
         allow: {server: corp, tools: [a]}");
    assert_eq!(
        code(&snapshot, call("a", json!({}))),
        ReasonCode::CredentialAmbiguous
    );
    let verdict = ask(&snapshot, call("b", json!({})));
    assert_eq!(verdict.decision.credential.unwrap().as_str(), "one");
}

#[test]
fn a_call_reads_or_writes_as_the_rule_says_else_as_the_tool_says() {
    let snapshot = mcp(
        "allow: {server: desk, tools: [{name: r, access: read}, {name: w, access: write}, x], resources: ['**']}",
    );
    for (tool, reads_only, expected) in [
        ("r", None, Access::Read),
        ("r", Some(false), Access::Read),
        ("w", Some(true), Access::Write),
        ("x", None, Access::Write),
        ("x", Some(false), Access::Write),
        ("x", Some(true), Access::Read),
    ] {
        let request = McpRequest {
            reads_only,
            ..call(tool, json!({}))
        };
        assert_eq!(
            ask(&snapshot, request).decision.access,
            Some(expected),
            "{tool} {reads_only:?}"
        );
    }
    let read = ask(&snapshot, message(McpVerb::ReadResource, Some("a:b")));
    assert_eq!(read.decision.access, Some(Access::Read));
}

#[test]
fn lists_show_what_may_be_used() {
    let snapshot = mcp(
        "allow: {server: desk, tools: [query, 'get_*', {name: edit, arguments: {required: [id]}}], resources: ['s://a/**'], prompts: ['p*'], features: [roots]}
         allow: {server: desk, tools: [old], expires: '2020-01-01T00:00:00Z'}
         forbid: {server: desk, tools: [get_secret], resources: ['s://a/x/**'], prompts: [px]}
         forbid: {server: desk, tools: [{name: query, arguments: {required: [all]}}]}
         allow: {server: corp, tools: ['*'], features: [sampling]}
         forbid: {server: corp}",
    );
    for (entry, is_shown) in [
        (McpEntry::Tool("query"), true),
        (McpEntry::Tool("edit"), true),
        (McpEntry::Tool("get_a"), true),
        (McpEntry::Tool("get_secret"), false),
        (McpEntry::Tool("GET_SECRET"), false),
        (McpEntry::Tool("old"), false),
        (McpEntry::Tool("other"), false),
        (McpEntry::Resource("s://a/b"), true),
        (McpEntry::Resource("s://a/x/y"), false),
        (McpEntry::Resource("s://b"), false),
        (McpEntry::Template("s://a/{id}"), true),
        (McpEntry::Template("s://a/x/{id}"), false),
        (McpEntry::Template("s://{id}"), false),
        (McpEntry::Prompt("p1"), true),
        (McpEntry::Prompt("px"), false),
        (McpEntry::Prompt("q"), false),
        (McpEntry::Roots, true),
        (McpEntry::Sampling, false),
        (McpEntry::Elicitation, false),
    ] {
        assert_eq!(
            snapshot.mcp_shows(&server("desk"), entry, now()),
            is_shown,
            "{entry:?}"
        );
    }
    for entry in [McpEntry::Tool("a"), McpEntry::Sampling] {
        assert!(
            !snapshot.mcp_shows(&server("corp"), entry, now()),
            "{entry:?}"
        );
        assert!(
            !snapshot.mcp_shows(&server("local"), entry, now()),
            "{entry:?}"
        );
    }
}

#[test]
fn a_schema_is_published_where_it_is_the_only_way() {
    let snapshot = mcp(
        "allow: {server: desk, tools: [{name: one, arguments: {required: [a]}}, {name: two, arguments: {required: [a]}}, {name: free, arguments: {required: [a]}}]}
         allow: {server: desk, tools: [{name: two, arguments: {required: [b]}}, free, {name: one, arguments: {required: [a]}}]}
         allow: {server: desk, tools: [one], expires: '2020-01-01T00:00:00Z'}",
    );
    let narrowed = |tool: &str| snapshot.mcp_narrowed(&server("desk"), tool, now());
    assert_eq!(narrowed("one"), Some(&json!({"required": ["a"]})));
    assert_eq!(narrowed("two"), None);
    assert_eq!(narrowed("free"), None);
    assert_eq!(narrowed("none"), None);
}

#[test]
fn denials_say_what_is_allowed_and_what_comes_next() {
    let snapshot = mcp(
        "allow: {id: use, server: desk, tools: [query, {name: edit, arguments: {properties: {id: {type: integer}}, required: [id]}}], resources: ['s://a/**'], features: [elicitation], elicitationHosts: [login.acme.test]}
         forbid: {id: no-delete, server: desk, tools: ['delete_*'], reason: a person deletes}
         allow: {id: gone, server: corp, tools: [a], expires: '2026-05-01T00:00:00Z'}",
    );
    let corp = McpRequest {
        destination: "mcp.corp.test:8443".parse().unwrap(),
        server: server("corp"),
        path: "/a/mcp".to_owned(),
        ..call("a", json!({}))
    };
    let said: Vec<_> = [
        call("query", json!({})),
        call("other", json!({})),
        call("x\u{1b}[31m\ny", json!({})),
        call(&"x".repeat(5000), json!({})),
        call("edit", json!({"id": "5"})),
        call("edit", json!({})),
        message(McpVerb::CallTool, Some("edit")),
        call("Delete_all", json!({})),
        message(McpVerb::ReadResource, Some("s://b")),
        message(McpVerb::GetPrompt, Some("p")),
        message(McpVerb::Complete, Some("prompt p")),
        message(McpVerb::Subscribe, Some("s://a/b")),
        message(McpVerb::Sample, None),
        message(McpVerb::Elicit, Some("https://login.acme.test@evil.test/")),
        corp.clone(),
        McpRequest {
            server: server("local"),
            ..corp
        },
    ]
    .into_iter()
    .map(|request| {
        let decision = ask(&snapshot, request).decision;
        assert!(decision.reason.len() < 1000, "{}", decision.reason);
        let next = decision.next_step.unwrap_or_default();
        format!("{}: {}\n  next: {next}", decision.code, decision.reason)
    })
    .collect();
    insta::assert_snapshot!(said.join("\n"));
}

/// The rule that wants a person to approve this call.
fn approval(snapshot: &Snapshot, call: McpRequest) -> Option<String> {
    let verdict = ask(snapshot, call);
    let rule = terms(&verdict).approval.clone();
    let is_said = verdict
        .decision
        .reason
        .contains("once a person approves it");
    assert_eq!(is_said, rule.is_some(), "{}", verdict.decision.reason);
    rule.map(|rule| rule.0)
}

#[test]
fn one_rule_that_wants_approval_is_enough() {
    let snapshot = mcp(
        "allow: {id: a, server: desk, tools: ['*']}
         allow: {id: b, server: desk, tools: [pay], approval: required}
         allow: {id: c, server: desk, tools: [query, {name: query, arguments: {required: [all]}, approval: required}]}
         allow: {id: d, server: desk, tools: [read], approval: required, expires: 2020-01-01T00:00:00Z}
         allow: {id: e, server: corp, tools: [pay], credential: k}
         allow: {id: f, server: corp, tools: [pay], approval: required}",
    );
    let named = |id: &str| Some(format!("p/mcp/{id}"));
    assert_eq!(approval(&snapshot, call("pay", json!({}))), named("b"));
    assert_eq!(approval(&snapshot, call("query", json!({}))), None);
    let all = call("query", json!({"all": 1}));
    assert_eq!(approval(&snapshot, all), named("c"));
    let mut unseen = call("query", json!({}));
    unseen.arguments = None;
    assert_eq!(approval(&snapshot, unseen), named("c"), "it may need it");
    assert_eq!(approval(&snapshot, call("read", json!({}))), None);
    let list = message(McpVerb::ListTools, None);
    assert_eq!(approval(&snapshot, list), None);
    // Also a rule that does not count for what the call is sent with.
    let corp = McpRequest {
        destination: "mcp.corp.test:8443".parse().unwrap(),
        server: server("corp"),
        path: "/a/mcp".to_owned(),
        ..call("pay", json!({}))
    };
    let verdict = ask(&snapshot, corp.clone());
    assert_eq!(verdict.decision.credential.unwrap().as_str(), "k");
    assert_eq!(approval(&snapshot, corp), named("f"));
}
