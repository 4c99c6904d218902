//! A refused host: the client reads why, the person sees it among the denials, and one command allows it.

use ringfence_testkit::nginx::HELLO;

use super::site::{Site, Way, assert_prints};

#[test]
fn a_refused_request_reads_why_and_passes_once_it_is_allowed() {
    let site = Site::start();
    let script = Way::Transparent.script("curl -sS http://plain.test/hello.txt");
    let ended = site.host.run().sh(&script);
    for words in [
        "plain.test:80",
        "no rule allows plain.test",
        "ringfence allow plain.test:80",
    ] {
        assert!(ended.stdout.contains(words), "{ended}");
    }
    assert!(ended.was_refused("plain.test:80", "no-rule"), "{ended}");
    let denied = site.host.denied();
    assert_eq!(denied[0]["next_step"], "ringfence allow plain.test:80");
    assert_eq!(denied[0]["count"], 1);
    let allowed = site.host.ringfence(&["allow", "plain.test:80"]);
    assert_eq!(allowed.code, 0, "{allowed}");
    assert_prints(&site.host.run().sh(&script), HELLO);
}

#[test]
fn every_way_refuses_a_host_without_a_rule() {
    let site = Site::start();
    for way in Way::ALL {
        let ended = site
            .host
            .run()
            .sh(&way.script("curl -sS https://web.test/hello.txt"));
        match way {
            // SOCKS has words of its own, and the client does not come to speak TLS.
            Way::Socks => assert_eq!(ended.code, 97, "{ended}"),
            Way::Transparent | Way::Proxy => {
                assert!(ended.stdout.contains("no rule allows web.test"), "{ended}");
            }
        }
        assert!(ended.was_refused("web.test:443", "no-rule"), "{ended}");
    }
    assert!(site.nginx.requests().unwrap().is_empty());
}

#[test]
fn another_port_of_an_allowed_host_is_refused() {
    let site = Site::start();
    let ended = site
        .run()
        .sh("curl -sS --fail --max-time 20 https://web.test:8443/hello.txt");
    assert_ne!(ended.code, 0, "{ended}");
    assert_eq!(ended.refusals()[0].destination, "web.test:8443");
}

#[test]
fn a_host_that_is_allowed_during_a_run_passes_in_that_run() {
    let site = Site::start();
    let script = Way::Transparent.script(
        "echo waiting > state
         until curl -sS --fail http://plain.test/hello.txt 2>/dev/null; do :; done",
    );
    let running = site.host.run().spawn(&["bash", "-c", &script]);
    let state = site.host.project().join("state");
    ringfence_testkit::poll::until_true("the start of the run", || state.exists()).unwrap();
    let allowed = site.host.ringfence(&["allow", "plain.test:80"]);
    assert_eq!(allowed.code, 0, "{allowed}");
    assert_prints(&running.wait(), HELLO);
}
