//! Which paths the commits of a pack change.

use std::cmp::Ordering;
use std::iter::Peekable;
use std::ops::ControlFlow;

use ringfence_model::git::Oid;

use super::tree::{Entries, order};
use super::{Excess, Kind, Mode, Pack, PackError, Tree, TreeEntry};
use crate::limits::{TREE_DEPTH, TREE_PATH_OCTETS, TREES_HELD_OCTETS};

/// Where the trees are that a pack does not have, because the receiver has them already.
pub trait Trees {
    /// The tree of a commit, where it is known.
    ///
    /// # Errors
    /// When it cannot be asked for; what is merely not known is `None`.
    fn tree_of(&self, commit: &Oid) -> Result<Option<Oid>, PackError>;

    /// A tree, where it is known.
    ///
    /// # Errors
    /// As for `tree_of`.
    fn tree(&self, oid: &Oid) -> Result<Option<Tree>, PackError>;
}

impl Trees for Pack {
    fn tree_of(&self, commit: &Oid) -> Result<Option<Oid>, PackError> {
        Ok(self.commit(commit)?.map(|commit| commit.tree))
    }

    fn tree(&self, oid: &Oid) -> Result<Option<Tree>, PackError> {
        Pack::tree(self, oid)
    }
}

/// A path that a commit changes: it is not as in any of the parents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change<'a> {
    /// The commit.
    pub commit: Oid,
    /// The path from the root, any octets but NUL, mostly UTF-8; empty for the root itself.
    pub path: &'a [u8],
    /// What happens there.
    pub kind: ChangeKind,
    /// What is there afterwards; nothing where it is deleted or not known.
    pub now: Option<(Mode, Oid)>,
}

/// What happens to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    /// Nothing was there.
    Added,
    /// Something else was there, or the same with another mode.
    Modified,
    /// Nothing is there any more.
    Deleted,
    /// The path is a directory, and anything below it may have changed: a tree of it, or of what
    /// was there before, is known to nobody.
    Unknown,
}

/// What a visitor of changes is.
pub type VisitChange<'v> = dyn FnMut(&Change<'_>) -> ControlFlow<()> + 'v;

impl Pack {
    /// Shows which paths each commit of the pack changes, until told to stop. A path of a merge is
    /// shown where it is not as in any of the parents; what one of them had was shown with that
    /// parent, or is with the receiver already. Of a commit without a parent, every path is shown.
    ///
    /// # Errors
    /// When it costs more than the limits of the pack allow, when a tree cannot be read again.
    pub fn changed_paths(
        &self,
        trees: &dyn Trees,
        visit: &mut VisitChange<'_>,
    ) -> Result<(), PackError> {
        let mut walk = Walk::new(self, trees, visit);
        for entry in self.index.in_file_order() {
            if entry.kind != Kind::Commit {
                continue;
            }
            let Some(commit) = self.commit(&entry.oid)? else {
                continue;
            };
            if walk.commit(entry.oid, &commit.parents)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Shows which paths of a commit are not as in any of `olds`, whatever lies between them.
    ///
    /// # Errors
    /// As for [`Pack::changed_paths`].
    pub fn changed_from(
        &self,
        olds: &[Oid],
        new: &Oid,
        trees: &dyn Trees,
        visit: &mut VisitChange<'_>,
    ) -> Result<(), PackError> {
        let mut walk = Walk::new(self, trees, visit);
        walk.commit(*new, olds).map(drop)
    }
}

type Flow = Result<ControlFlow<()>, PackError>;

const GO_ON: Flow = Ok(ControlFlow::Continue(()));

struct Walk<'w, 'v> {
    pack: &'w Pack,
    trees: &'w dyn Trees,
    visit: &'w mut VisitChange<'v>,
    commit: Oid,
    path: Vec<u8>,
    depth: usize,
    held: usize,
    compared: u64,
    told: u64,
}

/// What is at one name: in the new tree, and in each of the old ones.
struct Row<'a> {
    name: TreeEntry<'a>,
    new: Option<(Mode, Oid)>,
    olds: Vec<Option<(Mode, Oid)>>,
}

impl<'w, 'v> Walk<'w, 'v> {
    fn new(pack: &'w Pack, trees: &'w dyn Trees, visit: &'w mut VisitChange<'v>) -> Self {
        Self {
            pack,
            trees,
            visit,
            commit: Oid::null(pack.format),
            path: Vec::new(),
            depth: 0,
            held: 0,
            compared: 0,
            told: 0,
        }
    }

    fn commit(&mut self, oid: Oid, parents: &[Oid]) -> Flow {
        self.commit = oid;
        let new = self.tree_of(&oid)?;
        let mut olds = Vec::new();
        for parent in parents {
            olds.push(self.tree_of(parent)?);
        }
        let Some(new) = new else {
            return self.tell(ChangeKind::Unknown, None);
        };
        if olds.contains(&Some(new)) {
            return GO_ON;
        }
        if olds.contains(&None) {
            return self.tell(ChangeKind::Unknown, None);
        }
        olds.sort_unstable();
        olds.dedup();
        self.directory(Some(new), &olds)
    }

    fn tree_of(&self, commit: &Oid) -> Result<Option<Oid>, PackError> {
        match Trees::tree_of(self.pack, commit)? {
            Some(tree) => Ok(Some(tree)),
            None => self.trees.tree_of(commit),
        }
    }

    /// A directory that is there as `new` and was there as each of `olds`, or was not.
    fn directory(&mut self, new: Option<Oid>, olds: &[Option<Oid>]) -> Flow {
        self.pack.stop.check()?;
        if self.depth >= TREE_DEPTH {
            return Err(PackError::TooMuch(Excess::PathDepth));
        }
        let before = self.held;
        let mut trees = Vec::with_capacity(olds.len() + 1);
        for oid in std::iter::once(&new).chain(olds) {
            let Some(tree) = self.tree(oid.as_ref())? else {
                self.held = before;
                return self.tell(ChangeKind::Unknown, None);
            };
            trees.push(tree);
        }
        self.depth += 1;
        let flow = self.rows(&trees);
        self.depth -= 1;
        self.held = before;
        flow
    }

    fn tree(&mut self, oid: Option<&Oid>) -> Result<Option<Tree>, PackError> {
        let Some(oid) = oid else {
            return Ok(Some(Tree::empty(self.pack.format)));
        };
        let tree = match self.pack.index.find(oid) {
            Some(entry) if entry.kind == Kind::Tree => Some(self.pack.tree_at(entry)?),
            Some(_) => return Err(PackError::WrongKind(*oid)),
            None => self.trees.tree(oid)?,
        };
        self.held += tree.as_ref().map_or(0, Tree::octets);
        if self.held > TREES_HELD_OCTETS {
            return Err(PackError::TooMuch(Excess::Compared));
        }
        Ok(tree)
    }

    fn rows(&mut self, trees: &[Tree]) -> Flow {
        let mut cursors: Vec<_> = trees.iter().map(|tree| tree.entries().peekable()).collect();
        while let Some(row) = self.row(&mut cursors)? {
            if row.olds.contains(&row.new) {
                continue;
            }
            if self.differs(&row)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        GO_ON
    }

    /// The next name of any tree, and what each of them has there.
    fn row<'a>(
        &mut self,
        cursors: &mut [Peekable<Entries<'a>>],
    ) -> Result<Option<Row<'a>>, PackError> {
        let heads = cursors
            .iter_mut()
            .filter_map(|cursor| cursor.peek().copied());
        let Some(name) = heads.min_by(order) else {
            return Ok(None);
        };
        let mut taken = cursors.iter_mut().map(|cursor| {
            let entry = cursor.next_if(|entry| order(entry, &name) == Ordering::Equal);
            entry.map(|entry| (entry.mode, entry.oid))
        });
        let new = taken.next().flatten();
        let olds: Vec<_> = taken.collect();
        self.compared += cursors.len() as u64;
        if self.compared > self.pack.limits.compared_entries {
            return Err(PackError::TooMuch(Excess::Compared));
        }
        Ok(Some(Row { name, new, olds }))
    }

    fn differs(&mut self, row: &Row<'_>) -> Flow {
        let above = self.path.len();
        if above > 0 {
            self.path.push(b'/');
        }
        self.path.extend_from_slice(row.name.name);
        if self.path.len() > TREE_PATH_OCTETS {
            return Err(PackError::TooMuch(Excess::PathDepth));
        }
        let flow = if row.name.is_directory() {
            let oid = |at: &Option<(Mode, Oid)>| at.map(|(_, oid)| oid);
            let mut olds: Vec<_> = row.olds.iter().map(oid).collect();
            olds.sort_unstable();
            olds.dedup();
            self.directory(oid(&row.new), &olds)
        } else {
            self.tell(kind(row), row.new)
        };
        self.path.truncate(above);
        flow
    }

    fn tell(&mut self, kind: ChangeKind, now: Option<(Mode, Oid)>) -> Flow {
        self.told += 1;
        if self.told > self.pack.limits.changed_paths {
            return Err(PackError::TooMuch(Excess::ChangedPaths));
        }
        Ok((self.visit)(&Change {
            commit: self.commit,
            path: &self.path,
            kind,
            now,
        }))
    }
}

fn kind(row: &Row<'_>) -> ChangeKind {
    if row.new.is_none() {
        ChangeKind::Deleted
    } else if row.olds.iter().all(Option::is_none) {
        ChangeKind::Added
    } else {
        ChangeKind::Modified
    }
}
