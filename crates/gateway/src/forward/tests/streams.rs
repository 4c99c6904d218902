//! Responses that go on for long: what is there of them arrives before more is sent.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::upstream::{Ca, Speaks, Upstream};
use super::world::{SECRET, WITH_GITHUB, World, get, over_http2};
use crate::http::ResponseBody;

const URL: &str = "https://api.test/x";

/// An upstream that says what is sent to it, as a body of this type.
async fn said(
    ca: &Ca,
    speaks: Speaks,
    media: &'static str,
) -> (Upstream, mpsc::Sender<&'static str>) {
    let (say, said) = mpsc::channel(8);
    let said = Arc::new(Mutex::new(Some(said)));
    let upstream = Upstream::start(ca, speaks, move |_| {
        let said = said.lock().unwrap().take().unwrap();
        async move {
            let frames = futures_util::stream::unfold(said, |mut said| async {
                let piece: &str = said.recv().await?;
                Some((Ok::<_, Infallible>(Frame::data(Bytes::from(piece))), said))
            });
            let mut response = Response::new(StreamBody::new(frames).boxed());
            let headers = response.headers_mut();
            headers.insert("content-type", media.parse().unwrap());
            response
        }
    })
    .await;
    (upstream, say)
}

/// Reads until `expected` is there.
async fn expect(body: &mut ResponseBody, expected: &str) {
    let mut text = String::new();
    while text.len() < expected.len() {
        let frame = timeout(Duration::from_secs(10), body.frame()).await;
        let data = frame.unwrap().unwrap().unwrap().into_data().unwrap();
        text.push_str(std::str::from_utf8(&data).unwrap());
    }
    assert_eq!(text, expected);
}

#[tokio::test]
async fn each_event_arrives_before_the_next_is_sent() {
    let ca = Ca::new();
    for speaks in [Speaks::Http1, Speaks::Http2] {
        let (upstream, say) = said(&ca, speaks, "text/event-stream; charset=utf-8").await;
        let world = World::new(&ca, &upstream, WITH_GITHUB);
        let request = over_http2(get(URL));
        let mut body = world.forward(request).await.unwrap().into_body();
        for event in ["data: one\n\n", "data: ghs_16C7e42F\n\n"] {
            say.send(event).await.unwrap();
            expect(&mut body, event).await;
        }
    }
}

#[tokio::test]
async fn the_whole_lines_that_a_silent_upstream_said_arrive() {
    let ca = Ca::new();
    for speaks in [Speaks::Http1, Speaks::Http2] {
        let (upstream, say) = said(&ca, speaks, "text/plain").await;
        let world = World::new(&ca, &upstream, WITH_GITHUB);
        let mut body = world
            .forward(over_http2(get(URL)))
            .await
            .unwrap()
            .into_body();
        for text in ["a line\n", "another line\r\n"] {
            say.send(text).await.unwrap();
            expect(&mut body, text).await;
        }
        let (one, two) = SECRET.split_at(20);
        say.send(one).await.unwrap();
        // Longer than any silence that gives something.
        let more = timeout(Duration::from_millis(1500), body.frame()).await;
        assert!(more.is_err(), "{more:?}");
        say.send(two).await.unwrap();
        drop(say);
        expect(&mut body, "REDACTED-BY-RINGFENCE").await;
    }
}

#[tokio::test]
async fn each_message_of_grpc_arrives_before_the_next_is_sent() {
    let ca = Ca::new();
    let (upstream, say) = said(&ca, Speaks::Http2, "application/grpc+proto").await;
    let world = World::new(&ca, &upstream, WITH_GITHUB);
    let request = over_http2(get(URL));
    let mut body = world.forward(request).await.unwrap().into_body();
    for message in ["\0\0\0\0\u{3}one", "\0\0\0\0\u{a}ghs_16C7e4"] {
        say.send(message).await.unwrap();
        expect(&mut body, message).await;
    }
}
