//! Which paths commits change.

use std::ops::ControlFlow;

use ringfence_model::git::ObjectFormat::Sha1;
use ringfence_model::git::Oid;

use super::maker::{Maker, commit, open_within, tree};
use crate::pack::{ChangeKind, Excess, Kind, Pack, PackError, PackLimits, Tree, Trees};

/// Knows no tree.
struct Nothing;

impl Trees for Nothing {
    fn tree_of(&self, _: &Oid) -> Result<Option<Oid>, PackError> {
        Ok(None)
    }

    fn tree(&self, _: &Oid) -> Result<Option<Tree>, PackError> {
        Ok(None)
    }
}

fn line(change: &crate::pack::Change<'_>) -> String {
    let kind = match change.kind {
        ChangeKind::Added => '+',
        ChangeKind::Modified => '~',
        ChangeKind::Deleted => '-',
        ChangeKind::Unknown => '?',
    };
    format!("{kind}{}", String::from_utf8_lossy(change.path))
}

fn changes(pack: &Pack, trees: &dyn Trees) -> Vec<String> {
    let mut lines = Vec::new();
    let walked = pack.changed_paths(trees, &mut |change| {
        lines.push(line(change));
        ControlFlow::Continue(())
    });
    walked.unwrap();
    lines.sort();
    lines
}

fn between(pack: &Pack, old: &Oid, new: &Oid, trees: &dyn Trees) -> Vec<String> {
    let mut lines = Vec::new();
    let walked = pack.changed_from(std::slice::from_ref(old), new, trees, &mut |change| {
        lines.push(line(change));
        ControlFlow::Continue(())
    });
    walked.unwrap();
    lines
}

/// Adds a tree of paths and contents, directories included; its name.
fn snapshot(maker: &mut Maker, known: &mut Vec<Oid>, files: &[(&str, &str)]) -> Oid {
    let mut entries: Vec<(&str, String, Oid)> = Vec::new();
    let mut files = files.to_vec();
    files.sort_unstable();
    while let Some((path, content)) = files.first().copied() {
        if let Some((directory, _)) = path.split_once('/') {
            let begin = format!("{directory}/");
            let (inside, rest): (Vec<_>, Vec<_>) =
                files.iter().partition(|(path, _)| path.starts_with(&begin));
            let inside: Vec<_> = inside
                .iter()
                .map(|(path, text)| (&path[begin.len()..], *text))
                .collect();
            entries.push((
                "40000",
                directory.to_owned(),
                snapshot(maker, known, &inside),
            ));
            files = rest;
        } else {
            let oid = add(maker, known, Kind::Blob, content.as_bytes());
            entries.push(("100644", path.to_owned(), oid));
            files.remove(0);
        }
    }
    let key = |(mode, name, _): &(&str, String, Oid)| match *mode {
        "40000" => format!("{name}/"),
        _ => name.clone(),
    };
    entries.sort_by_key(key);
    let entries: Vec<_> = entries
        .iter()
        .map(|(mode, name, oid)| (*mode, name.as_bytes(), *oid))
        .collect();
    add(maker, known, Kind::Tree, &tree(&entries))
}

fn add(maker: &mut Maker, known: &mut Vec<Oid>, kind: Kind, content: &[u8]) -> Oid {
    let oid = super::maker::name(Sha1, kind, content);
    if !known.contains(&oid) {
        maker.whole(kind, content);
        known.push(oid);
    }
    oid
}

#[derive(Default)]
struct Story {
    known: Vec<Oid>,
    number: usize,
}

impl Story {
    fn commit(&mut self, maker: &mut Maker, parents: &[Oid], files: &[(&str, &str)]) -> Oid {
        let tree = snapshot(maker, &mut self.known, files);
        self.number += 1;
        maker.whole(
            Kind::Commit,
            &commit(&tree, parents, &self.number.to_string()),
        )
    }
}

const FIRST: &[(&str, &str)] = &[
    ("a", "1"),
    ("dir/x", "1"),
    ("dir/y", "1"),
    ("same/deep/z", "1"),
];

#[test]
fn shows_what_is_added_changed_and_deleted() {
    let mut maker = Maker::new();
    let mut story = Story::default();
    let first = story.commit(&mut maker, &[], FIRST);
    let pack = maker.open().unwrap();
    assert_eq!(
        changes(&pack, &Nothing),
        ["+a", "+dir/x", "+dir/y", "+same/deep/z"]
    );
    let next = [
        ("a", "2"),
        ("dir/y", "1"),
        ("new/b", "1"),
        ("same/deep/z", "1"),
    ];
    let second = story.commit(&mut maker, &[first], &next);
    let pack = maker.open().unwrap();
    assert_eq!(
        between(&pack, &first, &second, &Nothing),
        ["~a", "-dir/x", "+new/b"]
    );
    assert_eq!(
        between(&pack, &second, &first, &Nothing),
        ["~a", "+dir/x", "-new/b"]
    );
}

#[test]
fn a_file_that_becomes_a_directory_is_both() {
    let mut maker = Maker::new();
    let mut story = Story::default();
    let file = story.commit(&mut maker, &[], &[("a", "1"), ("a.b", "1")]);
    let directory = story.commit(&mut maker, &[file], &[("a/b", "1"), ("a.b", "1")]);
    let pack = maker.open().unwrap();
    assert_eq!(between(&pack, &file, &directory, &Nothing), ["-a", "+a/b"]);
    assert_eq!(between(&pack, &directory, &file, &Nothing), ["+a", "-a/b"]);
}

#[test]
fn a_path_that_was_added_and_taken_away_is_shown_with_its_commits() {
    let mut maker = Maker::new();
    let mut story = Story::default();
    let one = story.commit(&mut maker, &[], &[("a", "1")]);
    let two = story.commit(
        &mut maker,
        &[one],
        &[("a", "1"), (".github/workflows/x.yml", "1")],
    );
    let three = story.commit(&mut maker, &[two], &[("a", "1")]);
    let pack = maker.open().unwrap();
    assert_eq!(
        changes(&pack, &Nothing),
        ["+.github/workflows/x.yml", "+a", "-.github/workflows/x.yml"]
    );
    assert!(between(&pack, &one, &three, &Nothing).is_empty());
}

#[test]
fn a_merge_shows_only_what_none_of_its_parents_has() {
    let mut maker = Maker::new();
    let mut story = Story::default();
    let base = story.commit(&mut maker, &[], &[("a", "1"), ("b", "1"), ("c", "1")]);
    let left = story.commit(&mut maker, &[base], &[("a", "2"), ("b", "1"), ("c", "1")]);
    let right = story.commit(&mut maker, &[base], &[("a", "1"), ("b", "2"), ("c", "1")]);
    let merged = [("a", "2"), ("b", "2"), ("c", "evil"), ("d", "new")];
    story.commit(&mut maker, &[left, right], &merged);
    let pack = maker.open().unwrap();
    let lines = changes(&pack, &Nothing);
    assert_eq!(lines, ["+a", "+b", "+c", "+d", "~a", "~b", "~c"]);
}

#[test]
fn what_nobody_knows_is_shown_as_unknown() {
    let mut theirs = Maker::new();
    let mut story = Story::default();
    let old = story.commit(&mut theirs, &[], FIRST);
    let theirs = theirs.open().unwrap();

    // As git sends it: of the new tree only what is not in the old one.
    let next = [
        ("a", "1"),
        ("dir/x", "2"),
        ("dir/y", "1"),
        ("same/deep/z", "1"),
    ];
    let mut ours = Maker::new();
    story.commit(&mut ours, &[old], &next);
    let ours = ours.open().unwrap();
    assert_eq!(changes(&ours, &Nothing), ["?"]);
    assert_eq!(changes(&ours, &theirs), ["~dir/x"]);
}

#[test]
fn a_subtree_that_nobody_knows_is_unknown_where_it_is_new() {
    let mut maker = Maker::new();
    let mut story = Story::default();
    let old = story.commit(&mut maker, &[], &[("a", "1")]);
    let nobody = Oid::new(Sha1, &[3; 20]).unwrap();
    let blob = super::maker::name(Sha1, Kind::Blob, b"1");
    let root = tree(&[("100644", b"a", blob), ("40000", b"moved", nobody)]);
    let root = maker.whole(Kind::Tree, &root);
    let new = maker.whole(Kind::Commit, &commit(&root, &[old], "m"));
    let pack = maker.open().unwrap();
    assert_eq!(between(&pack, &old, &new, &Nothing), ["?moved"]);
    assert_eq!(between(&pack, &new, &old, &Nothing), ["?moved"]);
}

#[test]
fn stops_when_told_to() {
    let mut maker = Maker::new();
    Story::default().commit(&mut maker, &[], FIRST);
    let pack = maker.open().unwrap();
    let mut count = 0;
    let walked = pack.changed_paths(&Nothing, &mut |_| {
        count += 1;
        ControlFlow::Break(())
    });
    walked.unwrap();
    assert_eq!(count, 1);
}

/// Trees in trees, each with the one below it ten times: 10 to the power of `levels` paths.
fn bomb(levels: usize) -> Vec<u8> {
    let mut maker = Maker::new();
    let mut inner = ("100644", maker.blob(b"x"));
    for _ in 0..levels {
        let names: Vec<[u8; 1]> = (b'0'..=b'9').map(|name| [name]).collect();
        let entries: Vec<_> = names
            .iter()
            .map(|name| (inner.0, name.as_slice(), inner.1))
            .collect();
        inner = ("40000", maker.whole(Kind::Tree, &tree(&entries)));
    }
    maker.whole(Kind::Commit, &commit(&inner.1, &[], "bomb"));
    maker.finish()
}

#[test]
fn a_bomb_of_trees_is_refused_in_bounded_time() {
    let limits = PackLimits {
        changed_paths: 10_000,
        ..PackLimits::default()
    };
    let pack = open_within(&bomb(20), Sha1, &limits).unwrap();
    let walked = pack.changed_paths(&Nothing, &mut |_| ControlFlow::Continue(()));
    assert!(matches!(
        walked,
        Err(PackError::TooMuch(Excess::ChangedPaths))
    ));
    let few = open_within(&bomb(3), Sha1, &limits).unwrap();
    assert_eq!(changes(&few, &Nothing).len(), 1000);
}

#[test]
fn comparing_is_counted_where_no_path_is_shown() {
    let mut maker = Maker::new();
    let mut inner = [maker.whole(Kind::Tree, b""), maker.blob(b"")];
    inner[1] = inner[0];
    for _ in 0..30 {
        let entries = [
            ("40000", b"a".as_slice(), inner[0]),
            ("40000", b"b", inner[0]),
        ];
        inner[0] = maker.whole(Kind::Tree, &tree(&entries));
    }
    maker.whole(Kind::Commit, &commit(&inner[0], &[], "bomb"));
    let limits = PackLimits {
        compared_entries: 100_000,
        ..PackLimits::default()
    };
    let pack = open_within(&maker.finish(), Sha1, &limits).unwrap();
    let walked = pack.changed_paths(&Nothing, &mut |_| ControlFlow::Continue(()));
    assert!(matches!(walked, Err(PackError::TooMuch(Excess::Compared))));
}

#[test]
fn directories_too_deep_to_walk_are_refused() {
    let mut maker = Maker::new();
    let mut inner = maker.whole(Kind::Tree, b"");
    for _ in 0..300 {
        inner = maker.whole(Kind::Tree, &tree(&[("40000", b"d", inner)]));
    }
    let tip = maker.whole(Kind::Commit, &commit(&inner, &[], "deep"));
    let pack = maker.open().unwrap();
    pack.reached(&[tip]).unwrap().check_all().unwrap();
    let walked = pack.changed_paths(&Nothing, &mut |_| ControlFlow::Continue(()));
    assert!(matches!(walked, Err(PackError::TooMuch(Excess::PathDepth))));
}
