//! What a push would take from wherever the upstream has it: a server joins what is pushed with all
//! that it has, also with what the agent may not read.

use std::collections::HashSet;
use std::ops::ControlFlow;

use ringfence_git::pack::{Excess, Kind, Mode, Pack, PackError, Trees as _};
use ringfence_model::git::Oid;

use super::super::limits::KNOWN_OBJECTS;

/// The commits that the pack rests on and does not have: parents, and what its tags are on.
pub(in super::super) fn rested_on(pack: &Pack) -> Result<Vec<Oid>, PackError> {
    let mut outside = pack.history()?.outside().to_vec();
    for tag in named(pack, Kind::Tag)? {
        if let Some(tag) = pack.tag(&tag)?
            && tag.kind == Kind::Commit
            && pack.kind_of(&tag.target).is_none()
        {
            outside.push(tag.target);
        }
    }
    Ok(outside)
}

/// An object that the pack names and does not have, and that is in no tree of the commits that it
/// rests on, which `before` has. A submodule's commit is in another repository.
pub(in super::super) fn foreign(
    pack: &Pack,
    before: Option<&Pack>,
    rested: &[Oid],
) -> Result<Option<Oid>, PackError> {
    let known = known(before, rested)?;
    let is_foreign = |oid: &Oid| pack.kind_of(oid).is_none() && !known.contains(oid);
    for tag in named(pack, Kind::Tag)? {
        let tag = pack.tag(&tag)?.filter(|tag| tag.kind != Kind::Commit);
        if let Some(tag) = tag.filter(|tag| is_foreign(&tag.target)) {
            return Ok(Some(tag.target));
        }
    }
    for commit in named(pack, Kind::Commit)? {
        let tree = pack.tree_of(&commit)?;
        if let Some(tree) = tree.filter(|tree| is_foreign(tree)) {
            return Ok(Some(tree));
        }
    }
    for tree in named(pack, Kind::Tree)? {
        let Some(tree) = pack.tree(&tree)? else {
            continue;
        };
        let mut entries = tree.entries();
        if let Some(entry) = entries.find(|it| it.mode != Mode::Submodule && is_foreign(&it.oid)) {
            return Ok(Some(entry.oid));
        }
    }
    Ok(None)
}

/// The trees of `commits`, and all that is in them.
fn known(before: Option<&Pack>, commits: &[Oid]) -> Result<HashSet<Oid>, PackError> {
    let mut known = HashSet::new();
    let Some(before) = before else {
        return Ok(known);
    };
    for commit in commits {
        let mut waiting: Vec<Oid> = before.tree_of(commit)?.into_iter().collect();
        known.extend(waiting.iter().copied());
        while let Some(tree) = waiting.pop() {
            let Some(tree) = before.tree(&tree)? else {
                continue;
            };
            for entry in tree.entries().filter(|it| it.mode != Mode::Submodule) {
                if known.insert(entry.oid) && entry.mode == Mode::Directory {
                    waiting.push(entry.oid);
                }
            }
            if known.len() > KNOWN_OBJECTS {
                return Err(PackError::TooMuch(Excess::Compared));
            }
        }
    }
    Ok(known)
}

/// The objects of a kind.
fn named(pack: &Pack, kind: Kind) -> Result<Vec<Oid>, PackError> {
    let mut named = Vec::new();
    pack.visit(&mut |object| {
        if object.kind == kind {
            named.push(object.oid);
        }
        ControlFlow::Continue(())
    })?;
    Ok(named)
}

#[cfg(test)]
mod tests {
    use super::super::testing::Repo;
    use super::*;

    fn text(octets: Vec<u8>) -> String {
        String::from_utf8(octets).unwrap().trim().to_owned()
    }

    /// A repository with `hidden`, which nobody was shown, and `main`, which was, and a pack of
    /// what `main` was.
    fn repo() -> (Repo, Oid, Pack) {
        let repo = Repo::new();
        repo.write("plan", "secret");
        repo.write("sub/plan", "secret, too");
        repo.commit("hidden");
        repo.git(&["tag", "hidden"], b"");
        repo.git(&["checkout", "-q", "--orphan", "other"], b"");
        repo.git(&["rm", "-rqf", "."], b"");
        repo.write("a", "known");
        repo.write("d/b", "known, too");
        let main = repo.commit("shown");
        let before = repo.pack(&main);
        (repo, main, before)
    }

    /// Of what a tree of these lines, and a commit of it on `main`, name, the foreign one.
    fn of_tree(lines: &str) -> Option<Oid> {
        let (repo, main, before) = repo();
        let lines = lines.split(',').map(|line| {
            let [mode, kind, revision, name] = line.split(' ').collect::<Vec<_>>()[..] else {
                panic!("{line}");
            };
            format!("{mode} {kind} {}\t{name}\n", repo.oid(revision))
        });
        let lines: String = lines.collect();
        let tree = text(repo.git(&["mktree"], lines.as_bytes()));
        let made = ["commit-tree", &tree, "-p", &main.to_string(), "-m", "x"];
        let commit = text(repo.git(&made, b""));
        let pack = repo.pack_of(&[&commit, &tree]);
        foreign(&pack, Some(&before), &[main]).unwrap()
    }

    #[test]
    fn what_a_tree_takes_from_commits_that_were_shown_is_not_foreign() {
        for lines in [
            "100644 blob other:a moved",
            "040000 tree other:d moved",
            "100644 blob other:d/b x,040000 tree other:d d",
            "160000 commit hidden module",
        ] {
            assert_eq!(of_tree(lines), None, "{lines}");
        }
    }

    #[test]
    fn what_a_tree_takes_from_elsewhere_is() {
        for lines in [
            "100644 blob hidden:plan x",
            "100644 blob other:a a,100644 blob hidden:sub/plan x",
            "040000 tree hidden:sub x",
        ] {
            assert!(of_tree(lines).is_some(), "{lines}");
        }
    }

    #[test]
    fn of_what_is_known_only_the_trees_of_what_the_push_rests_on_count() {
        let (repo, main, _) = repo();
        let listed = text(repo.git(&["rev-list", "--objects", "hidden", "other"], b""));
        let listed: Vec<&str> = listed.lines().map(|line| &line[..40]).collect();
        let both = repo.pack_of(&listed);
        let tree = format!("100644 blob {}\tx\n", repo.oid("hidden:plan"));
        let tree = text(repo.git(&["mktree"], tree.as_bytes()));
        let made = ["commit-tree", &tree, "-p", &main.to_string(), "-m", "x"];
        let commit = text(repo.git(&made, b""));
        let pack = repo.pack_of(&[&commit, &tree]);
        let found = foreign(&pack, Some(&both), &[main]).unwrap();
        assert_eq!(found, Some(repo.oid("hidden:plan")));
    }

    #[test]
    fn the_tree_of_a_commit_and_the_object_of_a_tag_are_named_as_well() {
        let (repo, main, before) = repo();
        let on = |args: &[&str]| text(repo.git(args, b""));
        let commit = on(&["commit-tree", "hidden^{tree}", "-m", "x"]);
        let pack = repo.pack_of(&[&commit]);
        let found = foreign(&pack, Some(&before), &[main]).unwrap();
        assert_eq!(found, Some(repo.oid("hidden^{tree}")));
        for (revision, is_commit) in [
            ("hidden", true),
            ("hidden:plan", false),
            ("hidden:sub", false),
        ] {
            on(&["tag", "-f", "-a", "-m", "x", "t", revision]);
            let pack = repo.pack_of(&["t"]);
            let found = foreign(&pack, Some(&before), &[main]).unwrap();
            let target = repo.oid(revision);
            assert_eq!(found, (!is_commit).then_some(target), "{revision}");
            let rested = rested_on(&pack).unwrap();
            assert_eq!(rested.contains(&target), is_commit, "{revision}");
        }
        on(&["tag", "-f", "-a", "-m", "y", "u", "t"]);
        let pack = repo.pack_of(&["u"]);
        let found = foreign(&pack, Some(&before), &[main]).unwrap();
        assert_eq!(found, Some(repo.oid("t")));
    }
}
