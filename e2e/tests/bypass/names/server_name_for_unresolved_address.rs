//! An allowed server name on a connection to an address that was never resolved for it (microsandbox #694).

use ringfence_e2e::Host;
use ringfence_testkit::tcp::TcpServer;

#[test]
fn a_server_name_does_not_vouch_for_an_address() {
    let mut host = Host::new();
    let upstream = TcpServer::recorder().unwrap();
    host.name("good.test", upstream.address());
    // 198.18.77.77 is among the addresses that the responder gives out, but was not given out.
    let ended = host.run().allow("good.test:443").python(
        "from wire import *\n\
         for address in ('203.0.113.5', '198.18.77.77', '2001:db8::5', '::ffff:203.0.113.5'):\n\
         \x20   connection = connect(address, 443)\n\
         \x20   connection.sendall(hello(b'good.test'))\n\
         \x20   show(all_of(connection).hex())\n",
    );
    // The gateway has no words in common with a hello that offers one cipher suite and no key.
    assert_eq!(ended.stdout, "15030300020228\n".repeat(4), "{ended}");
    assert_eq!(ended.codes(), ["address-not-named"; 4], "{ended}");
    let ended = host
        .run()
        .allow("good.test:443")
        .sh("curl -sS --noproxy '*' --resolve good.test:443:203.0.113.5 https://good.test/");
    assert!(
        ended
            .stdout
            .contains("no rule names the address 203.0.113.5"),
        "{ended}"
    );
    assert_eq!(upstream.connections().len(), 0);
}
