//! Both versions of HTTP upstream, and what becomes of connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::upstream::{Ca, Seen, Speaks, Upstream, read_head, reply};
use super::world::{WITH_GITHUB, World, get, over_http2, request};

const URL: &str = "https://api.test/x?a=1";

async fn tell(ca: &Ca, speaks: Speaks) -> Upstream {
    Upstream::start(ca, speaks, |seen: Seen| async move {
        let host = seen
            .headers
            .get("host")
            .map(|host| host.to_str().unwrap().to_owned());
        reply(format!(
            "{} {} {} {host:?}",
            seen.http2, seen.method, seen.target
        ))
    })
    .await
}

#[tokio::test]
async fn each_side_speaks_its_own_version() {
    let ca = Ca::new();
    let (one, two) = (
        "false GET /x?a=1 Some(\"api.test\")",
        "true GET https://api.test/x?a=1 None",
    );
    for (speaks, http1, http2) in [
        (Speaks::Http1, one, one),
        (Speaks::Http2, two, two),
        (Speaks::Both, one, two),
    ] {
        let upstream = tell(&ca, speaks).await;
        let world = World::new(&ca, &upstream, WITH_GITHUB);
        assert_eq!(
            world.send(get(URL)).await.unwrap().text(),
            http1,
            "{speaks:?}"
        );
        let world = World::new(&ca, &upstream, WITH_GITHUB);
        let got = world.send(over_http2(get(URL))).await.unwrap();
        assert_eq!(got.text(), http2, "{speaks:?}");
    }
}

#[tokio::test]
async fn another_port_is_named_to_the_upstream() {
    let ca = Ca::new();
    let upstream = tell(&ca, Speaks::Http1).await;
    let rules = WITH_GITHUB.replace("host: api.test", "host: api.test, ports: [8443]");
    let world = World::new(&ca, &upstream, &rules);
    let got = world.send(get("https://api.test:8443/")).await.unwrap();
    assert_eq!(got.text(), "false GET / Some(\"api.test:8443\")");
}

#[tokio::test]
async fn a_connection_is_used_again_and_never_by_another_client() {
    let ca = Ca::new();
    for speaks in [Speaks::Http1, Speaks::Http2] {
        let upstream = tell(&ca, speaks).await;
        let mut world = World::new(&ca, &upstream, WITH_GITHUB);
        for _ in 0..5 {
            world.send(over_http2(get(URL))).await.unwrap();
        }
        assert_eq!(upstream.connections(), 1);
        world.reconnect();
        world.send(over_http2(get(URL))).await.unwrap();
        assert_eq!(upstream.connections(), 2);
    }
}

#[tokio::test]
async fn two_names_of_one_address_share_no_connection() {
    let ca = Ca::new();
    for speaks in [Speaks::Http1, Speaks::Http2] {
        let upstream = tell(&ca, speaks).await;
        let rules = "api:\n  - allow: { host: api.test }\n  - allow: { host: other.test }";
        let world = World::new(&ca, &upstream, rules);
        for (host, connections) in [("api", 1), ("other", 2), ("api", 2), ("other", 2)] {
            let url = format!("https://{host}.test/x");
            world.send(over_http2(get(&url))).await.unwrap();
            assert_eq!(upstream.connections(), connections);
        }
    }
}

#[tokio::test]
async fn two_hundred_requests_side_by_side_are_all_answered() {
    let ca = Ca::new();
    for (speaks, connections) in [(Speaks::Http2, 1), (Speaks::Http1, 32)] {
        let upstream = tell(&ca, speaks).await;
        let world = World::new(&ca, &upstream, WITH_GITHUB);
        let requests = (0..200).map(|number| {
            let body = vec![b'x'; number * 100];
            world.send(over_http2(request("POST", URL, &[], body)))
        });
        for got in futures_util::future::join_all(requests).await {
            assert_eq!(got.unwrap().status, 200);
        }
        assert!(
            upstream.connections() <= connections,
            "{}",
            upstream.connections()
        );
    }
}

/// An upstream that answers one request on each connection, says that it would take more, and
/// closes.
async fn closing(ca: &Ca, served: &Arc<AtomicUsize>) -> Upstream {
    let served = Arc::clone(served);
    Upstream::raw(ca, Speaks::Http1, move |mut stream| {
        let served = Arc::clone(&served);
        async move {
            read_head(&mut stream).await;
            served.fetch_add(1, Ordering::SeqCst);
            let said = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
            let _ = stream.write_all(said).await;
            let _ = stream.flush().await;
            // It waits for the next request, and closes in its face.
            let _ = stream.read_u8().await;
        }
    })
    .await
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_costs_no_safe_request() {
    let ca = Ca::new();
    let served = Arc::new(AtomicUsize::new(0));
    let upstream = closing(&ca, &served).await;
    let world = World::new(&ca, &upstream, WITH_GITHUB);
    for _ in 0..3 {
        assert_eq!(world.send(get(URL)).await.unwrap().text(), "ok");
    }
    assert_eq!(served.load(Ordering::SeqCst), 3);
    // What may have had an effect is not sent twice.
    let (code, words) = world.stopped(request("POST", URL, &[], "body")).await;
    assert_eq!(code, "failed", "{words}");
}

/// What an HTTP/2 upstream says, in frames written by hand.
async fn frames(ca: &Ca, said: &'static [u8]) -> Upstream {
    Upstream::raw(ca, Speaks::Http2, move |mut stream| async move {
        let mut preface = [0; 24];
        let _ = stream.read_exact(&mut preface).await;
        // Its settings, and then what it has to say.
        let _ = stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await;
        let _ = stream.flush().await;
        let mut buffer = [0; 1024];
        let _ = stream.read(&mut buffer).await;
        let _ = stream.write_all(said).await;
        let _ = stream.flush().await;
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
    })
    .await
}

#[tokio::test]
async fn an_upstream_that_resets_or_goes_away_is_a_failure_with_words() {
    let ca = Ca::new();
    let goaway = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 11];
    let reset = [0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 2];
    let nonsense = [0xff; 64];
    for (said, words) in [
        (&goaway[..], "excessive load"),
        (&reset, "internal error"),
        (&nonsense, ""),
    ] {
        let said: &'static [u8] = Box::leak(said.to_vec().into_boxed_slice());
        let upstream = frames(&ca, said).await;
        let world = World::new(&ca, &upstream, WITH_GITHUB);
        let (code, reason) = world.stopped(over_http2(get(URL))).await;
        assert_eq!(code, "failed");
        assert!(reason.contains(words), "{reason}");
    }
}
