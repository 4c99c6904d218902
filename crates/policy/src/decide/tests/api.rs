//! Rules of the `api` section: what they cover, what they send, and what they leave to others.

use ringfence_model::Access;
use serde_json::json;

use super::*;

pub(super) fn api(rules: &str) -> Snapshot {
    both("", rules)
}

/// A policy of network rules and of API rules, one for each line.
pub(super) fn both(network: &str, api: &str) -> Snapshot {
    let mut yaml = format!("{HEAD}name: p\n");
    for (section, rules) in [("network", network), ("api", api)] {
        if !rules.is_empty() {
            writeln!(yaml, "{section}:").unwrap();
        }
        for rule in rules.lines().map(str::trim).filter(|line| !line.is_empty()) {
            writeln!(yaml, "  - {rule}").unwrap();
        }
    }
    Snapshot::compile(Generation(7), &Profile::parse("p.yaml", &yaml).unwrap()).unwrap()
}

/// A request as tests of profiles write it, for example `{method: GET, url: "https://a.test/"}`.
pub(super) fn request(test: &str) -> Action {
    let yaml = format!("{HEAD}name: p\ntests:\n  - deny: {{http: {test}}}\n");
    let profiles = Profile::parse("t.yaml", &yaml).unwrap();
    profiles[0].tests[0].tried().action()
}

pub(super) fn asked(snapshot: &Snapshot, action: &Action) -> String {
    carries(&snapshot.decide(action, now()))
}

fn terms_of(verdict: &Verdict) -> Vec<&str> {
    let grant = verdict.grant.as_ref().unwrap();
    grant
        .terms
        .iter()
        .map(|terms| terms.rule.0.as_str())
        .collect()
}

#[test]
fn a_connection_is_read_where_a_rule_is_about_its_requests() {
    let rule = "allow: {host: a.test, methods: [GET]}";
    for (network, rules, text, carried) in [
        ("", rule, "a.test:443", "https"),
        ("", rule, "a.test:80", "port-not-allowed"),
        ("", rule, "a.test:22", "port-not-allowed"),
        (
            "",
            "allow: {host: a.test, scheme: http}",
            "a.test:80",
            "http",
        ),
        (
            "",
            "allow: {host: a.test, ports: [8443]}",
            "a.test:8443",
            "https",
        ),
        ("allow: {host: a.test}", rule, "a.test:443", "https"),
        ("allow: {host: a.test}", rule, "a.test:80", "http"),
        (
            "allow: {host: a.test, tunnel: true}",
            rule,
            "a.test:443",
            "tls https",
        ),
        (
            "allow: {host: a.test, ports: [8443]}",
            "allow: {host: a.test, ports: [8443]}",
            "a.test:8443",
            "http opaque https",
        ),
        (
            "allow: {host: a.test}",
            "forbid: {host: a.test, paths: [/x]}",
            "a.test:443",
            "https",
        ),
        (
            "allow: {host: a.test}",
            "forbid: {host: a.test}",
            "a.test:443",
            "forbidden",
        ),
        (
            "allow: {host: a.test, tunnel: true}",
            "forbid: {host: a.test, paths: [/x]}",
            "a.test:443",
            "needs-interception",
        ),
        (
            "allow: {host: a.test, ports: [22], protocol: tcp}",
            "forbid: {host: a.test, paths: [/x]}",
            "a.test:22",
            "needs-interception",
        ),
        // An expired rule does not make anything read.
        (
            "allow: {host: a.test}",
            "allow: {host: a.test, expires: '2020-01-01T00:00:00Z'}",
            "a.test:443",
            "tls",
        ),
        (
            "allow: {host: a.test}",
            "allow: {host: b.test}",
            "a.test:443",
            "tls",
        ),
    ] {
        assert_eq!(
            asked(&both(network, rules), &action(text)),
            carried,
            "{network} {rules} {text}"
        );
    }
}

#[test]
fn a_connection_is_decided_on_again_when_the_rule_ends_for_which_it_is_read() {
    let snapshot = both(
        "allow: {host: a.test}",
        "allow: {host: a.test, expires: '2026-06-01T01:00:00Z'}",
    );
    let verdict = snapshot.decide(&action("a.test:443"), now());
    let until: Timestamp = "2026-06-01T01:00:00Z".parse().unwrap();
    assert_eq!(verdict.grant.unwrap().valid_until, Some(until));
    assert_eq!(
        carries(&snapshot.decide(&action("a.test:443"), until)),
        "tls"
    );
}

#[test]
fn a_credential_goes_only_where_its_own_rule_says() {
    let snapshot = both(
        "allow: {id: inside, host: '*.a.test', addresses: [10.0.0.0/8]}",
        "allow: {id: read, host: api.a.test, methods: [GET], credential: one}",
    );
    let permits = |text: &str, address: &str| {
        let verdict = snapshot.decide(&action(text), now());
        let grant = verdict.grant.unwrap();
        grant.addresses.permits(address.parse().unwrap())
    };
    assert!(permits("GET https://api.a.test/x", "8.8.8.8"));
    assert!(!permits("GET https://api.a.test/x", "10.0.0.1"));
    assert!(permits("GET https://other.a.test/x", "10.0.0.1"));
}

#[test]
fn a_rule_with_a_credential_wins_over_rules_without() {
    let snapshot = both(
        "allow: {id: host, host: a.test}",
        "allow: {id: b-read, host: a.test, methods: [GET], credential: one}
        allow: {id: a-read, host: a.test, paths: ['/v1/**'], credential: one}
        allow: {id: open, host: a.test, paths: ['/open/**']}",
    );
    for (text, credential, rule, terms) in [
        (
            "GET https://a.test/v1/x",
            Some("one"),
            "p/api/a-read",
            &["p/api/a-read", "p/api/b-read"][..],
        ),
        (
            "GET https://a.test/open/x",
            Some("one"),
            "p/api/b-read",
            &["p/api/b-read"],
        ),
        (
            "POST https://a.test/open/x",
            None,
            "p/api/open",
            &["p/api/open"],
        ),
        ("POST https://a.test/other", None, "p/network/host", &[]),
        // The rules of the API are for HTTPS.
        ("GET http://a.test/v1/x", None, "p/network/host", &[]),
    ] {
        let verdict = snapshot.decide(&action(text), now());
        let decision = &verdict.decision;
        assert_eq!(
            decision.credential.as_ref().map(|it| it.as_str()),
            credential,
            "{text}"
        );
        assert_eq!(decision.rule.as_ref().unwrap().0, rule, "{text}");
        assert_eq!(terms_of(&verdict), terms, "{text}");
    }
}

#[test]
fn two_credentials_for_one_request_are_refused() {
    let snapshot = api(
        "allow: {id: read, host: a.test, methods: [GET], credential: one}
        allow: {id: repos, host: a.test, paths: ['/repos/**'], credential: two}
        allow: {id: gone, host: a.test, credential: three, expires: '2020-01-01T00:00:00Z'}",
    );
    let verdict = snapshot.decide(&action("GET https://a.test/repos/x"), now());
    insta::assert_snapshot!(verdict.decision.reason, @"rules p/api/read and p/api/repos allow GET a.test:443/repos/x with different credentials");
    assert_eq!(verdict.decision.code, ReasonCode::CredentialAmbiguous);
    assert!(verdict.grant.is_none());
    assert_eq!(asked(&snapshot, &action("GET https://a.test/x")), "https");
    assert_eq!(
        asked(&snapshot, &action("POST https://a.test/repos/x")),
        "https"
    );
    // A connection is not a request yet.
    assert_eq!(asked(&snapshot, &action("a.test:443")), "https");
}

#[test]
fn a_network_rule_for_some_requests_grants_no_more_than_requests() {
    let limited = "allow: {id: some, host: a.test, methods: [GET]}";
    let verdict = decide(limited, "GET https://a.test/");
    assert_eq!(terms_of(&verdict), ["p/network/some"]);
    assert!(!verdict.grant.unwrap().terms[0].websocket);
    let with_all = format!("{limited}\nallow: {{host: a.test}}");
    assert!(terms_of(&decide(&with_all, "GET https://a.test/")).is_empty());
}

#[test]
fn terms_say_what_the_rule_says() {
    let snapshot = api(
        "allow: {id: x, host: a.test, credential: one, auth: placeholder, tokenRequired: true, tokenFields: [/client_secret], follow: {hosts: ['*.f.test']}, websocket: true, content: {octets: 7}, response: {statuses: ['200-299', '404'], types: ['application/*'], octets: 9, remove: [t, 'u?sig'], notJson: ['text/*']}, precondition: {path: '/r?x=1', json: {required: [id]}}}",
    );
    let verdict = snapshot.decide(&action("GET https://a.test/"), now());
    let expected = RequestTerms {
        rule: RuleRef("p/api/x".to_owned()),
        credential: "one".parse().ok(),
        auth: Auth::Placeholder {
            body: vec!["/client_secret".to_owned()],
        },
        token_required: true,
        request_octets: Some(7),
        response_octets: Some(9),
        statuses: Some(vec![200..=299, 404..=404]),
        response_types: Some(vec!["application/*".to_owned()]),
        remove: vec!["t".parse().unwrap(), "u?sig".parse().unwrap()],
        not_json: vec!["text/*".parse().unwrap()],
        follow: Some(vec!["*.f.test".parse().unwrap()]),
        websocket: true,
        git: None,
        llm: None,
        mcp: None,
        precondition: Some(Precondition {
            path: "/r?x=1".to_owned(),
            schema: crate::Schema::new(json!({"required": ["id"]})).ok(),
            equal: Vec::new(),
        }),
    };
    assert_eq!(*verdict.grant.unwrap().terms[0], expected);
}

#[test]
fn a_precondition_compares_values_of_this_request() {
    let snapshot = api(
        "allow: {host: a.test, graphql: {kinds: [mutation]}, credential: one, precondition: {path: /r, equal: [{request: /graphql/open/input/repositoryId, response: /node_id}, {request: /query/page/0, response: /page}]}}",
    );
    let post = |field: &str, query: &str| {
        request(&format!(
            "{{method: POST, url: 'https://a.test/graphql{query}', graphql: {{kind: mutation, fields: [{field}]}}}}"
        ))
    };
    let open = "{name: open, arguments: {input: {repositoryId: R_1}}}";
    let verdict = snapshot.decide(&post(open, "?page=2"), now());
    let terms = &verdict.grant.as_ref().unwrap().terms[0];
    let equal = &terms.precondition.as_ref().unwrap().equal;
    assert_eq!(
        *equal,
        [
            (json!("R_1"), "/node_id".to_owned()),
            (json!("2"), "/page".to_owned())
        ]
    );
    for (fields, query) in [
        ("{name: open}", "?page=2"),
        (open, ""),
        (open, "?page=%zz"),
        // The same field twice: which of them would be compared?
        (
            "{name: open, arguments: {input: {repositoryId: R_1}}}, {name: open, arguments: {input: {repositoryId: R_2}}}",
            "?page=2",
        ),
    ] {
        assert_eq!(
            asked(&snapshot, &post(fields, query)),
            "condition-not-met",
            "{fields} {query}"
        );
    }
}

#[test]
fn requests_read_or_write_by_method_operation_or_as_the_rule_says() {
    let snapshot = both(
        "allow: {host: n.test}
        allow: {host: t.test, tunnel: true}",
        "allow: {host: a.test, paths: ['/v1/**']}
        allow: {host: a.test, paths: [/wiql], access: read}
        allow: {host: a.test, paths: [/launch], access: write}
        allow: {host: a.test, paths: [/graphql], graphql: {kinds: [query, mutation, subscription]}}",
    );
    let graphql = |kind: &str| {
        format!(
            "{{method: POST, url: 'https://a.test/graphql', graphql: {{kind: {kind}, fields: [{{name: x}}]}}}}"
        )
    };
    for (test, access) in [
        (
            "{method: GET, url: 'https://a.test/v1/x'}",
            Some(Access::Read),
        ),
        (
            "{method: OPTIONS, url: 'https://a.test/v1/x'}",
            Some(Access::Read),
        ),
        (
            "{method: POST, url: 'https://a.test/v1/x'}",
            Some(Access::Write),
        ),
        (
            "{method: REPORT, url: 'https://a.test/v1/x'}",
            Some(Access::Write),
        ),
        (
            "{method: POST, url: 'https://a.test/wiql'}",
            Some(Access::Read),
        ),
        (
            "{method: GET, url: 'https://a.test/launch'}",
            Some(Access::Write),
        ),
        (&graphql("query"), Some(Access::Read)),
        (&graphql("subscription"), Some(Access::Read)),
        (&graphql("mutation"), Some(Access::Write)),
        (
            "{method: DELETE, url: 'http://n.test/'}",
            Some(Access::Write),
        ),
        (
            "{method: DELETE, url: 'https://n.test/'}",
            Some(Access::Write),
        ),
        ("{method: DELETE, url: 'https://t.test/'}", None),
    ] {
        let decision = snapshot.decide(&request(test), now()).decision;
        assert!(decision.is_allow(), "{test}: {}", decision.reason);
        assert_eq!(decision.access, access, "{test}");
    }
    let connect = snapshot.decide(&action("a.test:443"), now()).decision;
    assert_eq!((connect.access, connect.credential), (None, None));
}

#[test]
fn no_more_is_read_than_a_rule_for_the_request_asks_for() {
    let snapshot = both(
        "allow: {host: a.test}
        allow: {host: plain.test, methods: [GET]}",
        "allow: {host: a.test, methods: [POST], paths: [/graphql], graphql: {}, content: {octets: 1000}}
        allow: {host: a.test, methods: [POST], paths: ['/json/**'], content: {json: {}}}
        allow: {host: a.test, paths: [/size], when: 'request.content.octets < 5'}
        allow: {host: a.test, paths: [/old], content: {json: {}}, expires: '2020-01-01T00:00:00Z'}
        allow: {host: a.test, paths: [/q], query: {params: [{name: x, required: true}]}, content: {json: {}}}
        allow: {host: a.test, paths: [/e], precondition: {path: /, equal: [{request: /graphql/x/id, response: /id}]}}
        allow: {host: a.test, paths: [/t], content: {types: [text/plain], octets: 5}}
        forbid: {host: a.test, methods: [PUT], content: {json: {}}}",
    );
    let nothing = Reading::default();
    let most = crate::limits::READ_OCTETS;
    let json = Reading {
        json: true,
        octets: most,
        ..nothing
    };
    let size = Reading {
        size: true,
        octets: most,
        ..nothing
    };
    let graphql = Reading {
        graphql: true,
        octets: most,
        ..nothing
    };
    for (text, expected) in [
        ("GET https://a.test/x", nothing),
        (
            "POST https://a.test/graphql",
            Reading {
                octets: 1000,
                ..graphql
            },
        ),
        ("GET https://a.test/graphql", nothing),
        ("POST https://a.test/json/x", json),
        ("POST https://a.test:8443/json/x", nothing),
        ("POST http://a.test/json/x", nothing),
        ("POST https://b.test/json/x", nothing),
        ("POST https://a.test/size", size),
        ("POST https://a.test/old", nothing),
        ("POST https://a.test/q?x=1", json),
        ("POST https://a.test/q", nothing),
        ("POST https://a.test/e", graphql),
        ("POST https://a.test/t", nothing),
        ("PUT https://a.test/other", json),
        // A forbid is about every port and both schemes.
        ("PUT http://a.test:8080/other", json),
        ("GET https://plain.test/", nothing),
    ] {
        let Action::Http(request) = action(text) else {
            panic!("a request");
        };
        assert_eq!(snapshot.reading(&request, now()), expected, "{text}");
    }
    assert!(!nothing.is_needed() && json.is_needed() && size.is_needed());
}
