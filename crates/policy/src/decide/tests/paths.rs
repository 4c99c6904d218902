//! Paths: what has several readings reaches nothing, and path parameters reach no further.

use super::api::{api, asked, both};
use super::*;

#[test]
fn a_path_with_two_readings_is_denied_whatever_the_rules_say() {
    let snapshot = snapshot("allow: {host: a.test}");
    for path in [
        "/a/../b",
        "/%2e%2e/b",
        "/%70rojects",
        "/a%2Fb",
        "//a",
        "",
        "a",
        "/a\\b",
        "/a b",
    ] {
        let Action::Http(mut request) = action("GET http://a.test/") else {
            panic!("a request");
        };
        path.clone_into(&mut request.path);
        let verdict = snapshot.decide(&Action::Http(request), now());
        assert_eq!(verdict.decision.code, ReasonCode::Malformed, "{path}");
        assert_eq!(verdict.decision.next_step, None);
    }
}

#[test]
fn a_path_beyond_the_limit_is_denied_unread() {
    let Action::Http(mut request) = action("GET http://a.test/") else {
        panic!("a request");
    };
    request.path = format!("/{}", "a".repeat(crate::limits::PATH_OCTETS));
    let decision = snapshot("allow: {host: a.test}")
        .decide(&Action::Http(request), now())
        .decision;
    assert_eq!(decision.code, ReasonCode::LimitReached);
    assert_eq!(decision.reason, "the path is longer than 8192 octets");
}

#[test]
fn an_asterisk_target_matches_no_path_pattern() {
    let Action::Http(mut request) = action("OPTIONS http://a.test/") else {
        panic!("a request");
    };
    "*".clone_into(&mut request.path);
    let action = Action::Http(request);
    assert!(
        snapshot("allow: {host: a.test}")
            .decide(&action, now())
            .decision
            .is_allow()
    );
    let limited = snapshot("allow: {host: a.test, paths: ['/**']}");
    assert_eq!(
        limited.decide(&action, now()).decision.code,
        ReasonCode::PathNotAllowed
    );
}

#[test]
fn path_parameters_are_for_patterns_that_name_them() {
    let snapshot = both(
        "allow: {host: n.test}
        forbid: {host: n.test, paths: [/admin, '/x/*/secret']}",
        "allow: {host: a.test, paths: ['/v1/**', '/m;v=*/x']}
        allow: {host: b.test}
        allow: {host: c.test, paths: ['/**']}
        forbid: {host: c.test, paths: ['/admin/**']}",
    );
    for (text, carried) in [
        ("GET https://a.test/v1/x", "https"),
        ("GET https://a.test/v1/x;y=1", "path-not-allowed"),
        ("GET https://a.test/v1/x%3By=1", "path-not-allowed"),
        ("GET https://a.test/m;v=2/x", "https"),
        ("GET https://a.test/m%3Bv=2/x", "https"),
        ("GET https://b.test/x", "https"),
        ("GET https://b.test/x;y", "path-not-allowed"),
        ("GET https://n.test/admin", "forbidden"),
        ("GET https://n.test/admin;x=1", "forbidden"),
        ("GET https://n.test/admin%3Bx=1", "forbidden"),
        ("GET https://n.test/x/1;y/secret;z", "forbidden"),
        ("GET https://n.test/other;x", "https"),
        ("GET https://c.test/admin;x/y", "forbidden"),
    ] {
        assert_eq!(asked(&snapshot, &action(text)), carried, "{text}");
    }
}

#[test]
fn a_path_with_two_readings_reaches_no_api() {
    let snapshot = api("allow: {host: a.test, paths: ['/v1/**']}");
    for path in [
        "/v1/../admin",
        "/v1/%2E%2E/admin",
        "/v1/a%2Fb",
        "/v1//a",
        "/v1/a%5Cb",
        "/v1/%76",
        "/v1/a\\b",
    ] {
        let Action::Http(mut request) = action("GET https://a.test/") else {
            panic!("a request");
        };
        path.clone_into(&mut request.path);
        assert_eq!(
            asked(&snapshot, &Action::Http(request)),
            "malformed",
            "{path}"
        );
    }
}

#[test]
fn a_forbid_takes_every_reading_of_a_path_and_a_method() {
    let snapshot = both(
        "allow: {host: a.test}
        forbid: {host: a.test, paths: ['/Secret/%C3%A4/**', '/admin', '/trailing/', '/x/*']}
        forbid: {host: a.test, methods: [DELETE]}",
        "",
    );
    for (text, carried) in [
        ("GET https://a.test/secret/%C3%A4/x", "forbidden"),
        ("GET https://a.test/SECRET/%C3%A4", "forbidden"),
        ("GET https://a.test/admin/", "forbidden"),
        ("GET https://a.test/ADMIN", "forbidden"),
        ("GET https://a.test/Admin;x=1", "forbidden"),
        ("GET https://a.test/Admin;x=1/", "forbidden"),
        ("GET https://a.test/trailing", "forbidden"),
        ("GET https://a.test/x/", "forbidden"),
        ("GET https://a.test/admin/other", "https"),
        ("GET https://a.test/", "https"),
    ] {
        assert_eq!(asked(&snapshot, &action(text)), carried, "{text}");
    }
}

#[test]
fn a_forbid_takes_a_method_in_any_case() {
    let network = "allow: {host: a.test}\nforbid: {host: a.test, methods: [DELETE]}";
    let Action::Http(mut request) = action("GET https://a.test/") else {
        panic!("a request");
    };
    request.method = "Delete".to_owned();
    let asked = asked(&both(network, ""), &Action::Http(request));
    assert_eq!(asked, "forbidden");
}

#[test]
fn an_allow_takes_a_path_as_it_is() {
    let snapshot = api("allow: {host: a.test, paths: ['/admin']}");
    for path in ["/Admin", "/admin/"] {
        let action = action(&format!("GET https://a.test{path}"));
        assert_eq!(asked(&snapshot, &action), "path-not-allowed", "{path}");
    }
}

/// The code of a decision on a `GET` of a path, whatever the path is.
fn at(snapshot: &Snapshot, path: &str) -> String {
    let Action::Http(mut request) = action("GET https://a.test/") else {
        panic!("a request");
    };
    path.clone_into(&mut request.path);
    let decision = snapshot.decide(&Action::Http(request), now()).decision;
    decision.code.to_string()
}

#[test]
fn a_name_in_a_scope_is_one_segment_where_a_rule_says_so() {
    let snapshot = api(
        "allow: {host: a.test, scopedNames: true, paths: ['/*', '/@one/**', '/-/@two%2F*/tags']}",
    );
    for (path, code) in [
        ("/@acme%2Fweb", "allowed"),
        ("/@a-b_c.d~1%2Fweb.js", "allowed"),
        ("/-/@two%2Fweb/tags", "allowed"),
        ("/@one/web", "allowed"),
        // It is not two segments, and two segments are not one.
        ("/@acme/web", "path-not-allowed"),
        ("/@two/web", "path-not-allowed"),
        ("/-/@two/web/tags", "path-not-allowed"),
        ("/-/@three%2Fweb/tags", "path-not-allowed"),
        ("/-/@acme%2Fweb", "path-not-allowed"),
        // Nothing else that has an encoded slash.
        ("/acme%2Fweb", "malformed"),
        ("/%40acme%2Fweb", "malformed"),
        ("/@acme%2fweb", "malformed"),
        ("/@acme%252Fweb", "malformed"),
        ("/@acme%2F", "malformed"),
        ("/@%2Fweb", "malformed"),
        ("/@acme%2F..", "malformed"),
        ("/@acme%2F.", "malformed"),
        ("/@..%2Fweb", "malformed"),
        ("/@acme%2F.npmrc", "malformed"),
        ("/@acme%2Fa%2Fb", "malformed"),
        ("/@acme%2F%2Fb", "malformed"),
        ("/@acme%2Fweb;v=1", "malformed"),
        ("/@acme%2Fw%20b", "malformed"),
        ("/@acme%2Fweb%5Cx", "malformed"),
        ("/@acme%2Fweb/..", "malformed"),
        ("/@acme%2Fweb//x", "malformed"),
        ("/x%2Fy/@acme%2Fweb", "malformed"),
    ] {
        assert_eq!(at(&snapshot, path), code, "{path}");
    }
}

#[test]
fn a_name_in_a_scope_is_malformed_to_every_other_rule() {
    for rules in [
        both("allow: {host: a.test}", ""),
        both("allow: {host: a.test, paths: ['/**']}", ""),
        both("allow: {host: a.test, tunnel: true}", ""),
        api("allow: {host: a.test}"),
        api("allow: {host: a.test, paths: ['/**']}"),
        api("allow: {host: b.test, scopedNames: true}"),
    ] {
        assert_eq!(at(&rules, "/@acme%2Fweb"), "malformed");
    }
    let everything = api("allow: {host: a.test, scopedNames: true}");
    assert_eq!(at(&everything, "/@acme%2Fweb"), "allowed");
}

#[test]
fn a_forbid_takes_both_readings_of_a_name_in_a_scope() {
    for forbid in [
        "/@acme/**",
        "/@acme/web",
        "/@ACME/*",
        "/*",
        "/@acme*",
        "/**/web",
    ] {
        let rules = api(&format!(
            "allow: {{host: a.test, scopedNames: true}}\nforbid: {{host: a.test, paths: ['{forbid}']}}"
        ));
        assert_eq!(at(&rules, "/@acme%2Fweb"), "forbidden", "{forbid}");
    }
    let rules = api(
        "allow: {host: a.test, scopedNames: true}\nforbid: {host: a.test, paths: ['/@acme/other', '/@acme']}",
    );
    assert_eq!(at(&rules, "/@acme%2Fweb"), "allowed");
}

#[test]
fn an_expression_does_not_take_a_name_in_a_scope_for_two_segments() {
    let rules = api("allow: {host: a.test, scopedNames: true, when: request.path == '/@acme/web'}");
    assert_eq!(at(&rules, "/@acme/web"), "allowed");
    assert_eq!(at(&rules, "/@acme%2Fweb"), "condition-not-met");
}

#[test]
fn the_rule_that_is_named_is_the_one_whose_paths_come_nearest() {
    let rules = [
        "allow: {id: a, host: a.test, paths: [/]}",
        "allow: {id: b, host: a.test, paths: ['/repos/acme/web', '/repos/acme/web/**']}",
        "allow: {id: c, host: a.test, paths: ['/repos/acme/api/**', '/zebra']}",
        "allow: {id: d, host: a.test, paths: ['/**/x']}",
        "allow: {id: e, host: a.test, paths: ['/repos/acme/api/*']}",
    ];
    for turn in 0..rules.len() {
        let mut turned = rules;
        turned.rotate_left(turn);
        let snapshot = api(&turned.join("\n"));
        for (path, rule) in [
            ("/repos/acme/website", "p/api/b"),
            ("/repos/acme/ap", "p/api/c"),
            ("/nothing", "p/api/a"),
        ] {
            let asked = action(&format!("GET https://a.test{path}"));
            let decision = snapshot.decide(&asked, now()).decision;
            assert_eq!(decision.rule.unwrap().0, rule, "{path}");
        }
    }
}
