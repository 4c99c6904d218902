//! With a write grant on `refs/heads/agent/**`, what goes forward there arrives.

use super::forge::Forge;

const WEB: &str = "https://github.com/acme/web.git";

#[test]
fn a_branch_is_made_and_moved_forward_by_both_addresses() {
    let forge = Forge::start();
    let ended = forge.works(&format!(
        "git clone -q {WEB}; cd web; git checkout -q -b agent/x
         echo one > n; git add n; git commit -qm one; git push -q -u origin agent/x; git rev-parse HEAD
         echo two > n; git commit -qam two; git push -q; git rev-parse HEAD
         git push -q https://git.ringfence.internal/github/acme/web HEAD:refs/heads/agent/short
         git push origin origin/main:refs/heads/agent/old 2>&1 | grep -c 'new branch'
         git fetch -q; git rev-parse origin/agent/short"
    ));
    let x = forge.resolve("acme/web", "refs/heads/agent/x").unwrap();
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(lines[1..], [x.as_str(), "1", x.as_str()], "{ended}");
    assert!(forge.server.has_object("acme/web", lines[0]));
    let main = forge.resolve("acme/web", "refs/heads/main");
    assert_eq!(forge.resolve("acme/web", "refs/heads/agent/old"), main);
}

#[test]
fn a_merge_is_a_step_forward_also_where_the_old_commit_is_its_second_parent() {
    let forge = Forge::start();
    let ended = forge.works(&format!(
        "git clone -q {WEB}; cd web; git checkout -q -b agent/x
         echo one > one; git add one; git commit -qm one; git push -q origin agent/x
         git checkout -q -b other main; echo two > two; git add two; git commit -qm two
         git merge -q --no-ff -m merged agent/x
         git push -q origin HEAD:agent/x; git rev-parse HEAD"
    ));
    let x = forge.resolve("acme/web", "refs/heads/agent/x");
    assert_eq!(x.as_deref(), Some(ended.stdout.trim()), "{ended}");
}

#[test]
fn a_step_forward_to_what_is_upstream_already_is_proven_by_asking() {
    let forge = Forge::start();
    let ended = forge.works(&format!(
        "git clone -q {WEB}; cd web
         git push -q origin origin/main:refs/heads/agent/x
         echo 1 > n; git add n; git commit -qm 1; echo 2 > n; git commit -qam 2
         git push -q origin HEAD:agent/ahead
         git push -q origin HEAD:agent/x; git rev-parse HEAD"
    ));
    let x = forge.resolve("acme/web", "refs/heads/agent/x");
    assert_eq!(x.as_deref(), Some(ended.stdout.trim()), "{ended}");
}

#[test]
fn shallow_and_partial_clones_push() {
    let forge = Forge::start();
    for number in 0..4 {
        let text = format!("{number}\n");
        forge
            .server
            .commit("acme/web", &[("n", text.as_bytes())])
            .unwrap();
    }
    let ended = forge.works(&format!(
        "git clone -q --depth 1 {WEB} shallow; git clone -q --filter=blob:none {WEB} partial
         for kind in shallow partial; do
             cd $kind; git checkout -q -b agent/$kind
             echo 1 > m; git add m; git commit -qm 1; git push -q origin agent/$kind
             echo 2 > m; git commit -qam 2; git push -q origin agent/$kind
             git rev-parse HEAD; cd ..
         done"
    ));
    let tips = ["shallow", "partial"].map(|kind| {
        let name = format!("refs/heads/agent/{kind}");
        forge.resolve("acme/web", &name).unwrap()
    });
    assert_eq!(ended.stdout.lines().collect::<Vec<_>>(), tips, "{ended}");
    assert_eq!(
        forge.server.git("acme/web", &["fsck", "--strict"]).unwrap(),
        ""
    );
}

#[test]
fn a_push_negotiates_where_the_client_is_set_to() {
    let forge = Forge::start();
    let ended = forge.works(&format!(
        "git clone -q {WEB}; cd web; git config push.negotiate true
         echo 1 > n; git add n; git commit -qm 1
         git push -q origin HEAD:agent/x; git rev-parse HEAD"
    ));
    let x = forge.resolve("acme/web", "refs/heads/agent/x");
    assert_eq!(x.as_deref(), Some(ended.stdout.trim()), "{ended}");
}

#[test]
fn force_delete_and_tags_work_where_a_rule_says_so() {
    let rules = r#"  - allow:
      repo: github/acme/web
      access: write
      refs: { "refs/heads/agent/**": [create, fast-forward, force, delete], "refs/tags/agent-*": [tag-create, tag-move, delete] }
      pushOptions: ["ci.skip"]
      paths: { deny: [] }
      credential: forge
"#;
    let forge = Forge::with_rules(rules);
    forge
        .server
        .git(
            "acme/web",
            &["config", "receive.advertisePushOptions", "true"],
        )
        .unwrap();
    let seen = forge.host.workdir().join("options");
    let note = format!(
        "echo $GIT_PUSH_OPTION_COUNT:$GIT_PUSH_OPTION_0 >> {}",
        seen.display()
    );
    forge.server.hook("acme/web", "pre-receive", &note).unwrap();
    let ended = forge.works(&format!(
        "git clone -q {WEB}; cd web; git checkout -q -b agent/x
         echo 1 > n; git add n; git commit -qm 1; git push -q origin agent/x agent/x:agent/gone
         git commit -q --amend -m 2; git push -q -f origin agent/x
         git push -q origin :agent/gone
         git tag -a -m t agent-1; git push -q origin agent-1
         git tag -f -a -m u agent-1 HEAD~1 > /tmp/tagged; git push -q -f origin agent-1
         git push -q --atomic -o ci.skip origin HEAD:agent/y HEAD:agent/z
         echo on: pull_request > .github/workflows/ci.yml; git commit -qam ci; git push -q origin agent/x
         git rev-parse HEAD agent-1"
    ));
    let tips = ["refs/heads/agent/x", "refs/tags/agent-1"];
    let tips = tips.map(|name| forge.resolve("acme/web", name).unwrap());
    assert_eq!(ended.stdout.lines().collect::<Vec<_>>(), tips, "{ended}");
    assert_eq!(forge.resolve("acme/web", "refs/heads/agent/gone"), None);
    let options = std::fs::read_to_string(seen).unwrap();
    assert_eq!(options.matches("1:ci.skip\n").count(), 1, "{options}");
}
