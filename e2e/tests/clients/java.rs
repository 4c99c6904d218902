//! Java: `HttpClient`, which honours no proxy variable, speaks HTTP/2 over TLS, and offers to switch to it without.

use ringfence_testkit::nginx::HELLO;

use super::site::{Site, assert_prints};

#[test]
fn http_client_reads_the_site() {
    let site = Site::start();
    site.host.file("Fetch.java", include_str!("Fetch.java"));
    let ended = site
        .run()
        .sh("java Fetch.java https://web.test/hello.txt http://plain.test/hello.txt");
    let (secure, plain) = (
        format!("HTTP_2 200 {HELLO}"),
        format!("HTTP_1_1 200 {HELLO}"),
    );
    assert_prints(&ended, &[secure.repeat(2), plain.repeat(2)].concat());
}

#[test]
fn http_client_reads_why_it_was_refused() {
    let site = Site::start();
    site.host.file("Fetch.java", include_str!("Fetch.java"));
    let ended = site.run().sh("java Fetch.java http://other.test/");
    assert_eq!(ended.code, 0, "{ended}");
    assert!(ended.stdout.starts_with("HTTP_1_1 403 "), "{ended}");
    assert!(
        ended.stdout.contains("no rule allows other.test"),
        "{ended}"
    );
}
