//! Searching one text, in whatever pieces it comes.

use aho_corasick::Input;

use super::around::Around;
use super::rule::Rule;
use super::{Detector, Finding};
use crate::limits::{
    SECRET_AFTER_OCTETS, SECRET_BEFORE_OCTETS, SECRET_FINDINGS, SECRET_STEP_OCTETS,
};

/// A text that is being searched.
///
/// It is gathered in a buffer of fixed size and searched when that is full, and at the end: what is
/// found depends on the text alone, and so does the memory that it takes.
#[derive(Debug)]
pub struct Search {
    detector: Detector,
    /// The end of the text so far, with what came before the place up to which it was searched.
    held: Vec<u8>,
    /// Where in `held` the search goes on.
    next: usize,
    /// The line of the first octet of `held` that is not counted yet, from 1.
    line: u64,
    /// Up to where in `held` lines were counted.
    counted: usize,
    findings: Vec<Held>,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    line: u64,
    rule: &'static Rule,
}

/// Octets of the buffer.
const BUFFER_OCTETS: usize = SECRET_BEFORE_OCTETS + SECRET_STEP_OCTETS + SECRET_AFTER_OCTETS;
/// Octets of the longest anchor.
const ANCHOR_OCTETS: usize = 32;

impl Search {
    pub(super) const fn new(detector: Detector) -> Self {
        Self {
            detector,
            held: Vec::new(),
            next: 0,
            line: 1,
            counted: 0,
            findings: Vec::new(),
        }
    }

    /// Everything that is in a text that is here whole, without a copy of it.
    pub(super) fn whole(mut self, text: &[u8]) -> Vec<Finding> {
        self.search_in(text, 0, text.len());
        self.finish()
    }

    /// Takes the next piece of the text.
    pub fn feed(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() && self.findings.len() < SECRET_FINDINGS {
            let room = BUFFER_OCTETS - self.held.len();
            let (now, later) = piece.split_at(room.min(piece.len()));
            self.held.extend_from_slice(now);
            piece = later;
            if self.held.len() == BUFFER_OCTETS {
                self.search(BUFFER_OCTETS - SECRET_AFTER_OCTETS);
                self.slide();
            }
        }
    }

    /// Everything that was found, by line: at most [`SECRET_FINDINGS`], each rule once for a line.
    #[must_use]
    pub fn finish(mut self) -> Vec<Finding> {
        self.search(self.held.len());
        let found = &self.findings;
        let is_known = |guess: &Held| {
            let mut others = found.iter();
            others.any(|other| other.line == guess.line && !other.rule.is_guess())
        };
        let mut findings: Vec<Finding> = found
            .iter()
            .filter(|held| !(held.rule.is_guess() && is_known(held)))
            .map(|held| Finding {
                line: held.line,
                rule: held.rule.id,
            })
            .collect();
        findings.sort_unstable();
        findings.dedup();
        findings
    }

    /// Judges every anchor that begins before `limit`.
    fn search(&mut self, limit: usize) {
        let from = std::mem::replace(&mut self.next, limit).min(limit);
        let held = std::mem::take(&mut self.held);
        self.search_in(&held, from, limit);
        self.held = held;
    }

    fn search_in(&mut self, held: &[u8], from: usize, limit: usize) {
        let end = held.len().min(limit + ANCHOR_OCTETS);
        let detector = self.detector.clone();
        let anchors = &detector.0.anchors;
        for found in anchors.find_overlapping_iter(Input::new(held).range(from..end)) {
            if found.start() >= limit {
                continue;
            }
            let Some(rule) = detector.0.owners.get(found.pattern().as_usize()) else {
                continue;
            };
            let around = around(held, found.start(), found.end());
            if around.is_some_and(|around| rule.fits(&around)) {
                self.note(held, found.start(), rule);
                if self.findings.len() == SECRET_FINDINGS {
                    break;
                }
            }
        }
    }

    fn note(&mut self, held: &[u8], at: usize, rule: &'static Rule) {
        let line = match self.counted <= at {
            true => {
                self.line += breaks(held, self.counted, at);
                self.counted = at;
                self.line
            }
            // Anchors that overlap come by their ends.
            false => self.line - breaks(held, at, self.counted),
        };
        let mut known = self.findings.iter().rev();
        if !known.any(|known| known.line == line && known.rule.id == rule.id) {
            self.findings.push(Held { line, rule });
        }
    }

    /// Lets go of what no anchor to come can need.
    fn slide(&mut self) {
        let gone = self.next.saturating_sub(SECRET_BEFORE_OCTETS);
        if self.counted < gone {
            self.line += breaks(&self.held, self.counted, gone);
            self.counted = gone;
        }
        self.held.drain(..gone);
        self.next -= gone;
        self.counted -= gone;
    }
}

pub(super) fn around(held: &[u8], start: usize, end: usize) -> Option<Around<'_>> {
    let begin = start.saturating_sub(SECRET_BEFORE_OCTETS);
    // Counted from the start, so that it ends at the same place however the text came.
    let last = held.len().min(start + SECRET_AFTER_OCTETS);
    Some(Around {
        before: held.get(begin..start)?,
        anchor: held.get(start..end)?,
        after: held.get(end..last)?,
    })
}

fn breaks(text: &[u8], from: usize, to: usize) -> u64 {
    let text = text.get(from..to).unwrap_or_default();
    text.iter().filter(|octet| **octet == b'\n').count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_anchor_is_longer_than_what_is_searched_for_it() {
        for rule in crate::secrets::rules() {
            for anchor in rule.anchors {
                assert!((1..=ANCHOR_OCTETS).contains(&anchor.len()), "{anchor}");
            }
        }
    }
}
