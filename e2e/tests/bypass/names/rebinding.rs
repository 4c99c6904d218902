//! DNS rebinding: a name that is one address when it is checked and another one when it is dialled (NemoClaw #10755).

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use ringfence_e2e::{Host, NameServer};
use ringfence_testkit::tcp::TcpServer;

/// Two addresses of this machine: a rule names the first one only.
const NAMED: [u8; 4] = [127, 0, 0, 2];
const OTHER: [u8; 4] = [127, 0, 0, 1];

#[test]
fn what_was_checked_is_what_is_dialled() {
    let named =
        TcpServer::start((NAMED, 0).into(), |connection| connection.write(b"named")).unwrap();
    let other = TcpServer::recorder_on((OTHER, named.port()).into()).unwrap();
    let asked = AtomicUsize::new(0);
    let server = NameServer::start(move |_| {
        let is_first = asked.fetch_add(1, Ordering::SeqCst) % 4 < 2;
        vec![IpAddr::from(if is_first { NAMED } else { OTHER })]
    });
    let ended = connect_eight_times(server.unwrap(), &named);
    // Each connection resolves anew and reaches the named address or nothing.
    assert!(ended.stdout.contains("named"), "{ended}");
    assert!(
        ended.codes().contains(&"address-not-public".to_owned()),
        "{ended}"
    );
    assert_eq!(other.connections().len(), 0, "{ended}");
}

#[test]
fn one_answer_with_both_addresses_leads_to_the_named_one_only() {
    let named =
        TcpServer::start((NAMED, 0).into(), |connection| connection.write(b"named")).unwrap();
    let other = TcpServer::recorder_on((OTHER, named.port()).into()).unwrap();
    let server = NameServer::start(|_| vec![IpAddr::from(OTHER), IpAddr::from(NAMED)]);
    let ended = connect_eight_times(server.unwrap(), &named);
    assert_eq!(other.connections().len(), 0, "{ended}");
}

fn connect_eight_times(server: NameServer, named: &TcpServer) -> ringfence_e2e::Ended {
    let mut host = Host::new();
    host.dns_server(server.address());
    let profile = format!(
        "apiVersion: ringfence/v1\nkind: Profile\nname: named\nnetwork:\n  - allow: {{ host: good.test, ports: [{}], \
         protocol: tcp, addresses: [127.0.0.2/32] }}\n",
        named.port()
    );
    host.profile("named", &profile);
    let script = format!(
        "from wire import *\nfor _ in range(8):\n    show(say(('good.test', {}), b'hello', end=True))\n",
        named.port()
    );
    let ended = host.run().profile("named").python(&script);
    assert_eq!(ended.code, 0, "{ended}");
    ended
}
