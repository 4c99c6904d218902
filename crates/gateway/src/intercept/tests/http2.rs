//! HTTP/2, by the library as a client and by hand.

use std::convert::Infallible;
use std::time::Duration;

use ::http::Version;
use bytes::Bytes;
use http_body_util::{Full, StreamBody};
use hyper::body::Frame;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use ringfence_model::ReasonCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

async fn opened(limits: Limits) -> (TlsStream<TcpStream>, JoinHandle<Ending>, Arc<Echo>) {
    let authority = Arc::new(Authority::new().unwrap());
    let service = Arc::new(Echo::default());
    let (socket, serving) = intercepted(&authority, service.clone(), limits).await;
    let config = client_config(&authority, &["h2"]);
    let stream = connect(config, "api.test", socket).await.unwrap();
    (stream, serving, service)
}

async fn sender(stream: TlsStream<TcpStream>) -> SendRequest<Full<Bytes>> {
    let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .unwrap();
    TaskTracker::new().spawn(connection);
    sender
}

fn request(uri: &str) -> ::http::request::Builder {
    Request::builder().uri(uri).version(Version::HTTP_2)
}

async fn text(response: Response<hyper::body::Incoming>) -> String {
    let whole = response.into_body().collect().await.unwrap();
    String::from_utf8(whole.to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn requests_come_to_the_service_in_the_same_form_as_by_http1() {
    let (stream, serving, service) = opened(Limits::default()).await;
    let mut sender = sender(stream).await;
    let asked = request("https://api.test/%7ea?q=1")
        .method("POST")
        .header("host", "api.test")
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .header("te", "trailers")
        .header("proxy-authorization", "x")
        .header("expect", "100-continue")
        .body(Full::from("body"))
        .unwrap();
    let answer = sender.send_request(asked).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(
        text(answer).await,
        "POST /~a?q=1 [content-length=4 cookie=a=1; b=2 te=trailers] body"
    );
    assert_eq!(service.asked().len(), 1);
    drop(sender);
    assert!(matches!(serving.await.unwrap(), Ending::Done));
}

#[tokio::test]
async fn requests_are_served_side_by_side_and_big_bodies_flow() {
    let (stream, serving, service) = opened(Limits::default()).await;
    let sender = sender(stream).await;
    let asking = (0..200).map(|number| {
        let mut sender = sender.clone();
        async move {
            let body = Full::from(vec![b'x'; 50_000]);
            let asked = request(&format!("https://api.test/{number}")).method("POST");
            let answer = sender
                .send_request(asked.body(body).unwrap())
                .await
                .unwrap();
            assert!(text(answer).await.len() > 50_000);
        }
    });
    futures_util::future::join_all(asking).await;
    assert_eq!(service.asked().len(), 200);
    drop(sender);
    serving.await.unwrap();
}

#[tokio::test]
async fn a_request_for_another_place_is_refused_and_ends_the_connection() {
    for (uri, headers, code) in [
        ("https://evil.test/", &[][..], ReasonCode::HostMismatch),
        ("https://api.test:444/", &[], ReasonCode::HostMismatch),
        (
            "https://api.test/",
            &[("host", "evil.test")],
            ReasonCode::HostMismatch,
        ),
        ("http://api.test/", &[], ReasonCode::Malformed),
        ("https://api.test/a/%2e%2e/b", &[], ReasonCode::Malformed),
        ("https://api.test/a%2fb", &[], ReasonCode::Malformed),
        (
            "https://api.test/",
            &[("content_length", "3")],
            ReasonCode::Malformed,
        ),
        (
            "https://api.test/",
            &[("host", "api.test"), ("host", "api.test")],
            ReasonCode::Malformed,
        ),
    ] {
        let (stream, serving, service) = opened(Limits::default()).await;
        let mut sender = sender(stream).await;
        let mut asked = request(uri);
        for (name, value) in headers {
            asked = asked.header(*name, *value);
        }
        let asked = asked.body(Full::default()).unwrap();
        let answer = sender.send_request(asked).await.unwrap();
        assert_eq!(answer.status(), 400, "{uri} {headers:?}");
        assert!(text(answer).await.starts_with("refused: "));
        let ending = serving.await.unwrap();
        assert!(
            matches!(&ending, Ending::Refused(found, _) if *found == code),
            "{ending:?}"
        );
        assert!(service.asked().is_empty());
    }
}

#[tokio::test]
async fn connect_is_refused_within_a_connection() {
    let (stream, serving, _) = opened(Limits::default()).await;
    let mut sender = sender(stream).await;
    let asked = request("api.test:443").method("CONNECT");
    let answer = sender
        .send_request(asked.body(Full::default()).unwrap())
        .await
        .unwrap();
    assert_eq!(answer.status(), 400);
    assert!(matches!(
        serving.await.unwrap(),
        Ending::Refused(ReasonCode::Malformed, _)
    ));
}

/// Answers with trailers, as gRPC does.
struct Trailers;

impl Service for Trailers {
    async fn call(&self, request: Request<RequestBody>) -> Response<ResponseBody> {
        let trailers = request.into_body().collect().await.unwrap();
        let trailers = trailers.trailers().cloned().unwrap_or_default();
        let frames = [Frame::data(Bytes::from("data")), Frame::trailers(trailers)];
        let frames = frames.map(Ok::<_, Infallible>);
        let body = StreamBody::new(futures_util::stream::iter(frames));
        Response::new(ResponseBody::new(body.map_err(|never| match never {})))
    }

    fn refuse(&self, error: HttpError) -> Response<ResponseBody> {
        Echo::default().refuse(error)
    }
}

#[tokio::test]
async fn trailers_pass_both_ways() {
    let authority = Arc::new(Authority::new().unwrap());
    let (socket, serving) = intercepted(&authority, Arc::new(Trailers), Limits::default()).await;
    let config = client_config(&authority, &["h2"]);
    let stream = connect(config, "api.test", socket).await.unwrap();
    let (mut sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .unwrap();
    TaskTracker::new().spawn(connection);
    let mut trailers = ::http::HeaderMap::new();
    trailers.insert("grpc-status", "0".parse().unwrap());
    let frames = [
        Ok::<_, Infallible>(Frame::data(Bytes::from("x"))),
        Ok(Frame::trailers(trailers)),
    ];
    let body = StreamBody::new(futures_util::stream::iter(frames));
    let asked = request("https://api.test/grpc")
        .method("POST")
        .body(body)
        .unwrap();
    let answer = sender.send_request(asked).await.unwrap();
    let whole = answer.into_body().collect().await.unwrap();
    assert_eq!(whole.trailers().unwrap()["grpc-status"], "0");
    drop(sender);
    serving.await.unwrap();
}

#[tokio::test]
async fn an_idle_connection_is_ended() {
    let limits = Limits {
        keep_alive_timeout: Duration::from_millis(50),
        ..Limits::default()
    };
    let (mut stream, serving, _) = opened(limits).await;
    stream.write_all(&request_bytes()).await.unwrap();
    let mut heard = Vec::new();
    let _ = stream.read_to_end(&mut heard).await;
    drop(stream);
    assert!(matches!(serving.await.unwrap(), Ending::Done));
}

#[tokio::test]
async fn a_flood_of_resets_ends_the_connection() {
    let (mut stream, serving, _) = opened(Limits::default()).await;
    stream.write_all(PREFACE).await.unwrap();
    stream.write_all(&frame(4, 0, 0, &[])).await.unwrap();
    for number in 0..5_000_u32 {
        let id = number * 2 + 1;
        let both = [frame(1, 5, id, &HEAD), frame(3, 0, id, &[0, 0, 0, 8])].concat();
        if stream.write_all(&both).await.is_err() {
            break;
        }
    }
    let mut heard = Vec::new();
    let _ = stream.read_to_end(&mut heard).await;
    assert!(matches!(serving.await.unwrap(), Ending::Broken(_)));
}

#[tokio::test]
async fn what_belongs_to_http1_is_refused() {
    // connection: close
    let field = b"\x40\x0aconnection\x05close";
    let (mut stream, serving, service) = opened(Limits::default()).await;
    stream.write_all(PREFACE).await.unwrap();
    stream.write_all(&frame(4, 0, 0, &[])).await.unwrap();
    let head = [&HEAD[..], field].concat();
    stream.write_all(&frame(1, 5, 1, &head)).await.unwrap();
    // The stream is reset, or the request refused: it does not come to the service.
    stream.shutdown().await.unwrap();
    let mut heard = Vec::new();
    let _ = stream.read_to_end(&mut heard).await;
    drop(stream);
    serving.await.unwrap();
    assert!(service.asked().is_empty());
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// `GET https://api.test/` in HPACK: three fields of the static table, and the authority.
const HEAD: [u8; 13] = *b"\x82\x87\x84\x41\x08api.test";

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// One whole request, with what comes before the first.
pub(super) fn request_bytes() -> Vec<u8> {
    [PREFACE, &frame(4, 0, 0, &[]), &frame(1, 5, 1, &HEAD)].concat()
}
