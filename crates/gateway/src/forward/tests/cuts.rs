//! Changes bite at once: policy, credentials and tokens, before a response and in the middle of it.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::Response;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;

use super::upstream::{Ca, Reply, Seen, Speaks, Upstream};
use super::world::{SECRET, WITH_GITHUB, World, bearer, get, over_http2, request};
use crate::Material;
use crate::http::{BodyError, ResponseBody};

const URL: &str = "https://api.test/x";

/// How soon a change must be felt.
const AT_ONCE: Duration = Duration::from_millis(100);

/// Says something at once and then nothing for ever, or, at `/flood`, all the time.
async fn endless(seen: Seen) -> Reply {
    let data = || Ok::<_, Infallible>(Frame::data(Bytes::from_static(&[b'.'; 8192])));
    if seen.target.ends_with("/flood") {
        let frames = futures_util::stream::repeat_with(data);
        return Response::new(StreamBody::new(frames).boxed());
    }
    if seen.target.ends_with("/silent") {
        std::future::pending::<()>().await;
    }
    let frames = futures_util::stream::iter([data()]);
    let frames = futures_util::StreamExt::chain(frames, futures_util::stream::pending());
    Response::new(StreamBody::new(frames).boxed())
}

/// Reads until it breaks, and says why and how long after `since`.
async fn cut(mut body: ResponseBody, since: Instant) -> (BodyError, Duration) {
    loop {
        match body.frame().await.unwrap() {
            Ok(_) => {}
            Err(error) => return (error, since.elapsed()),
        }
    }
}

fn rotated() -> Material {
    Material {
        version: 2,
        ..bearer("github", SECRET)
    }
}

/// What the agent is told, and what changed.
type Change = (&'static str, fn(&World));

#[tokio::test]
async fn a_stream_is_cut_when_what_it_rests_on_changes() {
    let ca = Ca::new();
    let changes: [Change; 6] = [
        ("the policy changed", |world| {
            let rule = WITH_GITHUB.replace(
                "credential: github",
                "credential: github, response: { octets: 1000000000 }",
            );
            world.publish(2, &rule);
        }),
        ("the credential `github` was changed", |world| {
            world.vault.put(rotated())
        }),
        ("the credential `github` was changed", |world| {
            world.vault.revoke("github")
        }),
        ("the token of the request", |world| {
            world.tokens.replace(Vec::new())
        }),
        ("", |world| world.publish(2, "network: []")),
        ("", |world| {
            world.publish(
                2,
                &WITH_GITHUB.replace("credential: github", "credential: other"),
            );
        }),
    ];
    for speaks in [Speaks::Http1, Speaks::Http2] {
        let upstream = Upstream::start(&ca, speaks, endless).await;
        for (words, change) in changes {
            for path in ["/x", "/flood"] {
                let world = World::new(&ca, &upstream, WITH_GITHUB);
                let token = format!("Bearer {}", world.issue(&["github"]));
                let url = format!("https://api.test{path}");
                let asked = request("GET", &url, &[("authorization", &token)], "");
                let response = world.forward(over_http2(asked)).await.unwrap();
                let mut body = response.into_body();
                body.frame().await.unwrap().unwrap();
                change(&world);
                let (error, after) = cut(body, Instant::now()).await;
                assert!(matches!(error, BodyError::Revoked(_)), "{error}");
                assert!(error.to_string().contains(words), "{error}");
                assert!(after < AT_ONCE, "{after:?}");
                let outcome = format!("{:?}", world.closing().outcome);
                assert_eq!(outcome, "Refused(Revoked)");
            }
        }
    }
}

#[tokio::test]
async fn a_stream_goes_on_when_its_terms_stay_the_same() {
    let ca = Ca::new();
    let upstream = Upstream::start(&ca, Speaks::Http1, endless).await;
    let world = World::new(&ca, &upstream, WITH_GITHUB);
    let token = format!("Bearer {}", world.issue(&["github"]));
    let asked = request(
        "GET",
        "https://api.test/x",
        &[("authorization", &token)],
        "",
    );
    let mut body = world.forward(asked).await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    world.publish(2, &WITH_GITHUB.replace("id: all", "id: renamed"));
    let ended = cut(body, Instant::now());
    assert!(tokio::time::timeout(3 * AT_ONCE, ended).await.is_err());
}

#[tokio::test]
async fn a_request_that_waits_for_its_response_is_cut_as_well() {
    let ca = Ca::new();
    let upstream = Upstream::start(&ca, Speaks::Http1, endless).await;
    let world = World::new(&ca, &upstream, WITH_GITHUB);
    let asked = || request("POST", "https://api.test/silent", &[], "");
    let mut waiting = Box::pin(world.stopped(asked()));
    while upstream.connections() == 0 {
        assert!(waiting.as_mut().now_or_never().is_none());
        tokio::task::yield_now().await;
    }
    world.vault.revoke("github");
    let since = Instant::now();
    let (code, words) = waiting.await;
    assert_eq!(code, "revoked", "{words}");
    assert!(since.elapsed() < AT_ONCE);
    assert_eq!(world.stopped(asked()).await.0, "credential-unavailable");
}

#[tokio::test]
async fn a_request_that_changes_nothing_is_sent_anew_with_the_rotated_credential() {
    let ca = Ca::new();
    let upstream = Upstream::start(&ca, Speaks::Http1, |seen: Seen| async move {
        if seen.headers["authorization"] == format!("Bearer {SECRET}") {
            std::future::pending::<()>().await;
        }
        super::upstream::reply("new")
    })
    .await;
    let world = World::new(&ca, &upstream, WITH_GITHUB);
    let mut waiting = Box::pin(world.send(get(URL)));
    while upstream.connections() == 0 {
        assert!(waiting.as_mut().now_or_never().is_none());
        tokio::task::yield_now().await;
    }
    world.vault.put(Material {
        version: 2,
        ..bearer("github", "the-rotated-value")
    });
    assert_eq!(waiting.await.unwrap().text(), "new");
}

#[tokio::test]
async fn a_change_that_concerns_others_cuts_nothing() {
    let ca = Ca::new();
    let upstream = Upstream::start(&ca, Speaks::Http1, endless).await;
    let world = World::new(&ca, &upstream, WITH_GITHUB);
    let response = world.forward(get(URL)).await.unwrap();
    let mut body = response.into_body();
    let mut first = 0;
    // The end of what came waits for the end of its line.
    while first + 12 * SECRET.len() < 8192 {
        let frame = body.frame().await.unwrap().unwrap();
        first += frame.into_data().unwrap().len();
    }
    world.vault.put(bearer("other", SECRET));
    world.issue(&["other"]);
    world.publish(2, WITH_GITHUB);
    let more = tokio::time::timeout(2 * AT_ONCE, body.frame()).await;
    assert!(more.is_err(), "{more:?}");
    drop(body);
    assert_eq!(format!("{:?}", world.closing().outcome), "Aborted");
}

#[tokio::test]
async fn an_upload_is_cut_even_if_the_agent_reads_no_response() {
    let ca = Ca::new();
    let upstream = Upstream::start(&ca, Speaks::Http2, endless).await;
    let world = World::new(&ca, &upstream, WITH_GITHUB);
    let (sender, receiver) = tokio::sync::mpsc::channel::<Bytes>(1);
    let frames = futures_util::stream::unfold(receiver, |mut receiver| async {
        let next = receiver.recv().await?;
        Some((Ok::<_, BodyError>(Frame::data(next)), receiver))
    });
    let mut asked = request("POST", URL, &[], "");
    *asked.body_mut() = crate::http::RequestBody::new(StreamBody::new(Box::pin(frames)));
    // The upstream answers when the body is over, so this waits for ever.
    let mut asking = Box::pin(world.stopped(over_http2(asked)));
    for _ in 0..100 {
        let sent = sender.send(Bytes::from_static(b"more"));
        tokio::select! {
            sent = sent => sent.unwrap(),
            stopped = &mut asking => panic!("{stopped:?}"),
        }
    }
    world.vault.revoke("github");
    assert_eq!(asking.await.0, "revoked");
    // The body is dropped with the exchange, and with it the other end of this.
    tokio::time::timeout(AT_ONCE, sender.closed())
        .await
        .unwrap();
}

#[tokio::test]
async fn an_upload_is_cut_even_if_the_agent_leaves_the_response_unread() {
    let ca = Ca::new();
    // The upstream answers at once and takes the body for as long as it comes.
    let upstream = Upstream::raw(&ca, Speaks::Http1, |mut stream| async move {
        super::upstream::read_head(&mut stream).await;
        let said = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n.\r\n";
        let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, said).await;
        let _ = tokio::io::AsyncWriteExt::flush(&mut stream).await;
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    })
    .await;
    let world = World::new(&ca, &upstream, WITH_GITHUB);
    let (sender, receiver) = tokio::sync::mpsc::channel::<Bytes>(1);
    let frames = futures_util::stream::unfold(receiver, |mut receiver| async {
        let next = receiver.recv().await?;
        Some((Ok::<_, BodyError>(Frame::data(next)), receiver))
    });
    let mut asked = request("POST", URL, &[], "");
    *asked.body_mut() = crate::http::RequestBody::new(StreamBody::new(Box::pin(frames)));
    let response = world.forward(asked).await.unwrap();
    for _ in 0..100 {
        sender.send(Bytes::from_static(b"more")).await.unwrap();
    }
    world.vault.revoke("github");
    tokio::time::timeout(AT_ONCE, sender.closed())
        .await
        .unwrap();
    drop(response);
}
