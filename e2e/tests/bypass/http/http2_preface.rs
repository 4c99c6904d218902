//! HTTP/2 by prior knowledge: its frames would pass an HTTP/1 reader unread (OpenShell #1967).

use super::Site;

#[test]
fn the_preface_is_refused() {
    let site = Site::new();
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    site.send(preface).assert_refused(403, "upgrade-refused");
    assert_eq!(site.upstream.connections().connections().len(), 0);
}

#[test]
fn a_client_that_speaks_it_is_told_no() {
    let site = Site::new();
    let ended = site.host.run().profile("open").sh(
        "curl -sS --noproxy '*' --http2-prior-knowledge http://api.test/open/a; echo \"curl $?\"",
    );
    assert!(!ended.stdout.contains("curl 0"), "{ended}");
    assert_eq!(ended.codes(), ["upgrade-refused"], "{ended}");
    assert_eq!(site.upstream.connections().connections().len(), 0);
}
