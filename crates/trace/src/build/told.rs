//! The spans that the agent told of, placed from the top: each waits for the one that it is part of,
//! so that none is ever a part of itself, however the agent chose their ids. None takes the place of
//! what was seen: ids of events, of tools and of the run are not the agent's to give.

use std::collections::{HashMap, HashSet, VecDeque};

use ringfence_model::{SpanId, ToldSpan};

use crate::limits::{OWN, TOLD_DEPTH, TOLD_OF_RUN};
use crate::node::ToldCounts;

/// What the agent told of one run.
#[derive(Debug, Default)]
pub(super) struct Heard {
    counts: ToldCounts,
    /// The spans of what was seen.
    own: HashSet<SpanId>,
    /// Those that wait, by the one that each waits for, in the order in which they came.
    waiting: HashMap<SpanId, Vec<ToldSpan>>,
    order: VecDeque<SpanId>,
    /// Whether nothing more comes.
    is_over: bool,
    known: HashSet<SpanId>,
    /// Where each that is placed is in the tree, itself or the tool that it is the same as, and how
    /// deep.
    placed: HashMap<SpanId, (SpanId, usize)>,
}

impl Heard {
    /// A span of what was seen, which no other is taken for.
    pub(super) fn seen(&mut self, id: SpanId) {
        if self.own.len() < OWN {
            self.own.insert(id);
        }
    }

    fn is_own(&self, id: SpanId) -> bool {
        self.own.contains(&id) || (self.own.len() >= OWN && id.may_be_made())
    }

    /// Counts what the agent told and was refused when it came.
    pub(super) const fn refused(&mut self, refused: u64, dropped: u64) {
        let counts = &mut self.counts;
        counts.refused = counts.refused.saturating_add(refused);
        counts.dropped = counts.dropped.saturating_add(dropped);
    }

    pub(super) const fn counts(&self) -> ToldCounts {
        self.counts
    }

    /// Takes a span. Returns it where its place is known.
    pub(super) fn take(&mut self, span: &ToldSpan, root: SpanId) -> Option<ToldSpan> {
        let is_taken = span.id == root
            || self.is_own(span.id)
            || self.known.len() >= TOLD_OF_RUN
            || !self.known.insert(span.id);
        if is_taken {
            self.refused(1, 0);
            return None;
        }
        self.counts.spans = self.counts.spans.saturating_add(1);
        let parent = span.parent.filter(|it| *it != root && !self.is_own(*it));
        match parent.filter(|parent| !self.placed.contains_key(parent)) {
            None => Some(span.clone()),
            Some(parent) => {
                self.order.push_back(parent);
                self.waiting.entry(parent).or_default().push(span.clone());
                None
            }
        }
    }

    /// Where the tree has a span that the agent told of; none where it does not.
    pub(super) fn place(&self, id: SpanId) -> Option<SpanId> {
        self.placed.get(&id).map(|(at, _)| *at)
    }

    /// The place for a part of a span that the agent told of, and how deep that is. None where that did
    /// not come, or is so deep that nobody would look there.
    pub(super) fn below(&self, parent: Option<SpanId>) -> Option<(SpanId, usize)> {
        let (at, depth) = self.placed.get(&parent?)?;
        (*depth < TOLD_DEPTH).then_some((*at, depth + 1))
    }

    /// Notes where a span is now. Returns those that waited for it.
    pub(super) fn placed(&mut self, id: SpanId, (at, depth): (SpanId, usize)) -> Vec<ToldSpan> {
        self.placed.insert(id, (at, depth));
        self.waiting.remove(&id).unwrap_or_default()
    }

    /// Some of those that wait for one which never came: they are parts of the run. Those that wait for
    /// each other come last, one after another, each with what waits for it.
    pub(super) fn next_left(&mut self) -> Vec<ToldSpan> {
        if !std::mem::replace(&mut self.is_over, true) {
            let waiting = self.waiting.values().flatten();
            let waiting: HashSet<SpanId> = waiting.map(|span| span.id).collect();
            let never_came = |parent: &&SpanId| !waiting.contains(*parent);
            let parents: Vec<SpanId> = self.order.iter().filter(never_came).copied().collect();
            let left = parents.iter().filter_map(|it| self.waiting.remove(it));
            let left: Vec<ToldSpan> = left.flatten().collect();
            if !left.is_empty() {
                return left;
            }
        }
        while let Some(parent) = self.order.pop_front() {
            if let Some(left) = self.waiting.remove(&parent) {
                return left;
            }
        }
        Vec::new()
    }
}

#[cfg(test)]
mod tests;
