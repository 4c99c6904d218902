//! Looks at all of a pushed pack: every object whether a ref leads to it or not, the commits, the
//! files that they change, and what is written in them.

mod authors;
mod foreign;
mod search;
#[cfg(test)]
mod testing;
mod written;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::ops::ControlFlow;

use ringfence_gateway::git::{ChangedFile, ChangedFiles, GitTerms};
use ringfence_git::pack::{Change, ChangeKind, Pack, PackError, Reach, Trees};
use ringfence_git::wire::push::PushRequest;
use ringfence_model::git::{Oid, RefChange, RefUpdate};

use super::limits::{ATTRIBUTES_OCTETS, CHANGED_FILES};

pub(super) use authors::authors;
pub(super) use foreign::{foreign, rested_on};
pub(super) use search::{Searched, handing};
pub(super) use written::{Written, detector, is_own, written};

/// A ref of a push, as far as the pack tells what happens to it.
pub(super) enum Proven {
    /// What it is.
    Known(RefChange),
    /// A step forward, if `old` is one of these or an ancestor of one.
    Rests(Vec<Oid>),
}

/// Checks that the pack holds nothing but what the new refs lead to.
pub(super) fn nothing_hidden(pack: &Pack, request: &PushRequest) -> Result<(), PackError> {
    pack.reached(&tips(request))?.check_all()
}

/// The objects that refs are set to.
pub(super) fn tips(request: &PushRequest) -> Vec<Oid> {
    let news = request.updates.iter().map(|update| update.new);
    news.filter(|oid| !oid.is_null()).collect()
}

/// What happens to each ref, by the commits in the pack.
pub(super) fn changes(
    pack: Option<&Pack>,
    updates: &[RefUpdate],
) -> Result<Vec<Proven>, PackError> {
    let history = pack.map(Pack::history).transpose()?;
    let prove = |update: &RefUpdate| {
        if update.change != RefChange::Update {
            return Ok(Proven::Known(update.change));
        }
        let Some(history) = &history else {
            return Ok(Proven::Rests(vec![update.new]));
        };
        Ok(match history.reaches(&update.new, &update.old)? {
            Reach::Yes => Proven::Known(RefChange::FastForward),
            Reach::No => Proven::Known(RefChange::Force),
            Reach::Unknown { boundary } => Proven::Rests(boundary),
        })
    };
    updates.iter().map(prove).collect()
}

/// A commit that a ref is set to, and what its files are compared with: those of the commits that the
/// ref was at and that a clone begins with.
pub(super) struct Tip {
    pub(super) new: Oid,
    pub(super) olds: Vec<Oid>,
}

/// The files that a push changes: in each commit of the pack, and at each tip, because a merge and a
/// commit that is there already bring files from anywhere. `before` has the trees of all commits that
/// are not in the pack.
pub(super) fn files(
    pack: &Pack,
    before: Option<&Pack>,
    terms: &GitTerms,
    tips: &[Tip],
) -> Result<ChangedFiles, PackError> {
    let trees = Before { pack, before };
    let mut minded = Minded::new(terms);
    pack.changed_paths(&trees, &mut |change| minded.take(change))?;
    for Tip { new, olds } in tips {
        let commit = pack.tag(new)?.map_or(*new, |tag| tag.target);
        pack.changed_from(olds, &commit, &trees, &mut |change| minded.take(change))?;
    }
    if minded.is_unknown {
        return Ok(ChangedFiles::Unknown);
    }
    let named: Vec<Oid> = minded.attributes.values().copied().collect();
    let filters = with_filters(pack, &named)?;
    let plain = minded.changed.into_iter().map(|path| ChangedFile {
        path,
        names_filter: false,
    });
    let attributes = minded
        .attributes
        .into_iter()
        .map(|(path, oid)| ChangedFile {
            path,
            // One that was there before under another name is not in the pack.
            names_filter: filters.contains(&oid) || pack.kind_of(&oid).is_none(),
        });
    Ok(ChangedFiles::Known(plain.chain(attributes).collect()))
}

/// The changed files that a rule looks at, each once.
struct Minded<'t> {
    terms: &'t GitTerms,
    changed: BTreeSet<Vec<u8>>,
    attributes: BTreeMap<Vec<u8>, Oid>,
    is_unknown: bool,
}

impl<'t> Minded<'t> {
    const fn new(terms: &'t GitTerms) -> Self {
        Self {
            terms,
            changed: BTreeSet::new(),
            attributes: BTreeMap::new(),
            is_unknown: false,
        }
    }

    fn take(&mut self, change: &Change<'_>) -> ControlFlow<()> {
        let name = change.path.rsplit(|octet| *octet == b'/').next();
        match change.now {
            Some((_, oid)) if name == Some(ATTRIBUTES) => {
                self.attributes.insert(change.path.to_vec(), oid);
            }
            _ if self.terms.minds(change.path) => {
                self.changed.insert(change.path.to_vec());
            }
            _ => {}
        }
        self.is_unknown |= change.kind == ChangeKind::Unknown
            || self.changed.len() + self.attributes.len() > CHANGED_FILES;
        if self.is_unknown {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}

const ATTRIBUTES: &[u8] = b".gitattributes";

/// Those of `blobs` that name a filter, which is a program of whoever checks them out.
fn with_filters(pack: &Pack, blobs: &[Oid]) -> Result<Vec<Oid>, PackError> {
    let mut found = Vec::new();
    if blobs.is_empty() {
        return Ok(found);
    }
    pack.visit(&mut |object| {
        if !blobs.contains(&object.oid) {
            return ControlFlow::Continue(());
        }
        let mut text = Vec::new();
        let read = (&mut object.content)
            .take(ATTRIBUTES_OCTETS)
            .read_to_end(&mut text);
        let whole = read.is_ok() && object.size <= ATTRIBUTES_OCTETS;
        if !whole || names_filter(&text) {
            found.push(object.oid);
        }
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

/// Whether attributes name a filter other than that of Git LFS (gitattributes(5)), in any macro.
fn names_filter(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    let mut words = text
        .lines()
        .filter(|line| !line.trim_start_matches([' ', '\t', '\r']).starts_with('#'))
        .flat_map(str::split_whitespace);
    words.any(|word| {
        word.strip_prefix("filter=")
            .is_some_and(|filter| filter != "lfs")
    })
}

/// The trees before the push: of the pack, where commits build on each other, else as they are
/// upstream.
struct Before<'p> {
    pack: &'p Pack,
    before: Option<&'p Pack>,
}

impl Trees for Before<'_> {
    fn tree_of(&self, commit: &Oid) -> Result<Option<Oid>, PackError> {
        match (self.pack.tree_of(commit)?, self.before) {
            (None, Some(before)) => before.tree_of(commit),
            (known, _) => Ok(known),
        }
    }

    fn tree(&self, oid: &Oid) -> Result<Option<ringfence_git::pack::Tree>, PackError> {
        match (Pack::tree(self.pack, oid)?, self.before) {
            (None, Some(before)) => Pack::tree(before, oid),
            (known, _) => Ok(known),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_found_wherever_attributes_name_one() {
        for (text, found) in [
            ("*.png filter=lfs diff=lfs merge=lfs -text", false),
            ("*.c filter=indent", true),
            ("[attr]x filter=evil\n* x", true),
            ("# *.c filter=indent", false),
            ("*.c -filter", false),
            ("", false),
        ] {
            assert_eq!(names_filter(text.as_bytes()), found, "{text}");
        }
    }
}
