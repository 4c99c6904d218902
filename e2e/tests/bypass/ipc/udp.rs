//! UDP goes around everything that only knows TCP: tunnels, QUIC, DNS to a server of choice (nono #756, cplt #241).

use ringfence_e2e::Host;
use ringfence_testkit::udp::UdpRecorder;

#[test]
fn no_datagram_leaves() {
    let recorder = UdpRecorder::start_on("0.0.0.0:0".parse().unwrap()).unwrap();
    let mut host = Host::new();
    host.name(
        "good.test",
        ([127, 0, 0, 1], recorder.address().port()).into(),
    );
    let port = recorder.address().port();
    let allowed = format!("good.test:{port}");
    let script = format!(
        "from wire import *\n\
         good = socket.getaddrinfo('good.test', {port})[0][4][0]\n\
         for address in ('127.0.0.1', '192.0.2.1', '203.0.113.5', '255.255.255.255', '224.0.0.251', good, '::1', '2001:db8::1'):\n\
         \x20   for port in ({port}, 443, 53535):\n\
         \x20       family = socket.AF_INET6 if ':' in address else socket.AF_INET\n\
         \x20       with socket.socket(family, socket.SOCK_DGRAM) as connection:\n\
         \x20           try:\n\
         \x20               if family == socket.AF_INET: connection.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)\n\
         \x20               connection.sendto(b'smuggled', (address, port)); show(address + ' sent')\n\
         \x20           except OSError as error: show(address + ' ' + type(error).__name__)\n"
    );
    let ended = host.run().allow(&allowed).python(&script);
    assert_eq!(ended.code, 0, "{ended}");
    // Loopback is the sandbox's own; everything else is refused when it is sent.
    for line in ended.stdout.lines() {
        let own = line.starts_with("127.0.0.1 ") || line.starts_with("::1 ");
        assert!(own || !line.ends_with(" sent"), "{line}: {ended}");
    }
    // The recorder works: what is sent outside of the sandbox does arrive, and nothing came before it.
    let sender = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    sender.send_to(b"outside", ("127.0.0.1", port)).unwrap();
    assert_eq!(recorder.wait_for(1).unwrap(), [b"outside"]);
}
