//! `ringfence gateway`: the gateway alone, as an explicit proxy of the person's machine.

use ringfence_e2e::{Host, Running};
use ringfence_testkit::nginx::HELLO;
use ringfence_testkit::poll;
use ringfence_testkit::port::ReservedPort;
use ringfence_testkit::process::{Server, command, run};
use rustix::process::Signal;

use super::site::Site;

/// A gateway that allows the site, and where it listens.
fn start(host: &Host) -> (Running, ReservedPort) {
    let port = ReservedPort::new().unwrap();
    let listen = port.address().to_string();
    let running = host.start(&[
        "gateway",
        "--listen",
        &listen,
        "--allow",
        "web.test:443",
        "--allow",
        "plain.test:80",
    ]);
    poll::until_true("the gateway", || poll::connect(port.address()).is_ok()).unwrap();
    (running, port)
}

/// curl of the person's, outside of any sandbox: the certificate is for a name that only the gateway can resolve.
fn curl(site: &Site, proxy: &str, url: &str) -> std::io::Result<String> {
    let mut curl = command("curl");
    curl.args(["-sS", "--fail", "--proxy", proxy, "--cacert"])
        .arg(site.host.workdir().join("ca/ca.pem"));
    let output = run(curl.arg(url))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn a_client_of_the_machine_reaches_what_is_allowed_and_nothing_else() {
    let site = Site::start();
    let (gateway, port) = start(&site.host);
    for scheme in ["http", "socks5h"] {
        let proxy = format!("{scheme}://{}", port.address());
        for url in ["https://web.test/hello.txt", "http://plain.test/hello.txt"] {
            assert_eq!(curl(&site, &proxy, url).unwrap(), HELLO, "{proxy} {url}");
        }
        curl(&site, &proxy, "https://other.test/").unwrap_err();
        // The proxy is no way to itself.
        curl(&site, &proxy, &format!("http://{}/", port.address())).unwrap_err();
    }
    gateway.signal(Signal::TERM);
    assert_eq!(gateway.wait().code, 0);
    let denied = site.host.denied();
    assert!(
        denied
            .iter()
            .any(|denial| denial["destination"]["host"] == "other.test"),
        "{denied:?}"
    );
    assert_eq!(site.host.ringfence(&["events", "verify"]).code, 0);
}

#[test]
fn a_free_port_is_chosen_and_said() {
    let host = Host::new();
    let mut gateway = host.command();
    gateway.args(["gateway", "--listen", "127.0.0.1:0"]);
    let gateway = Server::start(host.workdir(), "gateway", &mut gateway).unwrap();
    let said = poll::until("a line", || {
        Ok(gateway.log().ends_with('\n').then(|| gateway.log()))
    });
    let said = said.unwrap();
    let (_, address) = said.trim().rsplit_once(' ').unwrap();
    poll::connect(address.parse().unwrap()).unwrap();
}

#[test]
fn only_loopback_addresses_are_listened_on() {
    let ended = Host::new().ringfence(&["gateway", "--listen", "0.0.0.0:0"]);
    assert_eq!(ended.code, 64, "{ended}");
    assert!(ended.stderr.contains("loopback"), "{ended}");
}
