//! One form of one value: a row of symbols, each of which says which octets it accepts. Nothing of
//! the value is copied: symbols are computed from it.

use ringfence_model::Secret;

use crate::limits::{ALL_FORMS_OCTETS, BASE64_OCTETS};

/// A form that a value is looked for in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As it is.
    Plain,
    /// Base64 or base64url, with this many octets before the value in its group of three.
    Base64 { before: u8 },
    /// Two digits for each octet, in any case.
    Hexadecimal,
    /// A zero octet between each two: UTF-16, whichever of the two octets of a character is first.
    Wide,
}

/// A value in one form.
#[derive(Debug, Clone, Copy)]
pub(super) struct Needle<'s> {
    pub(super) form: Form,
    pub(super) value: &'s [u8],
}

impl Form {
    /// The forms that a value of this length is looked for in.
    pub(super) fn of(value: &Secret) -> &'static [Self] {
        const ALL: [Form; 6] = [
            Form::Plain,
            Form::Base64 { before: 0 },
            Form::Base64 { before: 1 },
            Form::Base64 { before: 2 },
            Form::Hexadecimal,
            Form::Wide,
        ];
        let count = match value.expose().len() {
            0 => 0,
            ALL_FORMS_OCTETS.. => ALL.len(),
            BASE64_OCTETS.. => 2,
            _ => 1,
        };
        ALL.get(..count).unwrap_or_default()
    }

    /// Bits of the first symbol of base64 that belong to what is before the value.
    fn foreign_bits(self) -> usize {
        match self {
            Self::Base64 { before } => usize::from(before) * 8 % 6,
            _ => 0,
        }
    }
}

impl Needle<'_> {
    /// How many symbols there are.
    pub(super) fn symbols(&self) -> usize {
        let octets = self.value.len();
        match self.form {
            Form::Plain => octets,
            Form::Base64 { .. } => (octets * 8 + self.form.foreign_bits()).div_ceil(6),
            Form::Hexadecimal => octets * 2,
            Form::Wide => (octets * 2).saturating_sub(1),
        }
    }

    /// The first symbol that is the value's alone.
    pub(super) fn core(&self) -> usize {
        usize::from(self.form.foreign_bits() > 0)
    }

    /// Whether lines may be broken inside.
    pub(super) fn breaks(&self) -> bool {
        matches!(self.form, Form::Base64 { .. }) && self.value.len() >= ALL_FORMS_OCTETS
    }

    /// Whether the octet can stand for this symbol.
    pub(super) fn accepts(&self, symbol: usize, octet: u8) -> bool {
        match self.form {
            Form::Plain => self.value.get(symbol).is_some_and(|expected| {
                // Forms write a blank as a plus sign.
                *expected == octet || (*expected == b' ' && octet == b'+')
            }),
            Form::Base64 { .. } => {
                let (expected, mask) = self.sextet(symbol);
                sextet_of(octet).is_some_and(|sextet| sextet & mask == expected & mask)
            }
            Form::Wide => self.wide(symbol) == Some(octet),
            Form::Hexadecimal => {
                char::from(octet).to_digit(16) == self.nibble(symbol).map(u32::from)
            }
        }
    }

    /// All octets that can stand for this symbol; none after the last.
    pub(super) fn accepted(&self, symbol: usize) -> Vec<u8> {
        let alphabet: &[u8] = match self.form {
            Form::Plain => return self.plain(symbol),
            Form::Wide => return self.wide(symbol).into_iter().collect(),
            Form::Base64 { .. } => BASE64,
            Form::Hexadecimal => HEXADECIMAL,
        };
        alphabet
            .iter()
            .copied()
            .filter(|octet| symbol < self.symbols() && self.accepts(symbol, *octet))
            .collect()
    }

    fn plain(&self, symbol: usize) -> Vec<u8> {
        match self.value.get(symbol) {
            Some(b' ') => vec![b' ', b'+'],
            Some(octet) => vec![*octet],
            None => Vec::new(),
        }
    }

    fn wide(&self, symbol: usize) -> Option<u8> {
        match symbol.is_multiple_of(2) {
            true => self.value.get(symbol / 2).copied(),
            false => (symbol < self.symbols()).then_some(0),
        }
    }

    fn nibble(&self, symbol: usize) -> Option<u8> {
        let octet = self.value.get(symbol / 2)?;
        Some(if symbol.is_multiple_of(2) {
            octet >> 4
        } else {
            octet & 15
        })
    }

    /// A symbol of base64, and which of its six bits are the value's.
    fn sextet(&self, symbol: usize) -> (u8, u8) {
        let bits = self.value.len() * 8;
        let foreign = self.form.foreign_bits();
        let octet = |index: usize| u16::from(self.value.get(index).copied().unwrap_or(0));
        let Some(start) = (symbol * 6).checked_sub(foreign) else {
            let own = 6 - foreign;
            let [_, low] = (octet(0) >> (8 - own)).to_be_bytes();
            return (low, (1 << own) - 1);
        };
        let pair = octet(start / 8) << 8 | octet(start / 8 + 1);
        let [_, low] = (pair >> (10 - start % 8)).to_be_bytes();
        let beyond = (start + 6).saturating_sub(bits).min(6);
        (low & 63, (63 << beyond) & 63)
    }
}

const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-/_";
const HEXADECIMAL: &[u8] = b"0123456789abcdefABCDEF";

/// The six bits that a symbol of base64 or base64url stands for.
fn sextet_of(octet: u8) -> Option<u8> {
    Some(match octet {
        b'A'..=b'Z' => octet - b'A',
        b'a'..=b'z' => octet - b'a' + 26,
        b'0'..=b'9' => octet - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}
