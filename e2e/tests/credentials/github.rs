//! `gh`, unchanged, with a token of Ringfence's: it reads a private repository and opens a pull request.

use ringfence_e2e::Ended;
use ringfence_testkit::process::{command, run};
use serde_json::Value;

use super::desk::{Desk, GITHUB_TOKEN};
use super::encodings::encodings;

const WORK: &str = r#"
set -e
for token in "$GH_TOKEN" "$GITHUB_TOKEN"; do
    case $token in rf_*) echo "a token of Ringfence's" ;; esac
done
git rev-parse --is-inside-work-tree
gh repo view acme/web
gh pr create -R acme/web --head agent/x --base main --title T --body B
gh pr view 1 -R acme/web
gh issue list -R acme/web
gh api repos/acme/web --jq .full_name
curl -sS --fail -H "Authorization: Bearer $GH_TOKEN" https://api.github.com/repos/acme/web/issues
curl -sS --fail -L -o /dev/null https://api.github.com/repos/acme/web
"#;

#[test]
fn gh_reads_a_private_repository_and_opens_a_pull_request() {
    let mut desk = Desk::new();
    let github = desk.github();
    let mut git = command("git");
    desk.host
        .user()
        .run_as(&mut git)
        .current_dir(desk.host.project());
    run(git.args(["init", "-q", "-b", "main"])).unwrap();
    let ended = desk.host.run().profile("github-pr").sh(WORK);
    assert_eq!(ended.code, 0, "{ended}");
    for words in [
        "a token of Ringfence's\na token of Ringfence's\ntrue\n",
        "What customers see",
        "# Web",
        "https://github.com/acme/web/pull/1\n",
        "title:\tT\n",
        "The login page is slow",
        "\nacme/web\n",
    ] {
        assert!(ended.stdout.contains(words), "{words}: {ended}");
    }
    let opened = github.opened();
    assert_eq!(opened.len(), 1, "{opened:?}");
    assert_eq!(opened[0].repository, "acme/web");
    assert_eq!(opened[0].fields["title"], "T");
    assert_eq!(opened[0].fields["head"], "agent/x");
    assert!(github.writes().is_empty(), "{:?}", github.writes());
    let expected = format!("Bearer {GITHUB_TOKEN}");
    for request in github.requests() {
        assert_eq!(request.header("authorization"), Some(expected.as_str()));
        let text = format!("{request:?} {}", String::from_utf8_lossy(&request.body));
        assert!(!text.contains("rf_"), "{text}");
    }
    assert_recorded(&desk, &ended);
}

/// Each request is recorded with the rule, the credential, and whether it reads or writes; never with the credential's value.
fn assert_recorded(desk: &Desk, ended: &Ended) {
    let is_request = |event: &&Value| event["action"]["kind"] == "http";
    let requests: Vec<&Value> = ended.events.iter().filter(is_request).collect();
    assert!(requests.len() >= 8, "{ended}");
    for event in &requests {
        let decision = &event["decision"];
        assert_eq!(decision["credential"], "github", "{event}");
        let rule = decision["rule"].as_str().unwrap();
        assert!(rule.starts_with("github-pr/api/"), "{event}");
        let is_write = rule.ends_with("-open");
        let access = if is_write { "write" } else { "read" };
        assert_eq!(decision["access"], access, "{event}");
    }
    let writes = requests
        .iter()
        .filter(|event| event["decision"]["access"] == "write");
    assert_eq!(writes.count(), 1, "{ended}");
    let listed = desk.ringfence(&["events"]).stdout;
    let written = listed.lines().find(|line| line.contains("-graphql-open"));
    let written = written.unwrap_or_else(|| panic!("{listed}"));
    assert!(written.contains("write"), "{written}");
    assert!(written.contains("credential github"), "{written}");
    let shown = desk.ringfence(&["credential", "show", "github"]).stdout;
    assert!(shown.contains("api.github.com"), "{shown}");
    for form in encodings(GITHUB_TOKEN) {
        assert!(!ended.to_string().contains(&form), "{form}: {ended}");
        assert!(!listed.contains(&form), "{form}: {listed}");
        assert!(!shown.contains(&form), "{form}: {shown}");
    }
}
