//! Paths that leave the allowed folder after the rule has matched (OpenShell #878, nono #528).

use super::Site;

#[test]
fn dot_segments_and_empty_segments_are_refused() {
    let site = Site::new();
    for path in [
        "/open/../closed",
        "/open/./../closed",
        "/open/%2e%2e/closed",
        "/open/.%2E/closed",
        "/open/..;/closed",
        "/open//../closed",
        "/open/..\\closed",
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: api.test\r\n\r\n");
        let sent = site.send(request.as_bytes());
        sent.assert_refused(400, "malformed");
    }
    assert_eq!(site.upstream.connections().connections().len(), 0);
}
