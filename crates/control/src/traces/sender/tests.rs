use std::time::Instant;

use ringfence_testkit::http::{Answer, HttpUpstream};
use ringfence_testkit::tcp::TcpServer;

use super::*;

fn sender(address: &str) -> Sender {
    let collector = Collector::at(address, Protocol::Http).unwrap();
    Sender::new(&Config::default(), collector).unwrap()
}

/// What comes of sending to a collector that answers with these octets.
async fn sent(octets: impl Into<Vec<u8>>) -> Result<Taken, SendError> {
    let octets = octets.into();
    let collector = HttpUpstream::start(move |_| Answer::SendAndClose(octets.clone())).unwrap();
    sender(&format!("http://{}", collector.address()))
        .send(&[])
        .await
}

fn answer(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status} x\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// How long a collector asks to wait.
async fn pause(headers: &str) -> Option<Duration> {
    match sent(answer(503, headers, b"")).await {
        Err(SendError::Later { after, .. }) => after,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_collector_may_ask_for_a_pause_within_bounds() {
    let seconds = |seconds: u64| Some(Duration::from_secs(seconds));
    assert_eq!(pause("").await, None);
    assert_eq!(pause("Retry-After: 7\r\n").await, seconds(7));
    assert_eq!(pause("Retry-After: 0\r\n").await, Some(FIRST_PAUSE));
    assert_eq!(
        pause("Retry-After: 31536000\r\n").await,
        Some(LONGEST_PAUSE)
    );
    for none in ["-1", "soon", "99999999999999999999999", "1.5"] {
        assert_eq!(pause(&format!("Retry-After: {none}\r\n")).await, None);
    }
}

#[tokio::test]
async fn what_was_rejected_in_part_is_counted_and_said() {
    // ExportTraceServiceResponse { partial_success: { rejected_spans: 2, error_message: "too\x1b[31m old" } }
    let partial = b"\x0a\x10\x08\x02\x12\x0ctoo\x1b[31m old";
    let taken = sent(answer(200, "", partial)).await.unwrap();
    assert_eq!(taken.rejected, 2);
    assert_eq!(taken.words.as_deref(), Some("too [31m old"));
    let whole = sent(answer(200, "", b"")).await.unwrap();
    assert_eq!(whole, Taken::default());
}

#[test]
fn what_a_collector_says_is_short() {
    assert_eq!(said(&"x".repeat(10_000)).unwrap().len(), WORDS);
    assert_eq!(said(" \n"), None);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = HttpUpstream::ok().unwrap();
    let location = format!("Location: http://{}/v1/traces\r\n", elsewhere.address());
    for status in [301, 302, 307, 308] {
        let error = sent(answer(status, &location, b"")).await.unwrap_err();
        assert!(matches!(error, SendError::Never(_)), "{error}");
    }
    assert_eq!(elsewhere.requests(), Vec::<Vec<u8>>::new());
}

#[tokio::test]
async fn an_answer_is_bounded() {
    let endless = "HTTP/1.1 200 x\r\n\r\n".to_owned() + &"x".repeat(1024 * 1024 + 1);
    let huge = format!("HTTP/1.1 200 x\r\nx: {}\r\n\r\n", "x".repeat(1024 * 1024));
    let many = format!("HTTP/1.1 200 x\r\n{}\r\n", "x: y\r\n".repeat(1_000));
    for answer in [endless, huge, many, "nonsense\r\n\r\n".to_owned()] {
        let start: String = answer.chars().take(30).collect();
        let error = sent(answer).await.unwrap_err();
        assert!(matches!(error, SendError::Later { .. }), "{start}: {error}");
    }
}

#[tokio::test]
async fn a_collector_that_never_answers_is_given_up() {
    let silent = TcpServer::start("127.0.0.1:0".parse().unwrap(), |connection| {
        while connection.read()?.is_some() {}
        Ok(())
    })
    .unwrap();
    let started = Instant::now();
    let sent = sender(&format!("http://{}", silent.address()))
        .send(&[])
        .await;
    let error = sent.unwrap_err();
    assert!(matches!(error, SendError::Later { after: None, .. }));
    assert!(error.to_string().ends_with("no answer came in time"));
    assert!(started.elapsed() < Duration::from_secs(12));
}
