//! What a request adds to its conversation, and what it is for. Clients send the whole conversation
//! with each request; what was in the request before it is not told again.

mod purpose;

use std::collections::hash_map::RandomState;
use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher as _, Hasher as _};

use ringfence_model::llm::{ContextItem, ContextKind};

use crate::Capture;
use crate::limits::{CONVERSATIONS, NEW_ITEMS, REMEMBERED_ITEMS};
use crate::request::{Item, Request};
pub use purpose::purpose;

/// The conversations of one sandbox, as far as they are remembered: which items their last requests
/// held. The one that was longest not gone on with is forgotten first.
#[derive(Debug, Default)]
pub struct Conversations {
    /// The key of the marks, so that no one can make two items that have the same.
    key: RandomState,
    /// The marks of the items of each, in order.
    known: VecDeque<Vec<u64>>,
}

impl Conversations {
    /// The items of the request that were not in the request before it of the same conversation, in
    /// order, the last ones where there are too many.
    pub fn new_items(&mut self, request: &Request, capture: Capture) -> Vec<ContextItem> {
        let marks: Vec<u64> = request
            .items
            .iter()
            .map(|it| self.mark(request, it))
            .collect();
        let talk = Talk {
            first: first_of_talk(request),
            marks: &marks,
        };
        let before = self.before(&talk);
        let fresh = talk.fresh(before.and_then(|at| self.known.get(at)));
        let items = fresh.into_iter().filter_map(|at| request.items.get(at));
        let items = items.map(|item| request.recorded(item, capture)).collect();
        self.remember(before, &talk);
        items
    }

    /// A mark of what an item is, and of its content as the client wrote it.
    fn mark(&self, request: &Request, item: &Item) -> u64 {
        let mut hasher = self.key.build_hasher();
        hasher.write_u8(item.kind as u8);
        hasher.write(item.call.as_deref().unwrap_or_default().as_bytes());
        for part in request.written(item) {
            hasher.write(part);
            hasher.write_u8(0xff);
        }
        hasher.finish()
    }

    /// The conversation that this one goes on with: that which has the longest beginning in common.
    /// Instructions are the same in many.
    fn before(&self, talk: &Talk<'_>) -> Option<usize> {
        let lengths = self
            .known
            .iter()
            .map(|known| talk.shared(known))
            .enumerate();
        let goes_on =
            lengths.filter(|(_, length)| *length > talk.first || *length == talk.marks.len());
        goes_on.max_by_key(|(_, length)| *length).map(|(at, _)| at)
    }

    /// The request takes the place of the one before it, unless that one has gone on elsewhere.
    fn remember(&mut self, before: Option<usize>, talk: &Talk<'_>) {
        if let Some(at) = before
            && let Some(known) = self.known.get(at)
            && 2 * talk.shared(known) >= known.len()
        {
            self.known.remove(at);
        }
        let over = talk.marks.len().saturating_sub(REMEMBERED_ITEMS);
        if over > 0 {
            return;
        }
        self.known.push_back(talk.marks.to_vec());
        while self.known.len() > CONVERSATIONS || self.items() > REMEMBERED_ITEMS {
            self.known.pop_front();
        }
    }

    fn items(&self) -> usize {
        self.known.iter().map(Vec::len).sum()
    }
}

/// The conversation of a request.
struct Talk<'a> {
    marks: &'a [u64],
    /// Where the instructions end.
    first: usize,
}

impl Talk<'_> {
    /// How many items two conversations have in common at their beginning.
    fn shared(&self, known: &[u64]) -> usize {
        let pairs = self.marks.iter().zip(known);
        pairs.take_while(|(one, other)| one == other).count()
    }

    /// The places of those items that were not in the request before, the last ones.
    fn fresh(&self, before: Option<&Vec<u64>>) -> Vec<usize> {
        let known = before.map_or(&[][..], Vec::as_slice);
        let shared = self.shared(known);
        let rest: HashSet<u64> = known.iter().skip(shared).copied().collect();
        let behind = self.marks.iter().enumerate().skip(shared);
        let fresh = behind.filter(|(_, mark)| !rest.contains(mark));
        let mut fresh: Vec<usize> = fresh.map(|(at, _)| at).collect();
        fresh.drain(..fresh.len().saturating_sub(NEW_ITEMS));
        fresh
    }
}

/// How many instructions come before the first item of the conversation proper.
fn first_of_talk(request: &Request) -> usize {
    let system = |item: &&Item| item.kind == ContextKind::System;
    request.items.iter().take_while(system).count()
}

#[cfg(test)]
mod tests;
