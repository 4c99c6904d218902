//! What strangers say and bring during a login: other answers, other authorization servers, places that are none.

use ringfence_testkit::api::ApiResponse;
use ringfence_testkit::issuer::authorization::LOGIN;
use serde_json::json;

use super::CALLS;
use super::desk::{Desk, Outcome};

/// T10: what comes back is of this attempt, of this authorization server, and comes once.
#[test]
fn answers_of_others_are_not_taken() {
    let desk = Desk::new();
    let before = desk.begin(&[]);
    let url = before.callback();
    for (wrong, status) in [
        (url.replace("state=", "state=x"), "400"),
        (url.replace("/callback", "/callback/"), "404"),
        (url.replace("/callback", "/"), "404"),
    ] {
        assert_eq!(before.visit(&wrong), status, "{wrong}");
    }
    assert_eq!(before.visit_as("evil.test", &url), "404");
    let Outcome { ended, .. } = before.come_back(&url);
    assert_eq!(ended.code, 0, "{ended}");

    let asked = desk.servers.token_requests().len();
    for (name, value, words) in [
        ("iss", "https://evil.test", "another authorization server"),
        ("iss", "", "does not say which authorization server"),
        ("error", "access_denied", "said no: access_denied"),
    ] {
        desk.servers.brings(name, value);
        let done = desk.login(&[]);
        assert_eq!(done.ended.code, 77, "{}", done.ended);
        assert!(done.ended.stderr.contains(words), "{}", done.ended);
        desk.servers.brings("iss", "https://login.acme.test");
    }
    assert_eq!(
        desk.servers.token_requests().len(),
        asked,
        "no code was given away"
    );
}

/// T10: a login at one authorization server does not take the place of one at another.
#[test]
fn tokens_are_kept_for_who_gave_them() {
    let desk = Desk::new();
    assert_eq!(desk.login(&[]).ended.code, 0);
    let moved = json!({"issuer": "https://login.acme.test/tenant"});
    desk.servers
        .members("/.well-known/oauth-authorization-server", moved.clone());
    let path = "/.well-known/oauth-authorization-server/tenant";
    let asked = desk.servers.requests(LOGIN).len();
    let ended = desk.mcp(&["login", "lab"]);
    assert_eq!(ended.code, 77, "{ended}");
    assert!(
        ended
            .stderr
            .contains("says that it is `https://login.acme.test/tenant`"),
        "{ended}"
    );

    let document = json!({
        "issuer": "https://login.acme.test/tenant", "token_endpoint": "https://login.acme.test/token",
        "authorization_endpoint": "https://login.acme.test/authorize", "code_challenge_methods_supported": ["S256"],
    });
    desk.servers
        .instead(path, ApiResponse::json(200, &document));
    let named = json!({"authorization_servers": ["https://login.acme.test/tenant"]});
    desk.servers
        .members("/.well-known/oauth-protected-resource/mcp", named);
    let ended = desk.mcp(&["login", "lab"]);
    assert_eq!(ended.code, 64, "{ended}");
    assert!(ended.stderr.contains("ringfence mcp logout lab"), "{ended}");
    assert!(desk.servers.requests(LOGIN).len() > asked);
    assert!(desk.agent(CALLS).shown.to_string().contains("one, two"));
}

/// T9: a browser is opened without a shell, by a word that no shell would read as more.
#[test]
fn nothing_that_a_server_says_is_run() {
    let desk = Desk::new();
    for place in [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://login.acme.test/$(touch${IFS}pwned)",
        "https://login.acme.test/`touch pwned`",
        "--version",
        "https://login.acme.test/a;touch",
    ] {
        let members = json!({"authorization_endpoint": place});
        desk.servers
            .members("/.well-known/oauth-authorization-server", members);
        let ended = desk.mcp(&["login", "lab", "--browser"]);
        assert_eq!(ended.code, 77, "{place}: {ended}");
        assert!(!ended.stderr.contains("open this"), "{ended}");
    }
    assert!(!desk.host.project().join("pwned").exists());
}

#[test]
fn a_browser_is_opened_with_one_word_and_little_else() {
    let desk = Desk::new();
    let opener = desk.host.home_file("bin/xdg-open", OPENER);
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(opener, mode).unwrap();
    let begun = desk.begin(&["--browser"]);
    desk.wait_for("opened");
    let opened = std::fs::read_to_string(desk.host.project().join("opened")).unwrap();
    assert!(
        opened.starts_with("1 https://login.acme.test/authorize?"),
        "{opened}"
    );
    assert!(!opened.contains("c4nary"), "{opened}");
    let url = begun.callback();
    assert_eq!(begun.come_back(&url).ended.code, 0);
}

/// Tells how many words it was given, which, and what it is told besides.
const OPENER: &str = "#!/bin/sh\n{ echo \"$#\" \"$@\"; env; } > opening && mv opening opened\n";
