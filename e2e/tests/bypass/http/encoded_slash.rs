//! An encoded separator: one segment for the rule, two for the upstream (OpenShell #2699).

use super::Site;

#[test]
fn encoded_separators_are_refused() {
    let site = Site::new();
    for path in [
        "/open/..%2fclosed",
        "/open/a%2Fb",
        "/open/a%5cb",
        "/open/a%252fb",
        "/open/%00",
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: api.test\r\n\r\n");
        site.send(request.as_bytes())
            .assert_refused(400, "malformed");
    }
    assert_eq!(site.upstream.connections().connections().len(), 0);
}
