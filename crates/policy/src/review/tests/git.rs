//! The same for git rules.

use super::*;
use crate::document::ProfileRule;

const GIT: &str = "gitUpstreams:
  - {name: corp, kind: gitea, host: git.corp.test, credential: corp-git}
git:
  - allow: {id: docs, repo: github/acme/docs}
  - allow: {id: web, repo: 'github/acme/{web,api}.git', access: write, refs: {'refs/heads/agent/**': [create, fast-forward]}, credential: app}
  - allow: {id: corp, repo: 'corp/**', access: write, approval: required, commits: {authors: ['*@acme.test']}}
  - forbid: {id: secret, repo: 'github/acme/secret*'}
tests:
  - allow: {git: {repo: github/acme/docs, fetch: true}}
  - deny: {git: {repo: github/acme/docs, push: refs/heads/x}}
  - allow: {git: {repo: github/ACME/web.git, push: refs/heads/agent/x}}
  - allow: {git: {repo: github/acme/web, push: refs/heads/agent/x, change: create}}
  - deny: {git: {repo: github/acme/web, push: refs/heads/agent/x, change: force}}
  - deny: {git: {repo: github/acme/web, push: refs/heads/agent/x, change: delete}}
  - deny: {git: {repo: github/acme/web, push: refs/heads/agent/x, options: [ci.skip]}}
  - deny: {git: {repo: github/acme/web, push: refs/heads/main}}
  - deny: {git: {repo: github/acme/web, push: refs/tags/v1}}
  - deny: {git: {repo: github/acme/secret, fetch: true}}
  - allow: {git: {repo: corp/team/x, push: refs/heads/x}}
  - allow: {connect: 'git.ringfence.internal:443'}
";

fn git_actions() -> Vec<Action> {
    let profile = &profiles(GIT)[0];
    let tests = profile.tests.iter();
    tests
        .map(|test| test.tried().action_in(profile).unwrap())
        .collect()
}

#[test]
fn git_rules_are_tested_explained_and_suggested() {
    let outcomes = run_tests(&profiles(GIT), now()).unwrap();
    let failed: Vec<_> = outcomes
        .iter()
        .filter(|it| !it.passed)
        .map(ToString::to_string)
        .collect();
    assert_eq!(failed, Vec::<String>::new());
    assert_eq!(outcomes.len(), 12);
    let snapshot = Snapshot::compile(Generation(7), &profiles(GIT)).unwrap();
    assert_eq!(snapshot.rule_count(), 4);
    let report: Vec<_> = git_actions()
        .iter()
        .map(|action| {
            let suggested = snapshot.suggest(action, now());
            let suggested = suggested.map_or_else(|| "nothing".to_owned(), |rule| rule.to_line());
            format!(
                "{action}\n{}suggested: {suggested}\n",
                snapshot.explain(action, now())
            )
        })
        .collect();
    insta::assert_snapshot!(report.join("\n"));
}

#[test]
fn a_suggested_git_rule_allows_what_was_denied() {
    let all = profiles(GIT);
    let snapshot = Snapshot::compile(Generation(7), &all).unwrap();
    let mut count = 0;
    for action in git_actions() {
        let Some(ProfileRule::Git(rule)) = snapshot.suggest(&action, now()) else {
            continue;
        };
        count += 1;
        let yaml = format!(
            "gitUpstreams:\n  - {}\ngit:\n  - {}\n",
            all[0].git_upstreams[0].to_line(),
            rule.to_line()
        );
        let again = Snapshot::compile(Generation(8), &profiles(&yaml)).unwrap();
        let decision = again.decide(&action, now()).decision;
        assert!(decision.is_allow(), "{yaml}{}", decision.reason);
    }
    assert_eq!(count, 6);
}

#[test]
fn changes_of_git_rules_and_servers_are_differences() {
    let after = GIT
        .replace("git.corp.test", "git2.corp.test")
        .replace(
            "access: write, refs",
            "access: write, tokenRequired: true, refs",
        )
        .replace(
            "  - forbid: {id: secret, repo: 'github/acme/secret*'}\n",
            "",
        );
    let after = after.split("tests:").next().unwrap();
    let found = diff(&profiles(GIT), &profiles(after), &git_actions(), now()).unwrap();
    insta::assert_snapshot!(found);
    let moved = GIT.replace("  - allow: {id: docs, repo: github/acme/docs}\n", "");
    let moved = moved.replace(
        "  - forbid: {id: secret",
        "  - allow: {id: docs, repo: github/acme/docs}\n  - forbid: {id: secret",
    );
    let same = diff(&profiles(GIT), &profiles(&moved), &[], now()).unwrap();
    assert_eq!(same, PolicyDiff::default());
}

#[test]
fn a_git_rule_on_one_line_reads_back_as_itself() {
    for profile in profiles(GIT) {
        for rule in &profile.git {
            let yaml = format!(
                "gitUpstreams:\n  - {}\ngit:\n  - {}\n",
                profile.git_upstreams[0].to_line(),
                rule.to_line()
            );
            let again = &profiles(&yaml)[0];
            assert_eq!(again.git.first(), Some(rule), "{yaml}");
            assert_eq!(again.git_upstreams, profile.git_upstreams);
        }
    }
}

#[test]
fn recorded_git_actions_are_simulated() {
    let observed: Vec<_> = git_actions()
        .into_iter()
        .map(|action| Observed {
            action,
            effect: Effect::Allow,
            count: 2,
        })
        .collect();
    let snapshot = Snapshot::compile(Generation(7), &profiles(GIT)).unwrap();
    let simulation = simulate(&snapshot, &observed, now());
    assert_eq!(simulation.newly_denied.len(), 7);
    assert_eq!(simulation.unchanged, 10);
    let json = serde_json::to_string(&observed[2].action).unwrap();
    assert_eq!(
        serde_json::from_str::<Action>(&json).unwrap(),
        observed[2].action
    );
}
