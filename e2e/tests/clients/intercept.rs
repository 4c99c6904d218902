//! HTTPS that the gateway reads: clients that look for their authorities where they always do, one that does not trust the sandbox's, and refusals that clients can read.

use ringfence_e2e::{Host, Run};
use ringfence_testkit::Ca;
use ringfence_testkit::git::GitServer;
use ringfence_testkit::nginx::{HELLO, HELLO_JSON};

use super::site::{Site, Way, assert_prints};

const PROFILE: &str = "apiVersion: ringfence/v1
kind: Profile
name: read
api:
  - allow: { id: hello, host: web.test, methods: [GET], paths: [/hello.txt, /hello.json] }
";

/// A run that may read two files of the site, and nothing else.
fn reading(site: &Site) -> Run<'_> {
    site.host.profile("read", PROFILE);
    site.host.run().profile("read")
}

#[test]
fn curl_speaks_both_http_versions_through_every_way() {
    let site = Site::start();
    for way in Way::ALL {
        let script = way.script(
            "curl -sS --fail --http1.1 https://web.test/hello.txt https://web.test/hello.json\n\
             curl -sS --fail --http2 https://web.test/hello.txt https://web.test/hello.json",
        );
        let expected = format!("{HELLO}{HELLO_JSON}").repeat(2);
        assert_prints(&reading(&site).sh(&script), &expected);
    }
    let events = site.host.events();
    let requests = events
        .iter()
        .filter(|event| event["action"]["kind"] == "http");
    assert_eq!(requests.clone().count(), 12, "{events:#?}");
    for request in requests {
        assert_eq!(request["action"]["scheme"], "https");
        assert_eq!(request["decision"]["rule"], "read/api/hello");
        assert_eq!(request["closing"]["outcome"]["code"], 200, "{request:#}");
    }
}

#[test]
fn what_the_rule_does_not_cover_is_refused_in_words() {
    let site = Site::start();
    for version in ["--http1.1", "--http2"] {
        for request in [
            "https://web.test/other",
            "-X DELETE https://web.test/hello.txt",
        ] {
            let ended =
                reading(&site).sh(&format!("curl -sS {version} -w '%{{http_code}}' {request}"));
            assert_eq!(ended.code, 0, "{ended}");
            assert!(
                ended.stdout.starts_with("Ringfence refused this: "),
                "{ended}"
            );
            assert!(ended.stdout.ends_with("403"), "{ended}");
        }
    }
    assert!(site.nginx.requests().unwrap().is_empty());
}

#[test]
fn python_finds_the_authority() {
    let site = Site::start();
    for way in [Way::Transparent, Way::Proxy] {
        let script = way.script(
            "/usr/bin/python3 -c '
import requests, urllib.request
url = \"https://web.test/hello.json\"
print(requests.get(url, timeout=20).text, end=\"\")
print(urllib.request.urlopen(url).read().decode(), end=\"\")'",
        );
        assert_prints(&reading(&site).sh(&script), &HELLO_JSON.repeat(2));
    }
}

#[test]
fn node_finds_the_authority() {
    let site = Site::start();
    let ended = reading(&site).sh("node -e '
fetch(\"https://web.test/hello.txt\").then((it) => it.text()).then((it) => process.stdout.write(it))'");
    assert_prints(&ended, HELLO);
    let ended = reading(&site).sh("node -e '
const session = require(\"http2\").connect(\"https://web.test\");
const stream = session.request({ \":path\": \"/hello.txt\" });
stream.on(\"data\", (part) => process.stdout.write(part));
stream.on(\"end\", () => session.close());'");
    assert_prints(&ended, HELLO);
}

#[test]
fn java_finds_the_authority_where_its_own_are() {
    let site = Site::start();
    site.host.file("Read.java", include_str!("Read.java"));
    let ended = reading(&site).sh("java Read.java https://web.test/hello.txt");
    assert_prints(&ended, &format!("HTTP_2 200 {HELLO}"));
}

#[test]
fn programs_that_read_no_variable_find_the_authority_among_the_systems() {
    let site = Site::start();
    let ended = reading(&site).sh("for name in $(env | sed -nE 's/^([A-Z_]*(CA|CERT|SSL)[A-Z_]*)=.*/\\1/p'); do unset $name; done
        curl -sS --fail https://web.test/hello.txt");
    assert_prints(&ended, HELLO);
}

#[test]
fn git_reads_through_the_gateway_and_shows_why_it_may_not_write() {
    let mut host = Host::new();
    let ca = Ca::new(host.workdir()).unwrap();
    let server = GitServer::start(host.workdir(), &ca, &["git.test"]).unwrap();
    server
        .repository("docs", &[("README", b"read me\n")])
        .unwrap();
    host.trust(&ca).name("git.test", server.https());
    host.profile(
        "clone",
        "apiVersion: ringfence/v1
kind: Profile
name: clone
api:
  - allow: { host: git.test, methods: [GET], paths: [/docs.git/info/refs], query: { params: [ { name: service, matches: [git-upload-pack], required: true } ] } }
  - allow: { host: git.test, methods: [POST], paths: [/docs.git/git-upload-pack] }
",
    );
    let ended = host.run().profile("clone").sh(
        "git clone -q https://git.test/docs.git copy && cat copy/README && cd copy &&
         git -c user.name=A -c user.email=a@acme.test commit -q --allow-empty -m x && git push -q",
    );
    assert_ne!(ended.code, 0, "{ended}");
    assert_eq!(ended.stdout, "read me\n", "{ended}");
    assert!(ended.stderr.contains("403"), "{ended}");
}

#[test]
fn a_client_that_does_not_trust_the_authority_is_recorded_in_words() {
    let site = Site::start();
    let ended = reading(&site).sh(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out other.pem -subj /CN=other -days 1 2>/dev/null
         curl -sS --cacert other.pem --capath /none https://web.test/hello.txt",
    );
    assert_eq!(ended.code, 60, "{ended}");
    let events = site.host.events();
    let detail = events[0]["closing"]["detail"].as_str().unwrap();
    assert!(
        detail.contains("does not trust the sandbox's authority"),
        "{detail}"
    );
}

#[test]
fn a_denied_host_is_refused_in_words_to_every_client() {
    let site = Site::start();
    let clients = [
        "curl -sS --http1.1 https://other.test/x",
        "curl -sS --http2 https://other.test/x",
        "curl -sS --http2 https://other.test:443/x",
        "/usr/bin/python3 -c 'import requests; print(requests.get(\"https://other.test/x\", timeout=20).json()[\"error\"][\"reason\"])'",
        "node -e 'fetch(\"https://other.test/x\").then((it) => it.text()).then(console.log)'",
    ];
    for way in [Way::Transparent, Way::Proxy] {
        for client in clients {
            let ended = site.host.run().sh(&way.script(client));
            assert_eq!(ended.code, 0, "{client}: {ended}");
            assert!(
                ended.stdout.contains("no rule allows other.test"),
                "{client}: {ended}"
            );
            assert!(ended.was_refused("other.test:443", "no-rule"), "{ended}");
        }
    }
    let ended = site.host.run().sh("git clone https://other.test/docs.git");
    assert_ne!(ended.code, 0, "{ended}");
    assert!(
        ended
            .stderr
            .contains("remote: reason: no rule allows other.test"),
        "{ended}"
    );
    // One event for each, whatever was answered inside it.
    assert_eq!(site.host.events().len(), 2 * clients.len() + 1);
}

#[test]
fn the_authority_of_a_run_is_of_no_use_to_another_one() {
    let site = Site::start();
    reading(&site).sh("cp $SSL_CERT_FILE kept.pem");
    let ended =
        reading(&site).sh("curl -sS --cacert kept.pem --capath /none https://web.test/hello.txt");
    assert_eq!(ended.code, 60, "{ended}");
    // Nothing of it is left on the host.
    assert!(!site.host.data().join("trust").exists());
}
