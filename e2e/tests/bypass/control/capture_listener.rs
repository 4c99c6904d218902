//! The listener that captures connections is in the sandbox's own network, so the agent can connect to it directly.

use ringfence_e2e::Host;

#[test]
fn a_connection_straight_to_the_listener_leads_nowhere() {
    let host = Host::new();
    let ended = host.run().allow("good.test:80").python(SCRIPT);
    assert_eq!(ended.code, 0, "{ended}");
    let ports: Vec<_> = ended
        .stdout
        .lines()
        .filter(|line| line.starts_with("port "))
        .collect();
    assert!(!ports.is_empty(), "{ended}");
    assert!(!ended.stdout.contains(" 200 "), "{ended}");
    assert!(
        ended.stdout.contains("this is the gateway itself"),
        "{ended}"
    );
    let codes = ended.codes();
    assert!(
        !codes.is_empty() && codes.iter().all(|code| code == "control-plane"),
        "{ended}"
    );
}

/// Finds what listens on loopback, and speaks to it as to a proxy, a web server and a TLS server.
const SCRIPT: &str = r#"
from wire import *
ports = set()
for table, address in (("/proc/net/tcp", "127.0.0.1"), ("/proc/net/tcp6", "::1")):
    for line in open(table).readlines()[1:]:
        fields = line.split()
        if fields[3] == "0A":
            ports.add((address, int(fields[1].split(":")[1], 16)))
for address, port in sorted(ports):
    show("port %d of %s" % (port, address))
    for octets in (b"GET / HTTP/1.1\r\nHost: good.test\r\n\r\n", b"CONNECT good.test:80 HTTP/1.1\r\nHost: good.test:80\r\n\r\n",
                   hello(b"good.test"), b"\x05\x01\x00"):
        show(say((address, port), octets, end=True))
"#;
