//! Where a value may begin: a filter that looks at two octets in every two, and is right whenever
//! it says that a block of eight is of no interest.
//!
//! Every beginning of a match is announced by an anchor (five symbols of the form, unescaped and
//! unbroken), by an escape, or, for values too short to have an anchor, by the first octet.

use zeroize::Zeroize;

use super::needle::Needle;
use super::unit::{continues, introduces, simple};
use super::verify::HEAD_SYMBOLS;
use crate::limits::GAP_OCTETS;

/// Octets of an anchor.
pub(super) const ANCHOR_OCTETS: usize = 5;
/// Octets of a block.
pub(super) const BLOCK_OCTETS: usize = 8;

/// The pair can be octets 0 and 1 of an anchor, octets 1 and 2, 2 and 3, 3 and 4.
const PAIR_0: u8 = 1;
const PAIR_1: u8 = 2;
const PAIR_2: u8 = 4;
const PAIR_3: u8 = 8;
/// One of the two octets is to be looked at by itself.
const STOP: u8 = 16;
/// The two octets can be neighbours near the beginning of a match.
const NEIGHBOURS: u8 = 32;
/// The second octet introduces an escape, and the first one goes on with one. Together they are as good as `STOP`.
const SECOND: u8 = 64;
const GOES_ON: u8 = 128;

const PAIRS: usize = 1 << 16;

/// How far before an anchor a match can begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum AnchorKind {
    /// It is at the beginning, after one symbol at most.
    First,
    /// It comes after the first anchor, which a line break may have split.
    Second,
}

/// What a block holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Signs {
    /// Perhaps an anchor.
    pub(super) anchor: bool,
    /// An octet to be looked at by itself.
    pub(super) stop: bool,
}

pub(super) struct Filter {
    pairs: Box<[u8; PAIRS]>,
    /// Sorted; octets folded.
    anchors: Vec<Anchor>,
    /// Octets that values too short for an anchor begin with.
    short: [bool; 256],
    /// Whether a value has an octet among its first that could begin an escape.
    introducers: bool,
}

impl Drop for Filter {
    fn drop(&mut self) {
        self.pairs.zeroize();
        self.anchors.zeroize();
    }
}

/// An anchor with its octets folded into a number, and its kind in the lowest bit.
type Anchor = u64;

impl Filter {
    pub(super) fn new<'s>(needles: impl Iterator<Item = Needle<'s>>) -> Self {
        let mut filter = Self {
            pairs: Box::new([0; PAIRS]),
            anchors: Vec::new(),
            short: [false; 256],
            introducers: false,
        };
        let mut any = false;
        for needle in needles {
            any = true;
            filter.add(&needle);
        }
        filter.anchors.sort_unstable();
        if any {
            filter.stop_at_escapes();
        }
        filter
    }

    /// Looks at a block, knowing the last pair before it. Gives that of this block.
    #[inline]
    pub(super) fn look(&self, block: [u8; BLOCK_OCTETS], before: &mut u8) -> Signs {
        let [a, b, c, d, e, f, g, h] = block;
        let one = self.pair(a, b);
        let two = self.pair(c, d);
        let three = self.pair(e, f);
        let four = self.pair(g, h);
        let next = |pair: u8, next: u8, shift: u8| pair & (next >> shift);
        let anchor =
            next(*before, one, 2) | next(one, two, 2) | next(two, three, 2) | next(three, four, 2);
        let second =
            next(*before, one, 1) | next(one, two, 1) | next(two, three, 1) | next(three, four, 1);
        // The last octet of the block is looked at with the next one.
        let stop = (one | two | three | four) & STOP | second & SECOND;
        *before = four;
        Signs {
            anchor: anchor & (PAIR_0 | PAIR_1) != 0,
            stop: stop != 0,
        }
    }

    /// Which anchor begins here.
    pub(super) fn anchor(&self, text: &[u8]) -> Option<AnchorKind> {
        let (octets, _) = text.split_first_chunk::<ANCHOR_OCTETS>()?;
        let [a, b, c, d, _] = *octets;
        if self.pair(a, b) & PAIR_0 == 0 || self.pair(c, d) & PAIR_2 == 0 {
            return None;
        }
        let first = folded(octets, AnchorKind::First);
        // The second kind reaches farther, so it is asked for first.
        [first | 1, first]
            .into_iter()
            .find(|anchor| self.anchors.binary_search(anchor).is_ok())
            .map(|anchor| match anchor & 1 {
                0 => AnchorKind::First,
                _ => AnchorKind::Second,
            })
    }

    /// Whether a match may begin where this text does: a quick look at its first symbols.
    pub(super) fn may_begin(&self, text: &[u8]) -> bool {
        let (mut rest, mut before, mut escaped) = (text, None, false);
        for _ in 0..ANCHOR_OCTETS {
            if before.is_some() && !self.introducers {
                let after = after_breaks(rest);
                escaped |= after.len() < rest.len();
                rest = after;
            }
            let Some((octet, length)) = self.sure(rest) else {
                return true;
            };
            let possible = match before {
                None if self.short(octet) => return true,
                None => true,
                Some(before) => self.neighbours(before, octet),
            };
            if !possible {
                return false;
            }
            before = Some(octet);
            escaped |= length > 1;
            rest = rest.get(length..).unwrap_or_default();
        }
        // The first symbol may be a foreign one, before the anchor.
        escaped
            || rest
                .first()
                .is_none_or(|octet| introduces(*octet) || is_gap(*octet))
            || self.anchor(text).is_some()
            || self.anchor(text.get(1..).unwrap_or_default()).is_some()
    }

    /// The first character of a text, when it can be read in one way only and is no gap.
    fn sure(&self, text: &[u8]) -> Option<(u8, usize)> {
        let first = *text.first()?;
        let (octet, length) = if !introduces(first) {
            (first, 1)
        } else if self.introducers {
            return None;
        } else {
            simple(text)?
        };
        (!is_gap(octet)).then_some((octet, length))
    }

    /// Whether a value too short for an anchor begins with this octet.
    pub(super) fn short(&self, octet: u8) -> bool {
        self.short.get(usize::from(octet)).is_some_and(|is| *is)
    }

    /// Whether these can be neighbours near the beginning of a match, the second one escaped.
    pub(super) fn neighbours(&self, one: u8, two: u8) -> bool {
        self.pair(one, two) & NEIGHBOURS != 0
    }

    #[inline]
    fn pair(&self, one: u8, two: u8) -> u8 {
        self.pairs.get(index(one, two)).copied().unwrap_or(0)
    }

    fn mark(&mut self, one: u8, two: u8, sign: u8) {
        if let Some(pair) = self.pairs.get_mut(index(one, two)) {
            *pair |= sign;
        }
    }

    fn stop_at_escapes(&mut self) {
        for introducer in (0..=u8::MAX).filter(|octet| introduces(*octet)) {
            for other in 0..=u8::MAX {
                self.mark(other, introducer, SECOND);
                if continues(introducer, other) {
                    self.mark(introducer, other, STOP);
                    (0..=u8::MAX).for_each(|any| self.mark(other, any, GOES_ON));
                }
            }
        }
    }

    fn stop(&mut self, octet: u8) {
        for other in 0..=u8::MAX {
            self.mark(octet, other, STOP);
            self.mark(other, octet, STOP);
        }
    }

    fn add(&mut self, needle: &Needle<'_>) {
        let core = needle.core();
        let first = self.add_anchor(needle, core, AnchorKind::First);
        if first && needle.breaks() {
            self.add_anchor(needle, core + ANCHOR_OCTETS, AnchorKind::Second);
        }
        if !first && let Some(octet) = needle.value.first() {
            // Forms write a blank as a plus sign.
            for start in [*octet, if *octet == b' ' { b'+' } else { *octet }] {
                if let Some(short) = self.short.get_mut(usize::from(start)) {
                    *short = true;
                }
                self.stop(start);
            }
        }
        let mut first = (0..ANCHOR_OCTETS).flat_map(|symbol| needle.accepted(symbol));
        self.introducers |= first.any(introduces);
        let mut one = needle.accepted(0);
        for symbol in 1..needle.symbols().min(HEAD_SYMBOLS) {
            let two = needle.accepted(symbol);
            for (one, two) in one
                .iter()
                .flat_map(|one| two.iter().map(move |two| (one, two)))
            {
                self.mark(*one, *two, NEIGHBOURS);
            }
            one = two;
        }
    }

    /// Adds the anchor that begins with this symbol, if the form is long enough to have one.
    fn add_anchor(&mut self, needle: &Needle<'_>, symbol: usize, kind: AnchorKind) -> bool {
        let mut octets = [0; ANCHOR_OCTETS];
        for (index, octet) in octets.iter_mut().enumerate() {
            match needle.accepted(symbol + index).first() {
                Some(accepted) if symbol + index < needle.symbols() => *octet = *accepted,
                _ => return false,
            }
        }
        let [a, b, c, d, e] = octets;
        for (one, two, sign) in [
            (a, b, PAIR_0),
            (b, c, PAIR_1),
            (c, d, PAIR_2),
            (d, e, PAIR_3),
        ] {
            for one in unfolded(one) {
                for two in unfolded(two) {
                    self.mark(one, two, sign);
                }
            }
        }
        self.anchors.push(folded(&octets, kind));
        true
    }
}

/// The text after the soft line breaks of quoted-printable that it begins with, as far as one gap
/// holds them.
fn after_breaks(mut text: &[u8]) -> &[u8] {
    for _ in 0..GAP_OCTETS / 2 {
        text = match text {
            [b'=', b'\n', rest @ ..] | [b'=', b'\r', b'\n', rest @ ..] => rest,
            _ => break,
        };
    }
    text
}

fn index(one: u8, two: u8) -> usize {
    usize::from(u16::from_le_bytes([one, two]))
}

fn folded(octets: &[u8; ANCHOR_OCTETS], kind: AnchorKind) -> Anchor {
    let octets = octets
        .iter()
        .fold(0, |number, octet| number << 8 | u64::from(fold(*octet)));
    octets << 1 | u64::from(kind == AnchorKind::Second)
}

/// Whether forms that are broken into lines go on after this octet.
fn is_gap(octet: u8) -> bool {
    matches!(octet, b'\r' | b'\n' | b' ' | b'\t')
}

/// One octet for all that some form takes for the same: case, both base64 alphabets, a blank in a form.
fn fold(octet: u8) -> u8 {
    match octet {
        b'-' | b' ' => b'+',
        b'_' => b'/',
        other => other.to_ascii_lowercase(),
    }
}

/// All octets that are folded into the same.
fn unfolded(octet: u8) -> impl Iterator<Item = u8> {
    let same = fold(octet);
    [same, same.to_ascii_uppercase(), b'-', b' ', b'_']
        .into_iter()
        .filter(move |other| fold(*other) == same)
}
