//! curl: both versions of HTTP, with and without TLS.

use ringfence_testkit::nginx::HELLO;

use super::site::{Site, Way, assert_prints};

#[test]
fn curl_speaks_both_http_versions_through_every_way() {
    let site = Site::start();
    for way in Way::ALL {
        let script = way.script(
            "curl -sS --fail --http1.1 https://web.test/hello.txt\n\
             curl -sS --fail --http2 https://web.test/hello.txt",
        );
        assert_prints(&site.run().sh(&script), &HELLO.repeat(2));
    }
    let requests = site.nginx.wait_for_requests(6).unwrap();
    let protocols: Vec<_> = requests
        .iter()
        .map(|request| &request["protocol"])
        .collect();
    assert_eq!(protocols, ["HTTP/1.1", "HTTP/2.0"].repeat(3));
}

#[test]
fn curl_reaches_a_plain_site_through_every_way() {
    let site = Site::start();
    for way in Way::ALL {
        let script = way.script("curl -sS --fail http://plain.test/hello.txt");
        assert_prints(&site.run().sh(&script), HELLO);
    }
    let requests = site.nginx.wait_for_requests(3).unwrap();
    for request in requests {
        assert_eq!(request["host"], "plain.test");
        assert_eq!(request["uri"], "/hello.txt");
    }
}

#[test]
fn curl_reaches_the_site_by_both_address_families() {
    let site = Site::start();
    let script = Way::Transparent.script(
        "curl -4 -sS --fail https://web.test/hello.txt\n\
         curl -6 -sS --fail https://web.test/hello.txt",
    );
    assert_prints(&site.run().sh(&script), &HELLO.repeat(2));
}

#[test]
fn curl_sends_bodies_with_expectations_and_chunks() {
    let site = Site::start();
    site.host.file("body", vec![b'x'; 3_000_000]);
    for way in Way::ALL {
        let script = way.script(
            "curl -sS --fail -H 'Expect: 100-continue' --data-binary @body http://plain.test/echo\n\
             curl -sS --fail -H 'Transfer-Encoding: chunked' --data-binary @body http://plain.test/echo",
        );
        let ended = site.run().sh(&script);
        assert_eq!(ended.code, 0, "{ended}");
        assert_eq!(
            ended.stdout.matches("\"method\":\"POST\"").count(),
            2,
            "{ended}"
        );
        assert!(ended.stdout.contains("\"length\":\"3000000\""), "{ended}");
    }
}
