//! `approval: required`: a push is held until a person outside has approved exactly its refs and objects.

use std::fs;

use ringfence_testkit::poll;
use serde_json::Value;

use super::forge::{Forge, Step};

const RULES: &str = r#"  - allow:
      id: web
      repo: github/acme/web
      access: write
      refs: { "refs/heads/agent/**": [create, fast-forward] }
      approval: required
      credential: forge
"#;

const BEGIN: &str = "git clone -q https://github.com/acme/web.git; cd web
echo 1 > n; git add n; git commit -qm 1
";

/// What the agent is told before the id of the event.
const ASKED: &str = "a person has to approve this push: ringfence git approve ";

impl Forge {
    /// What the person does; it must succeed.
    fn person(&self, arguments: &[&str]) -> String {
        let ended = self.host.ringfence(&[&["git"], arguments].concat());
        assert_eq!(ended.code, 0, "{ended}");
        ended.stdout
    }

    /// The pushes that wait.
    fn waiting(&self) -> Vec<Value> {
        serde_json::from_str(&self.person(&["approvals", "--json"])).unwrap()
    }

    /// Has the agent push a new commit to `agent/x`, which is held. Returns the event.
    fn held(&self) -> String {
        let (steps, _) = self.steps(&format!("{BEGIN}step held git push origin HEAD:agent/x"));
        let event = steps["held"].held();
        assert_eq!(self.resolve("acme/web", "refs/heads/agent/x"), None);
        event
    }

    /// Has the agent push the same again.
    fn again(&self) -> Step {
        let (mut steps, _) = self.steps("cd web; step again git push origin HEAD:agent/x");
        steps.remove("again").unwrap()
    }
}

impl Step {
    /// The event that a person is asked to approve, in git's own output.
    fn held(&self) -> String {
        self.assert_refused("held", &["! [remote rejected]", "approval-needed", ASKED]);
        let (_, after) = self.said.split_once(ASKED).unwrap();
        let event: String = after.chars().take(36).collect();
        assert!(
            self.said.contains(&format!("(event {event})")),
            "{}",
            self.said
        );
        event
    }
}

#[test]
fn exactly_the_push_that_was_approved_passes() {
    let forge = Forge::with_rules(RULES);
    let before = forge.state("acme/web");
    let event = forge.held();
    let waiting = forge.waiting();
    let tip = forge.works("cd web; git rev-parse HEAD").stdout;
    assert_eq!(waiting.len(), 1, "{waiting:?}");
    let (push, update) = (&waiting[0], &waiting[0]["push"]["updates"][0]);
    assert_eq!(push["event"], event.as_str());
    assert_eq!(push["agent"], "local");
    assert_eq!(push["push"]["repo"], "github/acme/web");
    assert_eq!(push["facts"]["commits"], 1);
    assert_eq!(update["name"], "refs/heads/agent/x");
    assert_eq!(update["new"], tip.trim());
    let said = forge.person(&["approve", &event]);
    for word in [
        "approved until",
        "local",
        "github/acme/web",
        "refs/heads/agent/x",
        tip.trim(),
    ] {
        assert!(said.contains(word), "no {word:?} in: {said}");
    }

    let (steps, _) = forge.steps(
        "cd web; git checkout -q -b more; echo 2 > n; git commit -qam 2
         step more git push origin more:agent/x
         git checkout -q -b amended HEAD~1; git commit -q --amend -m 3
         step amended git push origin amended:agent/x
         git checkout -q main
         step elsewhere git push origin HEAD:agent/y
         step both git push origin HEAD:agent/x HEAD:agent/y",
    );
    for (name, step) in steps {
        assert_ne!(step.held(), event, "{name}");
    }
    let other = forge
        .run()
        .option("--agent", "other")
        .sh("cd web; git push origin HEAD:agent/x");
    assert!(other.stderr.contains(ASKED), "{other}");
    assert_eq!(forge.state("acme/web"), before);

    let pushed = forge.again();
    assert_eq!(pushed.code, 0, "{}", pushed.said);
    let x = forge.resolve("acme/web", "refs/heads/agent/x");
    assert_eq!(x.as_deref(), Some(tip.trim()));
    let events: Vec<Value> = forge.waiting();
    let left = events.iter().map(|push| &push["event"]);
    assert!(
        left.clone().all(|left| *left != event.as_str()),
        "{events:?}"
    );
    assert_eq!(left.count(), 5);
    let approved = |record: &Value| record["closing"]["git"]["approved"] == true;
    assert_eq!(
        forge
            .host
            .events()
            .iter()
            .filter(|event| approved(event))
            .count(),
        1
    );
    let notices = forge.host.records();
    let notice = notices
        .iter()
        .find(|record| record["kind"]["notice"] == "push-approved");
    assert_eq!(notice.unwrap()["kind"]["event"], event.as_str());
}

#[test]
fn an_approval_counts_at_once_for_a_run_that_goes_on() {
    let forge = Forge::with_rules(RULES);
    let script = "set -e; export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@acme.test GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@acme.test\n";
    let running = forge.run().spawn(&[
        "bash",
        "-c",
        &format!(
            "{script}{BEGIN}git push origin HEAD:agent/x 2> said && exit 9
             mv said held; until [ -e go ]; do sleep 0.05; done
             git push -q origin HEAD:agent/x"
        ),
    ]);
    let web = forge.host.project().join("web");
    let said = poll::until("the refusal", || {
        Ok(fs::read_to_string(web.join("held")).ok())
    })
    .unwrap();
    let (_, after) = said.split_once(ASKED).unwrap();
    forge.person(&["approve", after.get(..36).unwrap()]);
    fs::write(web.join("go"), "").unwrap();
    let ended = running.wait();
    assert_eq!(ended.code, 0, "{ended}");
    assert!(forge.resolve("acme/web", "refs/heads/agent/x").is_some());
}

#[test]
fn an_approval_ends() {
    let forge = Forge::with_rules(RULES);
    let event = forge.held();
    forge.person(&["approve", &event, "--for", "1s"]);
    poll::until_true("the end", || forge.waiting().is_empty()).unwrap();
    let held = forge.again().held();
    assert_eq!(forge.resolve("acme/web", "refs/heads/agent/x"), None);
    let waiting = forge.waiting();
    assert_eq!(waiting.len(), 1, "{waiting:?}");
    assert_eq!(waiting[0]["event"], held.as_str());
}

#[test]
fn a_push_that_was_rejected_or_whose_approval_was_revoked_does_not_pass() {
    let forge = Forge::with_rules(RULES);
    let event = forge.held();
    for how in [&["reject"][..], &["approve", "revoke"]] {
        for verb in how {
            forge.person(&[verb, &event]);
        }
        forge
            .again()
            .assert_refused("again", &["a person has rejected this push"]);
        assert!(forge.waiting().is_empty());
    }
    assert_eq!(forge.resolve("acme/web", "refs/heads/agent/x"), None);
}

#[test]
fn nobody_is_asked_about_a_push_that_would_not_pass() {
    let forge = Forge::with_rules(RULES);
    let (steps, _) = forge.steps(&format!(
        "{BEGIN}step main git push origin HEAD:main
         echo on: push > .github/workflows/ci2.yml; git add .github; git commit -qm ci
         step workflow git push origin HEAD:agent/x"
    ));
    steps["main"].assert_refused("main", &["ref-not-allowed"]);
    steps["workflow"].assert_refused("workflow", &["content-refused"]);
    for (name, step) in &steps {
        assert!(!step.said.contains(ASKED), "{name}: {}", step.said);
    }
    assert_eq!(forge.waiting(), Vec::<Value>::new());
}

#[test]
fn the_agent_cannot_approve_its_own_push() {
    let forge = Forge::with_rules(RULES);
    let event = forge.held();
    forge.person(&["approve", &event]);
    // What it would have to write.
    let folder = forge.host.data().join("approvals");
    let reply = fs::read_dir(&folder).unwrap().next().unwrap().unwrap();
    let text = fs::read_to_string(reply.path()).unwrap();
    fs::remove_file(reply.path()).unwrap();
    forge.host.file("reply.json", &text);
    let name = reply.file_name();
    fs::copy(forge.host.program(), forge.host.project().join("ringfence")).unwrap();
    let data = folder.display();
    let script = format!(
        "step version ./ringfence --version
         step approve ./ringfence git approve {event}
         step visible ls {data}
         mkdir -p {data} || true; cp reply.json {data}/{} || true
         cd web; step again git push origin HEAD:agent/x",
        name.display()
    );
    let (steps, _) = forge.steps(&script);
    assert_eq!(steps["version"].code, 0, "{}", steps["version"].said);
    assert_ne!(steps["approve"].code, 0, "{}", steps["approve"].said);
    assert_ne!(steps["visible"].code, 0, "{}", steps["visible"].said);
    steps["again"].held();
    assert!(!reply.path().exists());
    assert_eq!(forge.resolve("acme/web", "refs/heads/agent/x"), None);
}

#[test]
fn only_an_event_of_a_held_push_can_be_approved() {
    let forge = Forge::with_rules(RULES);
    forge.held();
    let events = forge.host.events();
    let other = events
        .iter()
        .find(|event| event["action"]["operation"] != "push");
    let other = other.unwrap()["id"].as_str().unwrap();
    for event in [other, "0192f0c1-0000-7000-9000-000000000001", "HEAD"] {
        for verb in ["approve", "reject"] {
            let ended = forge.host.ringfence(&["git", verb, event]);
            assert_eq!(ended.code, 64, "{ended}");
        }
    }
    assert!(!forge.host.data().join("approvals").exists());
}
