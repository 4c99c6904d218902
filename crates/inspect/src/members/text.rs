//! The inside of a JSON text (RFC 8259, section 7): its escapes undone, its octets checked to be
//! UTF-8. And the way back.

use super::MembersError;

/// What a half of a pair stands for that has no other half.
const REPLACEMENT: char = '\u{fffd}';

/// A text that is being read, from behind its first quote.
#[derive(Debug, Default)]
pub(super) struct Text {
    escape: Escape,
    utf8: Utf8,
    /// The first half of a pair.
    high: Option<u16>,
}

/// What a text stands for, or as much of it as is wanted.
#[derive(Debug)]
pub(super) struct Plain {
    octets: Vec<u8>,
    most: usize,
}

#[derive(Debug, Default)]
enum Escape {
    #[default]
    None,
    Backslash,
    Digits {
        count: u8,
        value: u16,
    },
}

/// How many octets of a character are still to come, and what the next one may be.
#[derive(Debug, Default)]
struct Utf8 {
    left: u8,
    least: u8,
    most: u8,
}

impl Text {
    /// Whether it is between two characters, none of which is an escape.
    pub(super) const fn is_plain(&self) -> bool {
        matches!(self.escape, Escape::None) && self.utf8.left == 0
    }

    /// Takes the next octet, and appends what it stands for. True for the quote at the end.
    pub(super) fn step(&mut self, octet: u8, plain: &mut Plain) -> Result<bool, MembersError> {
        match &mut self.escape {
            Escape::None => return self.outside(octet, plain),
            Escape::Backslash if octet == b'u' => {
                self.escape = Escape::Digits { count: 0, value: 0 };
            }
            Escape::Backslash => {
                let octet = escaped(octet).ok_or(MembersError::Syntax)?;
                self.escape = Escape::None;
                self.lonely(plain);
                plain.push(&[octet]);
            }
            Escape::Digits { count, value } => {
                let digit = char::from(octet).to_digit(16).ok_or(MembersError::Syntax)?;
                *value = *value << 4 | u16::try_from(digit).unwrap_or_default();
                *count += 1;
                if *count == 4 {
                    let value = *value;
                    self.escape = Escape::None;
                    self.unit(value, plain);
                }
            }
        }
        Ok(false)
    }

    fn outside(&mut self, octet: u8, plain: &mut Plain) -> Result<bool, MembersError> {
        if self.utf8.left > 0 {
            self.utf8.go_on(octet)?;
            plain.push(&[octet]);
            return Ok(false);
        }
        if octet == b'\\' {
            self.escape = Escape::Backslash;
            return Ok(false);
        }
        self.lonely(plain);
        match octet {
            b'"' => return Ok(true),
            ..0x20 => return Err(MembersError::Syntax),
            0x80.. => self.utf8 = Utf8::begin(octet).ok_or(MembersError::Syntax)?,
            _ => {}
        }
        plain.push(&[octet]);
        Ok(false)
    }

    /// A number that `\uXXXX` gives: a character, or a half of a pair.
    fn unit(&mut self, value: u16, plain: &mut Plain) {
        if let (Some(high), 0xdc00..=0xdfff) = (self.high, value) {
            self.high = None;
            let pair = char::decode_utf16([high, value]).next();
            push(pair.and_then(Result::ok).unwrap_or(REPLACEMENT), plain);
            return;
        }
        self.lonely(plain);
        if matches!(value, 0xd800..=0xdbff) {
            self.high = Some(value);
        } else {
            push(char::from_u32(value.into()).unwrap_or(REPLACEMENT), plain);
        }
    }

    /// A first half whose second one did not come.
    fn lonely(&mut self, plain: &mut Plain) {
        if self.high.take().is_some() {
            push(REPLACEMENT, plain);
        }
    }
}

impl Utf8 {
    /// The first octet of several (RFC 3629, section 4).
    const fn begin(octet: u8) -> Option<Self> {
        let (left, least, most) = match octet {
            0xc2..=0xdf => (1, 0x80, 0xbf),
            0xe0 => (2, 0xa0, 0xbf),
            0xe1..=0xec | 0xee..=0xef => (2, 0x80, 0xbf),
            0xed => (2, 0x80, 0x9f),
            0xf0 => (3, 0x90, 0xbf),
            0xf1..=0xf3 => (3, 0x80, 0xbf),
            0xf4 => (3, 0x80, 0x8f),
            _ => return None,
        };
        Some(Self { left, least, most })
    }

    fn go_on(&mut self, octet: u8) -> Result<(), MembersError> {
        if octet < self.least || octet > self.most {
            return Err(MembersError::Syntax);
        }
        *self = Self {
            left: self.left - 1,
            least: 0x80,
            most: 0xbf,
        };
        Ok(())
    }
}

/// What a text with its quotes stands for.
pub(super) fn read(text: &[u8]) -> Result<String, MembersError> {
    let mut reading = Text::default();
    let mut plain = Plain::up_to(text.len());
    for octet in text.iter().skip(1) {
        if reading.step(*octet, &mut plain)? {
            break;
        }
    }
    String::from_utf8(plain.octets).map_err(|_| MembersError::Syntax)
}

/// A text with its quotes.
pub(super) fn write(plain: &str) -> Vec<u8> {
    let mut text = vec![b'"'];
    for octet in plain.bytes() {
        match octet {
            b'"' | b'\\' => text.extend([b'\\', octet]),
            ..0x20 => text.extend(format!("\\u{octet:04x}").bytes()),
            _ => text.push(octet),
        }
    }
    text.push(b'"');
    text
}

impl Plain {
    /// Takes what a text stands for, up to so many octets.
    pub(super) const fn up_to(most: usize) -> Self {
        Self {
            octets: Vec::new(),
            most,
        }
    }

    /// What was taken so far.
    pub(super) fn octets(&self) -> &[u8] {
        &self.octets
    }

    pub(super) fn clear(&mut self) {
        self.octets.clear();
    }

    fn push(&mut self, octets: &[u8]) {
        if self.octets.len() < self.most {
            self.octets.extend_from_slice(octets);
        }
    }
}

fn push(character: char, plain: &mut Plain) {
    plain.push(character.encode_utf8(&mut [0; 4]).as_bytes());
}

/// What a backslash before this octet makes of it.
const fn escaped(octet: u8) -> Option<u8> {
    Some(match octet {
        b'"' | b'\\' | b'/' => octet,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        _ => return None,
    })
}
