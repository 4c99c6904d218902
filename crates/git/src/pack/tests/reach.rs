//! Which commits descend from which, and what no tip leads to.

use ringfence_model::git::ObjectFormat::Sha1;
use ringfence_model::git::Oid;

use super::maker::{Maker, commit, name, tree};
use crate::pack::{Kind, PackError, Reach};

fn elsewhere(number: u8) -> Oid {
    Oid::new(Sha1, &[number; 20]).unwrap()
}

/// A pack of commits with the same tree: `commits` tells the parents of each.
struct Line {
    maker: Maker,
    tree: Oid,
    commits: Vec<Oid>,
}

impl Line {
    fn new() -> Self {
        let mut maker = Maker::new();
        let tree = maker.whole(Kind::Tree, b"");
        let commits = Vec::new();
        Self {
            maker,
            tree,
            commits,
        }
    }

    fn add(&mut self, parents: &[Oid]) -> Oid {
        let message = self.commits.len().to_string();
        let oid = self
            .maker
            .whole(Kind::Commit, &commit(&self.tree, parents, &message));
        self.commits.push(oid);
        oid
    }
}

#[test]
fn proves_and_disproves_descent() {
    let mut line = Line::new();
    let root = line.add(&[]);
    let left = line.add(&[root]);
    let right = line.add(&[root]);
    let merge = line.add(&[left, right]);
    let apart = line.add(&[]);
    let pack = line.maker.open().unwrap();
    let history = pack.history().unwrap();
    let reaches = |new: &Oid, old: &Oid| history.reaches(new, old).unwrap();
    for old in [root, left, right, merge] {
        assert_eq!(reaches(&merge, &old), Reach::Yes);
    }
    for (new, old) in [(left, right), (root, merge), (apart, root), (merge, apart)] {
        assert_eq!(reaches(&new, &old), Reach::No);
    }
    assert_eq!(reaches(&merge, &elsewhere(9)), Reach::No);
    assert_eq!(reaches(&line.tree, &root), Reach::No);
    assert_eq!(history.outside(), []);
}

#[test]
fn tells_where_the_pack_ends() {
    let (one, two) = (elsewhere(1), elsewhere(2));
    let mut line = Line::new();
    let base = line.add(&[one]);
    let merge = line.add(&[base, two]);
    let pack = line.maker.open().unwrap();
    let history = pack.history().unwrap();
    assert_eq!(history.reaches(&merge, &one).unwrap(), Reach::Yes);
    assert_eq!(history.reaches(&merge, &two).unwrap(), Reach::Yes);
    let Reach::Unknown { mut boundary } = history.reaches(&merge, &elsewhere(3)).unwrap() else {
        panic!("it may descend from it");
    };
    boundary.sort_unstable();
    assert_eq!(boundary, [one, two]);
    let boundary = vec![one];
    assert_eq!(
        history.reaches(&base, &merge).unwrap(),
        Reach::Unknown { boundary }
    );
    let boundary = vec![elsewhere(7)];
    assert_eq!(
        history.reaches(&elsewhere(7), &one).unwrap(),
        Reach::Unknown { boundary }
    );
    assert_eq!(
        history.reaches(&elsewhere(7), &elsewhere(7)).unwrap(),
        Reach::Yes
    );
}

#[test]
fn long_and_crossed_histories_are_walked_once() {
    let mut line = Line::new();
    let mut rows = [line.add(&[]), line.add(&[])];
    for _ in 0..5000 {
        rows = [line.add(&rows), line.add(&[rows[1], rows[0]])];
    }
    let pack = line.maker.open().unwrap();
    let history = pack.history().unwrap();
    assert_eq!(
        history.reaches(&rows[0], &line.commits[0]).unwrap(),
        Reach::Yes
    );
    assert_eq!(history.reaches(&rows[0], &rows[1]).unwrap(), Reach::No);
    pack.reached(&rows).unwrap().check_all().unwrap();
}

#[test]
fn refuses_what_no_tip_leads_to() {
    let mut line = Line::new();
    let root = line.add(&[]);
    let tip = line.add(&[root]);
    let hidden = line.add(&[root]);
    let pack = line.maker.open().unwrap();
    pack.reached(&[tip, hidden]).unwrap().check_all().unwrap();
    let reached = pack.reached(&[tip]).unwrap();
    assert!(reached.has(&root) && !reached.has(&hidden));
    assert!(matches!(reached.check_all(), Err(PackError::Hidden(oid)) if oid == hidden));
    assert!(pack.reached(&[]).unwrap().check_all().is_err());
    assert!(pack.reached(&[elsewhere(1)]).unwrap().check_all().is_err());
}

#[test]
fn a_lone_blob_tree_or_tag_is_hidden_too() {
    for kind in [Kind::Blob, Kind::Tree, Kind::Tag] {
        let mut line = Line::new();
        let tip = line.add(&[]);
        let tag = format!("object {tip}\ntype commit\ntag v1\n\nm\n").into_bytes();
        let content = match kind {
            Kind::Tree => tree(&[("160000", b"a", tip)]),
            Kind::Tag => tag,
            _ => b"secret".to_vec(),
        };
        let hidden = line.maker.whole(kind, &content);
        let pack = line.maker.open().unwrap();
        let reached = pack.reached(&[tip]).unwrap();
        assert!(matches!(reached.check_all(), Err(PackError::Hidden(oid)) if oid == hidden));
        pack.reached(&[tip, hidden]).unwrap().check_all().unwrap();
    }
}

#[test]
fn a_submodule_does_not_lead_to_a_commit_of_the_pack() {
    let mut line = Line::new();
    let hidden = line.add(&[]);
    let with = line
        .maker
        .whole(Kind::Tree, &tree(&[("160000", b"sub", hidden)]));
    let tip = line.maker.whole(Kind::Commit, &commit(&with, &[], "tip"));
    let pack = line.maker.open().unwrap();
    let checked = pack.reached(&[tip]).unwrap().check_all();
    assert!(matches!(checked, Err(PackError::Hidden(oid)) if oid == hidden || oid == line.tree));
}

#[test]
fn tags_of_tags_lead_to_what_they_are_on() {
    let mut line = Line::new();
    let mut tip = line.add(&[]);
    let mut kind = "commit";
    for number in 0..2000 {
        let tag = format!("object {tip}\ntype {kind}\ntag v{number}\n\nm\n");
        tip = line.maker.whole(Kind::Tag, tag.as_bytes());
        kind = "tag";
    }
    let pack = line.maker.open().unwrap();
    pack.reached(&[tip]).unwrap().check_all().unwrap();
}

#[test]
fn refuses_objects_that_are_used_as_something_else() {
    let mut maker = Maker::new();
    let blob = maker.blob(b"x");
    let empty = maker.whole(Kind::Tree, b"");
    let as_directory = maker.whole(Kind::Tree, &tree(&[("40000", b"a", blob)]));
    let as_file = maker.whole(Kind::Tree, &tree(&[("100644", b"a", empty)]));
    let of_blob = maker.whole(Kind::Commit, &commit(&blob, &[], "m"));
    let on_tree = maker.whole(Kind::Commit, &commit(&empty, &[empty], "m"));
    let tag = format!("object {empty}\ntype commit\ntag v1\n\nm\n");
    let tag = maker.whole(Kind::Tag, tag.as_bytes());
    let pack = maker.open().unwrap();
    for tip in [as_directory, as_file, of_blob, on_tree, tag] {
        assert!(matches!(pack.reached(&[tip]), Err(PackError::WrongKind(_))));
    }
    assert!(matches!(pack.history(), Err(PackError::WrongKind(_))));
}

#[test]
fn finds_a_path_of_a_blob() {
    let mut maker = Maker::new();
    let blob = maker.blob(b"x");
    let lone = maker.blob(b"lone");
    let inner = maker.whole(Kind::Tree, &tree(&[("100644", b"file", blob)]));
    let middle = maker.whole(Kind::Tree, &tree(&[("40000", b"in", inner)]));
    let root = maker.whole(Kind::Tree, &tree(&[("40000", b"dir", middle)]));
    let tip = maker.whole(Kind::Commit, &commit(&root, &[], "m"));
    let pack = maker.open().unwrap();
    let reached = pack.reached(&[tip, lone]).unwrap();
    assert_eq!(reached.path_of(&blob).unwrap().unwrap(), b"dir/in/file");
    assert_eq!(reached.path_of(&inner).unwrap().unwrap(), b"dir/in");
    for without in [lone, root, tip, name(Sha1, Kind::Blob, b"other")] {
        assert_eq!(reached.path_of(&without).unwrap(), None);
    }
}
