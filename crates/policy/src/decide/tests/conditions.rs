//! The conditions of API rules, one by one, and what they say when they are not met.

use ringfence_model::{Content, HttpRequest};

use super::api::{api, asked, both, request};
use super::*;

fn with_content(content: Option<Content>, headers: &[(&str, &str)]) -> Action {
    let Action::Http(request) = action("POST https://a.test/") else {
        panic!("a request");
    };
    let headers = headers.iter();
    Action::Http(HttpRequest {
        headers: headers
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect(),
        content,
        ..request
    })
}

#[test]
fn queries_are_compared_decoded_and_in_all_their_values() {
    let snapshot = api(
        "allow: {host: a.test, query: {params: [{name: state, matches: [open, closed], required: true}, {name: q, matches: ['repo:acme/*']}], others: deny}}",
    );
    for (query, carried) in [
        ("?state=open", "https"),
        ("?state=closed&q=repo:acme/web", "https"),
        ("?state=o%70en&q=repo%3Aacme%2Fweb+x", "https"),
        ("?st%61te=open", "https"),
        ("?state=open&&state=closed", "https"),
        ("", "condition-not-met"),
        ("?state=all", "condition-not-met"),
        ("?state=open&state=all", "condition-not-met"),
        ("?state=open&st%61te=all", "condition-not-met"),
        ("?state=open;state=all", "condition-not-met"),
        ("?state=open%", "condition-not-met"),
        ("?state=open&x=%ff", "condition-not-met"),
        ("?state=open&q=repo:evil/x", "condition-not-met"),
        ("?state=open&page=2", "condition-not-met"),
        ("?state=open&state%5B%5D=all", "condition-not-met"),
        ("?state", "condition-not-met"),
    ] {
        let action = action(&format!("GET https://a.test/{query}"));
        assert_eq!(asked(&snapshot, &action), carried, "{query}");
    }
    let many = format!(
        "GET https://a.test/?state=open{}",
        "&state=open".repeat(2_000)
    );
    assert_eq!(asked(&snapshot, &action(&many)), "condition-not-met");
}

#[test]
fn headers_are_compared_in_all_their_values() {
    let snapshot = api(
        "allow: {host: a.test, headers: {params: [{name: accept, matches: ['application/*']}, {name: x-api, required: true}]}}",
    );
    let with = |headers: &[(&str, &str)]| {
        let Action::Http(mut request) = action("GET https://a.test/") else {
            panic!("a request");
        };
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        request.headers = headers.iter().map(owned).collect();
        Action::Http(request)
    };
    for (headers, carried) in [
        (&[("x-api", "1")][..], "https"),
        (&[("x-api", "1"), ("accept", "application/json")], "https"),
        (
            &[("x-api", "1"), ("accept", "text/html")],
            "condition-not-met",
        ),
        (
            &[
                ("x-api", "1"),
                ("accept", "application/json"),
                ("accept", "text/html"),
            ],
            "condition-not-met",
        ),
        (&[("accept", "application/json")], "condition-not-met"),
        (&[], "condition-not-met"),
    ] {
        assert_eq!(asked(&snapshot, &with(headers)), carried, "{headers:?}");
    }
}

#[test]
fn types_and_sizes_are_taken_from_the_body_or_its_headers() {
    let snapshot =
        api("allow: {host: a.test, content: {types: [application/json, 'text/*'], octets: 10}}");
    let content = |media_type: &str, octets| {
        Some(Content {
            media_type: Some(media_type.to_owned()),
            octets,
            ..Content::default()
        })
    };
    for (content, headers, carried) in [
        (content("application/json", 10), &[][..], "https"),
        (content("text/plain", 1), &[], "https"),
        (content("application/json", 11), &[], "condition-not-met"),
        (content("multipart/form-data", 1), &[], "condition-not-met"),
        (Some(Content::default()), &[], "condition-not-met"),
        (
            None,
            &[("content-type", "Application/JSON; charset=utf-8")],
            "https",
        ),
        (
            None,
            &[
                ("content-type", "application/json"),
                ("content-length", "11"),
            ],
            "condition-not-met",
        ),
        (
            None,
            &[
                ("content-type", "application/json"),
                ("content-type", "image/png"),
            ],
            "condition-not-met",
        ),
        (None, &[], "condition-not-met"),
    ] {
        let action = with_content(content, headers);
        assert_eq!(asked(&snapshot, &action), carried, "{action:?}");
    }
}

#[test]
fn a_body_that_was_not_read_is_not_a_body_that_fits() {
    let rules = [
        "content: {json: {}}",
        "graphql: {}",
        "when: 'has(request.content.json.x) || true'",
        "when: 'request.content.octets < 1000'",
        "when: '!has(request.content.json)'",
        "precondition: {path: /, equal: [{request: /content/json/id, response: /id}]}",
    ];
    for rule in rules {
        let allow = api(&format!("allow: {{host: a.test, {rule}}}"));
        assert_eq!(
            asked(&allow, &with_content(None, &[])),
            "condition-not-met",
            "{rule}"
        );
    }
    for rule in [
        "content: {json: {}}",
        "graphql: {}",
        "when: 'request.content.json.x == 1'",
    ] {
        let forbid = format!("forbid: {{host: a.test, {rule}}}");
        let snapshot = both("allow: {host: a.test}", &forbid);
        assert_eq!(
            asked(&snapshot, &with_content(None, &[])),
            "forbidden",
            "{rule}"
        );
    }
}

#[test]
fn a_body_that_is_not_read_as_json_is_not_one_without_fields() {
    let rule = "when: '!has(request.content.json) || !has(request.content.json.admin)'";
    let snapshot = api(&format!("allow: {{host: a.test, {rule}}}"));
    let content = |octets, json| {
        Some(Content {
            octets,
            json,
            ..Content::default()
        })
    };
    let json = |value| Some(value);
    for (content, carried) in [
        (content(0, None), "https"),
        (content(9, json(serde_json::json!({}))), "https"),
        (
            content(9, json(serde_json::json!({"admin": 1}))),
            "condition-not-met",
        ),
        (content(9, None), "condition-not-met"),
    ] {
        let action = with_content(content, &[]);
        assert_eq!(asked(&snapshot, &action), carried, "{action:?}");
    }
    let rule =
        "allow: {host: a.test, when: '!has(request.graphql) || has(request.graphql.viewer)'}";
    let other = with_content(content(9, None), &[]);
    assert_eq!(asked(&api(rule), &other), "condition-not-met");
}

#[test]
fn json_must_satisfy_the_schema() {
    let snapshot = api(
        "allow: {host: a.test, content: {json: {type: object, required: [base], properties: {base: {const: main}}, additionalProperties: false}}}",
    );
    for (body, carried) in [
        ("json: {base: main}", "https"),
        ("json: {base: prod}", "condition-not-met"),
        ("json: {base: main, more: 1}", "condition-not-met"),
        ("json: []", "condition-not-met"),
        (
            "headers: {content-type: application/json}",
            "condition-not-met",
        ),
    ] {
        let request = request(&format!("{{method: POST, url: 'https://a.test/', {body}}}"));
        assert_eq!(asked(&snapshot, &request), carried, "{body}");
    }
}

#[test]
fn graphql_is_matched_by_kind_root_fields_arguments_and_selection() {
    let snapshot = api(
        "allow: {host: a.test, graphql: {fields: [{name: repository, arguments: {properties: {owner: {const: acme}}, required: [owner]}}, {name: viewer}], select: [id, name], depth: 3, size: 5}}
        allow: {host: a.test, graphql: {kinds: [mutation], fields: [{name: openPullRequest}]}}",
    );
    let ours = "{name: repository, arguments: {owner: acme}}";
    for (operation, carried) in [
        (
            format!("kind: query, fields: [{ours}, {{name: viewer}}], select: [id, name]"),
            "https",
        ),
        (
            "kind: query, fields: [{name: repository, arguments: {owner: evil}}]".to_owned(),
            "condition-not-met",
        ),
        (
            format!(
                "kind: query, fields: [{ours}, {{name: repository, arguments: {{owner: evil}}}}]"
            ),
            "condition-not-met",
        ),
        (
            "kind: query, fields: [{name: repository}]".to_owned(),
            "condition-not-met",
        ),
        (
            "kind: query, fields: [{name: viewer}, {name: node}]".to_owned(),
            "condition-not-met",
        ),
        ("kind: query, fields: []".to_owned(), "condition-not-met"),
        (
            format!("kind: query, fields: [{ours}], select: [id, owner]"),
            "condition-not-met",
        ),
        (
            format!("kind: query, fields: [{ours}], depth: 4"),
            "condition-not-met",
        ),
        (
            format!("kind: query, fields: [{ours}], size: 6"),
            "condition-not-met",
        ),
        (
            "kind: mutation, fields: [{name: openPullRequest}]".to_owned(),
            "https",
        ),
        (
            "kind: mutation, fields: [{name: openPullRequest}, {name: mergePullRequest}]"
                .to_owned(),
            "condition-not-met",
        ),
        (
            "kind: mutation, fields: [{name: viewer}]".to_owned(),
            "condition-not-met",
        ),
        (
            "kind: subscription, fields: [{name: viewer}]".to_owned(),
            "condition-not-met",
        ),
    ] {
        let request = request(&format!(
            "{{method: POST, url: 'https://a.test/graphql', graphql: {{{operation}}}}}"
        ));
        assert_eq!(asked(&snapshot, &request), carried, "{operation}");
    }
    let no_graphql =
        request("{method: POST, url: 'https://a.test/graphql', json: {query: '{viewer}'}}");
    assert_eq!(asked(&snapshot, &no_graphql), "condition-not-met");
}

fn forbidding(rules: &str) -> Snapshot {
    both("allow: {host: a.test}", rules)
}

#[test]
fn a_forbid_is_about_any_part_of_the_head_that_it_names() {
    let snapshot = forbidding(
        "forbid: {host: a.test, methods: [DELETE]}
        forbid: {host: a.test, paths: [/q], query: {params: [{name: state, matches: [secret]}]}}
        forbid: {host: a.test, paths: [/h], headers: {params: [{name: x-admin}]}}
        forbid: {host: a.test, paths: [/t], content: {types: [multipart/form-data]}}",
    );
    for (test, carried) in [
        ("method: DELETE, url: 'https://a.test/x'", "forbidden"),
        ("method: GET, url: 'https://a.test/x'", "https"),
        ("method: GET, url: 'https://a.test/q?state=open'", "https"),
        ("method: GET, url: 'https://a.test/q'", "https"),
        (
            "method: GET, url: 'https://a.test/q?state=open&state=secret'",
            "forbidden",
        ),
        // What can be read in several ways could be it.
        (
            "method: GET, url: 'https://a.test/q?x=1;state=secret'",
            "forbidden",
        ),
        ("method: GET, url: 'https://a.test/q?x=%'", "forbidden"),
        (
            "method: GET, url: 'https://a.test/h', headers: {x-admin: '1'}",
            "forbidden",
        ),
        (
            "method: GET, url: 'https://a.test/h', headers: {accept: '1'}",
            "https",
        ),
        (
            "method: POST, url: 'https://a.test/t', headers: {content-type: multipart/form-data; boundary=x}",
            "forbidden",
        ),
        ("method: POST, url: 'https://a.test/t', json: {}", "https"),
    ] {
        assert_eq!(
            asked(&snapshot, &request(&format!("{{{test}}}"))),
            carried,
            "{test}"
        );
    }
}

#[test]
fn a_forbid_is_about_any_part_of_the_body_that_it_names() {
    let snapshot = forbidding(
        "forbid: {host: a.test, paths: [/json], content: {json: {required: [admin]}}}
        forbid: {host: a.test, paths: [/field], graphql: {fields: [{name: node}]}}
        forbid: {host: a.test, paths: [/kind], graphql: {kinds: [mutation]}}
        forbid: {host: a.test, paths: [/select], graphql: {select: [secret]}}
        forbid: {host: a.test, paths: [/when], when: 'request.content.json.level > 3'}",
    );
    for (path, body, carried) in [
        ("json", "json: {admin: true}", "forbidden"),
        ("json", "json: {}", "https"),
        ("json", "headers: {accept: x}", "https"),
        (
            "field",
            "graphql: {kind: query, fields: [{name: viewer}, {name: node}]}",
            "forbidden",
        ),
        (
            "field",
            "graphql: {kind: query, fields: [{name: viewer}]}",
            "https",
        ),
        ("field", "json: {query: x}", "forbidden"),
        (
            "kind",
            "graphql: {kind: mutation, fields: [{name: x}]}",
            "forbidden",
        ),
        (
            "kind",
            "graphql: {kind: query, fields: [{name: x}]}",
            "https",
        ),
        (
            "select",
            "graphql: {kind: query, fields: [{name: x}], select: [id, secret]}",
            "forbidden",
        ),
        (
            "select",
            "graphql: {kind: query, fields: [{name: x}], select: [id]}",
            "https",
        ),
        ("when", "json: {level: 4}", "forbidden"),
        ("when", "json: {level: 3}", "https"),
        // What cannot be told could be it.
        ("when", "json: {}", "forbidden"),
        ("when", "json: {level: high}", "forbidden"),
    ] {
        let test = format!("{{method: POST, url: 'https://a.test/{path}', {body}}}");
        assert_eq!(asked(&snapshot, &request(&test)), carried, "{test}");
    }
}

#[test]
fn every_condition_explains_itself() {
    let snapshot = api(
        "allow: {id: query, host: a.test, paths: [/query], query: {params: [{name: state, matches: [open, closed]}, {name: page, required: true}], others: deny}}
        allow: {id: none, host: a.test, paths: [/none], query: {others: deny}}
        allow: {id: headers, host: a.test, paths: [/headers], headers: {params: [{name: accept, matches: ['application/*'], required: true}]}}
        allow: {id: json, host: a.test, paths: [/json], content: {types: [application/json], octets: 20, json: {required: [a]}}}
        allow: {id: body, host: a.test, paths: [/body], content: {json: {required: [a]}}}
        allow: {id: graphql, host: a.test, paths: [/graphql], graphql: {fields: [{name: viewer, arguments: {maxProperties: 0}}, {name: meta}], select: [id], depth: 2, size: 3}}
        allow: {id: when, host: a.test, paths: [/when], when: \"request.content.json.level < 3\"}
        allow: {id: equal, host: a.test, paths: [/equal], precondition: {path: /, equal: [{request: /content/json/id, response: /id}]}}
        allow: {id: plain, host: a.test, paths: [/plain], scheme: http, expires: '2020-01-01T00:00:00Z'}",
    );
    let mut report = String::new();
    for test in [
        "{method: GET, url: 'https://a.test/query?state=all&page=1'}",
        "{method: GET, url: 'https://a.test/query?state=open'}",
        "{method: GET, url: 'https://a.test/query?page=1&evil=1'}",
        "{method: GET, url: 'https://a.test/query?page=1;x'}",
        "{method: GET, url: 'https://a.test/none?x=1'}",
        "{method: GET, url: 'https://a.test/headers', headers: {accept: text/html}}",
        "{method: POST, url: 'https://a.test/json', headers: {content-type: text/plain}}",
        "{method: POST, url: 'https://a.test/json'}",
        "{method: POST, url: 'https://a.test/json', json: {a: this is longer than allowed}}",
        "{method: POST, url: 'https://a.test/json', json: {b: 1}}",
        "{method: POST, url: 'https://a.test/body'}",
        "{method: POST, url: 'https://a.test/graphql', json: {}}",
        "{method: POST, url: 'https://a.test/graphql', graphql: {kind: mutation, fields: [{name: viewer}]}}",
        "{method: POST, url: 'https://a.test/graphql', graphql: {kind: query, fields: [{name: node}]}}",
        "{method: POST, url: 'https://a.test/graphql', graphql: {kind: query, fields: [{name: viewer, arguments: {x: 1}}]}}",
        "{method: POST, url: 'https://a.test/graphql', graphql: {kind: query, fields: [{name: meta}], select: [owner]}}",
        "{method: POST, url: 'https://a.test/graphql', graphql: {kind: query, fields: [{name: meta}], depth: 3}}",
        "{method: POST, url: 'https://a.test/graphql', graphql: {kind: query, fields: [{name: meta}], size: 4}}",
        "{method: POST, url: 'https://a.test/when', json: {level: 3}}",
        "{method: POST, url: 'https://a.test/when', json: {}}",
        "{method: POST, url: 'https://a.test/equal', json: {}}",
        "{method: GET, url: 'https://a.test/other'}",
        "{method: GET, url: 'https://a.test/plain;x'}",
        "{method: GET, url: 'http://a.test/plain'}",
        "{method: GET, url: 'https://a.test:8443/plain'}",
    ] {
        let decision = snapshot.decide(&request(test), now()).decision;
        let step = decision.next_step.unwrap_or_default();
        writeln!(
            report,
            "{test}\n  {}: {}\n  next: {step}",
            decision.code, decision.reason
        )
        .unwrap();
    }
    let fault = Content {
        octets: 5,
        fault: Some("the body is compressed\u{1b}".to_owned()),
        ..Content::default()
    };
    let Action::Http(request) = with_content(Some(fault), &[]) else {
        panic!("a request");
    };
    for path in ["/body", "/graphql"] {
        let action = Action::Http(HttpRequest {
            path: path.to_owned(),
            ..request.clone()
        });
        writeln!(
            report,
            "{path}\n  {}",
            snapshot.decide(&action, now()).decision.reason
        )
        .unwrap();
    }
    insta::assert_snapshot!(report);
}
