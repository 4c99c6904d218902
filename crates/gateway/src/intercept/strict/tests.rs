//! What the library gets to read of what a client sends, in one piece and octet by octet.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

use super::super::turn::Activity;
use super::*;
use crate::wire::limits::{HTTP_FIELDS, HTTP_HEAD_OCTETS};

/// What became of the requests of a client that sends `wire` and closes: the octets that the
/// library gets, with the fault of each request.
async fn read(scheme: Scheme, wire: &[u8], pieces: usize) -> Vec<(String, Option<HttpError>)> {
    let (near, mut far) = duplex(1 << 20);
    let place = Place {
        destination: "api.test:443".parse().unwrap(),
        scheme,
    };
    let turn = Arc::new(Turn::new(Arc::new(Activity::default())));
    let mut strict = Strict::new(near, place, Arc::clone(&turn), Duration::from_secs(10));
    let sending = async {
        for piece in wire.chunks(pieces) {
            far.write_all(piece).await.unwrap();
            tokio::task::yield_now().await;
        }
        far.shutdown().await.unwrap();
        std::future::pending::<()>().await;
    };
    let reading = async {
        let mut requests: Vec<(String, Option<HttpError>)> = Vec::new();
        let mut octets = [0; 4096];
        while let Ok(count @ 1..) = strict.read(&mut octets).await {
            let text = String::from_utf8_lossy(&octets[..count]).into_owned();
            match requests.last_mut() {
                // The rest of the body of the request before.
                Some((whole, _)) if turn.is_idle() => whole.push_str(&text),
                _ => {
                    // Answered at once, so that the next one is read.
                    let (_answering, fault, _) = turn.take();
                    requests.push((text, fault));
                }
            }
        }
        requests
    };
    tokio::select! {
        requests = reading => requests,
        () = sending => unreachable!(),
    }
}

async fn only(wire: &[u8]) -> (String, Option<HttpError>) {
    let whole = read(Scheme::Https, wire, wire.len().max(1)).await;
    let piecewise = read(Scheme::Https, wire, 1).await;
    assert_eq!(
        faults(&whole),
        faults(&piecewise),
        "{}",
        wire.escape_ascii()
    );
    assert_eq!(whole.len(), 1, "{whole:?}");
    whole.into_iter().next().unwrap()
}

fn faults(requests: &[(String, Option<HttpError>)]) -> Vec<Option<HttpError>> {
    requests.iter().map(|(_, fault)| *fault).collect()
}

#[tokio::test]
async fn a_request_is_written_anew_in_the_version_of_the_client() {
    for (wire, expected) in [
        (
            "GET /%61?b HTTP/1.1\r\nhost:api.test\r\nA:  1 \r\nTE: x\r\n\r\n",
            "GET /a?b HTTP/1.1\r\nHost: api.test\r\nA: 1\r\n\r\n",
        ),
        (
            "GET https://API.test/ HTTP/1.0\r\n\r\n",
            "GET / HTTP/1.0\r\nHost: api.test:443\r\nConnection: close\r\n\r\n",
        ),
        (
            "GET / HTTP/1.0\r\nHost: api.test\r\nConnection: keep-alive\r\n\r\n",
            "GET / HTTP/1.0\r\nHost: api.test\r\nConnection: keep-alive\r\n\r\n",
        ),
        (
            "POST / HTTP/1.1\r\nHost: api.test\r\nContent-Length: 03\r\nExpect: 100-Continue\r\n\r\nabc",
            "POST / HTTP/1.1\r\nHost: api.test\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc",
        ),
        (
            "POST / HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\n\r\n\
             1;x=y\r\na\r\n2\r\nbc\r\n0\r\nTrailer: 1\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\n\r\n\
             3\r\nabc\r\n0\r\n\r\n",
        ),
        (
            "GET / HTTP/1.1\r\nHost: api.test\r\nUpgrade: h2c, websocket\r\n\r\n",
            "",
        ),
        (
            "GET / HTTP/1.1\r\nHost: api.test\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: api.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        ),
    ] {
        let (written, fault) = only(wire.as_bytes()).await;
        if expected.is_empty() {
            assert_eq!(fault, Some(HttpError::Upgrade), "{wire}");
        } else {
            assert_eq!((written.as_str(), fault), (expected, None), "{wire}");
        }
    }
}

/// What servers and proxies have read as two different requests, or as none.
#[tokio::test]
async fn no_smuggling_vector_reaches_the_library() {
    for (start, rest, error) in VECTORS {
        check_refused(&format!("{start}{rest}\r\n"), *error).await;
    }
}

#[tokio::test]
async fn a_head_beyond_the_limits_does_not_reach_the_library() {
    let many = format!("{GET}{}\r\n", "X: 1\r\n".repeat(HTTP_FIELDS + 1));
    check_refused(&many, HttpError::HeadTooLong).await;
    let long = format!("{GET}X: {}\r\n\r\n", "x".repeat(HTTP_HEAD_OCTETS));
    check_refused(&long, HttpError::HeadTooLong).await;
}

async fn check_refused(head: &str, error: HttpError) {
    let wire = format!("{head}GET /smuggled HTTP/1.1\r\nHost: api.test\r\n\r\n");
    let (written, fault) = only(wire.as_bytes()).await;
    assert_eq!(fault, Some(error), "{}", wire.escape_default());
    assert_eq!(written.as_bytes(), PLACEHOLDER);
}

const POST: &str = "POST / HTTP/1.1\r\nHost: api.test\r\n";
const GET: &str = "GET / HTTP/1.1\r\nHost: api.test\r\n";

/// The start of a head, the rest of it without the empty line, and why it is refused.
const VECTORS: &[(&str, &str, HttpError)] = &[
    (
        POST,
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        HttpError::ConflictingLength,
    ),
    (
        POST,
        "Content-Length: 3\r\nContent-Length: 3\r\n",
        HttpError::ContentLength,
    ),
    (POST, "Content-Length: 3, 3\r\n", HttpError::ContentLength),
    (POST, "Content-Length: +3\r\n", HttpError::ContentLength),
    (POST, "Content_Length: 3\r\n", HttpError::HeaderName),
    (POST, "Content-Length : 3\r\n", HttpError::HeaderName),
    (
        POST,
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        HttpError::TransferEncoding,
    ),
    (
        POST,
        "Transfer-Encoding: xchunked\r\n",
        HttpError::TransferEncoding,
    ),
    (
        POST,
        "Transfer-Encoding: gzip, chunked\r\n",
        HttpError::TransferEncoding,
    ),
    (
        POST,
        "Transfer-Encoding: identity\r\n",
        HttpError::TransferEncoding,
    ),
    (
        POST,
        "Transfer-Encoding:\x0bchunked\r\n",
        HttpError::HeaderValue,
    ),
    (
        POST,
        "Transfer_Encoding: chunked\r\n",
        HttpError::HeaderName,
    ),
    (
        POST,
        "X: 1\r\n Transfer-Encoding: chunked\r\n",
        HttpError::ObsoleteFold,
    ),
    (
        "",
        "POST / HTTP/1.0\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\n",
        HttpError::TransferEncoding,
    ),
    (
        POST,
        "Connection: Content-Length\r\n",
        HttpError::Connection,
    ),
    (POST, "Connection: authorization\r\n", HttpError::Connection),
    (GET, "Host: api.test\r\n", HttpError::Host),
    (GET, "X: a\nY: b\r\n", HttpError::LineEnding),
    (GET, "X: a\rY: b\r\n", HttpError::HeaderValue),
    (GET, "X: a\0\r\n", HttpError::HeaderValue),
    (GET, ": x\r\n", HttpError::HeaderName),
    ("", "GET / HTTP/1.1\r\n", HttpError::Host),
    (
        "",
        "GET / HTTP/1.1\r\nHost: evil.test\r\n",
        HttpError::HostMismatch,
    ),
    (
        "",
        "GET / HTTP/1.1\r\nHost: api.test:80\r\n",
        HttpError::HostMismatch,
    ),
    (
        "",
        "GET / HTTP/1.1\r\nHost: api.test@evil.test\r\n",
        HttpError::Host,
    ),
    (
        "",
        "GET https://evil.test/ HTTP/1.1\r\nHost: evil.test\r\n",
        HttpError::HostMismatch,
    ),
    (
        "",
        "GET https://evil.test/ HTTP/1.1\r\nHost: api.test\r\n",
        HttpError::HostMismatch,
    ),
    (
        "",
        "GET http://api.test/ HTTP/1.1\r\nHost: api.test\r\n",
        HttpError::HostMismatch,
    ),
    (
        "",
        "GET http://api.test:443/ HTTP/1.1\r\nHost: api.test:443\r\n",
        HttpError::HostMismatch,
    ),
    (
        "",
        "CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\n",
        HttpError::Method,
    ),
    (
        "",
        "GET /a//b HTTP/1.1\r\nHost: api.test\r\n",
        HttpError::PathAmbiguous,
    ),
    (
        "",
        "GET /a/%2e%2e/b HTTP/1.1\r\nHost: api.test\r\n",
        HttpError::PathAmbiguous,
    ),
    (
        "",
        "GET /a%2Fb HTTP/1.1\r\nHost: api.test\r\n",
        HttpError::PathAmbiguous,
    ),
    (
        "",
        "GET / HTTP/1.1 \r\nHost: api.test\r\n",
        HttpError::StartLine,
    ),
    (
        "",
        "GET / HTTP/2.0\r\nHost: api.test\r\n",
        HttpError::Version,
    ),
    ("", "GET /\r\n", HttpError::StartLine),
    (
        "",
        "\r\nGET / HTTP/1.1\r\nHost: api.test\r\n",
        HttpError::StartLine,
    ),
    ("", "PRI * HTTP/2.0\r\n\r\nSM\r\n", HttpError::Http2Preface),
    (
        GET,
        "Connection: upgrade\r\nUpgrade: websocket/13\r\n",
        HttpError::Upgrade,
    ),
    (GET, "Upgrade: websocket\r\n", HttpError::Upgrade),
    (
        POST,
        "Connection: upgrade\r\nUpgrade: websocket\r\n",
        HttpError::Upgrade,
    ),
    (
        GET,
        "Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n",
        HttpError::Upgrade,
    ),
];

#[tokio::test]
async fn a_chunked_body_that_is_not_understood_breaks_off() {
    let head = "POST / HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\n\r\n";
    for body in [
        "g\r\n",
        "3\nabc\r\n0\r\n\r\n",
        "3\r\nabcd\r\n",
        "0x3\r\nabc\r\n",
        "-1\r\n",
        " 3\r\nabc",
    ] {
        let wire = format!("{head}{body}GET /smuggled HTTP/1.1\r\nHost: api.test\r\n\r\n");
        let requests = read(Scheme::Https, wire.as_bytes(), wire.len()).await;
        assert_eq!(requests.len(), 1, "{body}: {requests:?}");
        assert!(!requests[0].0.contains("smuggled") && !requests[0].0.contains("\r\n0\r\n"));
    }
}

#[tokio::test]
async fn requests_behind_one_another_are_told_apart() {
    let wire = "POST /1 HTTP/1.1\r\nHost: api.test\r\nContent-Length: 19\r\n\r\nGET /2 HTTP/1.1\r\n\r\n\
        GET /3 HTTP/1.1\r\nHost: api.test\r\nContent-Length: 0\r\n\r\n\
        GET /4 HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n\
        GET /5 HTTP/1.1\r\nHost: api.test\r\n\r\n";
    for scheme in [Scheme::Http, Scheme::Https] {
        for pieces in [1, 7, wire.len()] {
            let requests = read(scheme, wire.as_bytes(), pieces).await;
            let lines: Vec<_> = requests
                .iter()
                .map(|(text, _)| text.lines().next().unwrap())
                .collect();
            let expected = ["POST /1 HTTP/1.1", "GET /3 HTTP/1.1", "GET /4 HTTP/1.1"];
            assert_eq!(lines, expected, "{pieces}");
            assert!(
                requests[0].0.ends_with("GET /2 HTTP/1.1\r\n\r\n"),
                "{pieces}"
            );
        }
    }
}
