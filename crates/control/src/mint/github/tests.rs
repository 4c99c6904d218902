use serde_json::json;

use super::super::words::Hidden;
use super::*;

#[test]
fn repositories_are_named_and_never_all_of_them() {
    assert_eq!(repositories("web, api,").unwrap(), ["web", "api"]);
    for (text, expected) in [
        ("", "names none"),
        (" , ,", "names none"),
        ("acme/web", "without owner"),
        ("web\n", "web"),
        ("*", "without owner"),
        ("we b", "without owner"),
    ] {
        match repositories(text) {
            Ok(names) => assert_eq!(names, [expected], "{text:?}"),
            Err(error) => assert!(error.to_string().contains(expected), "{text:?}: {error}"),
        }
    }
    let many = vec!["web"; REPOSITORIES + 1].join(",");
    assert!(repositories(&many).is_err());
}

#[test]
fn permissions_are_named_and_never_all_of_them() {
    let found = permissions("contents:read, pull_requests:write").unwrap();
    assert_eq!(found["contents"], Level::Read);
    assert_eq!(found["pull_requests"], Level::Write);
    for text in [
        "",
        ",",
        "contents",
        "contents:",
        ":read",
        "contents:all",
        "Contents:read",
        "contents: read",
        "contents:read,contents:write",
        "a-b:read",
    ] {
        assert!(permissions(text).is_err(), "{text:?}");
    }
}

fn asking(test: impl FnOnce(&Installation<'_>)) {
    let workdir = ringfence_testkit::Workdir::new().unwrap();
    let key = ringfence_testkit::issuer::keys::ClientKey::p256(&workdir, "key").unwrap();
    let key = Secret::new(key.private_pem.as_str());
    test(&Installation {
        endpoint: Endpoint::parse(API).unwrap(),
        app: "1",
        signer: Signer::new(Algorithm::ES256, "private_key", &key).unwrap(),
        wanted: Wanted {
            repositories: vec!["web", "api"],
            permissions: permissions("contents:read,pull_requests:write").unwrap(),
        },
    });
}

fn answer(status: u16, body: &serde_json::Value) -> Answer {
    Answer {
        status,
        content_type: Some("application/json; charset=utf-8".to_owned()),
        body: Secret::new(body.to_string()),
        time: "2026-11-22T12:00:00Z".parse().unwrap(),
        date: Some("2026-11-22T12:05:00Z".parse().unwrap()),
        hidden: Hidden::default(),
    }
}

fn granted() -> serde_json::Value {
    json!({
        "token": "ghs_16C7e42F292c6912E7710c838347Ae178B4a",
        "expires_at": "2026-11-22T13:05:00Z",
        "permissions": {"contents": "read", "metadata": "read", "pull_requests": "write"},
        "repository_selection": "selected",
        "repositories": [{"id": 1, "name": "Web"}, {"id": 2, "name": "api"}],
    })
}

#[test]
fn a_token_for_what_was_asked_ends_by_our_clock() {
    asking(|installation| {
        let token = installation.token(&answer(201, &granted())).unwrap();
        let expires = "2026-11-22T13:00:00Z".parse().unwrap();
        assert_eq!(token.expires, Some(expires));
        let mut fewer = granted();
        fewer["permissions"] = json!({"contents": "read"});
        fewer["repositories"] = json!([{"name": "web"}]);
        assert!(installation.token(&answer(201, &fewer)).is_ok());
    });
}

#[test]
fn a_token_for_more_than_was_asked_is_refused() {
    asking(|installation| {
        for (member, value) in [
            ("repository_selection", json!("all")),
            ("repository_selection", json!(null)),
            ("repositories", json!([])),
            ("repositories", json!(null)),
            (
                "repositories",
                json!([{"name": "web"}, {"name": "payroll"}]),
            ),
            ("repositories", json!([{"id": 1}])),
            ("permissions", json!({"contents": "write"})),
            ("permissions", json!({"pull_requests": "admin"})),
            ("permissions", json!({"administration": "read"})),
            ("permissions", json!({"metadata": "write"})),
            ("permissions", json!({"contents": "everything"})),
            ("permissions", json!(null)),
            ("expires_at", json!(null)),
            ("expires_at", json!("tomorrow")),
            ("expires_at", json!(1795352700)),
            ("expires_at", json!("2026-11-22T12:04:00Z")),
            ("expires_at", json!("2036-11-22T12:00:00Z")),
            ("token", json!(null)),
            ("token", json!("")),
            ("token", json!("ghs_canary\r\nx-evil: 1")),
        ] {
            let mut body = granted();
            body[member] = value.clone();
            let error = installation.token(&answer(201, &body)).unwrap_err();
            assert!(
                matches!(error, MintError::Malformed(_)),
                "{member}: {value}: {error}"
            );
            let shown = format!("{error} {error:?}");
            assert!(
                !shown.contains("ghs_") && !shown.contains("payroll"),
                "{shown}"
            );
        }
    });
}

#[test]
fn a_refusal_is_explained_without_the_answer() {
    asking(|installation| {
        let body = json!({"message": "canary", "error": "canary", "documentation_url": "x"});
        for (status, expected) in [
            (401, "private key"),
            (403, "suspended"),
            (404, "no such installation"),
            (422, "repositories and permissions"),
        ] {
            let error = installation
                .token(&answer(status, &body))
                .unwrap_err()
                .to_string();
            assert!(
                error.contains(expected) && !error.contains("canary"),
                "{error}"
            );
        }
        assert!(installation.token(&answer(200, &granted())).is_err());
    });
}
