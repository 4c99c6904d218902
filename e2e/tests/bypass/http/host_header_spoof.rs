//! A captured connection to an allowed host with another host's name in the Host field (vm0 #14412).

use super::Site;

#[test]
fn the_host_field_is_the_connections_destination() {
    let site = Site::new();
    let ended = site.host.run().profile("open").python(
        "from wire import *\n\
         for field in (b'evil.test', b'api.test:8080', b'api.test@evil.test', b'api.test evil.test', b'', b'api.test\\r\\nHost: evil.test'):\n\
         \x20   connection = connect('api.test', 80)\n\
         \x20   connection.sendall(b'GET /open/a HTTP/1.1\\r\\nHost: %s\\r\\n\\r\\n' % field)\n\
         \x20   show(all_of(connection)[:12])\n",
    );
    let refused = |status: &str| ended.stdout.matches(status).count();
    assert_eq!(
        refused("HTTP/1.1 403") + refused("HTTP/1.1 400"),
        6,
        "{ended}"
    );
    let codes = ended.codes();
    assert_eq!(codes[..2], ["host-mismatch", "host-mismatch"], "{ended}");
    assert_eq!(codes[2..], ["malformed"; 4], "{ended}");
    assert_eq!(site.upstream.connections().connections().len(), 0);
}
