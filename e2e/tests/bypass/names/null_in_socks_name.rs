//! `evil\0.good.test`: the check sees the end of the name, the resolver the beginning (Claude Code 2.0.24 to 2.1.89).

use std::net::IpAddr;

use ringfence_e2e::{Host, NameServer};

#[test]
fn a_name_is_letters_digits_and_hyphens() {
    let server = NameServer::start(|_| vec![IpAddr::from([192, 0, 2, 1])]).unwrap();
    let mut host = Host::new();
    host.dns_server(server.address());
    let ended = host.run().allow("*.good.test:443").python(SCRIPT);
    assert_eq!(ended.code, 0, "{ended}");
    for line in ended.stdout.lines() {
        assert!(["None", "1", "2", "8"].contains(&line), "{ended}");
    }
    assert_eq!(ended.stdout.lines().count(), 9, "{ended}");
    assert_eq!(ended.allowed(), [""; 0], "{ended}");
    assert_eq!(server.questions(), []);
}

#[test]
fn the_same_name_is_refused_by_every_other_entry() {
    let server = NameServer::start(|_| vec![IpAddr::from([192, 0, 2, 1])]).unwrap();
    let mut host = Host::new();
    host.dns_server(server.address());
    let ended = host.run().allow("*.good.test:443").allow("*.good.test:80").python(
        "from wire import *\n\
         for name in (b'evil\\0.good.test', b'evil%00.good.test', b'evil_\\xff.good.test'):\n\
         \x20   show(tunnel(name, 443)[1][:12])\n\
         \x20   show(say(PROXY, b'GET http://%s/ HTTP/1.1\\r\\nHost: %s\\r\\n\\r\\n' % (name, name))[:12])\n",
    );
    assert_eq!(ended.stdout, "HTTP/1.1 400\n".repeat(6), "{ended}");
    assert_eq!(ended.allowed(), [""; 0], "{ended}");
    assert_eq!(server.questions(), []);
}

const SCRIPT: &str = r#"
from wire import *
for name in (b"evil\0.good.test", b"evil.test\0.good.test", b"evil/.good.test", b"evil@.good.test", b"evil .good.test",
             b"evil\n.good.test", b"evil%00.good.test", b"\xff.good.test", b""):
    show(socks(name, 443)[1])
"#;
