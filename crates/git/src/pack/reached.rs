//! Which objects of a pack the tips of a push lead to, and by which path.

use ringfence_model::git::Oid;

use super::{Kind, Mode, Pack, PackError};
use crate::limits::TREE_PATH_OCTETS;

/// The objects that some tips lead to.
#[derive(Debug)]
pub struct Reached<'p> {
    pack: &'p Pack,
    seen: Vec<bool>,
    /// By number of the object, the number of the tree that it was found in.
    from: Vec<u32>,
}

/// Found in no tree.
const NO_TREE: u32 = u32::MAX;

impl Pack {
    /// Follows everything that the tips lead to, as far as it is in the pack.
    ///
    /// # Errors
    /// When an object cannot be read again, or is used as something that it is not.
    pub fn reached(&self, tips: &[Oid]) -> Result<Reached<'_>, PackError> {
        let mut reached = Reached {
            pack: self,
            seen: vec![false; self.len()],
            from: vec![NO_TREE; self.len()],
        };
        let mut waiting = Vec::new();
        for tip in tips {
            let Some(kind) = self.kind_of(tip) else {
                continue;
            };
            reached.find(tip, kind, NO_TREE, &mut waiting)?;
            while let Some(number) = waiting.pop() {
                self.stop.check()?;
                reached.follow(number, &mut waiting)?;
            }
        }
        Ok(reached)
    }

    /// Refuses an object that is in the pack and is something else.
    pub(super) fn expect_kind(&self, oid: &Oid, kind: Kind) -> Result<(), PackError> {
        match self.kind_of(oid) {
            Some(other) if other != kind => Err(PackError::WrongKind(*oid)),
            _ => Ok(()),
        }
    }
}

impl Reached<'_> {
    /// Whether the tips lead to an object.
    #[must_use]
    pub fn has(&self, oid: &Oid) -> bool {
        let number = self.pack.index.number_of(oid);
        let seen = number.and_then(|number| self.seen.get(number as usize));
        seen.is_some_and(|seen| *seen)
    }

    /// Checks that the pack has nothing else.
    ///
    /// # Errors
    /// [`PackError::Hidden`] with an object that no tip leads to.
    pub fn check_all(&self) -> Result<(), PackError> {
        for ((_, entry), seen) in self.pack.index.all().zip(&self.seen) {
            if !seen {
                return Err(PackError::Hidden(entry.oid));
            }
        }
        Ok(())
    }

    /// A path by which an object is found, from the root of a commit; nothing where it is no part of
    /// a commit's tree in the pack. Of a path that is too long, the end. It reads each directory of
    /// the path again: to ask for few objects, not for all.
    ///
    /// # Errors
    /// When a tree cannot be read again.
    pub fn path_of(&self, oid: &Oid) -> Result<Option<Vec<u8>>, PackError> {
        let mut names: Vec<Vec<u8>> = Vec::new();
        let mut octets = 0;
        let mut oid = *oid;
        while let Some((tree, name)) = self.found_in(&oid)? {
            octets += name.len() + 1;
            if octets > TREE_PATH_OCTETS {
                break;
            }
            names.push(name);
            oid = tree;
        }
        names.reverse();
        let path = names.join(b"/".as_slice());
        Ok((!path.is_empty()).then_some(path))
    }

    fn found_in(&self, oid: &Oid) -> Result<Option<(Oid, Vec<u8>)>, PackError> {
        let number = self.pack.index.number_of(oid);
        let tree = number.and_then(|number| self.from.get(number as usize));
        let Some(tree) = tree.and_then(|tree| self.pack.index.get(*tree)) else {
            return Ok(None);
        };
        let content = self.pack.tree_at(tree)?;
        let entry = content.entries().find(|entry| entry.oid == *oid);
        Ok(entry.map(|entry| (tree.oid, entry.name.to_vec())))
    }

    fn follow(&mut self, number: u32, waiting: &mut Vec<u32>) -> Result<(), PackError> {
        let Some(entry) = self.pack.index.get(number).copied() else {
            return Ok(());
        };
        match entry.kind {
            Kind::Blob => {}
            Kind::Tag => {
                if let Some(tag) = self.pack.tag(&entry.oid)? {
                    self.find(&tag.target, tag.kind, NO_TREE, waiting)?;
                }
            }
            Kind::Commit => {
                if let Some(commit) = self.pack.commit(&entry.oid)? {
                    self.find(&commit.tree, Kind::Tree, NO_TREE, waiting)?;
                    for parent in &commit.parents {
                        self.find(parent, Kind::Commit, NO_TREE, waiting)?;
                    }
                }
            }
            Kind::Tree => self.follow_tree(number, waiting)?,
        }
        Ok(())
    }

    fn follow_tree(&mut self, number: u32, waiting: &mut Vec<u32>) -> Result<(), PackError> {
        let Some(entry) = self.pack.index.get(number) else {
            return Ok(());
        };
        let tree = self.pack.tree_at(entry)?;
        for name in tree.entries() {
            let kind = match name.mode {
                // It is a commit of another repository; one of this pack would stay hidden.
                Mode::Submodule => continue,
                Mode::Directory => Kind::Tree,
                Mode::File | Mode::Executable | Mode::Link => Kind::Blob,
            };
            self.find(&name.oid, kind, number, waiting)?;
        }
        Ok(())
    }

    /// Marks an object if it is in the pack, and has it followed the first time.
    fn find(
        &mut self,
        oid: &Oid,
        kind: Kind,
        from: u32,
        waiting: &mut Vec<u32>,
    ) -> Result<(), PackError> {
        let Some(number) = self.pack.index.number_of(oid) else {
            return Ok(());
        };
        self.pack.expect_kind(oid, kind)?;
        let place = number as usize;
        let seen = self.seen.get_mut(place);
        if seen.is_none_or(|seen| std::mem::replace(seen, true)) {
            return Ok(());
        }
        if let Some(place) = self.from.get_mut(place) {
            *place = from;
        }
        if kind != Kind::Blob {
            waiting.push(number);
        }
        Ok(())
    }
}
