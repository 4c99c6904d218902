//! Large transfers: nothing is lost, and nothing is kept.

use super::site::{Site, Way, assert_prints};

const GIBIBYTE: u64 = 1 << 30;
/// SHA-256 of that many zero octets.
const DIGEST: &str = "49bc20df15e412a64472421e13fe86ff1c5165e18b2afccf160d4dc19fe68a14  -\n";

#[test]
fn a_gibibyte_arrives_whole_over_tls() {
    let site = Site::start();
    site.nginx.sparse_file("big", GIBIBYTE).unwrap();
    let script = Way::Transparent.script("curl -sS --fail https://web.test/big | sha256sum");
    let ended = site.run().sh(&script);
    assert_prints(&ended, DIGEST);
    let received = &ended.events[0]["closing"]["received"];
    assert!(
        received.as_u64().is_some_and(|octets| octets > GIBIBYTE),
        "{ended}"
    );
}

#[test]
fn a_gibibyte_arrives_whole_through_the_forward_proxy() {
    let site = Site::start();
    site.nginx.sparse_file("big", GIBIBYTE).unwrap();
    let script = Way::Proxy.script("curl -sS --fail http://plain.test/big | sha256sum");
    assert_prints(&site.run().sh(&script), DIGEST);
}
