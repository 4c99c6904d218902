//! Python: the standard library and `requests`.

use ringfence_testkit::nginx::{HELLO, HELLO_JSON};

use super::site::{Site, Way, assert_prints};

#[test]
fn urllib_reads_the_site() {
    let site = Site::start();
    for way in [Way::Transparent, Way::Proxy] {
        let script = way.script(
            "python3 -c '
import urllib.request as r
for url in (\"https://web.test/hello.txt\", \"http://plain.test/hello.txt\"):
    print(r.urlopen(url).read().decode(), end=\"\")'",
        );
        assert_prints(&site.run().sh(&script), &HELLO.repeat(2));
    }
}

#[test]
fn requests_keeps_a_connection_for_several_requests() {
    let site = Site::start();
    for way in [Way::Transparent, Way::Proxy] {
        let script = way.script(
            "/usr/bin/python3 -c '
import requests
session = requests.Session()
for url in (\"https://web.test/hello.json\", \"http://plain.test/hello.json\") * 2:
    answer = session.get(url, timeout=20)
    answer.raise_for_status()
    print(answer.text, end=\"\")'",
        );
        assert_prints(&site.run().sh(&script), &HELLO_JSON.repeat(4));
    }
}
