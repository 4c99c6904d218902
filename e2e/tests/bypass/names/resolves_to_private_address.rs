//! An allowed name whose owner points it at the inside of the network: loopback, private ranges, metadata services, and the same
//! addresses in IPv6 clothing (OpenShell #598, #819).

use std::net::IpAddr;

use ringfence_e2e::{Host, NameServer};
use ringfence_testkit::tcp::TcpServer;

#[test]
fn an_allowed_name_does_not_reach_inside() {
    let upstream = TcpServer::recorder_on("[::]:0".parse().unwrap()).unwrap();
    let addresses: Vec<IpAddr> = ADDRESSES.map(|text| text.parse().unwrap()).to_vec();
    let count = addresses.len();
    let server = NameServer::start(move |name| {
        let number = name
            .strip_prefix('n')
            .and_then(|rest| rest.split('.').next());
        let number = number.and_then(|number| number.parse::<usize>().ok());
        number
            .and_then(|number| addresses.get(number))
            .copied()
            .into_iter()
            .collect()
    });
    let server = server.unwrap();
    let mut host = Host::new();
    host.dns_server(server.address());
    let script = format!(
        "from wire import *\nfor number in range({count}):\n    show(tunnel(b'n%d.good.test' % number, {})[1])\n",
        upstream.port()
    );
    // TLS only, so that a tunnel is dialled while the agent can still be told why not.
    let profile = format!(
        "apiVersion: ringfence/v1\nkind: Profile\nname: outside\nnetwork:\n  - allow: {{ host: \"*.good.test\", ports: [{}], \
         protocol: tls }}\n",
        upstream.port()
    );
    host.profile("outside", &profile);
    let ended = host.run().profile("outside").python(&script);
    for (number, address) in ADDRESSES.iter().enumerate() {
        let destination = format!("n{number}.good.test:{}", upstream.port());
        assert!(
            ended.was_refused(&destination, "address-not-public"),
            "{address}: {ended}"
        );
    }
    let explained = ended
        .stdout
        .matches("X-Ringfence-Reason: address-not-public")
        .count();
    assert_eq!(explained, count, "{ended}");
    assert_eq!(upstream.connections().len(), 0);
}

#[test]
fn a_rule_that_names_the_address_makes_it_reachable() {
    let upstream = TcpServer::echo().unwrap();
    let server = NameServer::start(|_| vec![IpAddr::from([127, 0, 0, 1])]).unwrap();
    let mut host = Host::new();
    host.dns_server(server.address());
    let profile = format!(
        "apiVersion: ringfence/v1\nkind: Profile\nname: inside\nnetwork:\n  - allow: {{ host: good.test, ports: [{}], \
         protocol: tcp, addresses: [127.0.0.1/32] }}\n",
        upstream.port()
    );
    host.profile("inside", &profile);
    let script = format!(
        "from wire import *\nshow(say(('good.test', {}), b'hello', end=True))\n",
        upstream.port()
    );
    let ended = host.run().profile("inside").python(&script);
    assert_eq!(ended.stdout, "hello\n", "{ended}");
    assert!(server.has_seen("good"), "{:?}", server.questions());
}

const ADDRESSES: [&str; 28] = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "0.1.2.3",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.254",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.100.100.200",
    "192.0.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
];
