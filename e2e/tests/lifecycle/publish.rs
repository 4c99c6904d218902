//! `--publish`, and the sandbox's own loopback.

use std::io::{Read, Write};

use ringfence_e2e::Host;
use ringfence_testkit::poll;
use ringfence_testkit::port::ReservedPort;

/// A server on the given address and port of the sandbox that answers one line to each connection.
const SERVER: &str = "
import socket, sys
family = socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET
server = socket.create_server((sys.argv[1], int(sys.argv[2])), family=family)
while True:
    connection, _ = server.accept()
    connection.sendall(b'hello ' + connection.recv(100))
    connection.close()
";

fn ask(port: &ReservedPort) -> Option<String> {
    let mut connection = poll::connect(port.address()).ok()?;
    connection.write_all(b"world").ok()?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).ok()?;
    (!answer.is_empty()).then_some(answer)
}

#[test]
fn a_published_port_is_reached_from_the_hosts_loopback() {
    let host = Host::new();
    for address in ["127.0.0.1", "0.0.0.0", "::1"] {
        let port = ReservedPort::new().unwrap();
        let pair = format!("{}:3000", port.number());
        let running = host
            .run()
            .option("--publish", &pair)
            .spawn(&["python3", "-c", SERVER, address, "3000"]);
        let answer = poll::until("an answer", || Ok(ask(&port))).unwrap();
        assert_eq!(answer, "hello world", "{address}");
        // Many at a time, and one after the other.
        for _ in 0..20 {
            assert_eq!(ask(&port).as_deref(), Some("hello world"));
        }
        drop(running);
    }
}

#[test]
fn a_port_that_is_not_published_is_not_reached() {
    let host = Host::new();
    let port = ReservedPort::new().unwrap();
    let number = port.number().to_string();
    let script = format!(
        "python3 -c \"$0\" 127.0.0.1 {number} & until (echo > /dev/tcp/127.0.0.1/{number}) 2>/dev/null; do :; done; : > ready; wait"
    );
    let running = host.run().spawn(&["bash", "-c", &script, SERVER]);
    let ready = host.project().join("ready");
    poll::until_true("the server in the sandbox", || ready.exists()).unwrap();
    poll::connect(port.address()).unwrap_err();
    drop(running);
}

#[test]
fn a_port_that_is_taken_is_said_so() {
    let host = Host::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ended = host.run().option("--publish", &port).exec(&["true"]);
    assert_eq!(ended.code, 69, "{ended}");
    assert!(ended.stderr.contains(&port), "{ended}");
}

#[test]
fn the_sandbox_has_a_loopback_of_its_own() {
    let host = Host::new();
    for (address, client) in [
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "[::1]"),
        ("0.0.0.0", "localhost"),
    ] {
        let script = format!(
            "python3 -m http.server --bind {address} 8000 2>/dev/null &
             curl -sS --retry 30 --retry-connrefused --retry-delay 1 -o /dev/null -w '%{{http_code}}\\n' http://{client}:8000/"
        );
        let ended = host.run().sh(&script);
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (0, "200\n"),
            "{address}: {ended}"
        );
        assert!(ended.events.is_empty(), "{ended}");
    }
}
