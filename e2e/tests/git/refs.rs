//! What a write grant on `refs/heads/agent/**` does not allow: each is refused with its reason, and nothing changes upstream.

use super::forge::Forge;

const BEGIN: &str =
    "git clone -q https://github.com/acme/web.git; cd web; git checkout -q -b agent/x
git config notes.rewriteRef refs/notes/commits
echo 1 > n; git add n; git commit -qm 1; echo 2 > n; git commit -qam 2; git push -q origin agent/x
";

#[test]
fn refs_that_are_not_granted_are_refused_with_the_reason_of_each() {
    let forge = Forge::start();
    forge.works(BEGIN);
    forge
        .server
        .git("acme/web", &["tag", "v1", "main"])
        .unwrap();
    let before = forge.state("acme/web");
    let (steps, _) = forge.steps(
        "cd web; git fetch -q --tags; echo 3 > n; git commit -qam 3; git tag t; git tag -a -m a annotated
         git notes add -m note; git replace HEAD~1 HEAD~2
         step main git push origin HEAD:main
         step new-outside git push origin HEAD:refs/heads/other
         step tag git push origin t
         step annotated git push origin annotated
         step tag-moved git push -f origin HEAD:refs/tags/v1
         step tag-deleted git push origin :refs/tags/v1
         step deleted git push origin :agent/x
         step main-deleted git push origin :main
         step notes git push origin refs/notes/commits
         step replace git push origin 'refs/replace/*'
         step for git push origin HEAD:refs/for/main
         step meta git push origin HEAD:refs/meta/config
         step pull git push origin HEAD:refs/pull/1/head
         step stash git push origin HEAD:refs/stash
         step lookalike git push origin HEAD:refs/heads/Agent/x
         step prefix git push origin HEAD:refs/heads/agentx
         step mirror git push --mirror origin
         step tags git push --follow-tags origin HEAD:agent/x",
    );
    for (name, words) in [
        (
            "main",
            &[
                "! [remote rejected] HEAD -> main (",
                "not to update refs/heads/main",
            ][..],
        ),
        (
            "new-outside",
            &["! [remote rejected]", "not to create refs/heads/other"],
        ),
        (
            "tag",
            &[
                "! [remote rejected] t -> t (",
                "not to create the tag refs/tags/t",
            ],
        ),
        ("annotated", &["not to create the tag refs/tags/annotated"]),
        ("tag-moved", &["not to move the tag refs/tags/v1"]),
        (
            "tag-deleted",
            &["! [remote rejected] v1 (", "not to delete refs/tags/v1"],
        ),
        (
            "deleted",
            &[
                "! [remote rejected] agent/x (",
                "not to delete refs/heads/agent/x",
            ],
        ),
        ("main-deleted", &["not to delete refs/heads/main"]),
        ("notes", &["not to create refs/notes/commits"]),
        ("replace", &["not to create refs/replace/"]),
        ("for", &["not to create refs/for/main"]),
        ("meta", &["not to create refs/meta/config"]),
        ("pull", &["not to create refs/pull/1/head"]),
        ("stash", &["not to create refs/stash"]),
        ("lookalike", &["not to create refs/heads/Agent/x"]),
        ("prefix", &["not to create refs/heads/agentx"]),
        ("mirror", &["! [remote rejected]"]),
        ("tags", &["not to create the tag refs/tags/annotated"]),
    ] {
        steps[name].assert_refused(name, words);
    }
    assert_eq!(forge.state("acme/web"), before);
}

#[test]
fn a_branch_does_not_go_anywhere_but_forward() {
    let forge = Forge::start();
    forge.works(BEGIN);
    let before = forge.state("acme/web");
    let (steps, _) = forge.steps(
        "cd web
         git checkout -q -b amended agent/x; git commit -q --amend -m other; step amended git push -f origin amended:agent/x
         git checkout -q -b reset agent/x; git reset -q --hard HEAD~1; step reset git push -f origin reset:agent/x
         git checkout -q -b rebased main; echo r > r; git add r; git commit -qm r; git cherry-pick agent/x~1 agent/x > /tmp/picked
         step rebased git push -f origin rebased:agent/x
         step upstream-commit git push -f origin origin/main:agent/x
         git checkout -q --orphan orphan; git commit -qm orphan; step unrelated git push -f origin orphan:agent/x
         step by-plus git push origin +orphan:agent/x
         step leased git push --force-with-lease origin orphan:agent/x",
    );
    for (name, step) in &steps {
        step.assert_refused(
            name,
            &[
                "! [remote rejected]",
                "forward, and this push moves it elsewhere",
            ],
        );
    }
    assert_eq!(steps.len(), 7);
    assert_eq!(forge.state("acme/web"), before);
    forge.works("cd web; git checkout -q agent/x; echo 3 > n; git commit -qam 3; git push -q origin agent/x");
    assert_ne!(forge.state("acme/web"), before);
}

#[test]
fn of_several_refs_none_moves_where_one_is_refused() {
    let forge = Forge::start();
    forge.works(BEGIN);
    let before = forge.state("acme/web");
    let (steps, _) = forge.steps(
        "cd web; echo 3 > n; git commit -qam 3
         step plain git push origin HEAD:agent/x HEAD:agent/y HEAD:main
         step atomic git push --atomic origin HEAD:agent/x HEAD:main
         git checkout -q -b wild main; echo w > w; git add w; git commit -qm w
         step judged-later git push -f origin wild:agent/z wild:agent/x",
    );
    for (name, step) in &steps {
        step.assert_refused(name, &["! [remote rejected]"]);
        let about = if name == "judged-later" {
            "refs/heads/agent/x"
        } else {
            "refs/heads/main"
        };
        assert!(step.said.contains(about), "{name}: {}", step.said);
        let rejected = step.said.matches("! [remote rejected]").count();
        let refs = if name == "plain" { 3 } else { 2 };
        assert_eq!(rejected, refs, "{name}: {}", step.said);
    }
    assert_eq!(forge.state("acme/web"), before);
    forge.works("cd web; git push -q --atomic origin agent/x:agent/x agent/x:agent/y");
    assert!(forge.resolve("acme/web", "refs/heads/agent/y").is_some());
}

#[test]
fn push_options_are_refused_where_no_rule_lists_them() {
    let forge = Forge::start();
    forge
        .server
        .git(
            "acme/web",
            &["config", "receive.advertisePushOptions", "true"],
        )
        .unwrap();
    forge.works(BEGIN);
    let before = forge.state("acme/web");
    let (steps, _) = forge.steps(
        "cd web; echo 3 > n; git commit -qam 3
         step option git push -o merge_request.create origin HEAD:agent/x",
    );
    // A client that is not offered them refuses by itself.
    assert_ne!(steps["option"].code, 0);
    assert!(
        steps["option"]
            .said
            .contains("does not support push options")
    );
    assert_eq!(forge.state("acme/web"), before);
    let rule =
        super::forge::RULES.replace("      refs:", "      pushOptions: [ci.skip]\n      refs:");
    forge.rules(&rule);
    let (steps, _) = forge.steps(
        "cd web; step other git push -o merge_request.create origin HEAD:agent/x
         step both git push -o ci.skip -o ci.variable=A=b origin HEAD:agent/x",
    );
    steps["other"].assert_refused("other", &["push option \"merge_request.create\""]);
    steps["both"].assert_refused("both", &["push option \"ci.variable=A=b\""]);
    assert_eq!(forge.state("acme/web"), before);
    forge.works("cd web; git push -q -o ci.skip origin HEAD:agent/x");
    assert_ne!(forge.state("acme/web"), before);
}

#[test]
fn what_stands_for_another_ref_upstream_does_not_lead_to_it() {
    let forge = Forge::start();
    forge
        .server
        .git(
            "acme/web",
            &["symbolic-ref", "refs/heads/agent/alias", "refs/heads/main"],
        )
        .unwrap();
    let before = forge.state("acme/web");
    let (steps, _) = forge.steps(
        "git clone -q https://github.com/acme/web.git; cd web; echo 3 > n; git add n; git commit -qm 3
         step alias git push origin HEAD:refs/heads/agent/alias",
    );
    steps["alias"].assert_refused("alias", &["! [remote rejected]"]);
    assert_eq!(forge.state("acme/web"), before);
}
