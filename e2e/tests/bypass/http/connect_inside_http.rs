//! A second CONNECT inside what is allowed, in the hope that only the first one is looked at (microsandbox #986).

use super::Site;

#[test]
fn a_tunnel_is_no_proxy() {
    let site = Site::new();
    let ended = site.host.run().profile("open").python(
        "from wire import *\n\
         ask = b'CONNECT evil.test:80 HTTP/1.1\\r\\nHost: evil.test:80\\r\\n\\r\\n'\n\
         for connection in (connect('api.test', 80), tunnel(b'api.test', 80)[0]):\n\
         \x20   connection.sendall(ask + b'GET / HTTP/1.1\\r\\nHost: evil.test\\r\\n\\r\\n')\n\
         \x20   show(all_of(connection))\n",
    );
    assert_eq!(ended.stdout.matches("HTTP/1.1 403 ").count(), 2, "{ended}");
    assert_eq!(ended.codes(), ["host-mismatch"; 2], "{ended}");
    assert_eq!(site.upstream.connections().connections().len(), 0);
}
