//! The gateway's own addresses offer DNS and the proxy, and nothing else (OpenShell #128).

use ringfence_e2e::Host;
use ringfence_testkit::tcp::TcpServer;

#[test]
fn other_ports_of_the_gateway_are_refused() {
    let host = Host::new();
    let ended = host
        .run()
        .allow("198.18.0.1:8080")
        .allow("good.test")
        .python(
            "from wire import *\n\
         for address in ('198.18.0.1', 'fd00:5afe::1'):\n\
         \x20   for port in (22, 80, 443, 8080, 9090):\n\
         \x20       show(say((address, port), b'GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n')[:12])\n\
         for address in (b'198.18.0.1', b'[fd00:5afe::1]'):\n\
         \x20   for port in (53, 80, 3128, 8080): show(tunnel(address, port)[1][:12])\n",
        );
    assert_eq!(ended.stdout, "HTTP/1.1 403\n".repeat(18), "{ended}");
    assert_eq!(ended.codes(), ["control-plane"; 18], "{ended}");
}

#[test]
fn the_hosts_loopback_is_not_reached_through_the_gateway() {
    let service = TcpServer::recorder().unwrap();
    let host = Host::new();
    let script = format!(
        "from wire import *\n\
         for name in (b'127.0.0.1', b'localhost', b'host.ringfence.internal', b'ip6-localhost', b'[::1]', b'0.0.0.0'):\n\
         \x20   show(tunnel(name, {0})[1][:12])\n\
         try: connect('127.0.0.1', {0}); show('connected')\n\
         except OSError as error: show(type(error).__name__)\n",
        service.port()
    );
    let ended = host.run().allow("*.good.test").python(&script);
    let refused = ended.stdout.matches("HTTP/1.1 403\n").count();
    assert_eq!(refused, 6, "{ended}");
    assert!(
        ended.stdout.ends_with("ConnectionRefusedError\n"),
        "{ended}"
    );
    assert_eq!(ended.codes().len(), 6, "{ended}");
    assert_eq!(service.connections().len(), 0);
}
