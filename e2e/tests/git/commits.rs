//! Whose commits a push may bring: by the addresses in them, and by the keys that signed them.

use std::path::Path;

use ringfence_testkit::process::{command, run};

use super::forge::{Forge, RULES};

/// The rules, with these conditions for the commits of `acme/web`.
fn rules(conditions: &str) -> String {
    RULES.replace(
        "      refs:",
        &format!("      commits: {conditions}\n      refs:"),
    )
}

/// A key of OpenSSH's, beside the project; gives its public part.
fn key(forge: &Forge, name: &str) -> String {
    let file = forge.host.workdir().join(name);
    let mut make = command("ssh-keygen");
    make.args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"]);
    run(make.arg(&file)).unwrap();
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    forge.host.file(name, read(&file));
    let public = read(&file.with_extension("pub"));
    forge.host.file(format!("{name}.pub"), &public);
    public.trim_end().to_owned()
}

#[test]
fn commits_by_others_are_refused_wherever_in_the_push_they_are() {
    let forge = Forge::with_rules(&rules(
        "{ authors: [\"*@acme.test\"], committers: [agent@ACME.test] }",
    ));
    let before = forge.state("acme/web");
    let (steps, ended) = forge.steps(
        "git clone -q https://github.com/acme/web.git; cd web
         fresh() { git checkout -q -f -B try origin/main; echo $1 > n; git add n; }
         try() { step $1 git push origin HEAD:refs/heads/agent/$1; }
         fresh 1; git commit -qm 1 --author='Eve <eve@evil.test>'; try author
         fresh 2; GIT_COMMITTER_EMAIL=anna@acme.test git commit -qm 2; try committer
         fresh 3; git commit -qm 3 --author='Eve <eve@evil.test>'; git rm -q n; git commit -qm 3; try below
         fresh 4; git commit -qm 4 --author='Eve <>'; try nobody
         fresh 5; git commit -qm 5; TREE=$(git rev-parse HEAD^{tree}); MAIN=$(git rev-parse origin/main)
         T='1700000000 +0000'; A=\"author A <a@acme.test> $T\"; C=\"committer A <agent@acme.test> $T\"
         raw() { local id; id=$(printf \"tree $TREE\\nparent $MAIN\\n$1\\n\\nm\\n\" | git hash-object -t commit -w --stdin --literally); git reset -q --soft $id 2> /dev/null || echo $id > .git/refs/heads/try; }
         raw \"$A\\n$A\\n$C\"; try author-twice
         fresh 6; raw \"$A\\n$C\\nauthor E <eve@evil.test> $T\"; try author-later
         fresh 7; raw \"author E <eve@evil.test> <a@acme.test> $T\\n$C\"; try two-addresses",
    );
    for (name, words) in [
        (
            "author",
            "is by eve@evil.test, and rule agent/git/web allows commits by *@acme.test",
        ),
        (
            "committer",
            "was committed by anna@acme.test, and rule agent/git/web allows agent@ACME.test to commit",
        ),
        ("below", "is by eve@evil.test"),
        ("nobody", "no author's address that can be read"),
        ("author-twice", "is not valid"),
        ("author-later", "is not valid"),
        ("two-addresses", "no author's address that can be read"),
    ] {
        steps[name].assert_refused(name, &["! [remote rejected]", words]);
    }
    assert_eq!(forge.state("acme/web"), before, "{ended}");
    let (steps, _) = forge.steps(
        "cd web; git checkout -q -f -B try origin/main; echo good > n; git add n
         git commit -qm good --author='Anna <Anna@Acme.TEST>'; step good git push origin HEAD:agent/good",
    );
    assert_eq!(steps["good"].code, 0, "{}", steps["good"].said);
}

#[test]
fn commits_are_taken_that_a_listed_key_signed() {
    let forge = Forge::start();
    let ours = key(&forge, "ours");
    key(&forge, "other");
    forge.rules(&rules(&format!("{{ signers: [\"{ours}\"] }}")));
    let before = forge.state("acme/web");
    let (steps, ended) = forge.steps(
        "chmod 600 ours other; git clone -q https://github.com/acme/web.git; cd web
         git config gpg.format ssh; git config user.signingkey $PWD/../ours
         fresh() { git checkout -q -f -B try origin/main; echo $1 > n; git add n; }
         try() { step $1 git push origin HEAD:refs/heads/agent/$1; }
         fresh 1; git commit -qm unsigned; try unsigned
         fresh 2; git -c user.signingkey=$PWD/../other commit -S -qm other; try other
         fresh 3; git commit -S -qm good; git cat-file commit HEAD | sed 's/^good$/evil/' > c; git reset -q --soft $(git hash-object -t commit -w c); try changed
         fresh 4; git commit -qm below; echo more > n; git commit -S -qam signed; try below",
    );
    for (name, words) in [
        (
            "unsigned",
            "is not signed, and rule agent/git/web asks for a signature",
        ),
        ("other", "is signed by SHA256:"),
        ("changed", "has a signature that is not one of this commit"),
        ("below", "is not signed"),
    ] {
        steps[name].assert_refused(name, &["! [remote rejected]", words]);
    }
    assert_eq!(forge.state("acme/web"), before, "{ended}");
    let (steps, _) = forge.steps(
        "cd web; git checkout -q -f -B try origin/main; echo good > n; git add n
         git commit -S -qm good; step good git push origin HEAD:agent/good",
    );
    assert_eq!(steps["good"].code, 0, "{}", steps["good"].said);
}

#[test]
fn a_check_says_that_commits_are_looked_at_later() {
    let forge = Forge::with_rules(&rules("{ authors: [\"*@acme.test\"] }"));
    let asked = [
        "git",
        "check",
        "agent",
        "push",
        "github/acme/web",
        "agent/x",
        "--profile",
        "agent",
        "--change",
        "create",
    ];
    let ended = forge.host.ringfence(&asked);
    assert_eq!(ended.code, 0, "{ended}");
    assert!(
        ended
            .stdout
            .contains("if its commits are as `commits` says"),
        "{ended}"
    );
}
