//! Domain fronting: a connection to an allowed name whose TLS asks for another one (gh-aw-firewall #8878).

use ringfence_e2e::Host;
use ringfence_testkit::tcp::TcpServer;

#[test]
fn the_server_name_is_the_name_that_was_decided_on() {
    let mut host = Host::new();
    let upstream = TcpServer::recorder().unwrap();
    host.name("good.test", upstream.address());
    let ended = host.run().allow("good.test:443").python(
        "from wire import *\n\
         for name in (b'evil.test', b'good.test.evil.test', b'good.test\\0.evil.test', b'*.test', b'127.0.0.1'):\n\
         \x20   for connection in (connect('good.test', 443), tunnel(b'good.test', 443)[0], socks(b'good.test', 443)[0]):\n\
         \x20       connection.sendall(hello(name))\n\
         \x20       show(all_of(connection).hex())\n",
    );
    assert_eq!(ended.code, 0, "{ended}");
    // A fatal alert each, unrecognized_name or, for what is no name, decode_error.
    let alerts: Vec<_> = ended.stdout.lines().collect();
    assert_eq!(alerts[..6], ["15030300020270"; 6], "{ended}");
    assert_eq!(alerts.len(), 15, "{ended}");
    assert!(
        alerts.iter().all(|alert| alert.starts_with("150303000202")),
        "{ended}"
    );
    assert_eq!(ended.codes()[..6], ["sni-mismatch"; 6], "{ended}");
    assert_eq!(ended.refusals().len(), 15, "{ended}");
    assert!(upstream.connections().iter().all(Vec::is_empty));
}

#[test]
fn a_client_cannot_front_with_curl() {
    let mut host = Host::new();
    let upstream = TcpServer::recorder().unwrap();
    host.name("good.test", upstream.address());
    let ended = host.run().allow("good.test:443").sh(
        "curl -sS --connect-to evil.test:443:good.test:443 https://evil.test/; echo \"curl $?\"
         curl -sS --noproxy '*' --connect-to evil.test:443:good.test:443 https://evil.test/; echo \"curl $?\"",
    );
    assert_eq!(ended.stdout, "curl 35\ncurl 35\n", "{ended}");
    assert!(
        ended.was_refused("good.test:443", "sni-mismatch"),
        "{ended}"
    );
    assert_eq!(ended.codes(), ["sni-mismatch"; 2], "{ended}");
    assert!(upstream.connections().iter().all(Vec::is_empty));
}
