//! The ends of lines that are in the middle of no value, though the forms of a value may be broken
//! into lines: base64, and anything in quoted-printable. It is told by the text alone, never by a
//! value, and in doubt a line goes on.

use super::unit::introduces;
use crate::limits::LINE_SYMBOLS;

/// Octets of a text up to its last line end after which no value goes on; zero where there is none.
pub(super) fn whole_lines(text: &[u8]) -> usize {
    let mut word = Word::default();
    // What was before the text is not known.
    let mut goes_on = true;
    let mut end = 0;
    for (at, octet) in text.iter().enumerate() {
        if !matches!(octet, b' ' | b'\t' | b'\r' | b'\n') {
            word.add(*octet);
            continue;
        }
        if word.length > 0 {
            goes_on = word.goes_on();
            word = Word::default();
        }
        if *octet == b'\n' && !goes_on {
            end = at + 1;
        }
    }
    end
}

/// What stands between two blanks.
#[derive(Default)]
struct Word {
    length: usize,
    escapes: bool,
    last: u8,
}

impl Word {
    fn add(&mut self, octet: u8) {
        self.length += 1;
        self.escapes |= introduces(octet);
        self.last = octet;
    }

    /// Whether the form of a value may go on after this word and a line break. Before a break,
    /// base64 has a line of symbols, and quoted-printable an escape. Either can end in these octets only.
    fn goes_on(&self) -> bool {
        let ends = self.last.is_ascii_alphanumeric()
            || introduces(self.last)
            || matches!(self.last, b'+' | b'/' | b'-' | b'_' | b';');
        ends && (self.escapes || self.length >= usize::from(LINE_SYMBOLS))
    }
}
