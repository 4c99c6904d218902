//! Whether a form of a value begins at a place of a text. The answer depends on nothing before that
//! place; when more of the text comes, a match stays one.

use super::needle::Needle;
use super::unit::{Text, Unit, introduces, simple};
use crate::limits::{ESCAPE_LAYERS, GAP_OCTETS, LINE_SYMBOLS, READINGS};

/// Symbols at the beginning that are either broken over lines or escaped, not both: so that the
/// filter sees every beginning.
pub(super) const HEAD_SYMBOLS: usize = 11;

/// Where the value in this form ends that begins at `start`, if one does.
pub(super) fn verify(needle: &Needle<'_>, text: Text<'_>, start: usize) -> Option<usize> {
    let symbols = needle.symbols();
    let mut readings = Readings::one(Reading::at(start));
    let mut symbol = 0;
    loop {
        if let Some(reading) = readings.only() {
            symbol = reading.follow_sure(needle, text, symbol);
        }
        if symbol == symbols {
            return readings.end();
        }
        let step = Step {
            needle,
            text,
            symbol,
        };
        let mut next = Readings::default();
        for reading in readings.iter() {
            step.advance(*reading, &mut next);
        }
        if next.count == 0 {
            return None;
        }
        readings = next;
        symbol += 1;
    }
}

/// Octets of the text that are the symbol in every reading.
fn sure(needle: &Needle<'_>, symbol: usize, rest: &[u8]) -> Option<usize> {
    let first = *rest.first()?;
    if !introduces(first) {
        return needle.accepts(symbol, first).then_some(1);
    }
    if needle.accepts(symbol, first) || needle.breaks() && symbol < HEAD_SYMBOLS {
        return None;
    }
    let (octet, length) = simple(rest)?;
    needle.accepts(symbol, octet).then_some(length)
}

/// One way to read the text up to here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reading {
    at: usize,
    /// Octets of the last character that are still to be matched.
    rest: Option<Unit>,
    taken: u8,
    /// Symbols since the line began, as far as they count.
    line: u8,
    /// Octets of the gap that this is in.
    gap: u8,
    head: Head,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Head {
    Literal,
    Escaped,
    Broken,
}

impl Reading {
    fn at(start: usize) -> Self {
        Self {
            at: start,
            rest: None,
            taken: 0,
            line: LINE_SYMBOLS,
            gap: 0,
            head: Head::Literal,
        }
    }

    /// Goes on over symbols that can be read in one way only, as most can; says which one is next.
    fn follow_sure(&mut self, needle: &Needle<'_>, text: Text<'_>, from: usize) -> usize {
        let rest = text.octets.get(self.at..).unwrap_or_default();
        if self.rest.is_some() {
            return from;
        }
        let (mut taken, mut rest) = (0, rest);
        for symbol in from..needle.symbols() {
            let Some(length) = sure(needle, symbol, rest) else {
                break;
            };
            taken += 1;
            self.at += length;
            rest = rest.get(length..).unwrap_or_default();
        }
        if taken > 0 {
            let line = usize::from(self.line).saturating_add(taken);
            self.line = u8::try_from(line).unwrap_or(u8::MAX);
            self.gap = 0;
        }
        from + taken
    }
}

#[derive(Debug, Default)]
struct Readings {
    slots: [Option<Reading>; READINGS],
    count: usize,
}

impl Readings {
    fn one(reading: Reading) -> Self {
        let mut readings = Self::default();
        readings.push(reading);
        readings
    }

    /// The reading, when there is just one.
    fn only(&mut self) -> Option<&mut Reading> {
        match self.slots.as_mut_slice() {
            [Some(reading), None, ..] => Some(reading),
            _ => None,
        }
    }

    /// Where the longest reading ends.
    fn end(&self) -> Option<usize> {
        self.iter().map(|reading| reading.at).max()
    }

    fn iter(&self) -> impl Iterator<Item = &Reading> {
        self.slots.iter().flatten()
    }

    fn push(&mut self, reading: Reading) {
        if self.iter().any(|known| *known == reading) {
            return;
        }
        if let Some(slot) = self.slots.get_mut(self.count) {
            *slot = Some(reading);
            self.count += 1;
        }
    }
}

struct Step<'a> {
    needle: &'a Needle<'a>,
    text: Text<'a>,
    symbol: usize,
}

impl Step<'_> {
    /// All readings in which the symbol comes next.
    fn advance(&self, reading: Reading, next: &mut Readings) {
        if let Some(unit) = reading.rest {
            self.take(unit, reading, next);
            return;
        }
        let mut before = None;
        for layers in 0..=ESCAPE_LAYERS {
            let Some(unit) = self.text.read(reading.at, layers) else {
                return;
            };
            if before == Some(unit) {
                continue;
            }
            before = Some(unit);
            self.follow(unit, layers, reading, next);
            if layers == 0 && !unit.octets().first().copied().is_some_and(introduces) {
                break;
            }
        }
    }

    /// Goes on after a character: it is the symbol, or a gap before it.
    fn follow(&self, unit: Unit, layers: u8, reading: Reading, next: &mut Readings) {
        let after = Reading {
            at: reading.at + unit.length(),
            ..reading
        };
        if let Some(gap) = self.gap(unit, after) {
            return self.advance(gap, next);
        }
        let mut after = after;
        if layers > 0 && self.symbol < HEAD_SYMBOLS && self.needle.breaks() {
            if after.head == Head::Broken {
                return;
            }
            after.head = Head::Escaped;
        }
        self.take(unit, after, next);
    }

    /// The reading after a gap, if the character is one and may stand here.
    fn gap(&self, unit: Unit, after: Reading) -> Option<Reading> {
        let gap = usize::from(after.gap) + unit.length();
        let gap = u8::try_from(gap).ok()?;
        if self.symbol == 0 || usize::from(gap) > GAP_OCTETS {
            return None;
        }
        match unit.octets() {
            [] => Some(Reading { gap, ..after }),
            [b'\r' | b'\n' | b' ' | b'\t'] if self.needle.breaks() => self.line_break(gap, after),
            _ => None,
        }
    }

    fn line_break(&self, gap: u8, after: Reading) -> Option<Reading> {
        let continues = after.line == 0;
        let in_head = self.symbol < HEAD_SYMBOLS;
        if !continues && (after.line < LINE_SYMBOLS || in_head && after.head == Head::Escaped) {
            return None;
        }
        Some(Reading {
            gap,
            line: 0,
            head: if in_head { Head::Broken } else { after.head },
            ..after
        })
    }

    /// Matches one octet of a character, and keeps the rest of it.
    fn take(&self, unit: Unit, reading: Reading, next: &mut Readings) {
        let octets = unit.octets();
        let Some(octet) = octets.get(usize::from(reading.taken)) else {
            return;
        };
        if self.needle.accepts(self.symbol, *octet) {
            let taken = reading.taken + 1;
            let rest = (usize::from(taken) < octets.len()).then_some(unit);
            next.push(Reading {
                taken: if rest.is_some() { taken } else { 0 },
                rest,
                gap: 0,
                line: reading.line.saturating_add(1),
                ..reading
            });
        }
    }
}
