//! Servers that are reached over SSH: the agent speaks HTTPS, the gateway SSH, with a key that the agent never sees.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use ringfence_testkit::process::{command, run};
use ringfence_testkit::ssh::SshServer;
use ringfence_testkit::tcp::TcpServer;
use ringfence_testkit::{Workdir, poll};
use serde_json::Value;

use super::forge::Forge;

/// A server to which a person has a key, and agents that may read `acme/docs` and push to `agent/**` of `acme/web`.
struct Corp {
    forge: Forge,
    sshd: SshServer,
}

/// What an sshd for git has: no shell, and the version of the protocol comes through.
const GIT_SHELL: &str = r#"ForceCommand=exec git-shell -c "$SSH_ORIGINAL_COMMAND""#;
const GIT_PROTOCOL: &str = "AcceptEnv=GIT_PROTOCOL";

/// For what takes several clones, on a busy machine.
const LONG: Duration = Duration::from_secs(60);

/// The server by its short name.
const SHORT: &str = "https://git.ringfence.internal/corp";

impl Corp {
    fn start() -> Self {
        Self::with_options(&[GIT_SHELL, GIT_PROTOCOL])
    }

    fn with_options(options: &[&str]) -> Self {
        let options: Vec<String> = options.iter().map(|it| (*it).to_owned()).collect();
        Self::with(|_| options)
    }

    /// The server runs this script in place of every command, and shows a banner.
    fn with_script(script: &str, banner: &str) -> Self {
        Self::with(|workdir| {
            let program = workdir
                .file("program", format!("#!/bin/sh\n{script}\n"))
                .unwrap();
            let banner = workdir.file("banner", banner).unwrap();
            vec![
                format!("ForceCommand=exec sh {}", program.display()),
                format!("Banner={}", banner.display()),
                GIT_PROTOCOL.to_owned(),
            ]
        })
    }

    fn with(options: impl FnOnce(&Workdir) -> Vec<String>) -> Self {
        let mut forge = Forge::start();
        let workdir = forge.host.workdir();
        let sshd = SshServer::start_with(workdir, &options(workdir)).unwrap();
        forge.host.name("git.corp.test", sshd.address());
        let corp = Self { forge, sshd };
        let key = fs::read_to_string(corp.sshd.client_key()).unwrap();
        let user = String::from_utf8(run(command("id").arg("-un")).unwrap().stdout).unwrap();
        let user = format!("user={}", user.trim());
        let arguments = [
            "credential",
            "add",
            "deploy",
            "--kind",
            "ssh-key",
            "--host",
            "git.corp.test:22",
            "--set",
            &user,
        ];
        let added = corp.forge.host.ringfence_reading(&arguments, &key);
        assert_eq!(added.code, 0, "{added}");
        assert!(added.stdout.contains("ssh://git.corp.test:22/"), "{added}");
        corp.profile(corp.sshd.host_key());
        corp
    }

    /// Writes the profile `agent`, with this host key.
    fn profile(&self, host_key: &str) {
        let key: Vec<&str> = host_key.split(' ').take(2).collect();
        let (key, base) = (key.join(" "), self.base());
        let document = format!(
            r#"apiVersion: ringfence/v1
kind: Profile
name: agent
gitUpstreams:
  - {{ name: corp, kind: ssh, host: git.corp.test, basePath: {base}, hostKeys: ["{key}"], credential: deploy }}
git:
  - allow: {{ id: docs, repo: corp/acme/docs.git }}
  - allow: {{ id: web, repo: corp/acme/web.git, access: write, refs: {{ "refs/heads/agent/**": [create, fast-forward] }} }}
"#
        );
        self.forge.host.profile("agent", &document);
    }

    /// Where the repositories lie on the server.
    fn base(&self) -> String {
        let web = self.forge.server.path("acme/web");
        web.ancestors().nth(2).unwrap().display().to_string()
    }

    fn key_line(&self) -> String {
        let key = fs::read_to_string(self.sshd.client_key()).unwrap();
        key.lines().nth(2).unwrap().to_owned()
    }
}

/// Makes a key of a kind beside the server's own.
fn generated(workdir: &Workdir, kind: &str, name: &str) -> PathBuf {
    let path = workdir.join(name);
    let mut keygen = command("ssh-keygen");
    keygen.args(["-q", "-t", kind, "-N", "", "-C", "test", "-f"]);
    run(keygen.arg(&path)).unwrap();
    path
}

#[test]
fn every_kind_of_key_logs_in_and_every_kind_of_host_key_is_known() {
    const KINDS: [&str; 3] = ["rsa", "ecdsa", "ed25519"];
    let corp = Corp::with(|workdir| {
        // Of the third kind it has one anyway.
        let keys = ["rsa", "ecdsa"].map(|kind| generated(workdir, kind, &format!("host-{kind}")));
        let keys = keys.iter().map(|key| format!("HostKey={}", key.display()));
        keys.chain([GIT_SHELL.to_owned(), GIT_PROTOCOL.to_owned()])
            .collect()
    });
    let workdir = corp.forge.host.workdir();
    for kind in KINDS {
        let key = generated(workdir, kind, &format!("client-{kind}"));
        corp.sshd.accept(&key).unwrap();
        let key = fs::read_to_string(key).unwrap();
        let rotated = corp
            .forge
            .host
            .ringfence_reading(&["credential", "rotate", "deploy"], &key);
        assert_eq!(rotated.code, 0, "{rotated}");
        let host_key = fs::read_to_string(workdir.join(format!("host-{kind}.pub")));
        corp.profile(host_key.as_deref().unwrap_or_else(|_| corp.sshd.host_key()));
        let ended = corp
            .forge
            .works(&format!("git ls-remote {SHORT}/acme/docs.git main"));
        assert!(ended.stdout.contains("refs/heads/main"), "{kind}: {ended}");
    }
    let log = corp.sshd.log();
    for kind in ["RSA", "ECDSA", "ED25519"] {
        let accepted = format!("ssh2: {kind} SHA256:");
        assert!(log.contains(&accepted), "{kind}: {log}");
    }
}

/// Lines that make a step fail where its output would change a terminal.
fn assert_printable(name: &str, said: &str) {
    for part in ["\u{1b}", "\u{9b}", "\u{7}", "\u{8}", "\0"] {
        assert!(!said.contains(part), "{name}: {said:?}");
    }
}

#[test]
fn repositories_are_cloned_and_fetched_in_every_version_and_by_every_address() {
    let corp = Corp::start();
    let base = corp.base();
    let (steps, ended) = corp.forge.steps(&format!(
        "for version in 0 1 2; do
             git -c protocol.version=$version clone -q {SHORT}/acme/docs.git v$version
             git -C v$version fsck --strict; cmp v$version/README v0/README
             git -c protocol.version=$version clone -q --depth 1 {SHORT}/acme/web s$version
             git -C s$version -c protocol.version=$version fetch -q --unshallow origin
         done
         git clone -q https://git.corp.test{base}/acme/docs.git real
         git clone -q ssh://git@git.corp.test{base}/acme/docs.git rewritten
         git clone -q git@git.corp.test:{base}/acme/docs.git scp
         git clone -q --filter=blob:none {SHORT}/acme/web partial; cat partial/README
         cat real/src/deep/one rewritten/src/deep/one scp/src/deep/one
         step secret git ls-remote {SHORT}/acme/secret.git
         step none git ls-remote {SHORT}/acme/none.git
         step quoted git ls-remote \"{SHORT}/acme/do'cs.git\"
         step lfs curl -sS -X POST -H 'content-type: application/vnd.git-lfs+json' \
              -d '{{\"operation\":\"download\",\"objects\":[]}}' {SHORT}/acme/docs.git/info/lfs/objects/batch"
    ));
    assert_eq!(
        ended.stdout.split('\u{1e}').next(),
        Some("read me\none\none\none\n")
    );
    for name in ["secret", "none"] {
        steps[name].assert_refused(name, &["remote: ", "no rule"]);
    }
    assert_ne!(steps["quoted"].code, 0);
    assert!(
        steps["lfs"].said.contains("LFS is not"),
        "{}",
        steps["lfs"].said
    );
    let fetches = ended.events.iter();
    let fetches: Vec<&Value> = fetches
        .filter(|it| it["action"]["operation"] == "fetch")
        .collect();
    assert!(fetches.len() >= 8, "{ended}");
    for fetch in fetches {
        assert_eq!(
            fetch["action"]["destination"]["host"], "git.corp.test",
            "{fetch}"
        );
        assert_eq!(fetch["decision"]["credential"], "deploy", "{fetch}");
        let address = corp.sshd.address().to_string();
        assert!(fetch.to_string().contains(&address), "{fetch}");
    }
}

#[test]
fn what_is_new_upstream_is_fetched_in_rounds() {
    let corp = Corp::start();
    let server = &corp.forge.server;
    for number in 0..20 {
        let text = format!("{number}\n");
        server
            .commit("acme/docs", &[("n", text.as_bytes())])
            .unwrap();
    }
    let running = corp.forge.run().spawn(&["bash", "-c", &format!(
        "set -e; export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@b
         for version in 0 2; do
             git -c protocol.version=$version clone -q {SHORT}/acme/docs.git v$version
             for n in $(seq 40); do git -C v$version commit -q --allow-empty -m $n; done
         done
         touch cloned; until [ -e grown ]; do sleep 0.05; done
         for version in 0 2; do
             git -C v$version -c protocol.version=$version fetch -q origin
             git -C v$version rev-parse origin/main; git -C v$version fsck --strict
         done"
    )]);
    let project = corp.forge.host.project().to_owned();
    let cloned = || Ok(project.join("cloned").exists().then_some(()));
    poll::until_within(LONG, "the clones", cloned).unwrap();
    let new = server.commit("acme/docs", &[("n", b"new\n")]).unwrap();
    corp.forge.host.file("grown", "");
    let ended = running.wait();
    assert_eq!(ended.code, 0, "{ended}");
    assert_eq!(ended.stdout, format!("{new}\n{new}\n"), "{ended}");
}

#[test]
fn the_key_is_nowhere_in_the_sandbox() {
    let corp = Corp::start();
    let ended = corp.forge.works(&format!(
        "export GIT_TRACE_CURL=1 GIT_TRACE_PACKET=1
         git clone {SHORT}/acme/web.git 2> trace; cd web; git checkout -q -b agent/x
         git commit -q --allow-empty -m x; git push origin agent/x 2>> ../trace
         cat ../trace; env; find / -xdev -name 'id_*' -o -name '*client-key*' 2> /dev/null || true"
    ));
    let key = corp.key_line();
    assert!(key.len() > 40);
    assert!(ended.stdout.contains("agent/x"), "{ended}");
    for part in [key.as_str(), "PRIVATE KEY", "client-key"] {
        assert!(!ended.stdout.contains(part), "{part}: {ended}");
        assert!(!ended.stderr.contains(part), "{part}: {ended}");
    }
    assert!(!format!("{:?}", corp.forge.host.records()).contains(&key));
}

#[test]
fn pushes_are_decided_on_and_arrive() {
    let corp = Corp::start();
    let main = corp.forge.resolve("acme/web", "refs/heads/main");
    let (steps, ended) = corp.forge.steps(&format!(
        "git clone -q {SHORT}/acme/web.git; cd web; git checkout -q -b agent/x
         for n in 1 2; do echo $n > n; git add n; git commit -qm $n; git push -q origin agent/x; done
         git checkout -q -b agent/large; head -c 6000000 /dev/urandom > big; git add big; git commit -qm big
         git push -q origin agent/large; git rev-parse agent/x agent/large
         git checkout -q agent/x
         step main git push origin HEAD:main
         step tag git push origin HEAD:refs/tags/t
         git commit -q --amend -m other; step force git push -f origin agent/x
         step delete git push origin :agent/x
         git reset -q --hard origin/agent/x
         echo 'token: ghp_9aB3dE5fG7hJ1kL2mN4pQ6rS8tU0vW2xY4z9' > notes; git add notes; git commit -qm notes
         step secret git push origin agent/x
         git reset -q --hard origin/agent/x; mkdir -p .github/workflows; echo x > .github/workflows/ci.yml
         git add .; git commit -qm ci; step workflow git push origin agent/x"
    ));
    let x = corp
        .forge
        .resolve("acme/web", "refs/heads/agent/x")
        .unwrap();
    let large = corp
        .forge
        .resolve("acme/web", "refs/heads/agent/large")
        .unwrap();
    let said = ended.stdout.split('\u{1e}').next();
    assert_eq!(said, Some(format!("{x}\n{large}\n").as_str()), "{ended}");
    for (name, words) in [
        (
            "main",
            &["! [remote rejected]", "not to update refs/heads/main"][..],
        ),
        ("tag", &["! [remote rejected]", "refs/tags/t"]),
        ("force", &["! [remote rejected]", "agent/x"]),
        ("delete", &["! [remote rejected]", "agent/x"]),
        ("secret", &["! [remote rejected]", "notes"]),
        (
            "workflow",
            &["! [remote rejected]", ".github/workflows/ci.yml"],
        ),
    ] {
        steps[name].assert_refused(name, words);
    }
    assert_eq!(corp.forge.resolve("acme/web", "refs/heads/main"), main);
    assert_eq!(corp.forge.resolve("acme/web", "refs/tags/t"), None);
    assert_eq!(
        corp.forge
            .server
            .git("acme/web", &["fsck", "--strict"])
            .unwrap(),
        ""
    );
}

#[test]
fn a_server_with_another_key_gets_nothing() {
    let corp = Corp::start();
    let other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
    corp.profile(other);
    let (steps, _) = corp.forge.steps(&format!(
        "step clone git clone {SHORT}/acme/docs.git; step push git push {SHORT}/acme/web.git HEAD:agent/x"
    ));
    let words = [
        "git.corp.test has the SSH host key ssh-ed25519 SHA256:",
        "hostKeys",
        "Nothing was sent",
    ];
    steps["clone"].assert_refused("clone", &words);
    // Who it was that should log in was not said.
    let log = corp.sshd.log();
    assert!(
        !log.contains("Accepted") && !log.contains("userauth"),
        "{log}"
    );
}

#[test]
fn a_key_that_is_revoked_or_not_accepted_is_of_no_use() {
    let corp = Corp::start();
    let running = corp.forge.run().spawn(&["bash", "-c", &format!(
        "git clone -q {SHORT}/acme/docs.git || exit 9; touch cloned; until [ -e revoked ]; do sleep 0.05; done
         git -C docs fetch 2>&1; git ls-remote {SHORT}/acme/web.git 2>&1"
    )]);
    let project = corp.forge.host.project().to_owned();
    poll::until_true("the clone", || project.join("cloned").exists()).unwrap();
    let revoked = corp
        .forge
        .host
        .ringfence(&["credential", "revoke", "deploy"]);
    assert_eq!(revoked.code, 0, "{revoked}");
    corp.forge.host.file("revoked", "");
    let ended = running.wait();
    assert_eq!(
        ended.stdout.matches("credential `deploy`").count(),
        2,
        "{ended}"
    );
    let locked = Corp::start();
    locked.sshd.lock().unwrap();
    let (steps, _) = locked
        .forge
        .steps(&format!("step clone git clone {SHORT}/acme/docs.git"));
    let words = ["git.corp.test does not accept the SSH key of the credential"];
    steps["clone"].assert_refused("clone", &words);
}

#[test]
fn what_a_hostile_server_says_reaches_no_terminal() {
    let corp = Corp::with_script(
        r#"printf '\033]0;owned\007\033[2J\010\302\233 evil words\n' >&2
        case "$SSH_ORIGINAL_COMMAND" in *docs*) exit 3;; esac
        exec git-shell -c "$SSH_ORIGINAL_COMMAND""#,
        "\u{1b}]0;banner\u{7}\u{1b}[2J banner words\n",
    );
    let (steps, _) = corp.forge.steps(&format!(
        "step docs git clone {SHORT}/acme/docs.git
         step web git clone {SHORT}/acme/web.git
         cd web; git commit -q --allow-empty -m x; step push git push origin HEAD:agent/x"
    ));
    for (name, step) in &steps {
        assert_printable(name, &step.said);
        assert!(!step.said.contains("banner"), "{name}: {}", step.said);
    }
    steps["docs"].assert_refused("docs", &["evil words"]);
    assert_eq!(steps["web"].code, 0, "{}", steps["web"].said);
    assert_eq!(steps["push"].code, 0, "{}", steps["push"].said);
    let said = &steps["push"].said;
    assert!(
        said.contains("remote: ") && said.contains("evil words"),
        "{said}"
    );
}

#[test]
fn a_server_that_breaks_off_or_says_nothing_fails_in_words() {
    let mut corp = Corp::with_script(
        r#"case "$SSH_ORIGINAL_COMMAND" in
            *upload*docs*) git-shell -c "$SSH_ORIGINAL_COMMAND" | head -c 300; kill -9 $PPID;;
            *receive*) git-shell -c "$SSH_ORIGINAL_COMMAND" > "$0.said"
                if grep -q unpack "$0.said"; then head -c -10 "$0.said"; exit 1; fi
                cat "$0.said"; exit;;
        esac
        exec git-shell -c "$SSH_ORIGINAL_COMMAND""#,
        "",
    );
    let (steps, _) = corp.forge.steps(&format!(
        "step docs git clone {SHORT}/acme/docs.git docs
         git clone -q {SHORT}/acme/web.git; cd web; git commit -q --allow-empty -m x
         step push git push origin HEAD:agent/x"
    ));
    for name in ["docs", "push"] {
        assert_ne!(steps[name].code, 0, "{name}: {}", steps[name].said);
        assert!(
            !steps[name].said.contains("Everything up-to-date"),
            "{}",
            steps[name].said
        );
    }
    let silent = TcpServer::recorder().unwrap();
    corp.forge.host.name("git.corp.test", silent.address());
    let (steps, _) = corp
        .forge
        .steps(&format!("step stalled git ls-remote {SHORT}/acme/docs.git"));
    steps["stalled"].assert_refused(
        "stalled",
        &["the SSH handshake with git.corp.test took too long"],
    );
}

#[test]
fn a_server_that_keeps_the_version_back_is_read_in_the_old_one_and_pushed_to_by_nobody() {
    let corp = Corp::with_options(&[GIT_SHELL]);
    let (steps, _) = corp.forge.steps(&format!(
        "git clone -q {SHORT}/acme/web.git; cd web; git commit -q --allow-empty -m x
         step push git push origin HEAD:agent/x"
    ));
    steps["push"].assert_refused("push", &["GIT_PROTOCOL"]);
    assert_eq!(corp.forge.resolve("acme/web", "refs/heads/agent/x"), None);
}

#[test]
fn what_cannot_be_used_is_refused_when_it_is_added() {
    let forge = Forge::start();
    let host = &forge.host;
    let encrypted = host.workdir().join("encrypted");
    let mut keygen = command("ssh-keygen");
    keygen.args(["-q", "-t", "ed25519", "-N", "a passphrase", "-f"]);
    run(keygen.arg(&encrypted)).unwrap();
    let encrypted = fs::read_to_string(encrypted).unwrap();
    let add = [
        "credential",
        "add",
        "k",
        "--kind",
        "ssh-key",
        "--host",
        "git.corp.test",
    ];
    for (input, words) in [
        (encrypted.as_str(), "encrypted with a passphrase"),
        ("ssh-ed25519 AAAA me", "this is a public key"),
        ("hunter2", "no private key"),
    ] {
        let ended = host.ringfence_reading(&add, input);
        assert_eq!(ended.code, 64, "{ended}");
        assert!(ended.stderr.contains(words), "{ended}");
        assert!(!ended.stderr.contains(input), "{ended}");
    }
    let upstream = [
        "git", "upstream", "add", "old", "--kind", "ssh", "--host", "old.test",
    ];
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
    for (more, code) in [
        (&[][..], 64),
        (&["--host-key", "ssh-ed25519 AAAA"], 64),
        (&["--host-key", key, "--credential", "k"], 0),
    ] {
        let ended = host.ringfence(&[&upstream[..], more].concat());
        assert_eq!(ended.code, code, "{more:?}: {ended}");
    }
    let listed = host.ringfence(&["git", "upstream", "list"]);
    assert!(listed.stdout.contains("ssh://old.test:22/"), "{listed}");
    let checked = host.ringfence(&["git", "check", "default", "fetch", "old/acme/docs"]);
    assert_eq!(checked.code, 77, "{checked}");
}
