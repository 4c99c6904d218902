//! Names below `ringfence.internal` are the gateway; none of them leads to anything that was not offered (varlock #995, leash GHSA-9x85).

use std::net::IpAddr;

use ringfence_e2e::{Host, NameServer};
use ringfence_testkit::http::HttpUpstream;

#[test]
fn internal_names_are_never_resolved_or_dialled() {
    let upstream = HttpUpstream::ok().unwrap();
    let server = NameServer::start(|_| vec![IpAddr::from([127, 0, 0, 1])]).unwrap();
    let mut host = Host::new();
    host.dns_server(server.address());
    host.name("*.ringfence.internal", upstream.address());
    host.name("ringfence.internal", upstream.address());
    let ended = host.run().sh(
        "for name in ringfence.internal api.ringfence.internal git.ringfence.internal HOST.ringfence.internal. x.y.ringfence.internal; do
           curl -sS -o answer -w '%{http_code}\n' http://$name/
           curl -sS --noproxy '*' -o answer -w '%{http_code}\n' http://$name/; done",
    );
    assert_eq!(ended.stdout, "403\n".repeat(10), "{ended}");
    assert_eq!(ended.codes().len(), 10, "{ended}");
    assert_eq!(server.questions(), []);
    assert_eq!(upstream.connections().connections().len(), 0);
}
