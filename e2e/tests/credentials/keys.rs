//! Bad input: a master key that is missing or wrong, and credentials that cannot be kept or used. Nothing is lost and nothing is half done.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use ringfence_testkit::api::{Api, echo};

use super::desk::{Desk, SECRET};

const ASK: &str = "curl -sS -H 'Accept: text/plain' https://api.acme.test/";

fn desk() -> (Desk, Api) {
    let mut desk = Desk::new();
    let api = desk.api("api.acme.test", echo);
    desk.acme("methods: [GET]");
    (desk, api)
}

#[test]
fn a_run_does_not_start_without_the_right_master_key_and_nothing_is_lost() {
    let (desk, api) = desk();
    let file = desk.host.data().join("master.key");
    let key = fs::read(&file).unwrap();
    let listed = desk.ringfence(&["credential", "list", "--json"]).stdout;
    fs::remove_file(&file).unwrap();
    for (what, wrong) in [
        ("missing", None),
        (
            "another",
            Some("QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU=\n"),
        ),
        ("no key", Some("hunter2\n")),
    ] {
        if let Some(wrong) = wrong {
            desk.host
                .home_file(".local/share/ringfence/master.key", wrong);
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        }
        let ended = desk.host.run().profile("api").sh("echo started");
        assert!([69, 77].contains(&ended.code), "{what}: {ended}");
        assert_eq!(ended.stdout, "", "{what}: {ended}");
        assert!(ended.stderr.contains("master key"), "{what}: {ended}");
        let added = desk.host.ringfence_reading(
            &[
                "credential",
                "add",
                "more",
                "--kind",
                "bearer",
                "--host",
                "api.acme.test",
            ],
            SECRET,
        );
        assert_ne!(added.code, 0, "{what}: {added}");
        assert!(added.stderr.contains("master key"), "{what}: {added}");
        assert!(!format!("{ended}{added}").contains("hunter2"), "{ended}");
    }
    fs::write(&file, &key).unwrap();
    assert_eq!(
        desk.ringfence(&["credential", "list", "--json"]).stdout,
        listed
    );
    let ended = desk.host.run().profile("api").sh(ASK);
    assert_eq!(ended.code, 0, "{ended}");
    assert_eq!(api.requests().len(), 1);
}

#[test]
fn the_master_key_can_come_from_the_environment_or_a_command_and_be_changed() {
    let (mut desk, api) = desk();
    let file = desk.host.data().join("master.key");
    let key = fs::read_to_string(&file).unwrap();
    let vault = desk.host.home_file("vault/key", &key);
    fs::remove_file(&file).unwrap();
    let ended = desk
        .host
        .run()
        .profile("api")
        .outer_env("RINGFENCE_MASTER_KEY", key.trim())
        .sh(&format!("{ASK}; printenv RINGFENCE_MASTER_KEY"));
    assert_eq!(ended.code, 1, "the agent has no such variable: {ended}");
    assert!(!ended.stdout.contains(key.trim()), "{ended}");
    let command = format!("[credentials]\nmaster_key_command = [\"cat\", {vault:?}]\n");
    desk.host.config(&command);
    let ended = desk.host.run().profile("api").sh(ASK);
    assert_eq!(ended.code, 0, "{ended}");
    assert_eq!(api.requests().len(), 2);
}

#[test]
fn rekeying_leaves_every_credential_usable_with_the_new_key_only() {
    let (desk, api) = desk();
    let file = desk.host.data().join("master.key");
    let before = fs::read(&file).unwrap();
    desk.ringfence(&["credential", "rekey"]);
    let after = fs::read(&file).unwrap();
    assert_ne!(before, after);
    let ended = desk.host.run().profile("api").sh(ASK);
    assert_eq!(ended.code, 0, "{ended}");
    assert_eq!(api.requests().len(), 1);
    fs::write(&file, before).unwrap();
    let ended = desk.host.run().profile("api").sh("echo started");
    assert_eq!(ended.stdout, "", "{ended}");
    assert!(ended.stderr.contains("master key"), "{ended}");
}

#[test]
fn what_is_no_credential_is_refused_with_the_reason_and_keeps_nothing() {
    let desk = Desk::new();
    let usual = ["--kind", "bearer", "--host", "api.acme.test"];
    let cases: &[(&[&str], &str, &str)] = &[
        (
            &["--kind", "password", "--host", "api.acme.test"],
            SECRET,
            "oauth2-client-credentials",
        ),
        (
            &["--kind", "header", "--host", "api.acme.test"],
            SECRET,
            "--set name=",
        ),
        (&["--kind", "bearer", "--host", "*.com"], SECRET, "*.com"),
        (
            &["--kind", "bearer", "--host", "192.0.2.7"],
            SECRET,
            "192.0.2.7",
        ),
        (
            &[
                "--kind",
                "bearer",
                "--host",
                "api.acme.test",
                "--set",
                "value=s3cret-in-argv",
            ],
            SECRET,
            "standard input",
        ),
        (
            &[
                "--kind",
                "bearer",
                "--host",
                "api.acme.test",
                "--path",
                "/a/../b",
            ],
            SECRET,
            "/a/../b",
        ),
        (
            &[
                "--kind",
                "github-app",
                "--host",
                "api.github.com",
                "--set",
                "app_id=1",
                "--set",
                "installation_id=2",
                "--set",
                "repositories=",
                "--set",
                "permissions=contents:read",
            ],
            SECRET,
            "repositories",
        ),
        (&usual, "", "empty"),
        (&usual, "two\nlines", "line"),
    ];
    for (arguments, secret, words) in cases {
        let arguments = [&["credential", "add", "acme"][..], arguments].concat();
        let ended = desk.host.ringfence_reading(&arguments, secret);
        assert_eq!(ended.code, 64, "{arguments:?}: {ended}");
        assert!(ended.stderr.contains(words), "{arguments:?}: {ended}");
        assert!(!ended.stderr.contains(SECRET), "{ended}");
        assert!(!ended.stderr.contains("s3cret-in-argv"), "{ended}");
    }
    assert_eq!(desk.ringfence(&["credential", "list", "--json"]).stdout, "");
}

#[test]
fn a_rule_whose_credential_is_not_there_denies_and_says_so() {
    let mut desk = Desk::new();
    let api = desk.api("api.acme.test", echo);
    desk.host
        .profile("api", &super::desk::acme_profile("methods: [GET]"));
    let ended = desk.host.run().profile("api").sh(ASK);
    assert!(
        ended.stdout.contains("there is no credential `acme`"),
        "{ended}"
    );
    assert!(ended.stdout.contains("credential-unavailable"), "{ended}");
    assert!(
        ended.was_refused("api.acme.test:443", "credential-unavailable"),
        "{ended}"
    );
    assert_eq!(api.requests().len(), 0);
}
