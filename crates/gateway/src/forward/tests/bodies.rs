//! Request bodies: long ones, broken ones, and those that are not wanted to the end.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{HeaderMap, HeaderValue, Request};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::upstream::{Ca, Seen, Speaks, Upstream, read_head, reply};
use super::world::{WITH_GITHUB, World, get, over_http2, read, request};
use crate::http::{BodyError, RequestBody};

const URL: &str = "https://api.test/x";

/// A request whose body comes as the test sends it; dropping the sender ends it.
fn streaming() -> (
    mpsc::UnboundedSender<Result<Bytes, BodyError>>,
    Request<RequestBody>,
) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let frames = futures_util::stream::unfold(receiver, |mut receiver| async {
        let next: Result<Bytes, BodyError> = receiver.recv().await?;
        Some((next.map(Frame::data), receiver))
    });
    let mut request = request("POST", URL, &[], "");
    *request.body_mut() = RequestBody::new(StreamBody::new(frames.boxed()));
    (sender, request)
}

async fn echo(ca: &Ca, speaks: Speaks) -> Upstream {
    Upstream::start(ca, speaks, |seen: Seen| async move { reply(seen.body) }).await
}

#[tokio::test]
async fn a_body_streams_to_either_version() {
    let ca = Ca::new();
    for speaks in [Speaks::Http1, Speaks::Http2] {
        let upstream = echo(&ca, speaks).await;
        let world = World::new(&ca, &upstream, WITH_GITHUB);
        let (sender, request) = streaming();
        for _ in 0..100 {
            sender.send(Ok(Bytes::from(vec![b'x'; 10_000]))).unwrap();
        }
        drop(sender);
        let got = world.send(request).await.unwrap();
        assert_eq!(got.body.len(), 1_000_000);
        assert!(world.closing().sent >= 1_000_000);
        assert!(world.closing().received >= 1_000_000);
    }
}

#[tokio::test]
async fn trailers_of_a_request_go_nowhere() {
    let ca = Ca::new();
    for speaks in [Speaks::Http1, Speaks::Http2] {
        let upstream = Upstream::start(&ca, speaks, |seen: Seen| async move {
            reply(format!("{:?} {:?}", seen.trailers, seen.body))
        })
        .await;
        let world = World::new(&ca, &upstream, WITH_GITHUB);
        let mut trailers = HeaderMap::new();
        trailers.insert("x-http-method-override", HeaderValue::from_static("DELETE"));
        let frames = [
            Ok::<_, BodyError>(Frame::data(Bytes::from_static(b"abc"))),
            Ok(Frame::trailers(trailers)),
        ];
        let mut request = over_http2(request("POST", URL, &[], ""));
        let frames = StreamBody::new(futures_util::stream::iter(frames));
        *request.body_mut() = RequestBody::new(frames);
        let got = world.send(request).await.unwrap();
        assert_eq!(got.body, "None b\"abc\"");
    }
}

const SHORT: &str = "api:\n  - allow: { id: all, host: api.test, methods: [POST], paths: [\"/**\"], content: { octets: 10 } }";

#[tokio::test]
async fn a_body_that_is_longer_than_its_rule_allows_is_cut() {
    let ca = Ca::new();
    let upstream = echo(&ca, Speaks::Http1).await;
    let world = World::new(&ca, &upstream, SHORT);
    let (code, words) = world
        .stopped(request("POST", URL, &[], "12345678901"))
        .await;
    assert_eq!(code, "limit-reached", "{words}");
    assert_eq!(upstream.connections(), 0);
    let (sender, request) = streaming();
    sender.send(Ok(Bytes::from_static(b"1234567890"))).unwrap();
    sender.send(Ok(Bytes::from_static(b"1"))).unwrap();
    let (code, words) = world.stopped(request).await;
    assert_eq!(code, "limit-reached", "{words}");
    assert!(words.contains("10 octets"), "{words}");
}

#[tokio::test]
async fn a_client_that_breaks_off_ends_the_request_upstream() {
    let ca = Ca::new();
    let (ended, mut end) = mpsc::unbounded_channel();
    let upstream = Upstream::raw(&ca, Speaks::Http1, move |mut stream| {
        let ended = ended.clone();
        async move {
            read_head(&mut stream).await;
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
            ended.send(rest).unwrap();
        }
    })
    .await;
    let world = World::new(&ca, &upstream, WITH_GITHUB);
    let (sender, request) = streaming();
    sender.send(Ok(Bytes::from_static(b"begun"))).unwrap();
    sender
        .send(Err(BodyError::Client("reset".to_owned())))
        .unwrap();
    let (code, words) = world.stopped(request).await;
    assert_eq!(
        (code.as_str(), words.as_str()),
        ("failed", "the client broke off: reset")
    );
    let rest = end.recv().await.unwrap();
    assert!(
        !String::from_utf8_lossy(&rest).contains("0\r\n\r\n"),
        "{rest:?}"
    );
}

#[tokio::test]
async fn an_agent_that_gives_up_ends_the_exchange_upstream() {
    let ca = Ca::new();
    for speaks in [Speaks::Http1, Speaks::Http2] {
        let (held, mut released) = mpsc::channel::<()>(1);
        let (started, mut start) = mpsc::unbounded_channel();
        let held = Arc::new(std::sync::Mutex::new(Some(held)));
        let upstream = Upstream::start(&ca, speaks, move |_| {
            let (started, held) = (started.clone(), held.lock().unwrap().take());
            async move {
                started.send(()).unwrap();
                std::future::pending::<()>().await;
                // The server drops this where its client is gone.
                drop(held);
                reply("")
            }
        })
        .await;
        let world = World::new(&ca, &upstream, WITH_GITHUB);
        let mut asking = Box::pin(world.send(over_http2(get(URL))));
        tokio::select! {
            _ = &mut asking => panic!("it was answered"),
            _ = start.recv() => {}
        }
        drop(asking);
        assert_eq!(released.recv().await, None);
        assert_eq!(format!("{:?}", world.closing().outcome), "Aborted");
    }
}

#[tokio::test]
async fn a_response_that_comes_before_the_request_is_whole_arrives() {
    let ca = Ca::new();
    let upstream = Upstream::raw(&ca, Speaks::Http1, |mut stream| async move {
        read_head(&mut stream).await;
        let answer = b"HTTP/1.1 413 No\r\ncontent-length: 5\r\n\r\nenough";
        let _ = stream.write_all(&answer[..answer.len() - 1]).await;
        let _ = stream.flush().await;
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
    })
    .await;
    let world = World::new(&ca, &upstream, WITH_GITHUB);
    let (sender, request) = streaming();
    sender.send(Ok(Bytes::from(vec![b'x'; 100_000]))).unwrap();
    let got = timeout(Duration::from_secs(10), world.send(request))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(got.status, 413);
    assert_eq!(got.text(), "enoug");
    drop(sender);
    // The connection still has a body to end, so it is not used again.
    assert_eq!(world.send(get(URL)).await.unwrap().status, 413);
    assert_eq!(upstream.connections(), 2);
}

#[tokio::test]
async fn events_arrive_as_they_are_sent() {
    let ca = Ca::new();
    for speaks in [Speaks::Http1, Speaks::Http2] {
        let (sender, receiver) = mpsc::unbounded_channel::<Bytes>();
        let receiver = Arc::new(tokio::sync::Mutex::new(Some(receiver)));
        let upstream = Upstream::start(&ca, speaks, move |_| {
            let receiver = Arc::clone(&receiver);
            async move {
                let receiver = receiver.lock().await.take().unwrap();
                http::Response::new(Events(receiver).boxed())
            }
        })
        .await;
        let world = World::new(&ca, &upstream, WITH_GITHUB);
        let mut response = world.forward(over_http2(get(URL))).await.unwrap();
        for number in 0..5 {
            let event = format!("data: {{\"n\":{number}}}\n\n");
            sender.send(event.clone().into()).unwrap();
            let frame = response.body_mut().frame().await.unwrap().unwrap();
            assert_eq!(frame.into_data().unwrap(), event);
        }
        drop(sender);
        assert!(read(response).await.unwrap().body.is_empty());
        assert_eq!(format!("{:?}", world.closing().outcome), "Status(200)");
    }
}

/// A body of the pieces that a test sends.
struct Events(mpsc::UnboundedReceiver<Bytes>);

impl http_body::Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0
            .poll_recv(cx)
            .map(|next| next.map(|data| Ok(Frame::data(data))))
    }
}
