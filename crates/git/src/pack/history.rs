//! Which commits of a pack descend from which.

use std::collections::HashMap;

use ringfence_model::git::Oid;

use super::{Excess, Kind, Pack, PackError};
use crate::limits::{PARENTS_OUTSIDE, PARENTS_PER_OBJECT};

/// The commits of a pack and their parents.
#[derive(Debug)]
pub struct History<'p> {
    pack: &'p Pack,
    /// By number of the object, which of `parents` are its own.
    spans: Vec<Span>,
    parents: Vec<Parent>,
    outside: Vec<Oid>,
    outside_numbers: HashMap<Oid, u32>,
}

/// Whether a commit descends from another one, as far as a pack tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// It does, or it is the same.
    Yes,
    /// It does not, wherever the pack comes from.
    No,
    /// It does if and only if one of these, which are not in the pack, is the other or descends
    /// from it.
    Unknown {
        /// The commits where the pack ends.
        boundary: Vec<Oid>,
    },
}

#[derive(Debug, Clone, Copy, Default)]
struct Span {
    from: u32,
    count: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Parent {
    Inside(u32),
    Outside(u32),
}

impl<'p> History<'p> {
    pub(super) fn new(pack: &'p Pack) -> Result<Self, PackError> {
        let mut history = Self {
            pack,
            spans: vec![Span::default(); pack.len()],
            parents: Vec::new(),
            outside: Vec::new(),
            outside_numbers: HashMap::new(),
        };
        for entry in pack.index.in_file_order() {
            if entry.kind == Kind::Commit {
                pack.stop.check()?;
                history.add(&entry.oid)?;
            }
        }
        Ok(history)
    }

    /// The parents that are not in the pack, each once: where what is pushed begins.
    #[must_use]
    pub fn outside(&self) -> &[Oid] {
        &self.outside
    }

    /// Whether `new` descends from `old`.
    ///
    /// # Errors
    /// When the work was stopped.
    pub fn reaches(&self, new: &Oid, old: &Oid) -> Result<Reach, PackError> {
        if new == old {
            return Ok(Reach::Yes);
        }
        let Some(start) = self.pack.index.number_of(new) else {
            let boundary = vec![*new];
            return Ok(Reach::Unknown { boundary });
        };
        let inside = self.pack.index.number_of(old).map(Parent::Inside);
        let outside = || self.outside_numbers.get(old).copied().map(Parent::Outside);
        self.walk(start, inside.or_else(outside))
    }

    fn walk(&self, start: u32, sought: Option<Parent>) -> Result<Reach, PackError> {
        let mut seen = vec![false; self.spans.len()];
        let mut is_boundary = vec![false; self.outside.len()];
        let mut waiting = vec![start];
        while let Some(number) = waiting.pop() {
            self.pack.stop.check()?;
            for parent in self.parents_of(number) {
                if Some(*parent) == sought {
                    return Ok(Reach::Yes);
                }
                let (marks, number) = match parent {
                    Parent::Inside(number) => (&mut seen, *number),
                    Parent::Outside(number) => (&mut is_boundary, *number),
                };
                let mark = marks.get_mut(number as usize);
                let is_new = mark.is_some_and(|mark| !std::mem::replace(mark, true));
                if is_new && matches!(parent, Parent::Inside(_)) {
                    waiting.push(number);
                }
            }
        }
        let marked = self.outside.iter().zip(is_boundary);
        let boundary: Vec<Oid> = marked.filter_map(|(oid, is)| is.then_some(*oid)).collect();
        Ok(match boundary.is_empty() {
            true => Reach::No,
            false => Reach::Unknown { boundary },
        })
    }

    fn parents_of(&self, number: u32) -> &[Parent] {
        let span = self.spans.get(number as usize).copied().unwrap_or_default();
        let from = span.from as usize;
        let range = from..from + span.count as usize;
        self.parents.get(range).unwrap_or_default()
    }

    fn add(&mut self, oid: &Oid) -> Result<(), PackError> {
        let Some(commit) = self.pack.commit(oid)? else {
            return Ok(());
        };
        self.pack.expect_kind(&commit.tree, Kind::Tree)?;
        let bound = self.pack.limits.objects as usize * PARENTS_PER_OBJECT;
        let too_many = || PackError::TooMuch(Excess::Parents);
        if self.parents.len() + commit.parents.len() > bound {
            return Err(too_many());
        }
        let span = Span {
            from: u32::try_from(self.parents.len()).map_err(|_| too_many())?,
            count: u32::try_from(commit.parents.len()).map_err(|_| too_many())?,
        };
        for parent in &commit.parents {
            let parent = self.parent(parent)?;
            self.parents.push(parent);
        }
        let number = self.pack.index.number_of(oid);
        if let Some(place) = number.and_then(|number| self.spans.get_mut(number as usize)) {
            *place = span;
        }
        Ok(())
    }

    fn parent(&mut self, oid: &Oid) -> Result<Parent, PackError> {
        self.pack.expect_kind(oid, Kind::Commit)?;
        if let Some(number) = self.pack.index.number_of(oid) {
            return Ok(Parent::Inside(number));
        }
        if let Some(number) = self.outside_numbers.get(oid) {
            return Ok(Parent::Outside(*number));
        }
        let number = u32::try_from(self.outside.len()).unwrap_or(u32::MAX);
        if self.outside.len() >= PARENTS_OUTSIDE {
            return Err(PackError::TooMuch(Excess::Parents));
        }
        self.outside.push(*oid);
        self.outside_numbers.insert(*oid, number);
        Ok(Parent::Outside(number))
    }
}
