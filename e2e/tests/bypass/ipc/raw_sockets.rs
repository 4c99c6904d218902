//! Socket families and types with a way of their own: ICMP, raw, packet, netlink, vsock, SCTP, kernel crypto (codex-security #160).

use ringfence_e2e::Host;

#[test]
fn only_the_harmless_families_exist() {
    for host in [Host::new(), Host::as_caller()] {
        let ended = host.run().python(SCRIPT);
        assert_eq!(ended.code, 0, "{ended}");
        let opened: Vec<_> = ended
            .stdout
            .lines()
            .filter(|line| line.ends_with(" opened"))
            .collect();
        assert_eq!(
            opened,
            ["tcp opened", "udp opened", "unix opened", "route opened"],
            "{ended}"
        );
        assert_eq!(ended.stdout.lines().count(), 4 + 15, "{ended}");
    }
}

const SCRIPT: &str = r#"
from wire import *
kinds = {
    "tcp": (2, 1, 6), "udp": (2, 2, 17), "unix": (1, 1, 0), "route": (16, 3, 0),
    "icmp raw": (2, 3, 1), "icmp datagram": (2, 2, 1), "icmpv6": (10, 3, 58), "ip raw": (2, 3, 255), "sctp": (2, 1, 132),
    "udplite": (2, 2, 136), "mptcp": (2, 1, 262), "packet": (17, 3, 768), "netfilter": (16, 3, 12), "audit": (16, 3, 9),
    "uevent": (16, 3, 15), "vsock": (40, 1, 0), "alg": (38, 5, 0), "bluetooth": (31, 3, 1), "xdp": (44, 3, 0),
}
for name, (family, kind, protocol) in kinds.items():
    try:
        socket.socket(family, kind, protocol).close()
        show(name + " opened")
    except OSError as error:
        show(name + " " + type(error).__name__)
"#;
