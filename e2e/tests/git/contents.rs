//! What a push holds: files that run something, and credentials. All of it is looked at, wherever in the pack it is.

use serde_json::Value;

use super::forge::{Forge, TOKEN};
use crate::credentials::encodings::places;

const BEGIN: &str =
    "git clone -q https://github.com/acme/web.git; cd web; git checkout -q -b agent/x
echo 1 > n; git add n; git commit -qm 1; git push -q origin agent/x
fresh() { git checkout -q -f -B try agent/x; git clean -qfd; }
";

const DENIED: &str = "rule agent/git/web denies";

#[test]
fn files_that_run_something_are_not_changed_by_any_way() {
    let forge = Forge::start();
    forge.works(BEGIN);
    let before = forge.state("acme/web");
    let (steps, _) = forge.steps(
        "cd web; fresh() { git checkout -q -f -B try agent/x; git clean -qfd; }
         try() { git add -A; git commit -qm \"$1\"; step $1 git push origin HEAD:refs/heads/agent/$1; }
         fresh; echo evil >> .github/workflows/ci.yml; try changed
         fresh; echo evil > .github/workflows/new.yml; try made
         fresh; git rm -q .github/workflows/ci.yml; try deleted
         fresh; cp ci/build.yml .github/workflows/copy.yml; try copied
         fresh; git mv ci .github/workflows/ci; try directory-moved
         fresh; git mv .github/workflows workflows; try moved-away
         fresh; git mv .github hub; git commit -qm away; git mv hub .github; echo x > .github/workflows/x; try there-and-back
         fresh; mkdir -p .GitHub/Workflows; echo evil > .GitHub/Workflows/ci.yml; try other-case
         fresh; git rm -rq --cached .github; rm -r .github; ln -s ci .github; try linked
         fresh; printf '[submodule \"a\"]\\n\\tpath = a\\n\\turl = ../a\\n' > .gitmodules; try modules
         fresh; echo '*.c filter=evil' > src/.gitattributes; try filter
         fresh; echo '[attr]x filter=evil' > .gitattributes; try macro
         fresh; echo evil >> .github/workflows/ci.yml; git commit -qam hidden; git revert --no-edit HEAD > /tmp/reverted; echo y > y; try hidden-and-reverted
         fresh; git checkout -q -b side main; echo evil > .github/workflows/side.yml; git add -A; git commit -qm side
         git checkout -q -B try agent/x; git merge -q -m m side; step second-parent git push origin HEAD:refs/heads/agent/second-parent",
    );
    assert_eq!(steps.len(), 14);
    for (name, step) in &steps {
        step.assert_refused(name, &["! [remote rejected]", DENIED]);
    }
    assert_eq!(forge.state("acme/web"), before);
}

#[test]
fn files_that_only_look_like_it_are_let_through() {
    let forge = Forge::start();
    forge.works(BEGIN);
    let ended = forge.works(
        "cd web; git checkout -q agent/x; mkdir -p docs/.github/workflows-of-ours github
         echo a > docs/.github/workflows-of-ours/a; echo b > github/ci.yml; echo '*.png filter=lfs' > .gitattributes
         echo more > src/main.c; git mv ci build
         git add -A; git commit -qm more; git push -q origin agent/x; git rev-parse HEAD",
    );
    let x = forge.resolve("acme/web", "refs/heads/agent/x");
    assert_eq!(x.as_deref(), Some(ended.stdout.trim()), "{ended}");
}

#[test]
fn a_credential_is_found_wherever_it_is_planted_and_not_repeated() {
    let forge = Forge::start();
    forge.works(BEGIN);
    // The agent has no way to know it; the test plants it from outside.
    forge.host.file("web/.git/planted", TOKEN);
    let before = forge.state("acme/web");
    let (steps, _) = forge.steps(
        "cd web; planted=$(cat .git/planted); fresh() { git checkout -q -f -B try agent/x; git clean -qfd; }
         try() { step $1 git push origin HEAD:refs/heads/agent/$1; }
         add() { git add -A; git commit -qm \"$1\"; }
         fresh; echo \"token=$planted\" > s; add s; try blob
         fresh; head -c 70000 /dev/urandom > s; echo \"$planted\" >> s; head -c 70000 /dev/urandom >> s; add s; try binary
         fresh; echo x > x; add \"with $planted inside\"; try message
         fresh; echo \"$planted\" > s; add s; git rm -q s; add gone; try deleted-later
         fresh; echo \"$planted\" > s; add s; git mv s renamed.bin; add mv; try renamed
         fresh; mkdir d; echo x > \"d/$planted\"; add name; try file-name
         fresh; echo x > x; git add x; GIT_AUTHOR_NAME=\"$planted\" git commit -qm author; try author
         fresh; seq 30000 > big; add big; sed -i \"15000s/.*/$planted/\" big; add delta; try delta
         fresh; printf %s \"$planted\" | base64 -w0 > s; add s; try base64
         fresh; git checkout -q -b hidden main; echo \"$planted\" > s; add s; git checkout -q -B try agent/x; git merge -q -s ours -m m hidden; try second-parent",
    );
    let words = [
        "! [remote rejected]",
        "holds a credential or token of this gateway",
    ];
    for (name, step) in &steps {
        step.assert_refused(name, &words);
    }
    assert_eq!(steps.len(), 10);
    assert!(
        steps["blob"].said.contains("found: s"),
        "{}",
        steps["blob"].said
    );
    assert_eq!(forge.state("acme/web"), before);
    let data = forge.host.data();
    assert_eq!(places(&forge.host, TOKEN, &[&data]), Vec::<String>::new());
}

#[test]
fn a_credential_is_found_in_the_name_of_a_ref() {
    let forge = Forge::start();
    forge.works(BEGIN);
    let before = forge.state("acme/web");
    forge.host.file("web/.git/planted", TOKEN);
    let (steps, ended) = forge.steps(
        "cd web; echo z > z; git add z; git commit -qm z
         step named git push origin \"HEAD:refs/heads/agent/$(cat .git/planted)\"
         step other git push origin \"HEAD:refs/heads/$(cat .git/planted)\"",
    );
    // The name is the client's own, which it repeats itself.
    let said = &steps["named"].said;
    assert_ne!(steps["named"].code, 0, "{said}");
    assert!(
        said.contains("holds a credential or token of this gateway"),
        "{said}"
    );
    assert_ne!(steps["other"].code, 0, "{}", steps["other"].said);
    assert_eq!(forge.state("acme/web"), before);
    // Nor is it in the record, in which the refs have another name.
    let is_push = |event: &&Value| event["action"]["operation"] == "push";
    let pushes: Vec<&Value> = ended.events.iter().filter(is_push).collect();
    assert_eq!(pushes.len(), 2, "{ended}");
    for push in pushes {
        let name = &push["action"]["updates"][0]["name"];
        assert_eq!(name, "refs/heads/REDACTED-BY-RINGFENCE", "{push}");
        assert!(!push.to_string().contains(TOKEN), "{push}");
    }
    let data = forge.host.data();
    assert_eq!(places(&forge.host, TOKEN, &[&data]), Vec::<String>::new());
}

#[test]
fn a_token_of_the_sandbox_is_not_pushed_either() {
    let forge = Forge::start();
    let rules = super::forge::RULES;
    forge.host.profile(
        "agent",
        &format!(
            "apiVersion: ringfence/v1\nkind: Profile\nname: agent\n\
             tokens:\n  - {{ env: [FORGE_TOKEN], credentials: [forge] }}\ngit:\n{rules}"
        ),
    );
    let (steps, _) = forge.steps(
        "git clone -q https://github.com/acme/web.git; cd web
         case $FORGE_TOKEN in rf_*) ;; *) exit 9 ;; esac
         echo plain > s; git add s; git commit -qm plain; step plain git push origin HEAD:agent/plain
         echo $FORGE_TOKEN > s; git commit -qam s; step token git push origin HEAD:agent/x",
    );
    assert_eq!(steps["plain"].code, 0, "{}", steps["plain"].said);
    steps["token"].assert_refused(
        "token",
        &["! [remote rejected]", "credential or token of this gateway"],
    );
    assert_eq!(forge.resolve("acme/web", "refs/heads/agent/x"), None);
}

#[test]
fn only_listed_files_are_changed_where_a_rule_lists_them() {
    let rules = super::forge::RULES.replace(
        "      refs:",
        "      paths: { allow: [\"docs/**\"] }\n      refs:",
    );
    let forge = Forge::with_rules(&rules);
    let (steps, _) = forge.steps(
        "git clone -q https://github.com/acme/web.git; cd web; mkdir docs; echo a > docs/a; git add docs; git commit -qm a
         step inside git push origin HEAD:agent/x
         echo b > b; git add b; git commit -qm b; step outside git push origin HEAD:agent/x",
    );
    assert_eq!(steps["inside"].code, 0, "{}", steps["inside"].said);
    steps["outside"].assert_refused("outside", &["! [remote rejected]"]);
    let log = forge
        .server
        .git("acme/web", &["log", "--format=%s", "agent/x"])
        .unwrap();
    assert_eq!(log, "a\nfirst commit\n");
}
