//! Lengths that two parsers read differently: the rest of the body is a second request for one of them (OpenShell #663).

use super::Site;

#[test]
fn a_length_is_one_number() {
    let site = Site::new();
    for fields in [
        "Content-Length: 4\r\nContent-Length: 60",
        "Content-Length: 60\r\ncontent-length: 60",
        "Content-Length: 4, 60",
        "Content-Length: +4",
        "Content-Length: 0x4",
        "Content-Length: 4 4",
        "Content-Length: 99999999999999999999",
    ] {
        let request =
            format!("POST /open/a HTTP/1.1\r\nHost: api.test\r\n{fields}\r\n\r\nsmuggled");
        site.send(request.as_bytes())
            .assert_refused(400, "malformed");
    }
    assert_eq!(site.upstream.connections().connections().len(), 0);
}
