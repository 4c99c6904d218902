//! The record outlives a killed program.

use ringfence_e2e::Host;
use ringfence_testkit::poll;
use ringfence_testkit::tcp::TcpServer;
use rustix::process::Signal;

#[test]
fn acknowledged_events_survive_a_kill() {
    let mut host = Host::new();
    let upstream = TcpServer::echo().unwrap();
    host.name("echo.test", upstream.address());
    let running = host.run().allow("echo.test:7000").spawn(&[
        "python3",
        "-c",
        "
import socket
for number in range(50):
    connection = socket.create_connection(('echo.test', 7000))
    connection.sendall(b'ping')
    assert connection.recv(4) == b'ping'
    if number < 49:
        connection.close()
open('.done', 'w').close()
connection.recv(1)
",
    ]);
    let done = host.project().join(".done");
    poll::until_true("all connections", || done.exists()).unwrap();
    running.signal(Signal::KILL);
    assert_eq!(running.wait().code, 137);
    assert_eq!(host.events().len(), 50);
    let verified = host.ringfence(&["events", "verify"]);
    assert_eq!(verified.code, 0, "{verified}");
    let spool = std::fs::read_dir(host.data().join("spool")).unwrap();
    assert_eq!(
        spool.count(),
        0,
        "the spool of an ended run is taken into the store"
    );
}
