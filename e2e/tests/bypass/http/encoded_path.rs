//! `%70rojects` for `projects`: the rule must see the path that the upstream will see (OpenShell #878).

use super::Site;

#[test]
fn an_encoded_letter_is_that_letter() {
    let site = Site::new();
    let ended = site.host.run().profile("open").sh(
        "curl -sS -o /dev/null -w '%{http_code}\n' http://api.test/%6f%70en/%7Ea;
         curl -sS -o /dev/null -w '%{http_code}\n' http://api.test/%63losed",
    );
    assert_eq!(ended.stdout, "200\n403\n", "{ended}");
    assert_eq!(ended.codes(), ["path-not-allowed"], "{ended}");
    // What was decided on is what is sent.
    assert!(site.received("GET /open/~a HTTP/1.1\r\n"), "{ended}");
    assert_eq!(site.upstream.requests().len(), 1);
}

#[test]
fn a_forbidden_path_cannot_be_spelled_differently() {
    let site = Site::new();
    site.host.profile(
        "but-secrets",
        r#"apiVersion: ringfence/v1
kind: Profile
name: but-secrets
network:
  - allow: { host: api.test, ports: [80] }
  - forbid: { host: api.test, paths: ["/secret/**", "/secret"] }
"#,
    );
    let ended = site
        .host
        .run()
        .profile("but-secrets")
        .sh("for path in secret %73ecret secre%74/a %53ecret; do
           curl -sS -o /dev/null -w '%{http_code} ' http://api.test/$path; done");
    // The last one is `Secret`, which some servers take for the same path.
    assert_eq!(ended.stdout, "403 403 403 403 ", "{ended}");
    assert_eq!(ended.codes(), ["forbidden"; 4], "{ended}");
    assert_eq!(site.upstream.requests().len(), 0);
}
