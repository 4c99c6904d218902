//! What must hold upstream before a request is sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::upstream::{Ca, Reply, Seen, Speaks, Upstream, reply};
use super::world::{SECRET, World, bearer, get, over_http2, request};
use crate::Material;

const RULES: &str = "api:
  - allow:
      id: private-only
      host: api.test
      methods: [GET, POST]
      paths: [\"/work/**\"]
      credential: github
      precondition:
        path: /repo?full=1
        json: { type: object, required: [private], properties: { private: { const: true } } }";

/// An upstream whose repository is as `states` say, one after another, the last for ever.
async fn upstream(ca: &Ca, states: &'static [&'static str]) -> (Upstream, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let answer = move |seen: Seen| {
        let count = Arc::clone(&count);
        async move {
            assert_eq!(seen.headers["authorization"], format!("Bearer {SECRET}"));
            if !seen.target.ends_with("/repo?full=1") {
                return reply("done");
            }
            assert_eq!((seen.method.as_str(), seen.body.len()), ("GET", 0));
            let at = count.fetch_add(1, Ordering::SeqCst);
            state(states[at.min(states.len() - 1)])
        }
    };
    (Upstream::start(ca, Speaks::Both, answer).await, asked)
}

fn state(text: &str) -> Reply {
    let mut response = reply(text.to_owned());
    if let Some(status) = text.strip_prefix("status ") {
        *response.status_mut() = http::StatusCode::from_bytes(status.as_bytes()).unwrap();
    }
    response
}

#[tokio::test]
async fn a_request_is_sent_only_where_it_holds() {
    let ca = Ca::new();
    for (answer, words) in [
        (&[r#"{"private":true}"#][..], ""),
        (
            &[r#"{"private":false}"#],
            "answered what the rule does not want",
        ),
        (
            &[r#"{"public":true}"#],
            "answered what the rule does not want",
        ),
        (&["private"], "did not answer with JSON"),
        (&["status 404"], "answered 404"),
        (&["status 500"], "answered 500"),
        (&["status 302"], "answered 302"),
    ] {
        let (upstream, _) = upstream(&ca, answer).await;
        let world = World::new(&ca, &upstream, RULES);
        let asked = get("https://api.test/work/x");
        if words.is_empty() {
            assert_eq!(world.send(asked).await.unwrap().text(), "done");
            continue;
        }
        let (code, reason) = world.stopped(asked).await;
        assert_eq!(code, "condition-not-met");
        assert!(
            reason.contains(words) && reason.contains("GET /repo"),
            "{reason}"
        );
        let detail = world.closing();
        assert_eq!(format!("{:?}", detail.outcome), "Refused(ConditionNotMet)");
    }
}

#[tokio::test]
async fn an_answer_counts_for_reads_and_is_asked_for_anew_before_each_write() {
    let ca = Ca::new();
    let states = &[r#"{"private":true}"#, r#"{"private":false}"#];
    let (upstream, asked) = upstream(&ca, states).await;
    let world = World::new(&ca, &upstream, RULES);
    for _ in 0..3 {
        world.send(get("https://api.test/work/x")).await.unwrap();
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let write = || request("POST", "https://api.test/work/x", &[], "body");
    assert_eq!(world.stopped(write()).await.0, "condition-not-met");
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    // What a write found out counts for reads as well.
    let read = world.stopped(get("https://api.test/work/x")).await;
    assert_eq!(read.0, "condition-not-met");
}

#[tokio::test]
async fn requests_at_once_ask_once_and_a_rotated_credential_asks_again() {
    let ca = Ca::new();
    let (upstream, asked) = upstream(&ca, &[r#"{"private":true}"#]).await;
    let world = World::new(&ca, &upstream, RULES);
    let requests = (0..50).map(|_| world.send(over_http2(get("https://api.test/work/x"))));
    for got in futures_util::future::join_all(requests).await {
        assert_eq!(got.unwrap().text(), "done");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    world.vault.put(Material {
        version: 2,
        ..bearer("github", SECRET)
    });
    world.send(get("https://api.test/work/x")).await.unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn the_credential_must_be_bound_to_the_path_that_is_asked() {
    let ca = Ca::new();
    let (upstream, asked) = upstream(&ca, &[r#"{"private":true}"#]).await;
    let world = World::new(&ca, &upstream, RULES);
    *world.vault.below.lock().unwrap() = Some("/work/");
    let (code, words) = world.stopped(get("https://api.test/work/x")).await;
    assert_eq!(code, "credential-unavailable", "{words}");
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}
