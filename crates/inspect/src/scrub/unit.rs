//! One character of a text, with its escapes undone: percent (RFC 3986), JSON and C backslashes
//! (RFC 8259), HTML references, quoted-printable (RFC 2045). Each layer reads the characters that
//! the layer below gives, so two layers cover every pair of these encodings.

use crate::limits::UNIT_OCTETS;

/// A text, or the part of a stream that is here. What is cut off at its end is read as though
/// nothing came after: an escape that is not whole stands for its own octets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'t> {
    pub(super) octets: &'t [u8],
}

/// A character: what it stands for, and how many octets of the text it takes. A soft line break
/// stands for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unit {
    octets: [u8; 4],
    count: u8,
    length: u8,
}

/// Whether an escape can begin with this octet.
#[inline]
pub(super) fn introduces(octet: u8) -> bool {
    matches!(octet, b'%' | b'\\' | b'&' | b'=')
}

/// Whether an escape can begin with these two octets. The second may be an escape itself.
pub(super) fn continues(introducer: u8, next: u8) -> bool {
    introduces(next)
        || match introducer {
            b'%' => next.is_ascii_hexdigit(),
            b'=' => next.is_ascii_hexdigit() || matches!(next, b'\r' | b'\n'),
            b'\\' => matches!(next, b'u' | b'x') || plain(next).is_some(),
            b'&' => matches!(next, b'#' | b'a' | b'g' | b'l' | b'q'),
            _ => false,
        }
}

/// An escape that is the same in every number of layers, if there is one here: what it stands for,
/// and its length.
#[inline]
pub(super) fn simple(text: &[u8]) -> Option<(u8, usize)> {
    let (octet, length) = match text {
        [b'%', high, low, ..] => (two_digits(*high, *low)?, 3),
        [b'\\', b'u', b'0', b'0', high @ b'0'..=b'7', low, ..] => (two_digits(*high, *low)?, 6),
        [b'\\', next, ..] if !introduces(*next) => (plain(*next)?, 2),
        _ => return None,
    };
    (!introduces(octet)).then_some((octet, length))
}

fn two_digits(high: u8, low: u8) -> Option<u8> {
    let digit = |octet: u8| char::from(octet).to_digit(16);
    Some(octet_of(digit(high)? << 4 | digit(low)?))
}

/// What a backslash before this octet makes of it, where nothing more belongs to the escape.
fn plain(octet: u8) -> Option<u8> {
    Some(match octet {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'f' => 12,
        b'"' | b'\'' | b'\\' | b'/' => octet,
        _ => return None,
    })
}

impl Text<'_> {
    /// The octet at a place, as it stands there.
    pub(super) fn literal(&self, at: usize) -> Option<Unit> {
        self.octets.get(at).map(|octet| Unit::new(&[*octet], 1))
    }

    /// The character at a place, with so many layers of escapes undone; none at the end.
    pub(super) fn read(&self, at: usize, layers: u8) -> Option<Unit> {
        let Some(below) = layers.checked_sub(1) else {
            return self.literal(at);
        };
        let first = self.read(at, below)?;
        let Some(introducer) = first.single().filter(|octet| introduces(*octet)) else {
            return Some(first);
        };
        let mut escape = Escape {
            text: *self,
            at: at + first.length(),
            layers: below,
        };
        match escape.read(introducer) {
            Some(unit) if escape.at - at <= UNIT_OCTETS => Some(unit.taking(escape.at - at)),
            // What is no escape, or one that is too long, stands for itself.
            _ => Some(first),
        }
    }
}

impl Unit {
    fn new(octets: &[u8], length: u8) -> Self {
        let mut held = [0; 4];
        let mut count = 0;
        for (place, octet) in held.iter_mut().zip(octets) {
            *place = *octet;
            count += 1;
        }
        Self {
            octets: held,
            count,
            length,
        }
    }

    /// What the character stands for: none to four octets.
    pub(super) fn octets(&self) -> &[u8] {
        self.octets
            .get(..usize::from(self.count))
            .unwrap_or_default()
    }

    /// Octets of the text that it takes.
    pub(super) fn length(&self) -> usize {
        usize::from(self.length)
    }

    fn taking(self, length: usize) -> Self {
        // No unit is longer than the limit, which fits.
        let length = u8::try_from(length).unwrap_or(u8::MAX);
        Self { length, ..self }
    }

    fn single(&self) -> Option<u8> {
        match self.octets() {
            [octet] => Some(*octet),
            _ => None,
        }
    }

    fn push(&mut self, octet: u8) -> Option<()> {
        let place = self.octets.get_mut(usize::from(self.count))?;
        *place = octet;
        self.count += 1;
        Some(())
    }
}

/// Reads what follows an introducer, in the characters of the layer below.
struct Escape<'t> {
    text: Text<'t>,
    at: usize,
    layers: u8,
}

/// Digits of a numeric HTML reference; more are not needed for any character.
const REFERENCE_DIGITS: usize = 7;
/// Letters of the HTML references that are known.
const REFERENCE_LETTERS: usize = 4;

impl Escape<'_> {
    fn read(&mut self, introducer: u8) -> Option<Unit> {
        match introducer {
            b'%' => self.hexadecimal(2).map(octet),
            b'=' => self.quoted_printable(),
            b'\\' => self.backslash(),
            b'&' => self.reference(),
            _ => None,
        }
    }

    fn next(&mut self) -> Option<u8> {
        let unit = self.text.read(self.at, self.layers)?;
        self.at += unit.length();
        unit.single()
    }

    fn digit(&mut self) -> Option<u32> {
        char::from(self.next()?).to_digit(16)
    }

    fn hexadecimal(&mut self, digits: usize) -> Option<u32> {
        (0..digits).try_fold(0, |value, _| Some(value << 4 | self.digit()?))
    }

    fn quoted_printable(&mut self) -> Option<Unit> {
        let start = self.at;
        match self.next()? {
            b'\n' => Some(Unit::new(&[], 0)),
            b'\r' if self.next()? == b'\n' => Some(Unit::new(&[], 0)),
            _ => {
                self.at = start;
                self.hexadecimal(2).map(octet)
            }
        }
    }

    fn backslash(&mut self) -> Option<Unit> {
        match self.next()? {
            b'u' => character(self.hexadecimal(4)?),
            b'x' => self.hexadecimal(2).map(octet),
            next => plain(next).map(|octet| Unit::new(&[octet], 0)),
        }
    }

    fn reference(&mut self) -> Option<Unit> {
        match self.next()? {
            b'#' => self.numeric_reference(),
            first => self.named_reference(first),
        }
    }

    fn numeric_reference(&mut self) -> Option<Unit> {
        let mut next = self.next()?;
        let radix = if matches!(next, b'x' | b'X') { 16 } else { 10 };
        if radix == 16 {
            next = self.next()?;
        }
        let mut value = 0;
        for _ in 0..REFERENCE_DIGITS {
            let digit = char::from(next).to_digit(radix)?;
            value = value * radix + digit;
            next = self.next()?;
            if next == b';' {
                return character(value);
            }
        }
        None
    }

    fn named_reference(&mut self, first: u8) -> Option<Unit> {
        let mut name = Unit::new(&[first], 0);
        for _ in 0..REFERENCE_LETTERS {
            match self.next()? {
                b';' => return named(name.octets()),
                letter => name.push(letter)?,
            }
        }
        None
    }
}

/// The octet that two digits are.
fn octet(value: u32) -> Unit {
    Unit::new(&[octet_of(value)], 0)
}

fn octet_of(digits: u32) -> u8 {
    let [.., low] = digits.to_be_bytes();
    low
}

/// A character by its number, in UTF-8. Halves of a pair are not characters.
fn character(value: u32) -> Option<Unit> {
    let character = char::from_u32(value)?;
    let mut buffer = [0; 4];
    Some(Unit::new(character.encode_utf8(&mut buffer).as_bytes(), 0))
}

fn named(name: &[u8]) -> Option<Unit> {
    let octet = match name {
        b"amp" => b'&',
        b"lt" => b'<',
        b"gt" => b'>',
        b"quot" => b'"',
        b"apos" => b'\'',
        _ => return None,
    };
    Some(Unit::new(&[octet], 0))
}
