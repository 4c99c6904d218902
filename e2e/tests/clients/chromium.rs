//! Chromium without a window: pages with scripts, from files and from the network.

use ringfence_testkit::nginx::HELLO;

use super::site::{Site, Way};

/// Chromium cannot make a sandbox of its own in ours. It trusts roots of its own, so it is told not to look at certificates.
const BROWSER: &str = "/usr/lib/chromium/chromium --headless --no-sandbox --disable-gpu --ignore-certificate-errors --user-data-dir=$PWD/data --dump-dom";

/// Without it, every hello has an extension that cannot be told from an encrypted hello, so the gateway refuses it.
const NO_ENCRYPTED_HELLO: &str = "{\"ssl\":{\"ech_enabled\":false}}";

#[test]
fn a_page_of_the_project_runs_its_script() {
    let site = Site::start();
    let page =
        "<p id=shown></p><script>shown.textContent = [1, 2, 3].map(n => n * 2).join('-')</script>";
    site.host.file("page.html", page);
    let ended = site
        .run()
        .sh(&format!("{BROWSER} \"file://$PWD/page.html\""));
    assert_eq!(ended.code, 0, "{ended}");
    assert!(
        ended.stdout.contains("<p id=\"shown\">2-4-6</p>"),
        "{ended}"
    );
}

#[test]
fn both_names_of_the_site_are_shown() {
    let site = Site::start();
    site.host.file("data/Local State", NO_ENCRYPTED_HELLO);
    for way in [Way::Transparent, Way::Proxy] {
        for url in ["https://web.test/hello.txt", "http://plain.test/hello.txt"] {
            let ended = site.run().sh(&way.script(&format!("{BROWSER} {url}")));
            assert!(
                ended.stdout.contains(HELLO.trim()),
                "{way:?} {url}: {ended}"
            );
        }
    }
}
