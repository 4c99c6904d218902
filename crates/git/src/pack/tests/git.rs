//! Against git itself: what it packs is read as it reads it, and what is taken, it takes.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::ops::ControlFlow;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use ringfence_model::git::ObjectFormat::{Sha1, Sha256};
use ringfence_model::git::{ObjectFormat, Oid};
use tempfile::TempDir;

use super::maker::{Maker, Step, commit, delta, open, tree};
use crate::pack::{ChangeKind, Kind, Pack, PackError, Reach};

/// What has all objects of the story.
const ALL: &str = "main\nside\nv1\n";

struct Repo {
    place: TempDir,
}

impl Repo {
    fn new(format: ObjectFormat) -> Self {
        let place = tempfile::tempdir().unwrap();
        let repo = Self { place };
        repo.git(&[
            "init",
            "-q",
            "-b",
            "main",
            "--object-format",
            format.as_str(),
        ]);
        repo
    }

    #[expect(clippy::disallowed_methods, reason = "the test runs git as the oracle")]
    fn command(&self, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, String> {
        let mut child = Command::new("git")
            .args(arguments)
            .current_dir(self.place.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.place.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_NAME"), "A")))
            .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_EMAIL"), "a@example.org")))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        std::thread::scope(|scope| {
            // Git may refuse before it has read everything.
            scope.spawn(move || stdin.write_all(input).ok());
            let output = child.wait_with_output().unwrap();
            match output.status.success() {
                true => Ok(output.stdout),
                false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
            }
        })
    }

    fn git(&self, arguments: &[&str]) -> String {
        String::from_utf8(self.command(arguments, b"").unwrap()).unwrap()
    }

    fn write(&self, path: &str, content: &str) {
        let path = self.place.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    fn commit(&self, message: &str) -> Oid {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.oid("HEAD")
    }

    fn oid(&self, revision: &str) -> Oid {
        self.git(&["rev-parse", revision]).trim().parse().unwrap()
    }

    fn pack(&self, options: &[&str], revisions: &str) -> Vec<u8> {
        let mut arguments = vec!["pack-objects", "-q", "--stdout", "--revs"];
        arguments.extend(options);
        self.command(&arguments, revisions.as_bytes()).unwrap()
    }

    /// Whether git takes a pack, as a server that checks objects does.
    fn takes(&self, pack: &[u8]) -> Result<(), String> {
        let arguments = ["index-pack", "--stdin", "--strict"];
        self.command(&arguments, pack).map(drop)
    }
}

/// Commits on two branches, a merge, tags, links, files that make long chains of deltas.
fn story(format: ObjectFormat) -> Repo {
    let repo = Repo::new(format);
    let text: String = (0..2000).map(|n| format!("line {n}\n")).collect();
    repo.write("long.txt", &text);
    repo.write("dir/inner/file", "1\n");
    repo.write("empty", "");
    std::os::unix::fs::symlink("dir", repo.place.path().join("link")).unwrap();
    repo.commit("first");
    for number in 0..25 {
        let old = format!("line {}\n", number * 70);
        let text = std::fs::read_to_string(repo.place.path().join("long.txt")).unwrap();
        repo.write(
            "long.txt",
            &text.replace(&old, &format!("changed {number}\n")),
        );
        repo.write(&format!("dir/{number}.md"), &format!("page {number}\n"));
        repo.commit(&format!("change {number}"));
    }
    repo.git(&["tag", "-a", "v1", "-m", "one"]);
    repo.git(&["checkout", "-q", "-b", "side", "HEAD~10"]);
    repo.write("side.txt", "side\n");
    repo.commit("side");
    repo.git(&["checkout", "-q", "main"]);
    repo.git(&["merge", "-q", "-m", "merge", "side"]);
    std::fs::remove_file(repo.place.path().join("dir/3.md")).unwrap();
    repo.commit("last");
    repo
}

fn listed(pack: &Pack) -> BTreeSet<(Oid, &'static str, u64)> {
    let mut objects = BTreeSet::new();
    let visited = pack.visit(&mut |object| {
        let mut octets = Vec::new();
        object.content.read_to_end(&mut octets).unwrap();
        assert_eq!(octets.len() as u64, object.size);
        assert_eq!(
            super::maker::name(pack.format(), object.kind, &octets),
            object.oid
        );
        objects.insert((object.oid, object.kind.as_str(), object.size));
        ControlFlow::Continue(())
    });
    visited.unwrap();
    objects
}

fn expected(repo: &Repo) -> BTreeSet<(Oid, &'static str, u64)> {
    let lines = repo.git(&["cat-file", "--batch-all-objects", "--batch-check"]);
    let parse = |line: &str| {
        let [oid, kind, size] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let kinds = [Kind::Commit, Kind::Tree, Kind::Blob, Kind::Tag];
        let kind = kinds
            .map(Kind::as_str)
            .into_iter()
            .find(|name| *name == kind);
        (oid.parse().unwrap(), kind.unwrap(), size.parse().unwrap())
    };
    lines.lines().map(parse).collect()
}

#[test]
fn reads_every_object_as_git_does_however_it_is_packed() {
    for format in [Sha1, Sha256] {
        let repo = story(format);
        let expected = expected(&repo);
        for options in [
            vec![],
            vec!["--delta-base-offset"],
            vec![
                "--delta-base-offset",
                "--depth=200",
                "--window=60",
                "--no-reuse-delta",
            ],
            vec!["--depth=0"],
            vec!["--compression=0"],
        ] {
            let octets = repo.pack(&options, ALL);
            let pack = open(&octets, format).unwrap();
            assert_eq!(listed(&pack), expected, "{options:?}");
            assert_eq!(pack.len(), expected.len());
            let tips = [repo.oid("main"), repo.oid("v1")];
            pack.reached(&tips).unwrap().check_all().unwrap();
        }
    }
}

#[test]
fn refuses_a_thin_pack_and_takes_the_same_push_when_it_is_not() {
    let repo = story(Sha1);
    let revisions = "main\n^main~1\n";
    let thin = repo.pack(&["--thin", "--delta-base-offset"], revisions);
    let whole = repo.pack(&["--delta-base-offset"], revisions);
    assert!(thin.len() < whole.len());
    assert!(matches!(open(&thin, Sha1), Err(PackError::MissingBase)));
    open(&whole, Sha1).unwrap();
}

#[test]
fn proves_descent_as_git_does() {
    let repo = story(Sha1);
    let pack = open(&repo.pack(&["--delta-base-offset"], ALL), Sha1).unwrap();
    let history = pack.history().unwrap();
    let names = [
        "main", "main~1", "side", "side~1", "main~12", "v1^{}", "main~3^2",
    ];
    let names = names.map(|name| {
        (
            name,
            repo.command(&["rev-parse", "-q", "--verify", name], b""),
        )
    });
    let commits: Vec<Oid> = names
        .iter()
        .filter_map(|(_, oid)| oid.as_ref().ok())
        .map(|oid| str::from_utf8(oid).unwrap().trim().parse().unwrap())
        .collect();
    assert!(commits.len() >= 6);
    for new in &commits {
        for old in &commits {
            let (old_text, new_text) = (old.to_string(), new.to_string());
            let arguments = ["merge-base", "--is-ancestor", &old_text, &new_text];
            let is_ancestor = repo.command(&arguments, b"").is_ok();
            let reach = if is_ancestor { Reach::Yes } else { Reach::No };
            assert_eq!(history.reaches(new, old).unwrap(), reach, "{new} {old}");
        }
    }
}

#[test]
fn shows_the_changes_between_commits_that_git_shows() {
    let repo = story(Sha1);
    let pack = open(&repo.pack(&["--delta-base-offset"], ALL), Sha1).unwrap();
    for (old, new) in [
        ("main~1", "main"),
        ("side", "main"),
        ("main~20", "side"),
        ("main", "side~3"),
    ] {
        let arguments = ["diff-tree", "-r", "--no-renames", "--name-status", old, new];
        let mut expected: Vec<String> = repo.git(&arguments).lines().map(str::to_owned).collect();
        let mut found = Vec::new();
        let visited = pack.changed_from(&[repo.oid(old)], &repo.oid(new), &pack, &mut |change| {
            let letter = match change.kind {
                ChangeKind::Added => 'A',
                ChangeKind::Modified => 'M',
                ChangeKind::Deleted => 'D',
                ChangeKind::Unknown => '?',
            };
            found.push(format!(
                "{letter}\t{}",
                str::from_utf8(change.path).unwrap()
            ));
            ControlFlow::Continue(())
        });
        visited.unwrap();
        expected.sort();
        found.sort();
        assert!(!found.is_empty());
        assert_eq!(found, expected, "{old} {new}");
    }
}

/// Anything between a good pack and nonsense: few objects, some deltas, some octets changed.
fn packs() -> impl Strategy<Value = Vec<u8>> {
    let names = prop_oneof![
        "[a-c.]{1,2}",
        Just(".git".to_owned()),
        Just("git~1".to_owned())
    ];
    let modes = prop::sample::select(vec!["100644", "40000", "100755", "160000", "0644"]);
    let entries = prop::collection::vec((modes, names), 0..4);
    let changed = prop::option::weighted(0.3, (12..400_usize, any::<u8>()));
    (entries, any::<(bool, bool, u8)>(), changed).prop_map(
        |(entries, (of_name, again, from), changed)| {
            let mut maker = Maker::new();
            let at = maker.at();
            let blob = maker.blob(b"some content");
            let empty = maker.whole(Kind::Tree, b"");
            let oid = |mode: &str| if mode == "40000" { empty } else { blob };
            let entries: Vec<_> = entries
                .iter()
                .map(|(mode, name)| (*mode, name.as_bytes(), oid(mode)))
                .collect();
            let root = if entries.is_empty() {
                empty
            } else {
                maker.whole(Kind::Tree, &tree(&entries))
            };
            maker.whole(Kind::Commit, &commit(&root, &[], "m"));
            let steps = delta(
                12,
                9,
                &[Step::Copy(u32::from(from % 5), 8), Step::Insert(b"!")],
            );
            match of_name {
                true => maker.delta_of(&blob, &steps),
                false => maker.delta_at(at, &steps),
            }
            if again {
                maker.blob(b"one more");
            }
            let mut pack = maker.finish();
            if let Some((place, octet)) = changed
                && let Some(place) = pack.get_mut(place)
            {
                *place = octet;
            }
            pack
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_taken_git_takes_too(pack in packs()) {
        if open(&pack, Sha1).is_ok() {
            let repo = Repo::new(Sha1);
            let taken = repo.takes(&pack);
            prop_assert!(taken.is_ok(), "{taken:?}");
        }
    }

    #[test]
    fn no_octets_make_it_panic(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        open(&octets, Sha1).ok();
        let pack = [b"PACK\0\0\0\x02\0\0\0\x01".as_slice(), &octets].concat();
        open(&pack, Sha1).ok();
    }
}
