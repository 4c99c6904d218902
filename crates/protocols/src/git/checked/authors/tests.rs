//! With packs that git made, of commits that git would not make.

use jiff::Timestamp;
use ringfence_model::git::{GitOperation, Oid};
use ringfence_model::{Action, Generation, Secret};
use ringfence_policy::{Profile, Snapshot};
use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::{LineEnding, PrivateKey};

use super::super::testing::Repo;
use super::*;

/// What a rule with these conditions says of a push.
fn terms(conditions: &str) -> std::sync::Arc<GitTerms> {
    let yaml = format!(
        "apiVersion: ringfence/v1\nkind: Profile\nname: p\ngit:\n  - allow: {{repo: github/a/b, access: write{conditions}}}\n"
    );
    let profile = Profile::parse("p.yaml", &yaml).unwrap();
    let snapshot = Snapshot::compile(Generation(1), &profile).unwrap();
    let request = snapshot.git_request("github/a/b", GitOperation::Probe);
    let verdict = snapshot.decide(&Action::Git(request.unwrap()), Timestamp::UNIX_EPOCH);
    let terms = verdict.grant.unwrap().terms.first().unwrap().git.clone();
    terms.unwrap()
}

fn key(seed: u8) -> PrivateKey {
    let pair = Ed25519Keypair::from_seed(&[seed; 32]);
    PrivateKey::new(KeypairData::Ed25519(pair), "").unwrap()
}

fn public(key: &PrivateKey) -> String {
    key.public_key().to_openssh().unwrap().trim_end().to_owned()
}

fn signed_by(key: &PrivateKey, payload: &str) -> String {
    pem(&key
        .sign(NAMESPACE, HashAlg::Sha512, payload.as_bytes())
        .unwrap())
}

fn pem(signature: &SshSig) -> String {
    signature.to_pem(LineEnding::LF).unwrap()
}

/// A commit of the text, whatever git thinks of it.
fn written_as(repo: &Repo, text: &[u8]) -> Oid {
    let arguments = [
        "hash-object",
        "-t",
        "commit",
        "-w",
        "--stdin",
        "--literally",
    ];
    let out = repo.git(&arguments, text);
    String::from_utf8(out).unwrap().trim().parse().unwrap()
}

fn payload(repo: &Repo, author: &str, committer: &str) -> String {
    let tree = repo.oid("HEAD^{tree}");
    format!(
        "tree {tree}\nauthor {author} 1700000000 +0000\ncommitter {committer} 1700000000 +0000\n\nm\n"
    )
}

/// The commit with a signature in it.
fn with_signature(payload: &str, signature: &str) -> String {
    let value = signature.trim_end().replace('\n', "\n ");
    payload.replacen("\n\n", &format!("\ngpgsig {value}\n\n"), 1)
}

fn refused(repo: &Repo, tip: &Oid, conditions: &str) -> Vec<PushedCommit> {
    let nothing = ScrubSet::new(&[]).unwrap();
    authors(Some(&repo.pack(tip)), &terms(conditions), &nothing).unwrap()
}

fn repo() -> Repo {
    let repo = Repo::new();
    repo.write("a", "a");
    repo.commit("by a@example.org");
    repo
}

const AGENTS: &str = ", commits: {authors: ['*@example.org'], committers: ['*@example.org']}";

#[test]
fn every_commit_of_a_pack_is_looked_at_and_one_is_told() {
    let repo = repo();
    let ours = "A <a@example.org>";
    let first = repo.oid("HEAD");
    assert_eq!(refused(&repo, &first, AGENTS), []);
    let other = payload(&repo, "B <b@evil.test>", ours);
    let other = written_as(&repo, other.as_bytes());
    let tip = payload(&repo, ours, ours).replace("\nauthor", &format!("\nparent {other}\nauthor"));
    let tip = written_as(&repo, tip.as_bytes());
    let told = refused(&repo, &tip, AGENTS);
    let [commit] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(commit.oid, other);
    assert_eq!(commit.author.as_deref(), Some("b@evil.test"));
    assert_eq!(commit.committer.as_deref(), Some("a@example.org"));
    assert_eq!(refused(&repo, &tip, ""), []);
    let committers = ", commits: {committers: ['*@evil.test']}";
    assert_eq!(refused(&repo, &tip, committers).len(), 1);
}

#[test]
fn an_address_that_can_be_read_in_two_ways_is_none() {
    let repo = repo();
    let ours = "A <a@example.org>";
    for author in [
        "A <>",
        "A <a>",
        "A <b@evil.test> <a@example.org>",
        "A <b@evil.test> a@example.org>",
        "A <b@evil.test@example.org>",
        "A <b@evil.test a@example.org>",
    ] {
        for text in [payload(&repo, author, ours), payload(&repo, ours, author)] {
            let tip = written_as(&repo, text.as_bytes());
            let told = refused(&repo, &tip, AGENTS);
            let [commit] = &told[..] else {
                panic!("{author}: {told:?}");
            };
            assert!(commit.author.is_none() || commit.committer.is_none());
        }
    }
}

#[test]
fn headers_that_git_would_not_write_are_not_taken_at_all() {
    let repo = repo();
    let good = payload(&repo, "A <a@example.org>", "A <a@example.org>");
    let author = "author A <a@example.org> 1700000000 +0000\n";
    let other = "author B <b@evil.test> 1700000000 +0000\n";
    for text in [
        good.replace(author, &format!("{author}{other}")),
        good.replace("\n\n", &format!("\n{other}\n")),
        good.replace(author, ""),
        good.replace(author, "author b@evil.test 1700000000 +0000\n"),
        good.replace("A <a@", "A\0<b@evil.test> 1 +0000\0<a@"),
        good.replace("\n\n", "\nencoding x\0\n\n"),
    ] {
        assert_ne!(text, good);
        let tip = written_as(&repo, text.as_bytes());
        assert!(repo.open(&tip).is_err(), "{text:?}");
    }
}

#[test]
fn a_secret_in_an_address_is_not_told() {
    let repo = repo();
    let own = Secret::new("s3cr3t-of-this-gateway-8Qz1");
    let author = "A <s3cr3t-of-this-gateway-8Qz1@evil.test>";
    let tip = written_as(&repo, payload(&repo, author, author).as_bytes());
    let own = ScrubSet::new(&[own]).unwrap();
    let told = authors(Some(&repo.pack(&tip)), &terms(AGENTS), &own).unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!((&told[0].author, &told[0].committer), (&None, &None));
}

#[test]
fn a_signature_counts_only_if_it_is_of_this_commit_by_that_key() {
    let repo = repo();
    let (ours, other) = (key(1), key(2));
    let text = payload(&repo, "A <a@example.org>", "A <a@example.org>");
    let good = with_signature(&text, &signed_by(&ours, &text));
    let for_files = ours.sign("file", HashAlg::Sha512, text.as_bytes()).unwrap();
    let by_other = other
        .sign(NAMESPACE, HashAlg::Sha512, text.as_bytes())
        .unwrap();
    let claimed = SshSig::new(
        ours.public_key().key_data().clone(),
        NAMESPACE,
        HashAlg::Sha512,
        by_other.signature().clone(),
    )
    .unwrap();
    let by = |key: &PrivateKey| CommitSignature::By {
        key: public(key),
        fingerprint: key.fingerprint(HashAlg::Sha256).to_string(),
    };
    let pgp = "-----BEGIN PGP SIGNATURE-----\n\niQ==\n-----END PGP SIGNATURE-----";
    let conditions = format!(", commits: {{signers: ['{} anna']}}", public(&ours));
    let twice = with_signature(&good, &signed_by(&ours, &text));
    for (commit, expected) in [
        (good.clone(), None),
        (text.clone(), Some(CommitSignature::Missing)),
        (with_signature(&text, &pem(&by_other)), Some(by(&other))),
        (
            with_signature(&text, &pem(&claimed)),
            Some(CommitSignature::Wrong),
        ),
        (
            with_signature(&text, &pem(&for_files)),
            Some(CommitSignature::Wrong),
        ),
        (
            good.replace("\n\nm\n", "\n\nmore\n"),
            Some(CommitSignature::Wrong),
        ),
        (good.replace("A <a@", "B <a@"), Some(CommitSignature::Wrong)),
        (
            good.replace("\ngpgsig ", "\nencoding x\ngpgsig "),
            Some(CommitSignature::Wrong),
        ),
        (twice, Some(CommitSignature::Unchecked)),
        (
            good.replace("\ngpgsig ", "\ngpgsig-sha256 "),
            Some(CommitSignature::Unchecked),
        ),
        (with_signature(&text, pgp), Some(CommitSignature::Unchecked)),
        (with_signature(&text, "x"), Some(CommitSignature::Unchecked)),
    ] {
        let tip = written_as(&repo, commit.as_bytes());
        let told = refused(&repo, &tip, &conditions);
        let told: Vec<_> = told.into_iter().map(|commit| commit.signature).collect();
        assert_eq!(told, Vec::from_iter(expected), "{commit}");
    }
}
