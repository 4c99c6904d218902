//! Tokens of fixed make: a prefix or a mark in the middle, and runs of characters.

use flate2::Crc;

use super::around::{Around, holds};
use super::charset::Charset;
use super::likeness::{is_made_up, is_wordy};

/// What comes after the prefix.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) parts: &'static [Part],
    pub(super) check: Check,
}

/// A token with a mark in its middle.
#[derive(Debug)]
pub(super) struct Middle {
    /// What the token begins with, where it begins with something.
    pub(super) starts: &'static str,
    /// What is before the mark, the beginning included.
    pub(super) before: (Charset, usize, usize),
    pub(super) after: (Charset, usize, usize),
}

/// A part of a token.
#[derive(Debug)]
pub(super) enum Part {
    /// From so many to so many characters: as many as there are, and none of them may follow.
    Run(Charset, usize, usize),
    /// At least so many characters; what follows them is not looked at.
    Begin(Charset, usize),
    /// Exactly this.
    Text(&'static str),
}

/// What else has to be true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// It looks random.
    Random,
    /// Its last six characters are the CRC-32 of those before, as GitHub and npm make it.
    Crc32,
    /// It has no mark of an example, and nearby nothing says that it is meant to be public.
    Unless(&'static [&'static str]),
}

impl Token {
    pub(super) fn fits(&self, anchors: &[&str], around: &Around<'_>) -> bool {
        if !is_exact(anchors, around) || !around.begins_word() {
            return false;
        }
        let Some(length) = self.length(around.after) else {
            return false;
        };
        let body = around.after.get(..length).unwrap_or_default();
        match self.check {
            Check::Random => is_random(body),
            Check::Crc32 => has_crc32(body),
            Check::Unless(public) => {
                is_random(body) && !public.iter().any(|text| around.mentions(text.as_bytes()))
            }
        }
    }

    /// Octets of all parts together.
    fn length(&self, text: &[u8]) -> Option<usize> {
        let mut at = 0;
        for part in self.parts {
            let rest = text.get(at..)?;
            at += match part {
                Part::Text(text) => rest.starts_with(text.as_bytes()).then_some(text.len())?,
                Part::Run(charset, least, most) => run(*charset, rest, *least, *most)?,
                Part::Begin(charset, least) => {
                    (charset.prefix(rest, *least) == *least).then_some(*least)?
                }
            };
        }
        Some(at)
    }
}

impl Middle {
    pub(super) fn fits(&self, anchors: &[&str], around: &Around<'_>) -> bool {
        if !is_exact(anchors, around) {
            return false;
        }
        let (charset, least, most) = self.before;
        let before = charset.suffix(around.before, most + 2);
        let start = around.before.len() - before;
        let start = start + around.escape_at(start);
        let before = around.before.get(start..).unwrap_or_default();
        if before.len() < least || before.len() > most {
            return false;
        }
        let (charset, least, most) = self.after;
        let Some(after) = run(charset, around.after, least, most) else {
            return false;
        };
        let after = around.after.get(..after).unwrap_or_default();
        before.starts_with(self.starts.as_bytes()) && is_random(&[before, after].concat())
    }
}

fn run(charset: Charset, text: &[u8], least: usize, most: usize) -> Option<usize> {
    let length = charset.prefix(text, most + 1);
    (least..=most).contains(&length).then_some(length)
}

/// Anchors are found whatever their case; a prefix has to be written as it is.
fn is_exact(anchors: &[&str], around: &Around<'_>) -> bool {
    anchors.iter().any(|text| text.as_bytes() == around.anchor)
}

fn is_random(body: &[u8]) -> bool {
    !is_wordy(body, TOKEN_WORDS) && !is_made_up(body)
}

/// Of a hundred pairs of letters, how many may be frequent in English: more than in a value that
/// merely stands beside a name, since the prefix says enough.
const TOKEN_WORDS: usize = 80;

/// The last six characters are the CRC-32 of the others in base 62, digits first.
fn has_crc32(body: &[u8]) -> bool {
    let Some((random, sum)) = body.split_last_chunk::<6>() else {
        return false;
    };
    let mut crc = Crc::new();
    crc.update(random);
    let mut expected = [b'0'; 6];
    let mut rest = crc.sum();
    for digit in expected.iter_mut().rev() {
        *digit = digit_of(rest % 62);
        rest /= 62;
    }
    expected == *sum && !holds(random, b"00000000")
}

fn digit_of(value: u32) -> u8 {
    let octet = u8::try_from(value).unwrap_or(0);
    match octet {
        0..=9 => b'0' + octet,
        10..=35 => b'A' + (octet - 10),
        _ => b'a' + (octet - 36),
    }
}
