//! An address instead of a name matches no rule about names, in whatever notation (agent-glovebox #1248).

use ringfence_e2e::Host;
use ringfence_testkit::tcp::TcpServer;

#[test]
fn an_address_needs_a_rule_of_its_own() {
    let mut host = Host::new();
    let upstream = TcpServer::recorder().unwrap();
    host.name("good.test", upstream.address());
    host.name("*.good.test", upstream.address());
    let port = upstream.port();
    let script = SCRIPT.replace("PORT", &port.to_string());
    let allowed = format!("good.test:{port}");
    let ended = host.run().allow(&allowed).python(&script);
    assert_eq!(ended.code, 0, "{ended}");
    assert!(!ended.stdout.contains(" 200 "), "{ended}");
    assert!(
        ended.was_refused(&format!("127.0.0.1:{port}"), "address-not-named"),
        "{ended}"
    );
    assert!(
        ended.was_refused(&format!("[::1]:{port}"), "address-not-named"),
        "{ended}"
    );
    assert!(
        ended.was_refused(&format!("203.0.113.5:{port}"), "address-not-named"),
        "{ended}"
    );
    assert_eq!(ended.allowed(), [""; 0], "{ended}");
    assert_eq!(upstream.connections().len(), 0);
}

const SCRIPT: &str = r#"
from wire import *
for address in (b"127.0.0.1", b"[::1]", b"[::ffff:127.0.0.1]", b"2130706433", b"0x7f000001", b"0177.0.0.1",
                b"127.1", b"127.0.0.1.", b"0", b"203.0.113.5"):
    show(address + b" " + tunnel(address, PORT)[1][:12])
    show(address + b" " + say(PROXY, b"GET http://%s:PORT/ HTTP/1.1\r\nHost: %s:PORT\r\nConnection: close\r\n\r\n" % (address, address))[:12])
# SOCKS5 with addresses: IPv4, and IPv6.
for address in (b"\x01\x7f\0\0\x01", b"\x04" + bytes(15) + b"\x01"):
    connection = socket.create_connection(PROXY, PATIENCE)
    connection.sendall(b"\x05\x01\0")
    connection.recv(2)
    connection.sendall(b"\x05\x01\0" + address + struct.pack("!H", PORT))
    show(b"socks " + connection.recv(10)[1:2].hex().encode())
"#;
