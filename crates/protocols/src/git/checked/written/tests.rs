//! With packs that git made. Secrets are made when a test runs.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use ringfence_git::pack::{Pack, PackLimits, Spooled, Stop};
use ringfence_git::wire::push::{PushCapabilities, PushRequest};
use ringfence_inspect::ScrubSet;
use ringfence_model::Secret;
use ringfence_model::git::{ObjectFormat, Oid, RefChange, RefName, RefUpdate};
use tempfile::TempDir;

use super::{Written, written};
use crate::git::limits::FINDINGS;

const REF: &str = "refs/heads/agent/x";

struct Repo(TempDir);

impl Repo {
    fn new() -> Self {
        let repo = Self(tempfile::tempdir().unwrap());
        repo.git(&["init", "-q", "-b", "main"], b"");
        repo
    }

    #[expect(clippy::disallowed_methods, reason = "the test makes packs by git")]
    fn git(&self, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        let mut child = Command::new("git")
            .args(arguments)
            .current_dir(self.0.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.0.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_NAME"), "A")))
            .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_EMAIL"), "a@example.org")))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "git {arguments:?}");
        output.stdout
    }

    fn write(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    fn commit(&self, message: &str) -> Oid {
        self.git(&["add", "-A"], b"");
        self.git(
            &["commit", "-q", "--allow-empty", "-F", "-"],
            message.as_bytes(),
        );
        self.oid("HEAD")
    }

    fn oid(&self, revision: &str) -> Oid {
        let out = self.git(&["rev-parse", revision], b"");
        String::from_utf8(out).unwrap().trim().parse().unwrap()
    }

    fn pack(&self, tip: &Oid) -> Pack {
        let arguments = ["pack-objects", "-q", "--stdout", "--revs"];
        let octets = self.git(&arguments, format!("{tip}\n").as_bytes());
        let mut pack = tempfile::tempfile().unwrap();
        pack.write_all(&octets).unwrap();
        let spooled = Spooled {
            pack,
            octets: octets.len() as u64,
            scratch: tempfile::tempfile().unwrap(),
            stop: Stop::new(),
        };
        Pack::open(spooled, ObjectFormat::Sha1, &PackLimits::default()).unwrap()
    }

    fn search(&self, tip: Oid, own: &[Secret]) -> Written {
        let own = ScrubSet::new(own).unwrap();
        written(Some(&self.pack(&tip)), &request(REF, tip), &own).unwrap()
    }
}

fn request(name: &str, new: Oid) -> PushRequest {
    PushRequest {
        shallow: Vec::new(),
        updates: vec![RefUpdate {
            name: RefName::new(name).unwrap(),
            old: Oid::null(ObjectFormat::Sha1),
            new,
            change: RefChange::Create,
        }],
        capabilities: PushCapabilities::default(),
        options: Vec::new(),
    }
}

/// Something that looks like a token of Vault, another one for each number.
fn token(number: usize) -> String {
    let body = ["q7RkX2", "Vb9Zt4", "Mw3Jh8", "Pd5Lx1", "Gc6Ns0"];
    let turned: Vec<&str> = (0..5).map(|n| body[(n + number) % 5]).collect();
    format!("{}vs.{}{number}", 'h', turned.concat())
}

fn own() -> Secret {
    Secret::new(format!("own-{}-value", "s3cr3t".repeat(3)))
}

#[test]
fn a_secret_in_a_file_is_told_with_path_and_line() {
    let repo = Repo::new();
    repo.write("src/conf/a.env", format!("# one\n\nX={}\n", token(0)));
    repo.write("src/clean.rs", "fn main() {}\n");
    let tip = repo.commit("add");
    let found = repo.search(tip, &[]);
    assert_eq!(found.findings, ["src/conf/a.env:3: vault-token"]);
    assert!(found.own.is_empty());
}

#[test]
fn a_file_that_a_later_commit_removes_is_searched() {
    let repo = Repo::new();
    repo.write("a", "");
    repo.commit("first");
    repo.write("gone", token(0));
    repo.commit("add");
    std::fs::remove_file(repo.0.path().join("gone")).unwrap();
    let tip = repo.commit("remove");
    assert_eq!(repo.search(tip, &[]).findings, ["gone:1: vault-token"]);
}

#[test]
fn messages_of_commits_and_tags_are_searched() {
    let repo = Repo::new();
    repo.write("a", "");
    let commit = repo.commit(&format!("subject\n\nuse {}", token(0)));
    let message = format!("v1\n\n{}", token(1));
    repo.git(&["tag", "-a", "-F", "-", "v1"], message.as_bytes());
    let tag = repo.oid("v1");
    let mut found = repo.search(tag, &[]).findings;
    found.sort();
    // The headers of a commit without a parent are tree, author, committer and an empty line.
    assert_eq!(
        found,
        [
            format!("commit {commit}:7: vault-token"),
            format!("tag {tag}:8: vault-token"),
        ]
    );
}

#[test]
fn names_are_searched_and_not_repeated() {
    let repo = Repo::new();
    let name = token(0);
    repo.write(format!("dir/{name}"), token(1));
    let tip = repo.commit("add");
    let tree = repo.oid("HEAD:dir");
    let blob = repo.oid(&format!("HEAD:dir/{name}"));
    let mut found = repo.search(tip, &[]).findings;
    found.sort();
    let expected = [
        format!("blob {blob}:1: vault-token"),
        format!("tree {tree}: vault-token"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn own_secrets_are_found_in_every_encoding_and_everywhere() {
    let repo = Repo::new();
    let own = own();
    let text = String::from_utf8(own.expose().to_vec()).unwrap();
    let hex: String = own
        .expose()
        .iter()
        .map(|octet| format!("{octet:02x}"))
        .collect();
    repo.write("plain", &text);
    repo.write("hex", hex);
    repo.write(format!("{text}.txt"), "nothing");
    let tip = repo.commit(&text);
    let tree = repo.oid("HEAD^{tree}");
    let mut found = repo.search(tip, std::slice::from_ref(&own)).own;
    found.sort();
    let expected = [
        format!("commit {tip}"),
        "hex".to_owned(),
        "plain".to_owned(),
        format!("tree {tree}"),
    ];
    assert_eq!(found, expected);
    assert!(repo.search(tip, &[]).own.is_empty());
}

#[test]
fn a_token_of_any_sandbox_counts_as_our_own() {
    let repo = Repo::new();
    let body: String = token(0).chars().skip(4).take(30).collect();
    let ours = format!("rf_{body}{}", &body[..13]);
    repo.write("a", format!("{}\n{ours}\n", token(1)));
    let tip = repo.commit("add");
    let found = repo.search(tip, &[]);
    assert_eq!(found.own, ["a"]);
    assert_eq!(found.findings, ["a:1: vault-token"]);
}

#[test]
fn refs_and_options_are_searched_also_where_nothing_is_packed() {
    let own = own();
    let text = String::from_utf8(own.expose().to_vec()).unwrap();
    let set = ScrubSet::new(&[own]).unwrap();
    let mut request = request(&format!("refs/heads/{text}"), Oid::null(ObjectFormat::Sha1));
    request.options = vec![format!("ci.variable={}", token(0)), text];
    let found = written(None, &request, &set).unwrap();
    assert_eq!(found.own, ["the name of a ref", "a push option"]);
    assert_eq!(found.findings, ["a push option: vault-token"]);
}

#[test]
fn what_is_told_is_bounded() {
    let repo = Repo::new();
    for number in 0..2 * FINDINGS {
        repo.write(format!("{number}"), token(number));
    }
    let tip = repo.commit("add");
    assert_eq!(repo.search(tip, &[]).findings.len(), FINDINGS);
}

#[test]
fn a_clean_push_has_no_finding() {
    let repo = Repo::new();
    repo.write(
        "README.md",
        "export TOKEN=<YOUR_TOKEN>\npassword: ${DB_PASSWORD}\n",
    );
    repo.write(
        "noise",
        (0..200_000_u32)
            .flat_map(u32::to_le_bytes)
            .collect::<Vec<u8>>(),
    );
    let tip = repo.commit("fix: the token is read from the environment");
    assert_eq!(repo.search(tip, &[own()]), Written::default());
}
