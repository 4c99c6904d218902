#![expect(
    clippy::disallowed_methods,
    reason = "the tests dial their own listener"
)]

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinHandle;

use super::*;

/// A server that answers with what it understood, until it is dropped.
struct Server {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Server {
    fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            let served = serve_own(listener, |question| OwnAnswer {
                status: 200,
                headers: vec![("content-type", "text/plain")],
                body: format!(
                    "{} {} {:?}",
                    question.method,
                    question.path,
                    question.header("accept")
                ),
            });
            served.await.unwrap();
        });
        Self { address, serving }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// All that comes back for these octets.
    async fn answer(&self, octets: &str) -> String {
        let mut client = self.connect().await;
        client.write_all(octets.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // One that is refused may find its connection reset.
        let _ = client.read_to_end(&mut answer).await;
        String::from_utf8(answer).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

#[tokio::test]
async fn a_connection_serves_one_request() {
    let server = Server::start();
    let one = "GET /metrics?a=1 HTTP/1.1\r\nhost: a\r\naccept: text/plain\r\n\r\n";
    let answer = server.answer(&one.repeat(2)).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    assert!(
        answer.ends_with("GET /metrics Some(\"text/plain\")"),
        "{answer}"
    );
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
}

#[tokio::test]
async fn a_header_that_is_there_twice_is_none() {
    let server = Server::start();
    let answer = server
        .answer("GET / HTTP/1.1\r\nhost: a\r\naccept: a\r\naccept: b\r\n\r\n")
        .await;
    assert!(answer.ends_with("GET / None"), "{answer}");
}

#[tokio::test]
async fn a_head_is_bounded() {
    let server = Server::start();
    let long = format!(
        "GET / HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n",
        "x".repeat(2 * OWN_HEAD_OCTETS)
    );
    let many = format!(
        "GET / HTTP/1.1\r\nhost: a\r\n{}\r\n",
        "x: y\r\n".repeat(OWN_HEADERS + 1)
    );
    for request in [long, many] {
        let answer = server.answer(&request).await;
        assert!(!answer.contains("200 OK"), "{answer}");
    }
}

#[tokio::test]
async fn connections_are_bounded_in_number_and_time() {
    let server = Server::start();
    let mut idle = Vec::new();
    for _ in 0..OWN_CONNECTIONS {
        let mut client = server.connect().await;
        client.write_all(b"GET / HT").await.unwrap();
        idle.push(client);
    }
    let one = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    // One octet more from time to time does not make a connection live longer.
    let slow = idle.first_mut().unwrap();
    let waited = timeout(Duration::from_secs(1), server.answer(one)).await;
    assert!(waited.is_err(), "there is no room");
    slow.write_all(b"T").await.unwrap();
    let answer = timeout(OWN_SERVED + Duration::from_secs(5), server.answer(one)).await;
    assert!(answer.unwrap().contains("200 OK"));
}
