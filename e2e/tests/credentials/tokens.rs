//! Tokens: one sandbox, one scope, until the run ends or a person takes it back.

use ringfence_testkit::api::ApiResponse;
use serde_json::Value;

use super::desk::{Desk, SECRET};

/// Two APIs, each with a credential of its own and a token for it.
const TWO: &str = "apiVersion: ringfence/v1
kind: Profile
name: two
tokens:
  - { env: [API_TOKEN], credentials: [acme] }
  - { env: [CRM_TOKEN], credentials: [crm] }
api:
  - allow: { host: api.acme.test, credential: acme }
  - allow: { host: crm.acme.test, credential: crm }
  - allow: { host: strict.acme.test, credential: strict, tokenRequired: true }
";

/// Functions for scripts: `ask TOKEN URL` prints the status and the reason of a refusal.
const ASK: &str = "
ask() {
    curl -sS -o answer -D head -w '%{http_code} ' -H \"Authorization: Bearer $1\" \"$2\"
    sed -nE 's/^x-ringfence-reason: ([a-z-]+).*/\\1/Ip' head | tail -1 | grep . || echo
}
";

fn desk() -> (Desk, Vec<ringfence_testkit::api::Api>) {
    let mut desk = Desk::new();
    let mut apis = Vec::new();
    for (credential, host) in [
        ("acme", "api.acme.test"),
        ("crm", "crm.acme.test"),
        ("strict", "strict.acme.test"),
    ] {
        apis.push(desk.api(host, |_| ApiResponse::new(200, "done")));
        desk.add(credential, "bearer", host, SECRET);
    }
    desk.host.profile("two", TWO);
    (desk, apis)
}

#[test]
fn a_token_of_another_run_is_refused_and_found_while_that_run_lasts_and_after() {
    let (desk, apis) = desk();
    let first = desk.spawn(
        "two",
        &format!(
            "{ASK} ask $API_TOKEN https://api.acme.test/; echo $API_TOKEN > theirs; step taken"
        ),
    );
    desk.wait_for("taken");
    let token = desk.read("theirs");
    assert!(token.starts_with("rf_") && token.len() == 47, "{token}");
    let present = format!(
        "{ASK}
         ask $(cat theirs) https://api.acme.test/
         ask $API_TOKEN https://api.acme.test/
         curl -sS -o /dev/null -w '%{{http_code}}\\n' -u user:$(cat theirs) https://api.acme.test/
         curl -sS -o /dev/null -w '%{{http_code}}\\n' \"https://api.acme.test/?key=$(cat theirs)\"
         curl -sS -o /dev/null -w '%{{http_code}}\\n' -H \"X-Other: $(cat theirs)\" https://api.acme.test/"
    );
    let during = desk.host.run().profile("two").sh(&present);
    let refused = "403 token-invalid\n200 \n403\n403\n403\n";
    assert_eq!(during.stdout, refused, "{during}");
    let refused_during = desk.findings();
    desk.go("taken");
    assert_eq!(first.wait().stdout, "200 \n");
    let after = desk.host.run().profile("two").sh(&present);
    assert_eq!(after.stdout, refused, "{after}");
    // One of the first run and one of each of the others.
    assert_eq!(apis[0].requests().len(), 3);
    let is_foreign = |(code, _): &&(String, String)| code == "foreign-token";
    assert!(
        refused_during.iter().filter(is_foreign).count() >= 1,
        "{refused_during:?}"
    );
    let findings = desk.findings();
    assert!(
        findings.iter().filter(is_foreign).count() >= 5,
        "{findings:?}"
    );
    for (_, detail) in findings {
        assert!(!detail.contains(token.trim()), "{detail}");
    }
}

#[test]
fn a_token_counts_for_its_credentials_only_and_is_wanted_where_a_rule_says_so() {
    let (desk, apis) = desk();
    let ended = desk.host.run().profile("two").sh(&format!(
        "{ASK}
         ask $API_TOKEN https://crm.acme.test/
         ask $CRM_TOKEN https://crm.acme.test/
         ask nothing https://strict.acme.test/
         ask $CRM_TOKEN https://strict.acme.test/
         ask rf_{} https://api.acme.test/",
        "A".repeat(43)
    ));
    assert_eq!(
        ended.stdout,
        "403 token-invalid\n200 \n403 token-missing\n403 token-invalid\n403 token-invalid\n",
        "{ended}"
    );
    let counts: Vec<_> = apis.iter().map(|api| api.requests().len()).collect();
    assert_eq!(counts, [0, 1, 0]);
}

#[test]
fn a_revoked_token_is_refused_at_once_and_a_listed_one_is_never_shown() {
    let (desk, apis) = desk();
    let running = desk.spawn(
        "two",
        &format!(
            "{ASK} echo $API_TOKEN > mine; ask $API_TOKEN https://api.acme.test/; step revoked
             ask $API_TOKEN https://api.acme.test/; ask $CRM_TOKEN https://crm.acme.test/"
        ),
    );
    desk.wait_for("revoked");
    let listed = desk.ringfence(&["token", "list", "--json"]).stdout;
    let tokens: Vec<Value> = listed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(tokens.len(), 2, "{listed}");
    let of_acme = |token: &&Value| token["credentials"] == serde_json::json!(["acme"]);
    let token = tokens.iter().find(of_acme).unwrap();
    desk.ringfence(&["token", "revoke", token["id"].as_str().unwrap()]);
    desk.go("revoked");
    let ended = running.wait();
    // The gateway hears of it a moment later (100 ms are promised). A request that begins before is
    // taken back while it is under way; either way the agent gets no answer.
    let is_before = ended.stdout == "200 \n403 revoked\n200 \n";
    let is_after = ended.stdout == "200 \n403 token-invalid\n200 \n";
    assert!(is_before || is_after, "{ended}");
    assert!(apis[0].requests().len() <= 1 + usize::from(is_before));
    assert!(!listed.contains(desk.read("mine").trim()), "{listed}");
    let after = desk.ringfence(&["token", "list", "--json"]).stdout;
    assert_eq!(after, "", "a token ends with its run");
    let all = desk.ringfence(&["token", "list", "--all", "--json"]).stdout;
    assert_eq!(all.lines().count(), 2, "{all}");
}
