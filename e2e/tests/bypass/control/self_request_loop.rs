//! A request that leads back to the gateway itself would go round until something runs out (httpjail #85).

use ringfence_e2e::Host;
use ringfence_testkit::port::ReservedPort;
use ringfence_testkit::process::{command, run};

#[test]
fn the_gateway_never_dials_itself() {
    let mut host = Host::new();
    let port = ReservedPort::new().unwrap();
    host.name("loop.test", port.address());
    host.name("other.test", ([127, 0, 0, 2], port.number()).into());
    let listen = port.address().to_string();
    let allowed = format!("loop.test:{}", port.number());
    let gateway = host.start(&["gateway", "--listen", &listen, "--allow", &allowed]);
    ringfence_testkit::poll::until_true("the gateway", || {
        ringfence_testkit::poll::connect(port.address()).is_ok()
    })
    .unwrap();
    let ask = |url: &str| {
        let mut curl = command("curl");
        curl.args([
            "-sS",
            "--proxytunnel",
            "-w",
            "%{http_code} %{http_connect}",
            "-x",
            &listen,
            url,
        ]);
        curl.output().unwrap()
    };
    let mut curl = command("curl");
    curl.args(["-sS", "-x", &listen, &format!("http://{allowed}/")]);
    let answer = run(&mut curl).unwrap();
    let answer = String::from_utf8_lossy(&answer.stdout).into_owned();
    assert!(answer.contains("control-plane"), "{answer}");
    let tunnelled = ask(&format!("http://{allowed}/"));
    let tunnelled = String::from_utf8_lossy(&tunnelled.stdout).into_owned();
    assert!(tunnelled.contains("control-plane"), "{tunnelled}");
    gateway.signal(rustix::process::Signal::TERM);
    gateway.wait();
    let denied = host.denied();
    assert!(
        denied
            .iter()
            .any(|denial| denial["code"] == "control-plane"),
        "{denied:?}"
    );
}
