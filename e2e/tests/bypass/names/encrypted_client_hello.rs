//! Encrypted client hello: the server name that can be seen is not the one that the server will see.

use ringfence_e2e::Host;
use ringfence_testkit::tcp::TcpServer;

#[test]
fn a_hello_with_a_hidden_name_is_refused() {
    let mut host = Host::new();
    let upstream = TcpServer::recorder().unwrap();
    host.name("good.test", upstream.address());
    let ended = host.run().allow("good.test:443").python(
        "from wire import *\n\
         ech = struct.pack('!HH', 0xfe0d, 10) + b'\\0\\0\\x01\\0\\x01\\0\\0\\0\\0\\0'\n\
         for connection in (connect('good.test', 443), tunnel(b'good.test', 443)[0]):\n\
         \x20   connection.sendall(hello(b'good.test', ech))\n\
         \x20   show(all_of(connection).hex())\n",
    );
    // A fatal alert: access_denied.
    assert_eq!(ended.stdout, "15030300020231\n15030300020231\n", "{ended}");
    assert_eq!(ended.codes(), ["encrypted-client-hello"; 2], "{ended}");
    assert!(upstream.connections().iter().all(Vec::is_empty));
}
