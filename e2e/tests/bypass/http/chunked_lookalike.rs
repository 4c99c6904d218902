//! Transfer codings that look like `chunked` to one parser and not to another (OpenShell #671).

use super::Site;

#[test]
fn only_one_chunked_is_chunked() {
    let site = Site::new();
    for field in [
        "Transfer-Encoding: chunkedx",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: identity, chunked",
        "Transfer-Encoding: \x0bchunked",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: x",
    ] {
        let request =
            format!("POST /open/a HTTP/1.1\r\nHost: api.test\r\n{field}\r\n\r\n0\r\n\r\n");
        site.send(request.as_bytes())
            .assert_refused(400, "malformed");
    }
    assert_eq!(site.upstream.connections().connections().len(), 0);
}

#[test]
fn a_chunk_size_is_read_in_one_way() {
    let site = Site::new();
    let ended = site.host.run().profile("open").python(
        "from wire import *\n\
         for size in (b'0x5', b'5_', b'-5', b'+5', b'5\\n', b'ffffffffffffffff5', b''):\n\
         \x20   connection = connect('api.test', 80)\n\
         \x20   connection.sendall(b'POST /open/a HTTP/1.1\\r\\nHost: api.test\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n'\n\
         \x20       + size + b'\\r\\nsmuggled\\r\\n0\\r\\n\\r\\n')\n\
         \x20   show(all_of(connection)[:12])\n",
    );
    assert_eq!(ended.code, 0, "{ended}");
    assert!(!ended.stdout.contains("200"), "{ended}");
    assert!(!site.received("smuggled"), "{ended}");
    assert_eq!(ended.codes(), ["malformed"; 7], "{ended}");
}
