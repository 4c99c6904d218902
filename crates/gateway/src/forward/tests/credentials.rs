//! How a credential gets into a request, and how what the agent says of itself does not.

use std::sync::atomic::Ordering;

use ringfence_model::Secret;

use super::upstream::{Ca, Seen, Speaks, Upstream, reply};
use super::world::{SECRET, WITH_GITHUB, World, bearer, get, header, material, request};
use crate::{Injection, Material};

const URL: &str = "https://api.test/x";

/// An upstream that keeps what it saw.
async fn witness(ca: &Ca) -> (Upstream, tokio::sync::mpsc::UnboundedReceiver<Seen>) {
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
    let upstream = Upstream::start(ca, Speaks::Http1, move |seen| {
        let sender = sender.clone();
        async move {
            sender.send(seen).unwrap();
            reply("ok")
        }
    });
    (upstream.await, receiver)
}

#[tokio::test]
async fn the_agents_own_authentication_is_replaced() {
    let ca = Ca::new();
    let (upstream, mut seen) = witness(&ca).await;
    let world = World::new(&ca, &upstream, WITH_GITHUB);
    let own = [
        ("authorization", "Bearer attacker"),
        ("authorization", "Basic YTpi"),
        ("proxy-authorization", "Basic YTpi"),
        ("x-api-key", "attacker"),
        ("api-key", "attacker"),
        ("x-auth-token", "attacker"),
        ("x-github-otp", "attacker"),
        ("private-token", "attacker"),
        ("cookie", "session=attacker"),
        ("x-http-method-override", "DELETE"),
        ("x-method-override", "DELETE"),
        ("x-original-url", "/attacker"),
        ("connection", "x-nominated"),
        ("x-nominated", "attacker"),
        ("accept", "application/json"),
    ];
    let url = "https://api.test/x?access_token=attacker&state=open&API_KEY=attacker";
    world.send(request("GET", url, &own, "")).await.unwrap();
    let seen = seen.recv().await.unwrap();
    assert_eq!(seen.headers["authorization"], format!("Bearer {SECRET}"));
    assert_eq!(seen.target, "/x?state=open");
    assert_eq!(seen.headers["accept"], "application/json");
    assert_eq!(seen.headers["host"], "api.test");
    assert!(!format!("{seen:?}").contains("attacker"), "{seen:?}");
    assert!(!format!("{seen:?}").contains("DELETE"), "{seen:?}");
}

#[tokio::test]
async fn a_credential_may_be_a_header_a_parameter_or_both() {
    let ca = Ca::new();
    let (upstream, mut seen) = witness(&ca).await;
    let world = World::new(&ca, &upstream, WITH_GITHUB);
    let parameter = Injection::Query {
        name: "key".to_owned(),
        value: Secret::new("a b&c=d"),
    };
    let injections = vec![header("x-api-key", "v1"), parameter];
    world
        .vault
        .put(material("github", injections, "long enough secret"));
    let url = "https://api.test/x?key=attacker&a=1&k%65y=attacker";
    let own = [("x-api-key", "attacker")];
    world.send(request("GET", url, &own, "")).await.unwrap();
    let seen = seen.recv().await.unwrap();
    assert_eq!(seen.target, "/x?a=1&key=a%20b%26c%3Dd");
    assert_eq!(seen.headers["x-api-key"], "v1");
    assert_eq!(seen.headers.get_all("x-api-key").iter().count(), 1);
}

#[tokio::test]
async fn a_credential_that_would_write_a_second_header_is_refused() {
    let ca = Ca::new();
    let (upstream, _) = witness(&ca).await;
    let world = World::new(&ca, &upstream, WITH_GITHUB);
    for injection in [
        header("authorization", "Bearer a\r\nx-evil: 1"),
        header("authorization", "a\nb"),
        header("authorization", "a\0b"),
        header("x y", "v"),
        header("host", "evil.test"),
        header("content-length", "0"),
        header("transfer-encoding", "chunked"),
        header("connection", "x"),
    ] {
        world
            .vault
            .put(material("github", vec![injection], "12345678"));
        let (code, words) = world.stopped(get(URL)).await;
        assert_eq!(code, "credential-unavailable", "{words}");
        assert!(!words.contains("evil"), "{words}");
    }
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn a_credential_that_is_not_there_refuses_and_dials_nothing() {
    let ca = Ca::new();
    let (upstream, _) = witness(&ca).await;
    let world = World::new(&ca, &upstream, WITH_GITHUB);
    world.vault.revoke("github");
    let (code, words) = world.stopped(get(URL)).await;
    assert_eq!(code, "credential-unavailable");
    assert!(words.contains("`github`"), "{words}");
    assert_eq!(upstream.connections(), 0);
}

fn minted(secret: &str) -> Material {
    Material {
        minted: true,
        ..bearer("github", secret)
    }
}

/// An upstream that accepts one value, and counts.
async fn picky(ca: &Ca, wanted: &'static str) -> Upstream {
    Upstream::start(ca, Speaks::Http1, move |seen: Seen| async move {
        let right = seen.headers["authorization"] == format!("Bearer {wanted}");
        let mut response = reply(seen.body);
        if !right {
            *response.status_mut() = http::StatusCode::UNAUTHORIZED;
        }
        response
    })
    .await
}

#[tokio::test]
async fn a_minted_credential_is_minted_anew_once_after_a_401() {
    let ca = Ca::new();
    let upstream = picky(&ca, "fresh-value").await;
    let world = World::new(&ca, &upstream, WITH_GITHUB);
    world.vault.put(minted("stale-value"));
    *world.vault.next.lock().unwrap() = Some(minted("fresh-value"));
    let got = world
        .send(request("POST", URL, &[], "the body"))
        .await
        .unwrap();
    assert_eq!(got.status, 200);
    assert_eq!(got.text(), "the body");
    assert_eq!(world.vault.rejected.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_401_is_final_where_a_fresh_credential_does_not_help() {
    let ca = Ca::new();
    let upstream = picky(&ca, "no-such-value").await;
    let world = World::new(&ca, &upstream, WITH_GITHUB);
    world.vault.put(minted("stale-value"));
    *world.vault.next.lock().unwrap() = Some(minted("fresh-value"));
    let got = world.send(get(URL)).await.unwrap();
    assert_eq!(got.status, 401);
    assert_eq!(world.vault.rejected.load(Ordering::SeqCst), 1);

    world.vault.put(bearer("github", "not-minted"));
    assert_eq!(world.send(get(URL)).await.unwrap().status, 401);
    assert_eq!(world.vault.rejected.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn two_hundred_requests_during_rotations_lose_none() {
    let ca = Ca::new();
    for speaks in [Speaks::Http1, Speaks::Http2] {
        let upstream = Upstream::start(&ca, speaks, |seen: Seen| async move {
            reply(seen.headers["authorization"].as_bytes().to_vec())
        });
        let upstream = upstream.await;
        let world = World::new(&ca, &upstream, WITH_GITHUB);
        let world = &world;
        let rotating = async |number: usize| {
            if number.is_multiple_of(20) {
                // The same version: what was sent with the value before is not cut.
                world
                    .vault
                    .put(bearer("github", &format!("{SECRET}{number}")));
            }
            world
                .send(super::world::over_http2(get(URL)))
                .await
                .unwrap()
        };
        let requests = (0..200).map(rotating);
        for got in futures_util::future::join_all(requests).await {
            assert_eq!(got.status, 200);
            assert!(
                got.text().starts_with("Bearer REDACTED-BY-RINGFENCE"),
                "{}",
                got.text()
            );
        }
        if speaks == Speaks::Http2 {
            assert_eq!(upstream.connections(), 1);
        }
    }
}
