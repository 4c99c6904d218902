//! A unix socket of the machine's spawns processes outside or hands out credentials (nono GHSA-27vp-2mmc-vmh3, cplt #255).

use std::os::unix::net::{UnixDatagram, UnixListener};

use ringfence_e2e::Host;

#[test]
fn sockets_outside_of_the_workspace_are_not_there() {
    let host = Host::new();
    let listener = UnixListener::bind(host.home().join("agent.sock")).unwrap();
    listener.set_nonblocking(true).unwrap();
    let script = CONNECT.replace(
        "PATH",
        &host.home().join("agent.sock").display().to_string(),
    );
    let ended = host.run().env("SSH_AUTH_SOCK=/nowhere").python(&script);
    assert_eq!(
        ended.stdout, "FileNotFoundError\nFileNotFoundError\n",
        "{ended}"
    );
    assert!(listener.accept().is_err());
}

#[test]
fn the_usual_places_of_sockets_are_empty() {
    let host = Host::new();
    let ended = host.run().sh("find /run /var/run /tmp /dev/shm -type s 2>/dev/null; env | grep -E 'SOCK|DBUS|DISPLAY'; true");
    assert_eq!(ended.stdout, "", "{ended}");
}

#[test]
fn sockets_inside_the_workspace_are_not_reached() {
    let host = Host::new();
    let stream = UnixListener::bind(host.project().join("stream.sock")).unwrap();
    let datagram = UnixDatagram::bind(host.project().join("datagram.sock")).unwrap();
    stream.set_nonblocking(true).unwrap();
    datagram.set_nonblocking(true).unwrap();
    for name in ["stream.sock", "datagram.sock"] {
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(host.project().join(name), open).unwrap();
    }
    let script = CONNECT.replace(
        "PATH",
        &host.project().join("stream.sock").display().to_string(),
    );
    let script = script.replace(
        "OTHER",
        &host.project().join("datagram.sock").display().to_string(),
    );
    let ended = host.run().python(&script);
    assert_eq!(ended.code, 0, "{ended}");
    assert!(stream.accept().is_err(), "connected: {ended}");
    assert!(
        datagram.recv(&mut [0; 64]).is_err(),
        "a datagram arrived: {ended}"
    );
}

const CONNECT: &str = r#"
from wire import *
for kind, path in ((socket.SOCK_STREAM, "PATH"), (socket.SOCK_DGRAM, "OTHER")):
    try:
        with socket.socket(socket.AF_UNIX, kind) as connection:
            connection.connect(path)
            connection.send(b"hello")
            show("connected")
    except OSError as error:
        show(type(error).__name__)
"#;
