//! An upstream that answers 101 unasked would turn the connection into a raw tunnel (OpenShell #1967).

use ringfence_testkit::http::HttpUpstream;

use super::Site;

#[test]
fn an_unasked_switch_of_protocols_is_not_relayed() {
    let switch = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nraw octets";
    let site = Site::with(HttpUpstream::once(switch).unwrap());
    let ended = site.host.run().profile("open").python(
        "from wire import *\n\
         connection = connect('api.test', 80)\n\
         connection.sendall(b'GET /open/a HTTP/1.1\\r\\nHost: api.test\\r\\n\\r\\n')\n\
         show(all_of(connection))\n",
    );
    assert!(ended.stdout.starts_with("HTTP/1.1 403 "), "{ended}");
    assert!(!ended.stdout.contains("raw octets"), "{ended}");
    assert_eq!(ended.codes(), ["upgrade-refused"], "{ended}");
}
