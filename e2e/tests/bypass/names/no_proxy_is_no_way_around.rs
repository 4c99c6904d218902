//! Ignoring the proxy variables: what works around a proxy must not work around the gateway (nono #580).

use ringfence_e2e::Host;
use ringfence_testkit::http::HttpUpstream;

#[test]
fn a_client_that_ignores_the_proxy_is_captured() {
    let mut host = Host::new();
    let upstream = HttpUpstream::ok().unwrap();
    host.name("evil.test", upstream.address());
    let ended = host
        .run()
        .outer_env("NO_PROXY", "evil.test")
        .env("NO_PROXY=*")
        .env("no_proxy=*")
        .sh(
            "code() { curl -sS -o /dev/null -w '%{http_code} ' \"$@\" http://evil.test/; }
         code; code --noproxy '*'; code --proxy ''
         unset HTTP_PROXY HTTPS_PROXY ALL_PROXY http_proxy https_proxy all_proxy; code
         env -i curl -sS -o /dev/null -w '%{http_code} ' http://evil.test/",
        );
    assert_eq!(ended.stdout, "403 403 403 403 403 ", "{ended}");
    assert_eq!(ended.codes(), ["no-rule"; 5], "{ended}");
    assert_eq!(upstream.connections().connections().len(), 0);
}

#[test]
fn a_proxy_of_the_callers_is_not_inherited() {
    let elsewhere = HttpUpstream::ok().unwrap();
    let host = Host::new();
    let proxy = format!("http://{}", elsewhere.address());
    let run = host
        .run()
        .outer_env("HTTP_PROXY", &proxy)
        .outer_env("http_proxy", &proxy);
    let ended = run
        .outer_env("ALL_PROXY", &proxy)
        .sh("curl -sS http://evil.test/; env | grep -i _proxy=");
    assert!(!ended.stdout.contains(&proxy), "{ended}");
    assert!(ended.stdout.contains("no rule allows evil.test"), "{ended}");
    assert_eq!(elsewhere.connections().connections().len(), 0);
}
