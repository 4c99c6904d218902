//! Servers that want OAuth: a person logs in outside, and what is given out never is inside.

mod desk;
mod strangers;

use ringfence_testkit::issuer::authorization::{KNOWN, LOGIN, PUBLIC, SERVER};
use serde_json::json;

use desk::Desk;

/// What an agent does: it calls both tools.
const CALLS: &str = r#"
c = connect("lab")
show([c.tool("count"), c.tool("who")])
"#;

#[test]
fn a_person_logs_in_once_and_the_agent_never_sees_a_token() {
    let desk = Desk::new();
    let done = desk.login(&[]);
    assert_eq!(done.ended.code, 0, "{}", done.ended);
    assert!(
        done.ended.stdout.contains(
            "logged in to lab: sealed as lab version 1, for https://protected.acme.test:443/mcp"
        ),
        "{}",
        done.ended
    );
    assert!(
        done.page.contains("The answer has arrived."),
        "{}",
        done.page
    );
    let listed = desk
        .host
        .ringfence(&["mcp", "server", "list", "--profile", "mcp", "--json"]);
    assert!(listed.stdout.contains(r#""login":"logged-in""#), "{listed}");

    let told = desk.agent(CALLS);
    assert!(
        told.shown.to_string().contains("one, two"),
        "{}",
        told.ended
    );
    assert!(
        told.shown.to_string().contains("you are "),
        "{}",
        told.ended
    );
    desk.assert_saw_no_token(&told);
    let called = desk.servers.requests(SERVER);
    let used = called.iter().filter_map(|it| it.header("authorization"));
    assert!(used.clone().count() >= 3, "{called:?}");
    assert!(
        used.clone().all(|it| it.starts_with("Bearer access-")),
        "T6: {called:?}"
    );

    // Nor does anything that is kept or said show one.
    let shown = desk.host.ringfence(&["credential", "show", "lab"]);
    assert!(
        shown.stdout.contains("https://login.acme.test/token"),
        "{shown}"
    );
    let events = json!(desk.host.events()).to_string();
    for token in desk.servers.good() {
        for text in [&shown.to_string(), &done.ended.to_string(), &events] {
            assert!(!text.contains(&token), "{text}");
        }
    }
}

#[test]
fn an_access_token_that_has_ended_is_renewed_without_a_person() {
    let desk = Desk::new();
    assert_eq!(desk.login(&[]).ended.code, 0);
    for run in 1..=2 {
        let running = desk.start(
            r#"
c = connect("lab")
before = c.tool("count")
open("called", "w").close()
wait_for("ended")
show([before, c.tool("count"), c.tool("who")])
"#,
        );
        desk.wait_for("called");
        desk.servers.expire_all();
        desk.host.file("ended", "");
        let told = desk.told(running.wait());
        let answers = told.shown.as_array().unwrap();
        let are_answered = answers
            .iter()
            .all(|it| it["result"]["isError"].is_null() && it["result"]["content"].is_array());
        assert!(are_answered, "{}", told.ended);
        desk.assert_saw_no_token(&told);
        for name in ["called", "ended"] {
            std::fs::remove_file(desk.host.project().join(name)).unwrap();
        }
        let renewed = desk.servers.token_requests();
        let renewed = renewed
            .iter()
            .filter(|it| it.form("grant_type").as_deref() == Some("refresh_token"));
        assert_eq!(renewed.count(), 2 * run, "at first, and when it had ended");
    }
}

/// Refresh tokens are good for one use here: who uses one twice loses all.
#[test]
fn runs_at_once_renew_in_turn() {
    let desk = Desk::new();
    assert_eq!(desk.login(&[]).ended.code, 0);
    let running: Vec<_> = (0..3).map(|_| desk.start(CALLS)).collect();
    for running in running {
        let told = desk.told(running.wait());
        assert!(
            told.shown.to_string().contains("one, two"),
            "{}",
            told.ended
        );
    }
    assert!(
        desk.servers
            .good()
            .iter()
            .any(|it| it.starts_with("refresh-"))
    );
    assert_eq!(desk.servers.token_requests().len(), 1 + 3);
}

#[test]
fn a_login_that_has_ended_denies_and_says_to_log_in_again() {
    let desk = Desk::new();
    assert_eq!(desk.login(&[]).ended.code, 0);
    desk.servers.revoke_all();
    let told = desk.agent("c = Client('lab'); show(c.open())");
    let said = told.shown.to_string();
    assert!(said.contains("ringfence mcp login lab"), "{}", told.ended);
    assert!(
        !said.contains("refresh-"),
        "the issuer repeats what it was given: {said}"
    );
    assert!(
        !told
            .ended
            .stdout
            .to_lowercase()
            .contains("www-authenticate"),
        "{}",
        told.ended
    );
    assert!(
        told.ended
            .codes()
            .contains(&"credential-unavailable".to_owned()),
        "{}",
        told.ended
    );

    // The same verb again is the way out.
    assert_eq!(desk.login(&[]).ended.code, 0);
    assert!(desk.agent(CALLS).shown.to_string().contains("one, two"));
}

#[test]
fn an_access_token_without_another_ends_when_it_says() {
    let desk = Desk::new();
    desk.servers.give_no_refresh_tokens();
    let done = desk.login(&[]);
    assert!(
        done.ended.stdout.contains("it is not renewed and ends at"),
        "{}",
        done.ended
    );
    assert!(desk.agent(CALLS).shown.to_string().contains("one, two"));
    desk.servers.set_lifetime(Some(1));
    assert_eq!(desk.login(&[]).ended.code, 0);
    std::thread::sleep(std::time::Duration::from_secs(2));
    let told = desk.agent("c = Client('lab'); show(c.open())");
    assert!(
        told.shown
            .to_string()
            .contains("the login has ended; log in again: ringfence mcp login lab"),
        "{}",
        told.ended
    );
    let listed = desk
        .host
        .ringfence(&["mcp", "server", "list", "--profile", "mcp", "--json"]);
    assert!(listed.stdout.contains(r#""login":"ended""#), "{listed}");
    // RFC 6749 only recommends to say how long it lives.
    desk.servers.set_lifetime(None);
    assert_eq!(desk.login(&[]).ended.code, 0);
    assert!(desk.agent(CALLS).shown.to_string().contains("one, two"));
}

#[test]
fn a_logout_gives_the_tokens_back_and_removes_them() {
    let desk = Desk::new();
    assert_eq!(desk.login(&[]).ended.code, 0);
    assert!(
        desk.servers
            .good()
            .iter()
            .any(|it| it.starts_with("refresh-"))
    );
    let ended = desk.mcp(&["logout", "lab"]);
    assert_eq!(ended.code, 0, "{ended}");
    assert!(
        !desk
            .servers
            .good()
            .iter()
            .any(|it| it.starts_with("refresh-"))
    );
    let told = desk.agent("c = Client('lab'); show(c.open())");
    assert!(
        told.shown.to_string().contains("credential"),
        "{}",
        told.ended
    );
    assert!(
        desk.servers
            .requests(SERVER)
            .iter()
            .all(|it| it.header("authorization").is_none())
    );
}

#[test]
fn clients_that_a_person_registered_log_in_in_each_way() {
    let desk = Desk::new();
    let secret = desk.host.file("secret.txt", format!("{}\n", KNOWN.1));
    let secret = secret.display().to_string();
    let known = ["--client-id", KNOWN.0, "--client-secret-file", &secret];
    assert_eq!(desk.login(&known).ended.code, 0);
    assert!(desk.agent(CALLS).shown.to_string().contains("one, two"));
    assert_eq!(desk.login(&["--client-id", PUBLIC]).ended.code, 0);

    let device = desk.mcp(&["login", "lab", "--client-id", PUBLIC, "--device"]);
    assert_eq!(device.code, 0, "{device}");
    assert!(
        device.stderr.contains("give this code there: WDJB-MJHT"),
        "{device}"
    );

    assert_eq!(desk.mcp(&["logout", "lab"]).code, 0);
    let own = [&["login", "lab", "--client-credentials"], &known[..]].concat();
    let own = desk.mcp(&own);
    assert_eq!(own.code, 0, "{own}");
    let told = desk.agent(CALLS);
    assert!(
        told.shown.to_string().contains("one, two"),
        "{}",
        told.ended
    );
    desk.assert_saw_no_token(&told);
    let registered = desk.servers.requests(LOGIN);
    assert!(registered.iter().all(|it| it.path != "/register"));
    assert!(!own.to_string().contains(KNOWN.1));
}

#[test]
fn an_address_that_a_person_pastes_is_as_good() {
    let desk = Desk::new();
    let done = desk.pasted(|url| url);
    assert_eq!(done.code, 0, "{done}");
    let other = desk.pasted(|url| url.replace("state=", "state=x"));
    assert_eq!(other.code, 77, "{other}");
    assert!(other.stderr.contains("another login"), "{other}");
}

/// One upstream whose login has ended is no other's matter.
#[test]
fn a_server_whose_login_has_ended_harms_no_other() {
    let desk = Desk::new();
    assert_eq!(desk.login(&[]).ended.code, 0);
    desk.servers.revoke_all();
    let told = desk.agent(
        r#"
first = Client("lab").open()
c = connect("open")
show([first, c.ask("tools/list"), Client("lab").open()])
"#,
    );
    let said = told.shown.as_array().unwrap();
    assert!(
        said[0].to_string().contains("log in again"),
        "{}",
        told.ended
    );
    assert!(
        said[1].to_string().contains("401") || said[1].to_string().contains("count"),
        "{}",
        told.ended
    );
    assert!(
        said[2].to_string().contains("log in again"),
        "{}",
        told.ended
    );
}
