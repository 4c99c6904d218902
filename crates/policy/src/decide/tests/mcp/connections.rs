//! Connections to the servers that MCP rules are about, and requests to them that came as something
//! else.

use ringfence_model::Destination;

use super::*;

fn shown(snapshot: &Snapshot, text: &str) -> String {
    carries(&snapshot.decide(&action(text), now()))
}

#[test]
fn a_rule_opens_its_server_for_messages_that_are_read() {
    let snapshot = mcp("allow: {server: desk}
         allow: {server: corp}
         allow: {server: local}");
    for (text, expected) in [
        ("mcp.desk.test:443", "https"),
        ("mcp.desk.test:80", "port-not-allowed"),
        ("mcp.corp.test:8443", "https"),
        ("mcp.corp.test:443", "port-not-allowed"),
        ("host.ringfence.internal:9000", "http"),
        ("POST https://mcp.desk.test/mcp", "protocol-mismatch"),
        ("mcp.ringfence.internal:80", "http"),
        ("mcp.ringfence.internal:443", "https"),
        ("mcp.ringfence.internal:22", "control-plane"),
        ("llm.ringfence.internal:443", "control-plane"),
        ("POST http://mcp.ringfence.internal/desk", "control-plane"),
        ("x.mcp.ringfence.internal:80", "control-plane"),
    ] {
        assert_eq!(shown(&snapshot, text), expected, "{text}");
    }
    let own = snapshot.decide(&action("mcp.ringfence.internal:80"), now());
    assert!(!permits(&own, "127.0.0.1") && !permits(&own, "93.184.216.34"));
    let desk = ask(&snapshot, message(McpVerb::Greet, None));
    assert!(permits(&desk, "93.184.216.34") && !permits(&desk, "10.1.2.3"));
    let corp = McpRequest {
        destination: "mcp.corp.test:8443".parse().unwrap(),
        server: server("corp"),
        path: "/a/mcp".to_owned(),
        ..message(McpVerb::Greet, None)
    };
    let corp = ask(&snapshot, corp);
    assert!(permits(&corp, "10.1.2.3") && !permits(&corp, "93.184.216.34"));
    assert_eq!(
        (carries(&desk), carries(&corp)),
        ("https".into(), "https".into())
    );
}

#[test]
fn a_connection_is_read_whatever_a_network_rule_says() {
    let snapshot = with(
        "network: [{allow: {host: mcp.desk.test}}, {allow: {host: mcp.corp.test, ports: [8443], protocol: tcp}}]",
        "allow: {server: desk}\nforbid: {server: corp}",
    );
    assert_eq!(shown(&snapshot, "mcp.desk.test:443"), "https");
    assert_ne!(shown(&snapshot, "mcp.corp.test:8443"), "tls http opaque");
}

#[test]
fn without_a_rule_that_allows_some_its_own_name_is_closed() {
    for rules in [
        "forbid: {server: desk}",
        "allow: {server: desk, expires: '2020-01-01T00:00:00Z'}",
    ] {
        assert_eq!(
            shown(&mcp(rules), "mcp.ringfence.internal:443"),
            "control-plane"
        );
    }
}

#[test]
fn servers_are_found_by_place_and_name_where_a_rule_is_about_them() {
    let snapshot = mcp("allow: {server: corp}\nforbid: {server: corp-b}");
    let at = |text: &str| -> Vec<String> {
        let destination: Destination = text.parse().unwrap();
        let found = snapshot.mcp_at(&destination.host, destination.port);
        found.map(|it| it.name.to_string()).collect()
    };
    assert_eq!(at("mcp.corp.test:8443"), ["corp", "corp-b"]);
    for text in ["mcp.corp.test:443", "mcp.desk.test:443"] {
        assert_eq!(at(text), Vec::<String>::new(), "{text}");
    }
    assert!(snapshot.mcp_named(&server("corp")).is_some());
    assert!(snapshot.mcp_named(&server("desk")).is_none());
    assert_eq!(snapshot.mcp_servers().len(), 2);
}

#[test]
fn a_request_to_the_endpoint_that_is_no_message_is_let_through_by_no_other_rule() {
    let network = "network:
  - allow: {host: mcp.desk.test, ports: [80, 443, 8080]}
  - allow: {host: mcp.corp.test, ports: [8443]}";
    let snapshot = with(
        network,
        "allow: {server: desk, tools: ['*']}\nforbid: {server: corp}",
    );
    for (text, is_stray) in [
        ("POST https://mcp.desk.test/mcp", true),
        ("GET https://mcp.desk.test/mcp", true),
        ("POST https://mcp.desk.test/MCP", true),
        ("POST https://mcp.desk.test/mcp/", true),
        ("POST https://mcp.desk.test/mcp/x", true),
        ("POST https://mcp.desk.test/mcp;x", true),
        ("POST https://mcp.desk.test/mcp?x=y", true),
        ("POST http://mcp.desk.test/mcp", true),
        ("POST https://mcp.desk.test/mcp2", false),
        ("POST https://mcp.desk.test/", false),
        ("POST https://mcp.desk.test/x/mcp", false),
        ("POST http://mcp.desk.test:8080/mcp", false),
        ("POST https://mcp.corp.test:8443/a/mcp", true),
        ("POST https://mcp.corp.test:8443/b", false),
        ("POST https://mcp.corp.test:8443/a", false),
    ] {
        let code = snapshot.decide(&action(text), now()).decision.code;
        let expected = if is_stray {
            ReasonCode::ProtocolMismatch
        } else {
            ReasonCode::Allowed
        };
        assert_eq!(code, expected, "{text}");
    }
}

#[test]
fn a_message_to_another_place_than_the_servers_is_not_one_to_it() {
    let snapshot = mcp("allow: {server: desk}");
    let greet = message(McpVerb::Greet, None);
    assert_eq!(code(&snapshot, greet.clone()), ReasonCode::Allowed);
    for (destination, path) in [
        ("evil.test:443", "/mcp"),
        ("mcp.desk.test:8443", "/mcp"),
        ("mcp.desk.test:443", "/mcp/"),
        ("mcp.desk.test:443", "/MCP"),
        ("mcp.desk.test:443", "/"),
    ] {
        let request = McpRequest {
            destination: destination.parse().unwrap(),
            path: path.to_owned(),
            ..greet.clone()
        };
        assert_eq!(
            code(&snapshot, request),
            ReasonCode::NoRule,
            "{destination}{path}"
        );
    }
}

#[test]
fn forbids_of_other_sections_count() {
    for (others, verb, taken) in [
        (
            "network: [{forbid: {host: mcp.desk.test}}]",
            McpVerb::Greet,
            true,
        ),
        (
            "network: [{forbid: {host: '*.desk.test', ports: [443]}}]",
            McpVerb::Greet,
            true,
        ),
        (
            "network: [{forbid: {host: mcp.desk.test, ports: [22]}}]",
            McpVerb::Greet,
            false,
        ),
        (
            "network: [{forbid: {host: mcp.desk.test, methods: [POST]}}]",
            McpVerb::CallTool,
            true,
        ),
        (
            "network: [{forbid: {host: mcp.desk.test, methods: [DELETE]}}]",
            McpVerb::CallTool,
            false,
        ),
        (
            "network: [{forbid: {host: mcp.desk.test, methods: [DELETE]}}]",
            McpVerb::Leave,
            true,
        ),
        (
            "network: [{forbid: {host: mcp.desk.test, paths: [/mcp]}}]",
            McpVerb::CallTool,
            true,
        ),
        (
            "network: [{forbid: {host: mcp.desk.test, paths: ['/other/**']}}]",
            McpVerb::CallTool,
            false,
        ),
        (
            "api: [{forbid: {host: mcp.desk.test}}]",
            McpVerb::CallTool,
            true,
        ),
        (
            "network: [{forbid: {host: mcp.desk.test, expires: '2020-01-01T00:00:00Z'}}]",
            McpVerb::Greet,
            false,
        ),
    ] {
        let snapshot = with(others, "allow: {server: desk, tools: ['*']}");
        let expected = if taken {
            ReasonCode::Forbidden
        } else {
            ReasonCode::Allowed
        };
        assert_eq!(
            code(&snapshot, message(verb, Some("x"))),
            expected,
            "{others} {verb}"
        );
    }
    let network = with(
        "network: [{forbid: {cidr: 93.184.0.0/16}}]",
        "allow: {server: desk}",
    );
    let verdict = ask(&network, message(McpVerb::Greet, None));
    assert!(!permits(&verdict, "93.184.216.34") && permits(&verdict, "8.8.8.8"));
}
