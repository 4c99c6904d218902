//! What is more than a request and an answer: gRPC with its trailers, and WebSockets, with a credential that the agent does not have.

use ringfence_testkit::port::ReservedPort;
use ringfence_testkit::process::{Server, command};

use super::desk::{Desk, SECRET};
use super::encodings::places;

/// Starts a Python server of this name. It is told its port, its certificate and its key.
fn start(desk: &mut Desk, name: &str, source: &str) -> Server {
    let host = format!("{name}.acme.test");
    let leaf = desk.ca.leaf(&[&host]).unwrap();
    let port = ReservedPort::new().unwrap();
    let program = desk
        .host
        .workdir()
        .file(format!("{name}_server.py"), source)
        .unwrap();
    let mut python = command("/usr/bin/python3");
    python.arg(program).arg(port.number().to_string());
    python.arg(&leaf.certificate).arg(&leaf.key);
    let mut server = Server::start(desk.host.workdir(), name, &mut python).unwrap();
    server.wait_for_port(port.address()).unwrap();
    desk.host.name(&host, port.address());
    desk.add(name, "bearer", &host, SECRET);
    server
}

const GRPC: &str = "apiVersion: ringfence/v1
kind: Profile
name: grpc
api:
  - allow: { host: grpc.acme.test, methods: [POST], paths: [\"/acme.Tickets/Read\", \"/acme.Tickets/Watch\"], credential: grpc }
";

#[test]
fn grpc_calls_and_streams_pass_with_their_trailers_and_without_the_secret() {
    let mut desk = Desk::new();
    let _server = start(&mut desk, "grpc", include_str!("grpc_server.py"));
    desk.host.profile("grpc", GRPC);
    desk.host.file("client.py", include_str!("grpc_client.py"));
    let ended = desk
        .host
        .run()
        .profile("grpc")
        .exec(&["/usr/bin/python3", "client.py"]);
    let expected = "read: ticket 7 by ann\nauthorized: True\ntrailer: REDACTED-BY-RINGFENCE\nwatched: 0 1 2 3 4\nboth ways: PERMISSION_DENIED\n";
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (0, expected),
        "{ended}"
    );
    desk.host.file("said", ended.to_string());
    let project = desk.host.project().to_owned();
    assert_eq!(
        places(&desk.host, SECRET, &[&project]),
        Vec::<String>::new()
    );
}

const WEBSOCKET: &str = "apiVersion: ringfence/v1
kind: Profile
name: ws
tokens:
  - { env: [WS_TOKEN], credentials: [ws] }
api:
  - allow: { id: chat, host: ws.acme.test, paths: [/chat], websocket: true, credential: ws }
  - allow: { id: plain, host: ws.acme.test, paths: [/plain], credential: ws }
";

#[test]
fn a_websocket_is_opened_with_the_credential_and_its_messages_do_not_hold_it() {
    let mut desk = Desk::new();
    let server = start(&mut desk, "ws", include_str!("ws_server.py"));
    desk.host.profile("ws", WEBSOCKET);
    desk.host.file("client.py", include_str!("ws_client.py"));
    let ended = desk
        .host
        .run()
        .profile("ws")
        .exec(&["/usr/bin/python3", "client.py"]);
    assert_eq!(ended.code, 0, "{ended} {}", server.log());
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(lines[0], "hello Bearer REDACTED-BY-RINGFENCE", "{ended}");
    assert_eq!(
        lines[1..4],
        ["echo one", "echo 100000", "bytes b'\\x00\\x01'"],
        "{ended}"
    );
    assert_eq!(lines[4], "split REDACTED-BY-RINGFENCE!", "{ended}");
    assert_eq!(lines[5], "plain 403", "{ended}");
    assert!(
        server.log().contains(&format!("Bearer {SECRET}")),
        "{}",
        server.log()
    );
    assert!(!server.log().contains("rf_"), "{}", server.log());
    assert!(!ended.to_string().contains(SECRET), "{ended}");
}
