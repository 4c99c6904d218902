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
