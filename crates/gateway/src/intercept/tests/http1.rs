//! HTTP/1 with TLS and without.

use std::time::Duration;

use hyper_util::rt::TokioIo;
use ringfence_model::ReasonCode;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Notify;

use super::*;
use crate::wire::http::read_request;

async fn opened() -> (TlsStream<TcpStream>, JoinHandle<Ending>, Arc<Echo>) {
    let authority = Arc::new(Authority::new().unwrap());
    let service = Arc::new(Echo::default());
    let (socket, serving) = intercepted(&authority, service.clone(), Limits::default()).await;
    let config = client_config(&authority, &["http/1.1"]);
    let stream = connect(config, "api.test", socket).await.unwrap();
    (stream, serving, service)
}

/// A client without TLS.
async fn plainly<S: Service>(service: Arc<S>, limits: Limits) -> (TcpStream, JoinHandle<Ending>) {
    let (client, server) = pair().await;
    let serving = TaskTracker::new().spawn(async move {
        let opened = plain(Buffered::new(server), &destination("api.test:80"));
        opened.serve(&limits, service).await
    });
    (client, serving)
}

async fn hear_all(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut heard = Vec::new();
    let _ = stream.read_to_end(&mut heard).await;
    String::from_utf8(heard).unwrap()
}

async fn hear_until(stream: &mut (impl AsyncRead + Unpin), end: &str) -> String {
    let mut heard = Vec::new();
    while !heard.ends_with(end.as_bytes()) {
        let octet = stream.read_u8().await;
        heard.push(octet.unwrap_or_else(|_| panic!("heard only {}", heard.escape_ascii())));
    }
    String::from_utf8(heard).unwrap()
}

/// Answers with more than a connection takes at once.
struct Long;

const LONG: usize = 16 * 1024 * 1024;

impl Service for Long {
    async fn call(&self, _: Request<RequestBody>) -> Response<ResponseBody> {
        Response::new(full(vec![b'.'; LONG]))
    }

    fn refuse(&self, error: HttpError) -> Response<ResponseBody> {
        Echo::default().refuse(error)
    }
}

#[tokio::test]
async fn a_long_last_answer_arrives_whole_though_it_is_read_late() {
    for (fields, half_close) in [("Connection: close\r\n", false), ("", true)] {
        let (mut client, serving) = plainly(Arc::new(Long), Limits::default()).await;
        let asked = format!("GET / HTTP/1.1\r\nHost: api.test\r\n{fields}\r\n");
        client.write_all(asked.as_bytes()).await.unwrap();
        if half_close {
            client.shutdown().await.unwrap();
        }
        client.read_u8().await.unwrap();
        // The gateway has the whole answer, and the connection is full.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        let heard = hear_all(&mut client).await;
        assert!(heard.len() > LONG, "{}", heard.len());
        assert!(matches!(serving.await.unwrap(), Ending::Done));
    }
}

#[tokio::test]
async fn requests_come_to_the_service_in_their_strict_form() {
    let (mut stream, serving, service) = opened().await;
    // One after another, the second before the first is answered, in pieces.
    let wire = "POST https://api.test/%7Ea?q=1 HTTP/1.1\r\nhost: API.test:443\r\n\
        Proxy-Authorization: x\r\nConnection: x-hop\r\nX-Hop: 1\r\nX-End: 2\r\n\
        Transfer-Encoding: chunked\r\n\r\n3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nT: 1\r\n\r\n\
        GET /b HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n";
    for part in wire.as_bytes().chunks(50) {
        stream.write_all(part).await.unwrap();
        stream.flush().await.unwrap();
    }
    let heard = hear_all(&mut stream).await;
    assert_eq!(heard.matches("HTTP/1.1 200 OK\r\n").count(), 2, "{heard}");
    assert_eq!(
        service.asked(),
        ["POST /~a?q=1 [x-end=2] abcde", "GET /b [] "]
    );
    assert!(matches!(serving.await.unwrap(), Ending::Done));
}

#[tokio::test]
async fn a_body_of_known_length_passes_and_a_client_that_waits_is_told_to_go_on() {
    let (mut stream, serving, service) = opened().await;
    let head = "PUT /f HTTP/1.1\r\nHost: api.test\r\nContent-Length: 300000\r\n\
        Expect: 100-continue\r\nConnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let interim = hear_until(&mut stream, "\r\n\r\n").await;
    assert_eq!(interim, "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(&vec![b'x'; 300_000]).await.unwrap();
    let heard = hear_all(&mut stream).await;
    drop(stream);
    assert!(heard.starts_with("HTTP/1.1 200 OK\r\n"), "{heard:.200}");
    let expected = format!("PUT /f [content-length=300000] {}", "x".repeat(300_000));
    assert!(service.asked() == [expected]);
    assert!(matches!(serving.await.unwrap(), Ending::Done));
}

#[tokio::test]
async fn what_is_not_understood_is_answered_and_ends_the_connection() {
    let cases = [
        (
            "GET / HTTP/1.1\r\nHost: evil.test\r\n",
            ReasonCode::HostMismatch,
        ),
        (
            "GET / HTTP/1.1\r\nHost: api.test:444\r\n",
            ReasonCode::HostMismatch,
        ),
        (
            "GET http://api.test/ HTTP/1.1\r\nHost: api.test\r\n",
            ReasonCode::HostMismatch,
        ),
        (
            "GET https://evil.test/ HTTP/1.1\r\nHost: evil.test\r\n",
            ReasonCode::HostMismatch,
        ),
        (
            "CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\n",
            ReasonCode::Malformed,
        ),
        (
            "GET / HTTP/1.1\r\nHost: api.test\r\nUpgrade: tls/1.0\r\n",
            ReasonCode::UpgradeRefused,
        ),
        ("PRI * HTTP/2.0\r\n", ReasonCode::UpgradeRefused),
        (
            "GET /a/../b HTTP/1.1\r\nHost: api.test\r\n",
            ReasonCode::Malformed,
        ),
        (
            "GET / HTTP/1.1\r\nHost: api.test\r\nExpect: more\r\n",
            ReasonCode::Malformed,
        ),
    ];
    for (head, code) in cases {
        let (mut stream, serving, service) = opened().await;
        // What follows it is none of ours.
        let wire = format!("{head}\r\nGET /next HTTP/1.1\r\nHost: api.test\r\n\r\n");
        stream.write_all(wire.as_bytes()).await.unwrap();
        let heard = hear_all(&mut stream).await;
        drop(stream);
        assert!(heard.contains("refused: "), "{head}: {heard}");
        assert_eq!(heard.matches("HTTP/1.1 ").count(), 1, "{heard}");
        assert!(service.asked().is_empty());
        let ending = serving.await.unwrap();
        assert!(
            matches!(&ending, Ending::Refused(found, _) if *found == code),
            "{ending:?}"
        );
    }
}

#[tokio::test]
async fn a_malformed_request_behind_a_good_one_leaves_the_good_ones_answer_whole() {
    let (mut stream, serving, service) = opened().await;
    let wire = "GET /a HTTP/1.1\r\nHost: api.test\r\n\r\nGET /b HTTP/1.1\nHost: api.test\r\n\r\n";
    stream.write_all(wire.as_bytes()).await.unwrap();
    let heard = hear_all(&mut stream).await;
    assert!(heard.starts_with("HTTP/1.1 200 OK\r\n"), "{heard}");
    assert!(heard.contains("GET /a [] HTTP/1.1 400"), "{heard}");
    assert_eq!(service.asked(), ["GET /a [] "]);
    assert!(matches!(
        serving.await.unwrap(),
        Ending::Refused(ReasonCode::Malformed, _)
    ));
}

#[tokio::test]
async fn a_body_that_is_not_understood_is_an_error_of_the_body() {
    let (mut stream, serving, service) = opened().await;
    let wire = "POST / HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\n\r\n2\nab";
    stream.write_all(wire.as_bytes()).await.unwrap();
    hear_all(&mut stream).await;
    drop(stream);
    let asked = service.asked();
    assert!(asked[0].contains("<the client broke off: "), "{asked:?}");
    assert!(asked[0].contains("bare LF"), "{asked:?}");
    assert!(matches!(
        serving.await.unwrap(),
        Ending::Refused(ReasonCode::Malformed, _)
    ));
}

#[tokio::test]
async fn an_http10_client_is_answered_in_its_way() {
    let (mut stream, serving, _) = opened().await;
    stream
        .write_all(b"GET / HTTP/1.0\r\nHost: api.test\r\nConnection: keep-alive\r\n\r\n")
        .await
        .unwrap();
    let heard = hear_until(&mut stream, "GET / [] ").await;
    assert!(
        heard.to_lowercase().contains("connection: keep-alive"),
        "{heard}"
    );
    stream
        .write_all(b"GET / HTTP/1.0\r\nHost: api.test\r\n\r\n")
        .await
        .unwrap();
    assert!(hear_all(&mut stream).await.contains("GET / [] "));
    serving.await.unwrap();
}

/// Answers with a WebSocket, whose other end says back what it hears, in capitals.
struct Socket;

impl Service for Socket {
    async fn call(&self, mut request: Request<RequestBody>) -> Response<ResponseBody> {
        assert_eq!(request.headers()["upgrade"], "websocket");
        let upgraded = hyper::upgrade::on(&mut request);
        TaskTracker::new().spawn(async move {
            let mut stream = TokioIo::new(upgraded.await.unwrap());
            let mut octets = [0; 64];
            while let Ok(count @ 1..) = stream.read(&mut octets).await {
                let said = octets[..count].to_ascii_uppercase();
                stream.write_all(&said).await.unwrap();
            }
        });
        Response::builder()
            .status(101)
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .body(full(""))
            .unwrap()
    }

    fn refuse(&self, error: HttpError) -> Response<ResponseBody> {
        Echo::default().refuse(error)
    }
}

const UPGRADE: &str =
    "GET /ws HTTP/1.1\r\nHost: api.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

#[tokio::test]
async fn a_web_socket_passes_everything_after_the_101_as_it_is() {
    let (mut stream, serving) = plainly(Arc::new(Socket), Limits::default()).await;
    // What a client sends too early is not lost, and not read as a request.
    stream
        .write_all(format!("{UPGRADE}GET /x").as_bytes())
        .await
        .unwrap();
    let head = hear_until(&mut stream, "\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert_eq!(hear_until(&mut stream, "GET /X").await, "GET /X");
    stream.write_all(b"\xff\0\r\n\r\nabc").await.unwrap();
    let mut heard = [0; 9];
    stream.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"\xff\0\r\n\r\nABC");
    assert!(!serving.is_finished());
    drop(stream);
    assert!(matches!(serving.await.unwrap(), Ending::Done));
}

#[tokio::test]
async fn a_web_socket_ends_with_the_future_that_serves_it() {
    let (mut stream, serving) = plainly(Arc::new(Socket), Limits::default()).await;
    stream.write_all(UPGRADE.as_bytes()).await.unwrap();
    hear_until(&mut stream, "\r\n\r\n").await;
    stream.write_all(b"a").await.unwrap();
    assert_eq!(hear_until(&mut stream, "A").await, "A");
    serving.abort();
    assert_eq!(hear_all(&mut stream).await, "");
}

#[tokio::test]
async fn a_web_socket_that_is_refused_leaves_the_connection_usable() {
    let service = Arc::new(Echo::default());
    let (mut stream, serving) = plainly(service.clone(), Limits::default()).await;
    stream.write_all(UPGRADE.as_bytes()).await.unwrap();
    hear_until(&mut stream, "] ").await;
    stream
        .write_all(b"GET /2 HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    hear_all(&mut stream).await;
    assert_eq!(service.asked()[1], "GET /2 [] ");
    serving.await.unwrap();
}

#[tokio::test]
async fn a_request_that_was_read_before_is_served_first() {
    let (mut client, server) = pair().await;
    let service = Arc::new(Echo::default());
    let wire = b"POST http://api.test/a HTTP/1.1\r\nHost: api.test\r\nContent-Length: 2\r\n\r\n";
    let (head, _) = read_request(wire).unwrap().unwrap();
    client
        .write_all(b"hiGET /b HTTP/1.1\r\nHost: api.test\r\n\r\n")
        .await
        .unwrap();
    client.shutdown().await.unwrap();
    let mut server = Buffered::new(server);
    server.fill().await.unwrap();
    let opened = plain(server, &destination("api.test:80")).resume(head);
    let ending = opened.serve(&Limits::default(), service.clone()).await;
    assert!(matches!(ending, Ending::Done), "{ending:?}");
    assert_eq!(
        service.asked(),
        ["POST /a [content-length=2] hi", "GET /b [] "]
    );
}

#[tokio::test]
async fn silent_clients_are_left_in_the_end() {
    let (short, long) = (Duration::from_millis(40), Duration::from_secs(600));
    for (begun, head_timeout, keep_alive_timeout) in [
        ("", long, short),
        ("GET / HTT", short, long),
        ("GET / HTTP/1.1\r\nHost: api.test\r\n\r\n", long, short),
    ] {
        let limits = Limits {
            head_timeout,
            keep_alive_timeout,
            ..Limits::default()
        };
        let service = Arc::new(Echo::default());
        let (mut client, serving) = plainly(service, limits).await;
        client.write_all(begun.as_bytes()).await.unwrap();
        hear_all(&mut client).await;
        drop(client);
        assert!(matches!(serving.await.unwrap(), Ending::Done));
    }
}

/// Never answers, and says when it is not waited for any more.
#[derive(Default)]
struct Stuck {
    begun: Notify,
    dropped: Arc<Notify>,
}

struct Dropped(Arc<Notify>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl Service for Stuck {
    async fn call(&self, _: Request<RequestBody>) -> Response<ResponseBody> {
        let _dropped = Dropped(Arc::clone(&self.dropped));
        self.begun.notify_one();
        std::future::pending().await
    }

    fn refuse(&self, error: HttpError) -> Response<ResponseBody> {
        Echo::default().refuse(error)
    }
}

#[tokio::test]
async fn a_client_that_goes_away_ends_its_request() {
    let authority = Arc::new(Authority::new().unwrap());
    for protocols in [&["http/1.1"][..], &["h2"]] {
        let service = Arc::new(Stuck::default());
        let (socket, serving) = intercepted(&authority, service.clone(), Limits::default()).await;
        let config = client_config(&authority, protocols);
        let mut stream = connect(config, "api.test", socket).await.unwrap();
        let request = http2::request_bytes();
        let wire = match protocols {
            ["h2"] => &request[..],
            _ => b"GET / HTTP/1.1\r\nHost: api.test\r\n\r\n",
        };
        stream.write_all(wire).await.unwrap();
        service.begun.notified().await;
        drop(stream);
        service.dropped.notified().await;
        serving.await.unwrap();
    }
}
