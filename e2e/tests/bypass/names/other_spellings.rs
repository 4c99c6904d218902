//! Names that look like an allowed one, and an allowed one that looks different.

use ringfence_e2e::Host;
use ringfence_testkit::http::HttpUpstream;

#[test]
fn only_the_name_itself_is_the_name() {
    let mut host = Host::new();
    let upstream = HttpUpstream::ok().unwrap();
    for name in [
        "good.test",
        "good.test.evil.test",
        "xgood.test",
        "good.tes",
        "xn--god-5na.test",
        "xn--gd-fmcg.test",
    ] {
        host.name(name, upstream.address());
    }
    let ended = host.run().allow("good.test:80").sh(
        "code() { curl -sS -o /dev/null -w '%{http_code} ' \"$1\"; }
         code http://GOOD.TEST/; code http://good.test./; code http://user@good.test/
         code http://good.test.evil.test/; code http://good.test@xgood.test/; code http://xgood.test/; code http://good.tes/
         code http://xn--gd-fmcg.test/; code http://good.test:81/",
    );
    assert_eq!(
        ended.stdout, "200 200 200 403 403 403 403 403 403 ",
        "{ended}"
    );
    assert!(ended.was_refused("xgood.test:80", "no-rule"), "{ended}");
    assert!(
        ended.was_refused("good.test:81", "port-not-allowed"),
        "{ended}"
    );
    assert_eq!(upstream.requests().len(), 3);
}
