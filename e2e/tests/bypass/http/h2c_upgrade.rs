//! `Upgrade: h2c` and `Upgrade: websocket` turn an inspected connection into one that is not (OpenShell #1967). Clients offer `h2c` unasked
//! (Java's `HttpClient`, `curl --http2`), so that offer is ignored; every other one is refused.

use ringfence_testkit::http::{Answer, HttpUpstream, OK};

use super::Site;

const OFFER: &str = "Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA";

#[test]
fn an_offer_of_http2_never_reaches_the_upstream() {
    let upstream = HttpUpstream::start(|request| {
        let request = String::from_utf8_lossy(request).to_ascii_lowercase();
        if request.contains("upgrade") || request.contains("settings") {
            Answer::SendAndClose(
                b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nraw".to_vec(),
            )
        } else {
            Answer::Send(OK.to_vec())
        }
    });
    let site = Site::with(upstream.unwrap());
    let request = format!("GET /open/a HTTP/1.1\r\nHost: api.test\r\n{OFFER}\r\n\r\n");
    let sent = site.send(request.as_bytes());
    for line in sent.ended.stdout.lines() {
        assert!(line.contains(" 200"), "{}", sent.ended);
    }
    let requests = site.upstream.requests();
    assert_eq!(requests.len(), 4, "{}", sent.ended);
    for request in requests {
        let request = String::from_utf8_lossy(&request).into_owned();
        assert!(request.starts_with("GET /open/a HTTP/1.1\r\n"), "{request}");
        let lower = request.to_ascii_lowercase();
        assert!(
            !lower.contains("upgrade") && !lower.contains("settings"),
            "{request}"
        );
    }
}

#[test]
fn any_other_upgrade_is_refused() {
    let site = Site::new();
    for upgrade in [
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: websocket, h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
    ] {
        let request = format!("GET /open/a HTTP/1.1\r\nHost: api.test\r\n{upgrade}\r\n\r\n");
        site.send(request.as_bytes())
            .assert_refused(403, "upgrade-refused");
    }
    assert_eq!(site.upstream.connections().connections().len(), 0);
}
