//! WebSocket over TLS: after the upgrade both sides speak when they like.

use ringfence_e2e::Host;
use ringfence_testkit::Ca;
use ringfence_testkit::port::ReservedPort;
use ringfence_testkit::process::{Server, command};

use super::site::{Way, assert_prints};

#[test]
fn messages_go_both_ways_through_every_way() {
    let mut host = Host::new();
    let ca = Ca::new(host.workdir()).unwrap();
    let leaf = ca.leaf(&["ws.test"]).unwrap();
    let port = ReservedPort::new().unwrap();
    let program = host
        .workdir()
        .file("server.py", include_str!("server.py"))
        .unwrap();
    let mut server = command("python3");
    server
        .arg(program)
        .arg(port.number().to_string())
        .arg(&leaf.certificate)
        .arg(&leaf.key);
    let mut server = Server::start(host.workdir(), "websocket", &mut server).unwrap();
    server.wait_for_port(port.address()).unwrap();
    host.trust(&ca).name("ws.test", port.address());
    host.file("client.py", include_str!("client.py"));
    for way in [Way::Transparent, Way::Proxy] {
        let script = way.script("python3 client.py");
        let ended = host.run().allow("ws.test:443").sh(&script);
        assert_prints(&ended, "101\nechoed 200\nserver speaks first\n");
    }
}
