//! MCP rules: which tools, resources, prompts and features of which servers.

mod connections;
mod forbids;
mod oracle;
mod terms;

use ringfence_model::mcp::{McpArguments, McpRequest, McpServer, McpVerb, ServerName};
use serde_json::{Value, json};

use super::*;

const SERVERS: &str = "mcpServers:
  - {name: desk, url: 'https://mcp.desk.test/mcp', credential: desk-key}
  - {name: corp, url: 'https://mcp.corp.test:8443/a/mcp', addresses: [10.1.0.0/16]}
  - {name: corp-b, url: 'https://mcp.corp.test:8443/b'}
  - {name: local, url: 'http://host.ringfence.internal:9000/mcp'}";

/// A policy of MCP rules, one for each line.
fn mcp(rules: &str) -> Snapshot {
    with("", rules)
}

/// The same with other sections in front.
fn with(others: &str, rules: &str) -> Snapshot {
    let mut yaml = format!("{HEAD}name: p\n{others}\n{SERVERS}\nmcp:\n");
    for rule in rules.lines().map(str::trim).filter(|line| !line.is_empty()) {
        writeln!(yaml, "  - {rule}").unwrap();
    }
    Snapshot::compile(Generation(7), &Profile::parse("p.yaml", &yaml).unwrap()).unwrap()
}

fn server(name: &str) -> ServerName {
    ServerName::new(name).unwrap()
}

/// A message to the server `desk`.
fn message(verb: McpVerb, target: Option<&str>) -> McpRequest {
    McpRequest {
        destination: "mcp.desk.test:443".parse().unwrap(),
        server: server("desk"),
        verb,
        method: (!matches!(verb, McpVerb::Leave)).then(|| "x/y".to_owned()),
        target: target.map(str::to_owned),
        arguments: None,
        reads_only: None,
        path: "/mcp".to_owned(),
        version: None,
        octets: 0,
    }
}

fn call(tool: &str, arguments: Value) -> McpRequest {
    McpRequest {
        arguments: Some(McpArguments {
            value: Some(arguments),
            ..McpArguments::default()
        }),
        ..message(McpVerb::CallTool, Some(tool))
    }
}

fn ask(snapshot: &Snapshot, request: McpRequest) -> Verdict {
    snapshot.decide(&Action::Mcp(Box::new(request)), now())
}

fn code(snapshot: &Snapshot, request: McpRequest) -> ReasonCode {
    ask(snapshot, request).decision.code
}

fn is_allowed(snapshot: &Snapshot, verb: McpVerb, target: Option<&str>) -> bool {
    ask(snapshot, message(verb, target)).decision.is_allow()
}

/// What needs no more than some live allow about the server.
const OPEN: [McpVerb; 8] = [
    McpVerb::Greet,
    McpVerb::Talk,
    McpVerb::Listen,
    McpVerb::Leave,
    McpVerb::ListTools,
    McpVerb::ListResources,
    McpVerb::ListTemplates,
    McpVerb::ListPrompts,
];

#[test]
fn what_no_rule_names_is_denied_and_a_session_needs_some_rule() {
    let nothing = mcp("allow: {server: corp, tools: ['*']}");
    let some = mcp("allow: {server: desk}");
    let empty = mcp("allow: {server: desk, tools: [], resources: [], prompts: [], features: []}");
    for verb in McpVerb::ALL {
        assert_eq!(code(&nothing, message(verb, None)), ReasonCode::NoRule);
        for target in [None, Some("x"), Some("a:b"), Some("prompt x"), Some("")] {
            let is_open = OPEN.contains(&verb) && (verb != McpVerb::Listen || target.is_none());
            let usual = verb == McpVerb::SetLogLevel;
            assert_eq!(
                is_allowed(&some, verb, target),
                is_open || usual,
                "{verb} {target:?}"
            );
            assert_eq!(
                is_allowed(&empty, verb, target),
                is_open,
                "{verb} {target:?}"
            );
        }
    }
    let old = mcp("allow: {server: desk, tools: [a], expires: '2020-01-01T00:00:00Z'}");
    assert_eq!(
        code(&old, message(McpVerb::Greet, None)),
        ReasonCode::RuleExpired
    );
    assert_eq!(code(&old, call("a", json!({}))), ReasonCode::RuleExpired);
    let until = mcp("allow: {server: desk, tools: [a], expires: '2026-06-01T00:00:01Z'}");
    let grant = ask(&until, call("a", json!({}))).grant.unwrap();
    assert_eq!(
        grant.valid_until,
        Some("2026-06-01T00:00:01Z".parse().unwrap())
    );
}

#[test]
fn names_are_whole_and_letter_case_counts_for_an_allow() {
    let snapshot = mcp(
        "allow: {server: desk, tools: [query, 'describe_*'], prompts: ['*'], resources: ['file:///docs/**', 'test://*']}",
    );
    for (verb, target, expected) in [
        (McpVerb::CallTool, "query", true),
        (McpVerb::CallTool, "query2", false),
        (McpVerb::CallTool, "Query", false),
        (McpVerb::CallTool, "xquery", false),
        (McpVerb::CallTool, "query ", false),
        (McpVerb::CallTool, "describe_x", true),
        (McpVerb::CallTool, "describe", false),
        (McpVerb::CallTool, "\u{440}query", false),
        (McpVerb::CallTool, "", false),
        (McpVerb::GetPrompt, "anything at all", true),
        (McpVerb::ReadResource, "file:///docs/a/b.md", true),
        (McpVerb::ReadResource, "file:///docs2/a", false),
        (McpVerb::ReadResource, "FILE:///docs/a", false),
        (McpVerb::ReadResource, "file:////docs/a", false),
        (McpVerb::ReadResource, "file://evil/docs/a", false),
        (McpVerb::ReadResource, "test://static-text", true),
        (McpVerb::ReadResource, "test://a/b", false),
        (McpVerb::ReadResource, "xtest://a", false),
        (McpVerb::Subscribe, "test://a", true),
        (McpVerb::Subscribe, "other://a", false),
        (McpVerb::Listen, "test://a", true),
        (McpVerb::Listen, "other://a", false),
        (McpVerb::Complete, "prompt x", true),
        (McpVerb::Complete, "resource test://a", true),
        (McpVerb::Complete, "resource file:///docs/{path}", true),
        (McpVerb::Complete, "resource file:///{path}", false),
        (McpVerb::Complete, "resource other://{path}", false),
        (McpVerb::Complete, "tool query", false),
        (McpVerb::Complete, "test://a", false),
    ] {
        assert_eq!(
            is_allowed(&snapshot, verb, Some(target)),
            expected,
            "{verb} {target}"
        );
    }
    for verb in [McpVerb::CallTool, McpVerb::ReadResource, McpVerb::GetPrompt] {
        assert!(!is_allowed(&snapshot, verb, None), "{verb}");
    }
}

#[test]
fn arguments_match_the_schema_of_a_rule_or_nothing() {
    const REPO: &str = "{type: object, properties: {repo: {const: acme/web}}, required: [repo]}";
    let one = mcp(&format!(
        "allow: {{server: desk, tools: [{{name: 'create_*', arguments: {REPO}}}]}}"
    ));
    for (arguments, expected) in [
        (json!({"repo": "acme/web"}), ReasonCode::Allowed),
        (
            json!({"repo": "acme/web", "title": "x"}),
            ReasonCode::Allowed,
        ),
        (json!({"repo": "acme/Web"}), ReasonCode::ArgumentsNotAllowed),
        (json!({"Repo": "acme/web"}), ReasonCode::ArgumentsNotAllowed),
        (
            json!({"repo": ["acme/web"]}),
            ReasonCode::ArgumentsNotAllowed,
        ),
        (json!({}), ReasonCode::ArgumentsNotAllowed),
        (json!(null), ReasonCode::ArgumentsNotAllowed),
        (
            json!([{"repo": "acme/web"}]),
            ReasonCode::ArgumentsNotAllowed,
        ),
    ] {
        assert_eq!(
            code(&one, call("create_issue", arguments.clone())),
            expected,
            "{arguments}"
        );
    }
    let unseen = message(McpVerb::CallTool, Some("create_issue"));
    assert_eq!(code(&one, unseen.clone()), ReasonCode::ArgumentsNotAllowed);
    let recorded: McpRequest = serde_json::from_str(
        &serde_json::to_string(&call("create_issue", json!({"repo": "acme/web"}))).unwrap(),
    )
    .unwrap();
    assert_eq!(code(&one, recorded), ReasonCode::ArgumentsNotAllowed);

    let two = mcp(&format!(
        "allow: {{server: desk, tools: [{{name: create_issue, arguments: {REPO}}}]}}
         allow: {{server: desk, tools: [{{name: create_issue, arguments: {{properties: {{repo: {{const: acme/docs}}}}, required: [repo]}}}}]}}"
    ));
    for (repo, expected) in [("acme/web", true), ("acme/docs", true), ("acme/x", false)] {
        let verdict = ask(&two, call("create_issue", json!({ "repo": repo })));
        assert_eq!(verdict.decision.is_allow(), expected, "{repo}");
    }
    let any = mcp(&format!(
        "allow: {{server: desk, tools: [{{name: create_issue, arguments: {REPO}}}, create_issue]}}"
    ));
    assert_eq!(code(&any, unseen), ReasonCode::Allowed);
}

#[test]
fn a_forbid_with_a_schema_takes_what_matches_and_what_cannot_be_seen() {
    let snapshot = mcp(
        "allow: {server: desk, tools: ['*']}
         forbid: {server: desk, tools: [{name: run, arguments: {properties: {mode: {const: wipe}}, required: [mode]}}]}",
    );
    for (arguments, expected) in [
        (Some(json!({"mode": "wipe"})), ReasonCode::Forbidden),
        (Some(json!({"mode": "show"})), ReasonCode::Allowed),
        (Some(json!({})), ReasonCode::Allowed),
        (None, ReasonCode::Forbidden),
    ] {
        let mut request = message(McpVerb::CallTool, Some("RUN"));
        request.arguments = arguments.clone().map(|value| McpArguments {
            value: Some(value),
            ..McpArguments::default()
        });
        assert_eq!(code(&snapshot, request), expected, "{arguments:?}");
    }
    assert!(snapshot.mcp_shows(&server("desk"), McpEntry::Tool("run"), now()));
}

#[test]
fn people_are_sent_to_named_hosts_in_tls_alone() {
    let snapshot = mcp(
        "allow: {server: desk, features: [elicitation], elicitationHosts: [login.acme.test, '*.sso.test']}",
    );
    assert!(
        is_allowed(&snapshot, McpVerb::Elicit, None),
        "a form needs the feature alone"
    );
    for url in [
        "https://login.acme.test",
        "https://login.acme.test/authorize?x=https://evil.test",
        "https://LOGIN.acme.test/",
        "https://login.acme.test:443/",
        "https://a.sso.test/x",
    ] {
        assert!(is_allowed(&snapshot, McpVerb::Elicit, Some(url)), "{url}");
    }
    for url in [
        "",
        "login.acme.test",
        "//login.acme.test/",
        "http://login.acme.test/",
        "HTTPS:login.acme.test",
        "https:/login.acme.test",
        "https:///login.acme.test",
        "https://login.acme.test@evil.test/",
        "https://login.acme.test:443@evil.test/",
        "https://a:b@login.acme.test/",
        "https://evil.test@login.acme.test/",
        "https://login.acme.test.evil.test/",
        "https://login.acme.test:8443/",
        "https://login.acme.test:/",
        "https://login.acme.test:443:443/",
        "https://login.acme.test\\@evil.test/",
        "https://evil.test\\@login.acme.test",
        "https://evil.test#@login.acme.test/",
        "https://evil.test?login.acme.test",
        "https://login.acme.test%2eevil.test/",
        "https://login.acme.test%00.evil.test/",
        "https://login.acme.test\t.evil.test/",
        "https://login\n.acme.test/",
        " https://login.acme.test/",
        "https:// login.acme.test/",
        "https://xlogin.acme.test/",
        "https://sso.test/",
        "https://[::1]/",
        "https://127.0.0.1/",
        "javascript:https://login.acme.test",
        "data:text/html,https://login.acme.test",
        "file:///etc/passwd",
    ] {
        assert!(
            !is_allowed(&snapshot, McpVerb::Elicit, Some(url)),
            "{url:?}"
        );
    }
    let none = mcp("allow: {server: desk, features: [elicitation]}");
    assert!(is_allowed(&none, McpVerb::Elicit, None));
    assert!(!is_allowed(
        &none,
        McpVerb::Elicit,
        Some("https://login.acme.test/")
    ));
}

#[test]
fn what_the_server_may_ask_is_named() {
    for (feature, verb) in [
        ("sampling", McpVerb::Sample),
        ("elicitation", McpVerb::Elicit),
        ("roots", McpVerb::ListRoots),
        ("tasks", McpVerb::Task),
        ("logging", McpVerb::SetLogLevel),
    ] {
        let only = mcp(&format!("allow: {{server: desk, features: [{feature}]}}"));
        for other in [
            McpVerb::Sample,
            McpVerb::Elicit,
            McpVerb::ListRoots,
            McpVerb::Task,
            McpVerb::SetLogLevel,
        ] {
            assert_eq!(
                is_allowed(&only, other, None),
                other == verb,
                "{feature} {other}"
            );
        }
    }
    let quiet = mcp("allow: {server: desk, resources: ['**'], prompts: ['*'], features: []}");
    assert!(!is_allowed(&quiet, McpVerb::Subscribe, Some("a:b")));
    assert!(!is_allowed(&quiet, McpVerb::Complete, Some("prompt x")));
    assert!(is_allowed(&quiet, McpVerb::ReadResource, Some("a:b")));
}

#[test]
fn the_gateways_own_server_is_open_by_a_rule_alone_and_leads_nowhere() {
    let own = McpServer::own().unwrap();
    let call = McpRequest {
        destination: own.destination.clone(),
        server: own.name.clone(),
        path: own.path,
        ..call("ringfence_why_denied", json!({}))
    };
    let decide = |policy: &Snapshot| policy.decide_mcp(&call, Timestamp::now()).decision.code;
    let others = mcp("allow: {server: desk, tools: ['*']}");
    assert_eq!(decide(&others), ReasonCode::NoRule);
    assert_eq!(others.mcp_named(&own.name), None);
    let allowed = mcp("allow: {server: ringfence, tools: [ringfence_why_denied]}");
    assert_eq!(decide(&allowed), ReasonCode::Allowed);
    assert_eq!(allowed.mcp_open(Timestamp::now()), [own.name]);
    // There is no rule by which anything would be dialled.
    assert_eq!(allowed.mcp.connections().len(), 0);
}

#[test]
fn a_server_is_open_where_a_session_can_be_begun() {
    let open = |rules: &str| {
        let open = mcp(rules).mcp_open(Timestamp::now());
        open.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(open("allow: {server: desk, tools: [a]}"), ["desk"]);
    for closed in [
        "forbid: {server: desk, tools: [a]}",
        "allow: {server: desk, tools: [a], expires: 2020-01-01T00:00:00Z}",
        "allow: {server: desk, tools: [a]}\nforbid: {server: desk}",
    ] {
        assert_eq!(open(closed), [""; 0], "{closed}");
    }
}
