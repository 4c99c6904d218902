//! Both framings at once: the classic request smuggling, in both orders (OpenShell #663).

use super::Site;

#[test]
fn two_framings_are_one_too_many() {
    let site = Site::new();
    for fields in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 60",
        "Transfer_Encoding: chunked\r\nContent-Length: 60",
    ] {
        let request = format!(
            "POST /open/a HTTP/1.1\r\nHost: api.test\r\n{fields}\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: api.test\r\n\r\n"
        );
        site.send(request.as_bytes())
            .assert_refused(400, "malformed");
    }
    assert_eq!(site.upstream.connections().connections().len(), 0);
}
