//! With packs that git made. Secrets are made when a test runs.

use std::thread;

use ringfence_git::pack::{Pack, PackLimits, Part};
use ringfence_git::wire::push::{PushCapabilities, PushRequest};
use ringfence_inspect::ScrubSet;
use ringfence_model::Secret;
use ringfence_model::git::{ObjectFormat, Oid, RefChange, RefName, RefUpdate};

use super::super::search::{Searched, handing};
use super::super::testing::Repo;
use super::{Written, written};
use crate::git::limits::FINDINGS;

const REF: &str = "refs/heads/agent/x";

impl Repo {
    /// What is found while the pack is read; the same is found in it afterwards.
    fn search(&self, tip: Oid, own: &[Secret]) -> Written {
        let own = ScrubSet::new(own).unwrap();
        let (pack, searched) = self.read_along(&tip, &own);
        let request = request(REF, tip);
        let along = written(Some(&pack), Some(searched), &request, &own).unwrap();
        let again = written(Some(&pack), None, &request, &own).unwrap();
        // Where only some are told, these may be others.
        if along.findings.len() < FINDINGS {
            assert_eq!(sorted(&along), sorted(&again));
        }
        along
    }

    fn read_along(&self, tip: &Oid, own: &ScrubSet) -> (Pack, Searched) {
        let (mut handing, handed) = handing();
        let own = own.clone();
        let searching = thread::spawn(move || handed.search(own));
        let (spooled, limits) = (self.spooled(tip), PackLimits::default());
        let mut watch = |part: &Part<'_>| handing.take(part);
        let pack = Pack::watched(spooled, ObjectFormat::Sha1, &limits, &mut watch).unwrap();
        handing.finish();
        (pack, searching.join().unwrap())
    }
}

fn sorted(written: &Written) -> (Vec<&String>, Vec<&String>) {
    let mut sorted: (Vec<_>, Vec<_>) = (
        written.own.iter().collect(),
        written.findings.iter().collect(),
    );
    sorted.0.sort_unstable();
    sorted.1.sort_unstable();
    sorted
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
    let found = written(None, None, &request, &set).unwrap();
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

#[test]
fn what_is_withheld_only_since_the_pack_was_read_is_found_as_well() {
    let repo = Repo::new();
    let own = own();
    repo.write("plain", own.expose());
    let tip = repo.commit("add");
    let (pack, searched) = repo.read_along(&tip, &ScrubSet::default());
    let now = ScrubSet::new(&[own]).unwrap();
    let found = written(Some(&pack), Some(searched), &request(REF, tip), &now).unwrap();
    assert_eq!(found.own, ["plain"]);
}

#[test]
fn a_long_file_is_searched_to_its_end_whatever_comes_before_and_after_it() {
    let repo = Repo::new();
    let noise: Vec<u8> = (0..560_000_u32).flat_map(u32::to_le_bytes).collect();
    repo.write(
        "long",
        [&noise, b"\n".as_slice(), token(0).as_bytes()].concat(),
    );
    repo.write("short", "nothing\n");
    let tip = repo.commit("add");
    let found = repo.search(tip, &[]).findings;
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("long:") && found[0].ends_with(": vault-token"));
}
