//! Issuers that answer anything but a token.

use std::sync::{Arc, Mutex};

use ringfence_testkit::api::{Api, ApiResponse};
use ringfence_testkit::tcp::TcpServer;
use serde_json::json;

use super::*;

const SECRET: &str = "the-client-secret-of-acme";

fn client() -> (Definition, Secrets) {
    let settings = [
        ("token_url", "https://login.acme.test/token"),
        ("client_id", "agent"),
    ];
    let secrets = [("client_secret", SECRET)];
    credential(
        Kind::Oauth2ClientCredentials,
        "api.acme.test",
        &settings,
        &secrets,
    )
}

fn html(status: u16) -> ApiResponse {
    let page = format!("<html>canary {SECRET}</html>");
    ApiResponse::new(status, page).with("Content-Type", "text/html")
}

/// What is answered, and a part of the words that come of it.
fn faults() -> Vec<(ApiResponse, &'static str)> {
    let good = json!({"access_token": "canary", "token_type": "Bearer"});
    let mut long = good.clone();
    long["padding"] = "canary".repeat(300_000).into();
    let mut control = good.clone();
    control["access_token"] = "canary\r\nx-evil: 1".into();
    let mut echoed = json!({"error": "invalid_client"});
    echoed["error_description"] = format!("canary: no client has {SECRET}").into();
    vec![
        (html(200), "type is not application/json"),
        (html(502), "cannot be reached: it answered with status 502"),
        (html(403), "refused: it answered with status 403"),
        (
            ApiResponse::json(302, &good).with("Location", "https://evil.test/"),
            "redirect",
        ),
        (
            ApiResponse::json(307, &good).with("Location", "/token2"),
            "redirect",
        ),
        (ApiResponse::json(200, &long), "longer than"),
        (ApiResponse::json(200, &control), "`access_token` holds"),
        (
            ApiResponse::json(200, &json!({"access_token": "canary"})),
            "token_type",
        ),
        (
            ApiResponse::json(401, &echoed),
            "its explanation is not shown",
        ),
        (ApiResponse::json(200, &json!({})), "token_type"),
        (
            ApiResponse::new(200, "").with("Content-Type", "application/json"),
            "not the JSON object",
        ),
    ]
}

#[tokio::test]
async fn no_answer_but_a_token_makes_material_and_none_is_repeated() {
    let mut world = World::new();
    let next = Arc::new(Mutex::new(html(200)));
    let answer = Arc::clone(&next);
    let server = Api::start(&world.workdir, &world.ca, &["login.acme.test"], move |_| {
        answer.lock().unwrap().clone()
    });
    let server = server.unwrap();
    world.lead(&["login.acme.test"], server.https());
    let faults = faults();
    let count = faults.len();
    for (fault, expected) in faults {
        *next.lock().unwrap() = fault;
        let error = world.mint(&client()).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
    // No redirect was followed and nothing was asked twice.
    assert_eq!(server.requests().len(), count);
}

#[tokio::test]
async fn an_issuer_that_cannot_be_trusted_or_reached_gets_nothing() {
    let mut world = World::new();
    let server = Api::start(&world.workdir, &world.ca, &["login.acme.test"], |_| {
        html(200)
    });
    let server = server.unwrap();
    world.lead(&["login.acme.test"], server.https());
    world.config.dial.extra_roots.clear();
    let error = world.mint(&client()).await.unwrap_err();
    assert!(matches!(error, MintError::Unreachable(_)), "{error}");
    assert!(server.requests().is_empty());

    let plain = TcpServer::banner(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
    world.lead(&["login.acme.test"], plain.address());
    let error = world.mint(&client()).await.unwrap_err();
    assert!(matches!(error, MintError::Unreachable(_)), "{error}");

    let port = ringfence_testkit::port::ReservedPort::new().unwrap();
    world.lead(&["login.acme.test"], port.address());
    let error = world.mint(&client()).await.unwrap_err();
    assert!(matches!(error, MintError::Unreachable(_)), "{error}");
}

#[test]
fn settings_that_would_send_a_secret_elsewhere_are_refused() {
    for url in [
        "http://login.acme.test/token",
        "https://login.acme.test@evil.test/",
        "login.acme.test/token",
        "",
        "https://login.acme.test/\r\nHost: evil.test",
        "https://login.acme.test/token#x",
    ] {
        let (mut definition, secrets) = client();
        definition
            .settings
            .insert("token_url".to_owned(), url.to_owned());
        let error = check(&definition, &secrets).unwrap_err();
        assert!(matches!(error, MintError::Settings(_)), "{url}");
    }
    let (mut definition, secrets) = client();
    definition
        .settings
        .insert("client_auth".to_owned(), "jwt".to_owned());
    assert!(check(&definition, &secrets).is_err());
    let (definition, _) = client();
    assert!(check(&definition, &Secrets::default()).is_err());
    let (mut definition, secrets) = client();
    definition.kind = Kind::Bearer;
    assert!(check(&definition, &secrets).is_err());
}
