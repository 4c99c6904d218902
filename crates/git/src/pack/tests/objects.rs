//! Commits, trees and tags that are read and those that are not.

use ringfence_model::git::ObjectFormat::{Sha1, Sha256};
use ringfence_model::git::{ObjectFormat, Oid};

use super::maker::{Maker, commit, name, tree};
use crate::limits::COMMIT_PARENTS;
use crate::pack::{Commit, Fault, Kind, Mode, PackError, Tag, Tree};

fn oid(number: u8) -> Oid {
    Oid::new(Sha1, &[number.max(1); 20]).unwrap()
}

fn tree_fault(entries: &[(&str, &[u8])]) -> Option<Fault> {
    let entries: Vec<_> = entries
        .iter()
        .map(|(mode, name)| (*mode, *name, oid(1)))
        .collect();
    Tree::parse(Sha1, tree(&entries)).err()
}

#[test]
fn reads_every_mode_that_git_writes() {
    let octets = tree(&[
        ("100755", b"a", oid(1)),
        ("40000", b"b", oid(2)),
        ("120000", b"c", oid(3)),
        ("160000", b"d", oid(4)),
        ("100644", b"e", oid(5)),
        ("100664", b"f", oid(6)),
    ]);
    let tree = Tree::parse(Sha1, octets).unwrap();
    let modes: Vec<Mode> = tree.entries().map(|entry| entry.mode).collect();
    assert_eq!(
        modes,
        [
            Mode::Executable,
            Mode::Directory,
            Mode::Link,
            Mode::Submodule,
            Mode::File,
            Mode::File
        ]
    );
    let names: Vec<&[u8]> = tree.entries().map(|entry| entry.name).collect();
    assert_eq!(names, [b"a", b"b", b"c", b"d", b"e", b"f"]);
    assert_eq!(tree.entries().nth(3).unwrap().oid, oid(4));
}

#[test]
fn reads_modes_of_old_histories() {
    for (mode, is) in [("100664", Mode::File), ("040000", Mode::Directory)] {
        let read = Tree::parse(Sha1, tree(&[(mode, b"a", oid(1))])).unwrap();
        assert_eq!(read.entries().next().map(|entry| entry.mode), Some(is));
    }
}

#[test]
fn refuses_other_modes() {
    for mode in [
        "",
        "0",
        "644",
        "0040000",
        "0100644",
        "100600",
        "100777",
        "100666",
        "170000",
        "40755",
        "100644x",
        "-100644",
        "+40000",
        "1000000000000000000000644",
    ] {
        assert_eq!(tree_fault(&[(mode, b"a")]), Some(Fault::Mode), "{mode}");
    }
}

#[test]
fn refuses_names_that_must_not_be_checked_out() {
    let names: [&[u8]; 32] = [
        b"",
        b".",
        b"..",
        b"/",
        b"a/b",
        b"/a",
        b"a/",
        b".git/config",
        b".git",
        b".GIT",
        b".Git",
        b".gIt",
        b".git ",
        b".git.",
        b".git . .",
        b".git...",
        b"git~1",
        b"GIT~1",
        b"git~1.",
        b"Git~1 ",
        b".git::$INDEX_ALLOCATION",
        b".git:x",
        b".GIT ::$DATA",
        b"git~1:a",
        b".git\\hooks",
        b"a\\.git",
        b"a\\..\\b",
        b"..\\x",
        "\u{200c}.git".as_bytes(),
        ".g\u{200d}it".as_bytes(),
        ".git\u{feff}".as_bytes(),
        ".gi\u{206a}t\u{202e}".as_bytes(),
    ];
    for name in names {
        for mode in ["100644", "40000", "120000", "160000"] {
            let fault = tree_fault(&[(mode, name)]);
            assert_eq!(fault, Some(Fault::EntryName), "{}", name.escape_ascii());
        }
    }
}

#[test]
fn takes_names_that_only_look_like_them() {
    let names: [&[u8]; 16] = [
        b".gitignore",
        b".gitattributes",
        b".github",
        b"git",
        b"git~2",
        b"git~",
        b".gi",
        b"x.git",
        b"...",
        b". .",
        b"a:b",
        b".git_",
        b"_.git",
        b"\xff\xfe",
        b"\n",
        "g\u{200c}o".as_bytes(),
    ];
    for name in names {
        assert_eq!(
            tree_fault(&[("100644", name)]),
            None,
            "{}",
            name.escape_ascii()
        );
    }
}

#[test]
fn refuses_links_that_git_would_read_through() {
    for name in [
        ".gitmodules",
        ".GitModules",
        ".gitmodules ",
        "gitmod~1",
        "GI7EBA~9",
    ] {
        let fault = tree_fault(&[("120000", name.as_bytes())]);
        assert_eq!(fault, Some(Fault::SymbolicLink), "{name}");
    }
    assert_eq!(tree_fault(&[("100644", b".gitmodules")]), None);
    assert_eq!(tree_fault(&[("120000", b"gitmodules")]), None);
}

#[test]
fn refuses_what_some_file_systems_take_for_a_file_of_git() {
    for name in [
        ".GitModules",
        ".gitmodules ",
        ".gitmodules\u{200c}",
        ".GITATTRIBUTES",
        ".gitattributes::$DATA",
        "gitmod~1",
        "GI7EBA~9",
        "gitatt~2",
        ".lfsConfig",
    ] {
        let fault = tree_fault(&[("100644", name.as_bytes())]);
        assert_eq!(fault, Some(Fault::EntryName), "{name}");
    }
    for name in [
        ".gitattributes",
        ".gitignore",
        ".github",
        ".gitmodules2",
        "gitmodules",
    ] {
        assert_eq!(tree_fault(&[("100644", name.as_bytes())]), None, "{name}");
    }
}

#[test]
fn takes_the_order_of_git_and_no_other() {
    let sorted: [(&str, &[u8]); 5] = [
        ("100644", b"a"),
        ("100644", b"a-b"),
        ("100644", b"a.b"),
        ("40000", b"a0"),
        ("100644", b"b"),
    ];
    assert_eq!(tree_fault(&sorted), None);
    for place in 0..sorted.len() - 1 {
        let mut swapped = sorted;
        swapped.swap(place, place + 1);
        assert_eq!(tree_fault(&swapped), Some(Fault::EntryOrder), "{place}");
    }
    assert_eq!(tree_fault(&[("100644", b"a.b"), ("40000", b"a")]), None);
    let fault = tree_fault(&[("40000", b"a"), ("100644", b"a.b")]);
    assert_eq!(fault, Some(Fault::EntryOrder));
}

#[test]
fn refuses_a_name_twice_however_far_apart() {
    let cases: [&[(&str, &[u8])]; 5] = [
        &[("100644", b"a"), ("100644", b"a")],
        &[("100644", b"a"), ("100755", b"a")],
        &[("100644", b"a"), ("40000", b"a")],
        &[
            ("100644", b"a"),
            ("100644", b"a-"),
            ("100644", b"a."),
            ("40000", b"a"),
        ],
        &[
            ("100644", b"a"),
            ("100644", b"a!"),
            ("40000", b"a!b"),
            ("100644", b"a.x"),
            ("40000", b"a"),
        ],
    ];
    for entries in cases {
        assert_eq!(tree_fault(entries), Some(Fault::EntryOrder), "{entries:?}");
    }
}

#[test]
fn refuses_trees_that_are_cut_off_or_name_nothing() {
    let whole = tree(&[("100644", b"a", oid(1)), ("40000", b"b", oid(2))]);
    let first = whole.len() - tree(&[("40000", b"b", oid(2))]).len();
    for length in 1..whole.len() {
        let is_whole = Tree::parse(Sha1, whole[..length].to_vec()).is_ok();
        assert_eq!(is_whole, length == first, "{length}");
    }
    let null = tree(&[("100644", b"a", Oid::null(Sha1))]);
    assert_eq!(Tree::parse(Sha1, null), Err(Fault::ObjectName));
    let long = vec![b'a'; 4097];
    assert_eq!(tree_fault(&[("100644", &long)]), Some(Fault::Truncated));
    assert_eq!(tree_fault(&[("100644", &long[1..])]), None);
}

#[test]
fn reads_a_commit() {
    let octets = commit(&oid(1), &[oid(2), oid(3)], "subject\n\nbody");
    let read = Commit::parse(Sha1, &octets).unwrap();
    assert_eq!((read.tree, read.parents), (oid(1), vec![oid(2), oid(3)]));
    assert_eq!(read.message, b"subject\n\nbody\n");
    assert_eq!(read.author, b"A <a@example.org> 1700000000 +0000");
    let signed = String::from_utf8(octets).unwrap().replace(
        "\n\nsubject",
        "\nencoding ISO-8859-1\ngpgsig -----BEGIN\n more\n \n -----END\nmergetag object x\n type y\n\nsubject",
    );
    let signed = Commit::parse(Sha1, signed.as_bytes()).unwrap();
    assert_eq!(signed.message, b"subject\n\nbody\n");
}

#[test]
fn refuses_commits_that_two_readers_may_read_differently() {
    let good = String::from_utf8(commit(&oid(1), &[oid(2)], "m")).unwrap();
    let author = "author A <a@example.org> 1700000000 +0000\n";
    let tree = format!("tree {}\n", oid(1));
    let parent = format!("parent {}\n", oid(2));
    let bad = [
        String::new(),
        good.replace(&tree, ""),
        good.replace(&tree, &tree.repeat(2)),
        good.replace(&tree, &format!("{parent}{tree}")),
        good.replace(author, ""),
        good.replace(author, &author.repeat(2)),
        good.replace(author, &format!("{author}{parent}")),
        good.replace("\n\nm", &format!("\n{parent}\nm")),
        good.replace("\n\nm", &format!("\nx y\n{tree}\nm")),
        good.replace("committer", "Committer"),
        good.replace("tree ", "tree  "),
        good.replace("tree ", " tree "),
        good.replace("tree ", "tree\t"),
        good.replace(&oid(1).to_string(), &"A".repeat(40)),
        good.replace(&oid(1).to_string(), &"0".repeat(40)),
        good.replace(&oid(1).to_string(), &"1".repeat(39)),
        good.replace(&oid(1).to_string(), &"1".repeat(64)),
        good.replace("author A", "author A\0"),
        good.replace("<a@example.org>", "a@example.org"),
        good.replace("<a@example.org>", ">a@example.org<"),
        good.replace("\n\nm", "\nx\0y\n\nm"),
        good.split("\n\n").next().unwrap().to_owned(),
    ];
    for bad in bad {
        assert_ne!(bad, good);
        assert!(Commit::parse(Sha1, bad.as_bytes()).is_err(), "{bad:?}");
    }
}

#[test]
fn refuses_commits_with_too_many_parents() {
    let parents = vec![oid(2); COMMIT_PARENTS];
    assert!(Commit::parse(Sha1, &commit(&oid(1), &parents, "m")).is_ok());
    let parents = vec![oid(2); COMMIT_PARENTS + 1];
    let read = Commit::parse(Sha1, &commit(&oid(1), &parents, "m"));
    assert_eq!(read, Err(Fault::Parents));
}

#[test]
fn reads_tags_and_refuses_those_with_two_of_a_header() {
    let good = format!(
        "object {}\ntype commit\ntag v1\ntagger T <t@example.org> 1 +0000\n\nmessage\n",
        oid(9)
    );
    let tag = Tag::parse(Sha1, good.as_bytes()).unwrap();
    assert_eq!((tag.target, tag.kind), (oid(9), Kind::Commit));
    assert_eq!(
        (tag.name.as_slice(), tag.message.as_slice()),
        (b"v1".as_slice(), b"message\n".as_slice())
    );
    let old = good.replace("tagger T <t@example.org> 1 +0000\n", "");
    assert!(Tag::parse(Sha1, old.as_bytes()).is_ok());
    for bad in [
        good.replace("type commit", "type thing"),
        good.replace("type commit\n", ""),
        good.replace("tag v1\n", ""),
        good.replace("\n\nmessage", &format!("\nobject {}\n\nmessage", oid(8))),
        good.replace("object", "Object"),
        good.replace("<t@", "t@"),
    ] {
        assert!(Tag::parse(Sha1, bad.as_bytes()).is_err(), "{bad:?}");
    }
}

#[test]
fn a_pack_with_an_object_that_is_not_valid_is_refused_with_its_name() {
    for format in [Sha1, Sha256] {
        for (kind, content) in bad_objects(format) {
            let mut maker = Maker::of(format);
            maker.blob(b"x");
            let bad = maker.whole(kind, &content);
            match maker.open() {
                Err(PackError::Invalid {
                    kind: found, oid, ..
                }) => {
                    assert_eq!((found, oid), (kind, bad));
                }
                other => panic!("{kind:?}: {other:?}"),
            }
        }
    }
}

fn bad_objects(format: ObjectFormat) -> [(Kind, Vec<u8>); 3] {
    let blob = name(format, Kind::Blob, b"x");
    [
        (Kind::Tree, tree(&[("100644", b".git", blob)])),
        (Kind::Commit, b"nothing\n".to_vec()),
        (Kind::Tag, Vec::new()),
    ]
}
