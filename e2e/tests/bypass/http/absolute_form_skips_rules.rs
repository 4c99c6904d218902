//! The explicit proxy's absolute-form path must decide by the same rules as a captured connection (OpenShell #643).

use super::Site;

#[test]
fn a_proxy_request_is_held_to_the_path_rule() {
    let site = Site::new();
    let ended = site.host.run().profile("open").sh(
        "curl -sS http://api.test/open/a; curl -sS -o answer -w '%{http_code}\n' http://api.test/closed; cat answer;
         curl -sS -o answer -w '%{http_code}\n' -X DELETE http://api.test/open/a; cat answer",
    );
    assert!(ended.stdout.starts_with("ok\n403\n"), "{ended}");
    assert!(ended.stdout.contains("path-not-allowed"), "{ended}");
    assert!(ended.stdout.contains("method-not-allowed"), "{ended}");
    assert!(
        ended.was_refused("api.test:80", "path-not-allowed"),
        "{ended}"
    );
    assert!(
        ended.was_refused("api.test:80", "method-not-allowed"),
        "{ended}"
    );
    assert!(site.received("GET /open/a "));
    assert_eq!(site.upstream.requests().len(), 1);
}

#[test]
fn a_proxy_request_for_https_is_not_forwarded_in_clear_text() {
    let site = Site::new();
    let ended = site.host.run().profile("open").python(
        "from wire import *\n\
         show(say(PROXY, b'GET https://api.test/open/a HTTP/1.1\\r\\nHost: api.test\\r\\nConnection: close\\r\\n\\r\\n'))",
    );
    assert!(ended.stdout.starts_with("HTTP/1.1 400 "), "{ended}");
    assert!(ended.stdout.contains("use CONNECT"), "{ended}");
    assert!(ended.was_refused("api.test:443", "malformed"), "{ended}");
    assert_eq!(site.upstream.connections().connections().len(), 0);
}
