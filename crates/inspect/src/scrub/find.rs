//! The first place at or after an offset where a value begins, in any form.
//!
//! The filter says which places to verify. The result is that of verifying every place in order.

use std::ops::Range;

use ringfence_model::Secret;

use super::filter::{ANCHOR_OCTETS, AnchorKind, BLOCK_OCTETS, Filter};
use super::needle::{Form, Needle};
use super::unit::{Text, continues, introduces, simple};
use super::verify::{HEAD_SYMBOLS, verify};
use crate::limits::{ESCAPE_LAYERS, GAP_OCTETS, HELD_FOR_EACH_OCTET, UNIT_OCTETS};

pub(super) struct Finder {
    values: Vec<Secret>,
    needles: Vec<(usize, Form)>,
    /// For each octet, the needles whose first symbol accepts it.
    first: Vec<Vec<usize>>,
    filter: Filter,
    hold_back: usize,
    shortest: usize,
}

/// Up to where the places before what announces a match were tried. What announces them comes in
/// order, so that none is left out in between that is near enough to what comes later.
#[derive(Default)]
struct Tried {
    before_anchors: usize,
    before_breaks: usize,
}

/// How far before what announces it a match can begin: the head, with one gap in it.
const BEFORE: usize = HEAD_SYMBOLS + GAP_OCTETS + ANCHOR_OCTETS;
/// How far before the end of a text a match can begin that is not announced in it.
const UNANNOUNCED: usize = BEFORE + UNIT_OCTETS + BLOCK_OCTETS;

impl Finder {
    pub(super) fn new(values: Vec<Secret>) -> Self {
        let needles: Vec<(usize, Form)> = values
            .iter()
            .enumerate()
            .flat_map(|(index, value)| Form::of(value).iter().map(move |form| (index, *form)))
            .collect();
        let mut finder = Self {
            filter: Filter::new(
                needles
                    .iter()
                    .filter_map(|needle| needle_of(&values, *needle)),
            ),
            hold_back: values
                .iter()
                .map(|value| value.expose().len() * HELD_FOR_EACH_OCTET)
                .max()
                .unwrap_or(0),
            shortest: values
                .iter()
                .map(|value| value.expose().len())
                .min()
                .unwrap_or(0),
            values,
            needles,
            first: vec![Vec::new(); 256],
        };
        for index in 0..finder.needles.len() {
            let Some(needle) = finder.needle(index) else {
                continue;
            };
            for octet in needle.accepted(0) {
                if let Some(first) = finder.first.get_mut(usize::from(octet)) {
                    first.push(index);
                }
            }
        }
        finder
    }

    pub(super) fn values(&self) -> &[Secret] {
        &self.values
    }

    /// Octets of the longest match that is found wherever a text is cut.
    pub(super) fn hold_back(&self) -> usize {
        self.hold_back
    }

    /// Whether there is a match in the whole text. No form of a value is shorter than the value, so
    /// none begins nearer to the end: most texts are too short to be looked at.
    pub(super) fn is_in(&self, text: Text<'_>) -> bool {
        let to = (text.octets.len() + 1).saturating_sub(self.shortest);
        self.find(text, 0, to).is_some()
    }

    /// The first match that begins at or after `from` and before `to`. It may end anywhere.
    pub(super) fn find(&self, text: Text<'_>, from: usize, to: usize) -> Option<Range<usize>> {
        if self.needles.is_empty() || from >= to {
            return None;
        }
        // What begins before `to` is announced before this.
        let end = text.octets.len().min(to.saturating_add(UNANNOUNCED));
        let (blocks, _) = text.octets.get(from..end).unwrap_or_default().as_chunks();
        let mut before = 0;
        let mut tried = Tried::default();
        for (index, block) in blocks.iter().enumerate() {
            let signs = self.filter.look(*block, &mut before);
            if !signs.anchor && !signs.stop {
                continue;
            }
            let base = from + index * BLOCK_OCTETS;
            let mut at = None;
            if signs.anchor {
                at = self.after_anchors(text, (from, base), &mut tried);
            }
            if signs.stop && at.is_none() {
                at = self.after_stops(text, (from, base), &mut tried);
            }
            if let Some(at) = at {
                // A match that is announced later may begin earlier.
                let from = from.max(at.saturating_sub(UNANNOUNCED));
                return self.first_of(text, from, to.min(at + 1));
            }
        }
        self.first_of(text, from.max(end.saturating_sub(UNANNOUNCED)), to)
    }

    /// The first match that begins in a range.
    pub(super) fn first_of(&self, text: Text<'_>, from: usize, to: usize) -> Option<Range<usize>> {
        (from..to).find_map(|start| Some(start..self.verify(text, start)?))
    }

    /// Some place where a value begins, announced by an anchor that ends in this block or the next.
    fn after_anchors(
        &self,
        text: Text<'_>,
        (from, base): (usize, usize),
        tried: &mut Tried,
    ) -> Option<usize> {
        (base.saturating_sub(BLOCK_OCTETS).max(from)..base + BLOCK_OCTETS).find_map(|at| match self
            .filter
            .anchor(text.octets.get(at..)?)?
        {
            AnchorKind::First => self.some_of(text, from.max(at.saturating_sub(1)), at + 1),
            AnchorKind::Second => self.some_before(text, (from, at + 1), &mut tried.before_anchors),
        })
    }

    /// Some place where a value begins, announced by an escape or a first octet in this block.
    fn after_stops(
        &self,
        text: Text<'_>,
        (from, base): (usize, usize),
        tried: &mut Tried,
    ) -> Option<usize> {
        (base.saturating_sub(1).max(from)..base + BLOCK_OCTETS).find_map(|at| {
            let octet = *text.octets.get(at)?;
            if self.filter.short(octet)
                && let Some(at) = self.some_of(text, at, at + 1)
            {
                return Some(at);
            }
            let next = text.octets.get(at + 1)?;
            if !introduces(octet) || !continues(octet, *next) {
                return None;
            }
            let rest = text.octets.get(at..).unwrap_or_default();
            if let Some((octet, _)) = simple(rest) {
                return self.after_escape(text, from, at, octet);
            }
            (1..=ESCAPE_LAYERS).find_map(|layers| {
                let unit = text.read(at, layers)?;
                match unit.octets().first() {
                    None => self.some_before(text, (from, at), &mut tried.before_breaks),
                    Some(_) if unit.length() == 1 => None,
                    Some(octet) => self.after_escape(text, from, at, *octet),
                }
            })
        })
    }

    /// Some place where a value begins whose first escaped octet is this one.
    fn after_escape(&self, text: Text<'_>, from: usize, at: usize, octet: u8) -> Option<usize> {
        if !self.starting(octet).is_empty() && self.verify(text, at).is_some() {
            return Some(at);
        }
        let mut next = octet;
        for start in (from.max(at.saturating_sub(HEAD_SYMBOLS))..at).rev() {
            let octet = *text.octets.get(start)?;
            if !self.filter.neighbours(octet, next) {
                return None;
            }
            if self.verify(text, start).is_some() {
                return Some(start);
            }
            next = octet;
        }
        None
    }

    /// Some place where a value begins, so near before `end` that what is there announces it. No
    /// place is tried twice for the same kind of announcement, however many there are.
    fn some_before(
        &self,
        text: Text<'_>,
        (from, end): (usize, usize),
        tried: &mut usize,
    ) -> Option<usize> {
        let start = from.max(end.saturating_sub(BEFORE)).max(*tried);
        *tried = end.max(*tried);
        self.some_of(text, start, end)
    }

    fn some_of(&self, text: Text<'_>, from: usize, to: usize) -> Option<usize> {
        (from..to).find(|start| self.verify(text, *start).is_some())
    }

    /// Where the longest value ends that begins at a place, if one does.
    fn verify(&self, text: Text<'_>, start: usize) -> Option<usize> {
        let literal = text.literal(start)?;
        if !self
            .filter
            .may_begin(text.octets.get(start..).unwrap_or_default())
        {
            return None;
        }
        let mut end = None;
        let mut before = None;
        for layers in 0..=ESCAPE_LAYERS {
            let Some(unit) = text.read(start, layers) else {
                break;
            };
            let Some(octet) = unit.octets().first().filter(|_| before != Some(unit)) else {
                continue;
            };
            before = Some(unit);
            for index in self.starting(*octet) {
                if let Some(needle) = self.needle(*index) {
                    end = end.max(verify(&needle, text, start));
                }
            }
            if unit == literal && !introduces(*octet) {
                break;
            }
        }
        end
    }

    /// The needles whose first symbol accepts the octet.
    fn starting(&self, octet: u8) -> &[usize] {
        self.first
            .get(usize::from(octet))
            .map_or(&[], Vec::as_slice)
    }

    fn needle(&self, index: usize) -> Option<Needle<'_>> {
        needle_of(&self.values, *self.needles.get(index)?)
    }
}

fn needle_of(values: &[Secret], (value, form): (usize, Form)) -> Option<Needle<'_>> {
    values.get(value).map(|value| Needle {
        form,
        value: value.expose(),
    })
}
