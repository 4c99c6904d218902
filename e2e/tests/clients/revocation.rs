//! A rule that is taken away cuts the connections that it allowed.

use std::fs;

use ringfence_e2e::Host;
use ringfence_testkit::poll;
use ringfence_testkit::tcp::TcpServer;

use super::site::assert_prints;

const ALLOWING: &str = "apiVersion: ringfence/v1\nkind: Profile\nname: work\nnetwork:\n  - allow: { host: echo.test, ports: [7000] }\n";
const FORBIDDING: &str = "apiVersion: ringfence/v1\nkind: Profile\nname: work\nnetwork: []\n";

/// Holds a connection open and says what became of it.
const CLIENT: &str = "
import socket
connection = socket.create_connection(('echo.test', 7000))
connection.sendall(b'ping')
assert connection.recv(4) == b'ping'
open('connected', 'w').close()
try:
    print('ended' if connection.recv(1) == b'' else 'data')
except ConnectionError:
    print('ended')
";

#[test]
fn a_revoked_rule_cuts_the_connection_at_once() {
    let mut host = Host::new();
    let upstream = TcpServer::echo().unwrap();
    host.name("echo.test", upstream.address());
    let profile = host.profile("work", ALLOWING);
    let running = host.run().profile("work").spawn(&["python3", "-c", CLIENT]);
    let connected = host.project().join("connected");
    poll::until_true("the connection", || connected.exists()).unwrap();
    fs::write(profile, FORBIDDING).unwrap();
    assert_prints(&running.wait(), "ended\n");
    let events = host.events();
    assert_eq!(events.len(), 1);
    assert_eq!(
        events[0]["closing"]["outcome"]["outcome"], "refused",
        "{events:?}"
    );
}

#[test]
fn a_policy_that_cannot_be_read_leaves_the_one_before_in_force() {
    let mut host = Host::new();
    let upstream = TcpServer::echo().unwrap();
    host.name("echo.test", upstream.address());
    let profile = host.profile("work", ALLOWING);
    let script = "
import socket, os
os.mkfifo('go')
open('ready', 'w').close()
open('go').read()
connection = socket.create_connection(('echo.test', 7000))
connection.sendall(b'ping')
print(connection.recv(4).decode())
";
    let running = host.run().profile("work").spawn(&["python3", "-c", script]);
    let ready = host.project().join("ready");
    poll::until_true("the command", || ready.exists()).unwrap();
    fs::write(profile, "network: nonsense\n").unwrap();
    poll::until_true("the record of a rejected policy", || {
        let spools = fs::read_dir(host.data().join("spool")).unwrap();
        let mut texts = spools.map(|spool| fs::read_to_string(spool.unwrap().path()).unwrap());
        texts.any(|text| text.contains("policy-rejected"))
    })
    .unwrap();
    fs::write(host.project().join("go"), "now").unwrap();
    assert_prints(&running.wait(), "ping\n");
    let listed = host.ringfence(&["events"]).stdout;
    assert!(listed.contains("note  local policy rejected, "), "{listed}");
}
