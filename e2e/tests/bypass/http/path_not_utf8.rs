//! Octets that a lossy decoder turns into something else: the rule would see one path, the upstream another (OpenShell #548).

use super::Site;

#[test]
fn a_path_that_is_not_text_is_refused() {
    let site = Site::new();
    for path in [
        &b"/open/\xff"[..],
        b"/open/%ff%fe",
        b"/open/%c0%ae%c0%ae/closed",
        b"/open/\xc3\xa9",
    ] {
        let request = [b"GET ", path, b" HTTP/1.1\r\nHost: api.test\r\n\r\n"].concat();
        site.send(&request).assert_refused(400, "malformed");
    }
    assert_eq!(site.upstream.connections().connections().len(), 0);
}
