//! TLS without a server name, or none at all, on a connection that may only be TLS to a name.

use ringfence_e2e::Host;
use ringfence_testkit::tcp::TcpServer;

#[test]
fn without_a_server_name_nothing_is_passed_on() {
    let mut host = Host::new();
    let upstream = TcpServer::recorder().unwrap();
    host.name("good.test", upstream.address());
    let ended = host.run().allow("good.test:443").python(
        "from wire import *\n\
         for connection in (connect('good.test', 443), tunnel(b'good.test', 443)[0]):\n\
         \x20   connection.sendall(hello(None))\n\
         \x20   show(all_of(connection).hex())\n",
    );
    assert_eq!(ended.stdout, "15030300020270\n15030300020270\n", "{ended}");
    assert_eq!(ended.codes(), ["sni-missing"; 2], "{ended}");
    assert!(upstream.connections().iter().all(Vec::is_empty));
}

#[test]
fn what_is_not_tls_is_not_passed_on_as_tls() {
    let mut host = Host::new();
    let upstream = TcpServer::recorder().unwrap();
    host.name("good.test", upstream.address());
    let ended = host.run().allow("good.test:443").python(
        "from wire import *\n\
         for octets in (b'GET /smuggled HTTP/1.1\\r\\nHost: good.test\\r\\n\\r\\n', b'SSH-2.0-smuggled\\r\\n', b'\\x80smuggled'):\n\
         \x20   connection = connect('good.test', 443)\n\
         \x20   connection.sendall(octets)\n\
         \x20   show(all_of(connection)[:12])\n",
    );
    assert_eq!(ended.code, 0, "{ended}");
    assert_eq!(ended.codes(), ["protocol-mismatch"; 3], "{ended}");
    assert!(!upstream.has_received(b"smuggled"));
}
