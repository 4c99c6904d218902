//! Tokens of ours in requests: where they may stand, whose they must be, and what becomes of them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ringfence_model::Secret;

use super::upstream::{Ca, Reply, Seen, Speaks, Upstream, reply};
use super::world::{SECRET, WITH_GITHUB, World, action, get, header, material, request};
use crate::Injection;

const URL: &str = "https://api.test/x";

const PLACEHOLDER: &str = "api:\n  - allow: { id: all, host: api.test, methods: [GET, POST], paths: [\"/**\"], credential: github, auth: placeholder, tokenRequired: true, tokenFields: [/client_secret, /nested/token] }";

/// Says what it saw, turned round so that nothing of it is scrubbed.
async fn turned(seen: Seen) -> Reply {
    let text = format!(
        "{} {} {:?}",
        seen.target,
        String::from_utf8_lossy(&seen.body),
        seen.headers
    );
    reply(text.chars().rev().collect::<String>())
}

async fn upstream(ca: &Ca) -> Upstream {
    Upstream::start(ca, Speaks::Http1, turned).await
}

fn seen(got: &super::world::Got) -> String {
    got.text().chars().rev().collect()
}

#[tokio::test]
async fn a_token_never_leaves() {
    let ca = Ca::new();
    let upstream = upstream(&ca).await;
    for rules in [
        WITH_GITHUB,
        "network:\n  - allow: { host: api.test, methods: [GET] }",
    ] {
        let world = World::new(&ca, &upstream, rules);
        let token = world.issue(&["github"]);
        let basic = format!("Basic {}", STANDARD.encode(format!("x:{token}")));
        let cookie = format!("a=1; t={token}");
        let headers = [
            ("authorization", basic.as_str()),
            ("x-api-key", &token),
            ("cookie", &cookie),
        ];
        let url = format!("{URL}?a=1&access_token={token}");
        let got = world
            .send(request("GET", &url, &headers, ""))
            .await
            .unwrap();
        let seen = seen(&got);
        assert!(!seen.contains("rf_"), "{seen}");
        assert!(!seen.contains(&STANDARD.encode(&token)[..20]), "{seen}");
        assert!(seen.starts_with("/x?a=1 "), "{seen}");
    }
}

#[tokio::test]
async fn a_token_that_is_not_this_sandboxes_is_refused_and_found_wherever_it_stands() {
    let ca = Ca::new();
    let upstream = upstream(&ca).await;
    let world = World::new(&ca, &upstream, WITH_GITHUB);
    let foreign = World::new(&ca, &upstream, WITH_GITHUB).issue(&["github"]);
    let basic = |pair: String| format!("Basic {}", STANDARD.encode(pair));
    let user = basic(format!("{foreign}:x"));
    let password = basic(format!("x:{foreign}"));
    let cookie = format!("a=1; t={foreign}");
    for (header, value) in [
        ("authorization", format!("Bearer {foreign}")),
        ("authorization", format!("token {foreign}")),
        ("authorization", user),
        ("authorization", password),
        ("x-anything", foreign.clone()),
        ("cookie", cookie),
    ] {
        let (code, words) = world
            .stopped(request("GET", URL, &[(header, &value)], ""))
            .await;
        assert_eq!(code, "token-invalid", "{header}: {value}");
        assert!(!words.contains(&foreign), "{words}");
    }
    let encoded = foreign.replace('_', "%5F").replacen('r', "%72", 1);
    for url in [
        format!("{URL}?t={foreign}"),
        format!("{URL}?{foreign}"),
        format!("{URL}?t={encoded}"),
    ] {
        // What is recorded of the query is the crate above's; here it is as it was sent.
        let (code, _) = world.stopped(get(&url)).await;
        assert!(matches!(code.as_str(), "token-invalid"), "{url}: {code}");
    }
    let found = world.findings("foreign-token");
    assert!(!found.is_empty());
    assert!(!found.iter().any(|detail| detail.contains(&foreign)));
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn a_token_counts_for_the_credentials_of_its_scope_and_until_it_ends() {
    let ca = Ca::new();
    let upstream = upstream(&ca).await;
    let world = World::new(&ca, &upstream, WITH_GITHUB);
    let ask = |token: &str| {
        request(
            "GET",
            URL,
            &[("authorization", &format!("Bearer {token}"))],
            "",
        )
    };
    let other = world.issue(&["jira"]);
    let (code, words) = world.stopped(ask(&other)).await;
    assert_eq!(code, "token-invalid");
    assert!(words.contains("`github`"), "{words}");
    assert_eq!(world.findings("foreign-token").len(), 1);

    let right = world.issue(&["jira", "github"]);
    assert_eq!(world.send(ask(&right)).await.unwrap().status, 200);
    let mut entries = world.tokens.entries();
    for entry in &mut entries {
        entry.expires = Some(jiff::Timestamp::now());
    }
    world.tokens.replace(entries);
    let (code, words) = world.stopped(ask(&right)).await;
    assert_eq!(code, "token-invalid");
    assert!(words.contains("expired"), "{words}");
    world.tokens.replace(Vec::new());
    assert_eq!(world.stopped(ask(&right)).await.0, "token-invalid");
}

#[tokio::test]
async fn a_request_without_a_token_is_refused_where_the_rule_wants_one() {
    let ca = Ca::new();
    let upstream = upstream(&ca).await;
    let world = World::new(&ca, &upstream, PLACEHOLDER);
    let own = [("authorization", "Bearer mine")];
    let (code, _) = world.stopped(request("GET", URL, &own, "")).await;
    assert_eq!(code, "token-missing");
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn each_token_is_replaced_where_the_client_put_its_credential() {
    let ca = Ca::new();
    let upstream = upstream(&ca).await;
    let world = World::new(&ca, &upstream, PLACEHOLDER);
    let parameter = Injection::Query {
        name: "t".to_owned(),
        value: Secret::new(SECRET),
    };
    let injections = vec![header("x-own", SECRET), parameter];
    world.vault.put(material("github", injections, SECRET));
    let token = world.issue(&["github"]);
    let basic = format!(
        "Basic {}",
        STANDARD.encode(format!("x-access-token:{token}"))
    );
    let headers = [
        ("authorization", basic.as_str()),
        ("x-own", &format!("k={token};")),
        ("cookie", "session=mine"),
        ("x-api-key", "mine"),
    ];
    let url = format!("{URL}?a=1&t={token}&access_token=mine");
    let got = world
        .send(request("GET", &url, &headers, ""))
        .await
        .unwrap();
    let seen = seen(&got);
    let expected = STANDARD.encode(format!("x-access-token:{SECRET}"));
    assert!(seen.contains(&format!("Basic {expected}")), "{seen}");
    assert!(seen.contains(&format!("k={SECRET};")), "{seen}");
    assert!(seen.starts_with(&format!("/x?a=1&t={SECRET} ")), "{seen}");
    assert!(!seen.contains("mine") && !seen.contains("rf_"), "{seen}");
}

#[tokio::test]
async fn a_token_where_no_credential_belongs_is_refused_and_nothing_is_deleted() {
    let ca = Ca::new();
    let upstream = upstream(&ca).await;
    let network = "network:\n  - allow: { host: api.test, methods: [GET] }";
    for rules in [WITH_GITHUB, network, PLACEHOLDER] {
        let world = World::new(&ca, &upstream, rules);
        let token = world.issue(&["github"]);
        let escaped = token.replacen('r', "%72", 1);
        for url in [
            format!("{URL}?owner=acme%20{token}"),
            format!("{URL}?owner=acme+{escaped}"),
            format!("{URL}?a=1&{token}=1"),
            format!("{URL}?{token}"),
            format!("{URL}/{token}"),
        ] {
            assert_misplaced(&world, request("GET", &url, &[], "")).await;
        }
        for (name, value) in [
            ("x-tenant", format!("acme {token}")),
            ("content-type", format!("application/{token}")),
            ("origin", format!("https://{token}")),
        ] {
            assert_misplaced(&world, request("GET", URL, &[(name, &value)], "")).await;
        }
        let found = world.findings("misplaced-token");
        assert!(!found.is_empty());
        assert!(!found.iter().any(|detail| detail.contains(&token)));
    }
    let world = World::new(&ca, &upstream, PLACEHOLDER);
    let token = world.issue(&["github"]);
    // The credential is not one for the query.
    assert_misplaced(&world, get(&format!("{URL}?access_token={token}"))).await;
    assert_eq!(upstream.connections(), 0);
}

async fn assert_misplaced(world: &World, asked: http::Request<crate::http::RequestBody>) {
    let what = format!("{} {:?}", asked.uri(), asked.headers());
    let (code, words) = world.stopped(asked).await;
    assert_eq!(code, "token-invalid", "{what}");
    assert!(words.contains("no credential belongs"), "{what}: {words}");
}

#[tokio::test]
async fn the_query_that_was_decided_on_is_the_one_that_is_sent_whatever_looks_like_a_token() {
    let ca = Ca::new();
    let upstream = upstream(&ca).await;
    let world = World::new(&ca, &upstream, WITH_GITHUB);
    let word = format!("rf_{}z", "a".repeat(43));
    let sent = get(&format!("{URL}?q={word}"));
    assert_eq!(
        action(&sent).query,
        Some(format!("q={word}")),
        "policy sees the whole word"
    );
    let permit = world.permit(&get(&format!("{URL}?q=rf_z")));
    let stopped = world
        .gateway
        .forward(&world.session, &world.pool, permit, sent)
        .await;
    assert!(stopped.is_err(), "another query than was decided on");
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn a_token_in_a_named_field_of_the_body_is_replaced_with_its_right_length() {
    let ca = Ca::new();
    let upstream = upstream(&ca).await;
    let world = World::new(&ca, &upstream, PLACEHOLDER);
    world
        .vault
        .put(material("github", Vec::new(), "a\"b\\c&d=e f"));
    let token = world.issue(&["github"]);
    let json = format!("{{\"n\":1.50, \"nested\": {{\"token\":\"{token}\"}}}}");
    let form = format!("a=1&client_secret={token}&b=%20");
    for (kind, body, expected) in [
        (
            "application/json",
            json,
            r#"{"n":1.50, "nested": {"token":"a\"b\\c&d=e f"}}"#,
        ),
        (
            "application/x-www-form-urlencoded",
            form,
            "a=1&client_secret=a%22b%5Cc%26d%3De%20f&b=%20",
        ),
    ] {
        let sent = request("POST", URL, &[("content-type", kind)], body);
        let got = world.send(sent).await.unwrap();
        let seen = seen(&got);
        assert!(seen.contains(expected), "{seen}");
        let length = format!("\"content-length\": \"{}\"", expected.len());
        assert!(seen.contains(&length), "{seen}");
    }
}

#[tokio::test]
async fn a_token_elsewhere_in_the_body_is_not_replaced() {
    let ca = Ca::new();
    let upstream = upstream(&ca).await;
    let world = World::new(&ca, &upstream, PLACEHOLDER);
    let token = world.issue(&["github"]);
    let json = ("content-type", "application/json");
    let beside = format!("{{\"client_secret\":\"{token}\",\"comment\":\"{token}\"}}");
    let (code, _) = world.stopped(request("POST", URL, &[json], beside)).await;
    assert_eq!(code, "token-invalid");
    let twice =
        format!("{{\"client_secret\":\"x\",\"client_secret\":\"{token}\",\"c\":\"{token}\"}}");
    let (code, _) = world.stopped(request("POST", URL, &[json], twice)).await;
    assert_eq!(code, "token-invalid");
    let escaped = token.replacen('r', "\\u0072", 1);
    for body in [
        format!("{{\"client_secret\":\"{escaped}\",\"description\":\"{token}\"}}"),
        format!("{{\"client_secret\":\"{token}\",\"description\":\"{escaped}\"}}"),
        format!("{{\"client_secret\":\"{token}\",\"client_secret\":\"{escaped}\"}}"),
        format!("{{\"client_secret\":\"{token}\",\"Client_secret\":\"x\"}}"),
        format!("{{\"client_secret\":\"{token}\",\"a\":[{{\"{token}\":1}}]}}"),
        format!("{{\"client_secret\":\"{escaped}\"}}"),
    ] {
        let asked = request("POST", URL, &[json], body.clone());
        assert_eq!(world.stopped(asked).await.0, "token-invalid", "{body}");
    }
    let form = ("content-type", "application/x-www-form-urlencoded");
    for body in [
        format!("client_secret={token}&title={token}"),
        format!("client_secret={token}&client_secret=x"),
        format!("client_secret={token}&{token}=x"),
        format!("client%5Fsecret={token}&client_secret={token}"),
    ] {
        let asked = request("POST", URL, &[form], body.clone());
        assert_eq!(world.stopped(asked).await.0, "token-invalid", "{body}");
    }
    for (kind, encoding) in [
        ("multipart/form-data; boundary=x", "identity"),
        ("text/plain", "identity"),
        ("application/json", "gzip"),
    ] {
        let body = format!("{{\"client_secret\":\"{token}\"}}");
        let headers = [("content-type", kind), ("content-encoding", encoding)];
        let (code, _) = world.stopped(request("POST", URL, &headers, body)).await;
        assert_eq!(code, "token-missing", "{kind} {encoding}");
    }
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn a_foreign_token_in_a_named_field_is_refused() {
    let ca = Ca::new();
    let upstream = upstream(&ca).await;
    let world = World::new(&ca, &upstream, PLACEHOLDER);
    let foreign = World::new(&ca, &upstream, PLACEHOLDER).issue(&["github"]);
    let body = format!("client_secret={foreign}");
    let form = ("content-type", "application/x-www-form-urlencoded");
    let (code, _) = world.stopped(request("POST", URL, &[form], body)).await;
    assert_eq!(code, "token-invalid");
    assert_eq!(world.findings("foreign-token").len(), 1);
}
