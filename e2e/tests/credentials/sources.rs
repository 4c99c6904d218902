//! Secrets that are kept elsewhere: nothing of them is in the store.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use ringfence_testkit::api::echo;
use ringfence_testkit::issuer::vault::{self, Vault};
use serde_json::json;

use super::desk::{Desk, SECRET, acme_profile};
use super::encodings::places;

const ASK: &str = "curl -sS -H 'Accept: text/plain' https://api.acme.test/";

#[test]
fn a_secret_stays_in_vault_until_it_is_used() {
    let mut desk = Desk::new();
    let store = Vault::start(desk.host.workdir(), &desk.ca, "hvs.token-of-the-gateway").unwrap();
    desk.host.name(vault::HOST, store.https());
    store.put(
        "secret/agents/acme",
        json!({"token": SECRET, "owner": "ann"}),
    );
    let token = desk
        .host
        .home_file("vault-token", "hvs.token-of-the-gateway\n");
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
    let config = format!(
        "[sources.vault]\naddress = \"https://{}\"\ntoken_file = {token:?}\n",
        vault::HOST
    );
    desk.host.config(&config);
    let api = desk.api("api.acme.test", echo);
    let source = "vault:secret/agents/acme#token";
    desk.ringfence(&[
        "credential",
        "add",
        "acme",
        "--kind",
        "bearer",
        "--host",
        "api.acme.test",
        "--from",
        source,
    ]);
    desk.host.profile("api", &acme_profile("methods: [GET]"));
    let ended = desk
        .host
        .run()
        .profile("api")
        .sh("curl -sS --fail https://api.acme.test/ > got");
    assert_eq!(ended.code, 0, "{ended}");
    assert_eq!(
        api.requests()[0].header("authorization"),
        Some(format!("Bearer {SECRET}").as_str())
    );
    let data = desk.host.data();
    let looked_at: [&Path; 2] = [&data, desk.host.project()];
    for secret in [SECRET, "hvs.token-of-the-gateway"] {
        assert_eq!(
            places(&desk.host, secret, &looked_at),
            Vec::<String>::new(),
            "{secret}"
        );
    }
    store.seal(true);
    let tested = desk.host.ringfence(&["credential", "test", "acme"]);
    assert_eq!(tested.code, 69, "{tested}");
    assert!(
        tested.stderr.contains("sealed") || tested.stderr.contains("503"),
        "{tested}"
    );
    let ended = desk
        .host
        .run()
        .profile("api")
        .sh("curl -sS https://api.acme.test/");
    assert!(ended.stdout.contains("credential-unavailable"), "{ended}");
    assert_eq!(api.requests().len(), 1);
}

#[test]
fn a_source_that_gives_nothing_denies_and_the_test_of_the_credential_explains() {
    let mut desk = Desk::new();
    let api = desk.api("api.acme.test", echo);
    let secret = desk.host.home_file("secrets/acme", format!("{SECRET}\n"));
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    let source = format!("file:{}", secret.display());
    desk.ringfence(&[
        "credential",
        "add",
        "acme",
        "--kind",
        "bearer",
        "--host",
        "api.acme.test",
        "--from",
        &source,
    ]);
    desk.host.profile("api", &acme_profile("methods: [GET]"));
    desk.ringfence(&["credential", "test", "acme"]);
    let ended = desk.host.run().profile("api").sh(ASK);
    assert_eq!(ended.code, 0, "{ended}");
    assert_eq!(
        api.requests()[0].header("authorization"),
        Some(format!("Bearer {SECRET}").as_str())
    );
    fs::remove_file(&secret).unwrap();
    let tested = desk.host.ringfence(&["credential", "test", "acme"]);
    assert_ne!(tested.code, 0, "{tested}");
    assert!(tested.stderr.contains("no such file"), "{tested}");
    let ended = desk.host.run().profile("api").sh(ASK);
    assert!(ended.stdout.contains("credential-unavailable"), "{ended}");
    assert_eq!(api.requests().len(), 1);
}
