//! Lines that end in a bare LF or CR, and folded fields: one parser sees a field where another sees text (OpenShell #663).

use super::Site;

#[test]
fn lines_end_in_crlf_and_nothing_else() {
    let site = Site::new();
    for request in [
        "GET /open/a HTTP/1.1\nHost: api.test\n\n",
        "GET /open/a HTTP/1.1\r\nHost: api.test\nX: smuggled\r\n\r\n",
        "GET /open/a HTTP/1.1\r\nHost: api.test\r\nX: a\rsmuggled: b\r\n\r\n",
        "GET /open/a HTTP/1.1\r\nHost: api.test\r\nX: a\r\n smuggled\r\n\r\n",
        "GET /open/a HTTP/1.1\r\nHost: api.test\r\nX: a\0smuggled\r\n\r\n",
    ] {
        site.send(request.as_bytes())
            .assert_refused(400, "malformed");
    }
    assert_eq!(site.upstream.connections().connections().len(), 0);
}
