//! `*.good.test` is what is below the zone: not the zone, not a name that only ends like it, and never a public suffix.

use ringfence_e2e::Host;
use ringfence_testkit::http::HttpUpstream;

#[test]
fn a_wildcard_is_one_or_more_labels_below() {
    let mut host = Host::new();
    let upstream = HttpUpstream::ok().unwrap();
    for name in ["good.test", "*.good.test", "evilgood.test"] {
        host.name(name, upstream.address());
    }
    let ended = host.run().allow("*.good.test:80").sh(
        "for name in a.good.test a.b.good.test good.test evilgood.test; do
           curl -sS -o /dev/null -w '%{http_code} ' http://$name/; done",
    );
    assert_eq!(ended.stdout, "200 200 403 403 ", "{ended}");
    assert!(ended.was_refused("good.test:80", "no-rule"), "{ended}");
    assert!(ended.was_refused("evilgood.test:80", "no-rule"), "{ended}");
    assert_eq!(upstream.requests().len(), 2);
}

#[test]
fn a_wildcard_over_a_public_suffix_is_refused() {
    let host = Host::new();
    for pattern in [
        "*:443",
        "*.com:443",
        "*.co.uk:443",
        "*.github.io:443",
        "a.*.test:443",
        "*a.test:443",
    ] {
        let ended = host.run().allow(pattern).sh("echo started");
        assert_eq!(ended.code, 64, "{pattern}: {ended}");
        assert_eq!(ended.stdout, "", "{pattern}: {ended}");
    }
}
