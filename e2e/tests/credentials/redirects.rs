//! Redirects: a credential never crosses to another host, and a signed URL never reaches the agent where the gateway follows it.

use ringfence_testkit::api::{ApiResponse, echo};

use super::desk::{Desk, SECRET, acme_profile};

const SIGNED: &str = "https://files.acme.test/archive?signature=a-url-that-is-a-credential";

#[test]
fn a_redirect_to_another_host_takes_no_credential_along() {
    let mut desk = Desk::new();
    let api = desk.api("api.acme.test", |_| {
        ApiResponse::new(302, "").with("Location", "https://other.acme.test/moved")
    });
    let other = desk.api("other.acme.test", echo);
    let evil = desk.api("evil.test", echo);
    desk.add("acme", "bearer", "api.acme.test", SECRET);
    let profile = acme_profile("methods: [GET]") + "  - allow: { host: other.acme.test }\n";
    desk.host.profile("api", &profile);
    let ended = desk.host.run().profile("api").sh(
        "curl -sS -L --location-trusted -H \"X-Mine: 1\" https://api.acme.test/ > moved
         curl -sS -o /dev/null -w '%{http_code}\\n' https://evil.test/
         curl -sS --fail https://other.acme.test/ --connect-to other.acme.test:443:api.acme.test:443; echo $?",
    );
    assert!(ended.stdout.starts_with("403\n"), "{ended}");
    assert!(
        !ended.stdout.ends_with("\n0\n"),
        "a name leads where it was decided on: {ended}"
    );
    assert_eq!(api.requests().len(), 1);
    assert!(!other.requests().is_empty(), "{ended}");
    for request in other.requests() {
        assert_eq!(request.header("authorization"), None, "{request:?}");
        assert!(!format!("{request:?}").contains("rf_"), "{request:?}");
    }
    assert_eq!(evil.requests().len(), 0);
}

#[test]
fn the_gateway_follows_to_a_signed_url_without_showing_it() {
    let mut desk = Desk::new();
    let api = desk.api("api.acme.test", |request| match request.path.as_str() {
        "/archive" => ApiResponse::new(302, "").with("Location", SIGNED),
        "/inward" => ApiResponse::new(302, "").with("Location", "https://127.0.0.1/"),
        "/plain" => ApiResponse::new(302, "").with("Location", "http://files.acme.test/archive"),
        _ => ApiResponse::new(302, "").with("Location", "https://api.acme.test/round"),
    });
    let files = desk.api("files.acme.test", |request| {
        let sent = format!("{:?}", request.headers);
        let body = if sent.contains(SECRET) {
            "it came along"
        } else {
            "the archive"
        };
        ApiResponse::new(200, body)
    });
    desk.acme("methods: [GET, HEAD, POST], follow: { hosts: [files.acme.test] }");
    let ended =
        desk.host
            .run()
            .profile("api")
            .sh("curl -sS -i https://api.acme.test/archive > archive
         for path in inward plain round; do curl -sS -i https://api.acme.test/$path > $path; done
         curl -sS -i -d x https://api.acme.test/archive > posted
         curl -sS -I https://api.acme.test/archive > headed");
    assert_eq!(ended.code, 0, "{ended}");
    let archive = desk.read("archive");
    assert!(archive.ends_with("the archive"), "{archive}");
    assert_eq!(files.requests().len(), 1, "{ended}");
    assert_eq!(
        files.requests()[0].query,
        "signature=a-url-that-is-a-credential"
    );
    assert_eq!(files.requests()[0].header("authorization"), None);
    for name in ["archive", "inward", "plain", "round", "posted", "headed"] {
        assert!(
            !desk.read(name).contains("a-url-that-is"),
            "{name}: {}",
            desk.read(name)
        );
    }
    for name in ["inward", "plain", "round", "posted", "headed"] {
        let status = desk.read(name);
        assert!(!status.contains("HTTP/2 200"), "{name}: {status}");
    }
    // A loop ends by the limit on hops and not by anybody's patience.
    assert!(api.requests().len() < 12, "{}", api.requests().len());
    assert!(!ended.to_string().contains("a-url-that-is"), "{ended}");
}
