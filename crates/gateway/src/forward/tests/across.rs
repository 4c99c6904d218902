//! A credential that was sent with one request and is shown in the response to another: under
//! another rule, with another credential or none, from the same host or another.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream::unfold;
use http::Response;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use tokio::sync::mpsc;

use super::upstream::{Ca, Reply, Seen, Speaks, Upstream, reply};
use super::world::{SECRET, Vault, World, bearer, get, request};
use crate::Material;

const RULES: &str = "api:
  - allow: { id: sent, host: api.test, methods: [POST], paths: [\"/store\"], credential: github }
  - allow: { id: other, host: api.test, methods: [GET], paths: [\"/other/**\"], credential: crm }
  - allow: { id: none, host: api.test, methods: [GET, HEAD], paths: [\"/none/**\"] }
network:
  - allow: { host: other.test, methods: [GET] }";

const REDACTED: &str = "REDACTED-BY-RINGFENCE";

/// An upstream that keeps every `Authorization` that it sees and shows all of them to everybody.
async fn keeper(ca: &Ca) -> Upstream {
    let kept: Arc<Mutex<Vec<String>>> = Arc::default();
    Upstream::start(ca, Speaks::Both, move |seen: Seen| {
        let kept = Arc::clone(&kept);
        async move { show(&seen, &mut kept.lock().unwrap()) }
    })
    .await
}

fn show(seen: &Seen, kept: &mut Vec<String>) -> Reply {
    if let Some(value) = seen.headers.get("authorization") {
        let value = value.to_str().unwrap();
        kept.push(value.trim_start_matches("Bearer ").to_owned());
    }
    let all = kept.join(" ");
    let mut response = reply(format!("{all}|{}", STANDARD.encode(&all)));
    let headers = response.headers_mut();
    headers.insert("x-kept", all.parse().unwrap());
    headers.insert("set-cookie", "session=agents-own".parse().unwrap());
    response
}

async fn world(ca: &Ca, upstream: &Upstream) -> World {
    let world = World::new(ca, upstream, RULES);
    world.vault.put(bearer("crm", "crm-token-0123456789abcdef"));
    world
}

async fn store(world: &World) {
    let sent = request("POST", "https://api.test/store", &[], "x");
    world.send(sent).await.unwrap();
}

#[tokio::test]
async fn what_one_rule_sends_no_other_rule_shows() {
    let ca = Ca::new();
    let upstream = keeper(&ca).await;
    let world = world(&ca, &upstream).await;
    store(&world).await;
    for url in [
        "https://api.test/other/x",
        "https://api.test/none/x",
        "https://other.test/x",
    ] {
        let got = world.send(get(url)).await.unwrap();
        let seen = got.everything();
        assert!(!seen.contains(SECRET), "{url}: {seen}");
        assert!(
            !seen.contains(&STANDARD.encode(SECRET)[..40]),
            "{url}: {seen}"
        );
        assert!(got.text().starts_with(REDACTED), "{url}: {seen}");
        assert!(
            got.headers["x-kept"]
                .to_str()
                .unwrap()
                .starts_with(REDACTED)
        );
        assert!(world.closing().scrubbed >= 2, "{url}");
    }
    // The agent's own session stays where no credential is used.
    let got = world.send(get("https://api.test/none/x")).await.unwrap();
    assert_eq!(got.headers["set-cookie"], "session=agents-own");
    let found = world.findings("credential-echoed");
    assert!(
        found.iter().any(|it| it.contains("of another request")),
        "{found:?}"
    );
    assert!(!world.record().contains(SECRET));
}

#[tokio::test]
async fn an_access_token_that_was_minted_anew_stays_hidden() {
    let ca = Ca::new();
    let upstream = keeper(&ca).await;
    let world = world(&ca, &upstream).await;
    let tokens = ["first-access-token", "second-access-token"];
    for token in tokens {
        let minted = Material {
            minted: true,
            ..bearer("github", token)
        };
        world.vault.put(minted);
        store(&world).await;
    }
    let got = world.send(get("https://api.test/none/x")).await.unwrap();
    assert_eq!(got.headers["x-kept"], format!("{REDACTED} {REDACTED}"));
    for token in tokens {
        assert!(!got.everything().contains(token));
    }
}

/// Else a server of the agent's own could be asked which guess is right.
#[tokio::test]
async fn a_password_that_could_be_guessed_is_taken_out_where_it_was_sent_alone() {
    let ca = Ca::new();
    let guess = |_| async { reply("is it hunter2, or hunter3?") };
    let upstream = Upstream::start(&ca, Speaks::Http1, guess).await;
    let world = world(&ca, &upstream).await;
    world.vault.put(bearer("github", "hunter2"));
    store(&world).await;
    let got = world.send(get("https://other.test/x")).await.unwrap();
    assert_eq!(got.text(), "is it hunter2, or hunter3?");
    let got = world.send(get("https://api.test/none/x")).await.unwrap();
    assert_eq!(got.text(), format!("is it {REDACTED}, or hunter3?"));
}

/// A stream that was opened before the credential was ever used.
#[tokio::test]
async fn a_stream_that_was_there_before_shows_nothing_either() {
    let ca = Ca::new();
    let (events, source) = mpsc::unbounded_channel::<Bytes>();
    let source = Arc::new(Mutex::new(Some(source)));
    let answer = move |seen: Seen| {
        let source = seen
            .target
            .ends_with("/events")
            .then(|| source.lock().unwrap().take());
        async move {
            let Some(source) = source.flatten() else {
                return reply("stored");
            };
            let frames = unfold(source, async |mut source| {
                Some((Ok(Frame::data(source.recv().await?)), source))
            });
            let mut response = Response::new(StreamBody::new(frames).boxed());
            let media = "text/event-stream".parse().unwrap();
            response.headers_mut().insert("content-type", media);
            response
        }
    };
    let upstream = Upstream::start(&ca, Speaks::Http1, answer).await;
    let world = world(&ca, &upstream).await;
    world.vault.open.store(true, Ordering::SeqCst);
    let opened = world.forward(get("https://api.test/none/events")).await;
    let mut body = opened.unwrap().into_body();
    let mut next = async |event: String| {
        events.send(Bytes::from(event)).unwrap();
        let frame = body.frame().await.unwrap().unwrap();
        String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap()
    };
    assert_eq!(next("data: 1\n\n".to_owned()).await, "data: 1\n\n");
    store(&world).await;
    let shown = next(format!("data: {SECRET}\n\n")).await;
    assert_eq!(shown, format!("data: {REDACTED}\n\n"));
}

#[tokio::test]
async fn where_there_are_credentials_responses_are_asked_for_that_can_be_read() {
    let ca = Ca::new();
    let answer = |seen: Seen| async move { reply(format!("{:?}", seen.headers)) };
    let upstream = Upstream::start(&ca, Speaks::Http1, answer).await;
    let asked = || {
        let fields = [("accept-encoding", "gzip, zstd"), ("range", "bytes=1-2")];
        request("GET", "https://api.test/none/x", &fields, "")
    };
    let world = world(&ca, &upstream).await;
    let got = world.send(asked()).await.unwrap();
    assert!(got.text().contains("zstd") && got.text().contains("range"));
    assert!(got.headers.contains_key("content-length"));
    let open = |vault: &Vault| vault.open.store(true, Ordering::SeqCst);
    open(&world.vault);
    let got = world.send(asked()).await.unwrap();
    assert!(!got.text().contains("zstd") && !got.text().contains("range"));
}
