//! Domain fronting: a tunnel to an allowed name whose TLS asks for another one.

use ringfence_e2e::Host;
use ringfence_testkit::tcp::TcpServer;

#[test]
fn sni_mismatch_on_connect() {
    let mut host = Host::new();
    let upstream = TcpServer::recorder().unwrap();
    host.name("good.test", upstream.address());
    let ended = host.run().allow("good.test:443").python(
        "from wire import *\n\
         connection, answer = tunnel(b'good.test', 443)\n\
         connection.sendall(hello(b'evil.test'))\n\
         show(answer, all_of(connection).hex())\n",
    );
    assert_eq!(ended.code, 0, "{ended}");
    // A fatal alert: unrecognized_name.
    assert!(ended.stdout.contains("15030300020270"), "{ended}");
    assert!(
        ended.was_refused("good.test:443", "sni-mismatch"),
        "{ended}"
    );
    assert!(!upstream.has_received(b"evil.test"));
}
