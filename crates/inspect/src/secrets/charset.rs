//! The characters that parts of tokens are made of.

/// A set of ASCII characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Charset {
    Digits,
    /// `A-Z`, `0-9`.
    UpperDigits,
    /// `a-z`, `0-9`.
    LowerDigits,
    /// Hexadecimal in lower case.
    Hex,
    /// RFC 4648, upper case.
    Base32,
    /// Letters and digits.
    Base62,
    /// RFC 4648, section 4, without padding.
    Base64,
    /// RFC 4648, section 5: letters, digits, `-`, `_`.
    Url,
    /// The same with dots.
    Dotted,
    /// What URLs leave as it is (RFC 3986, 2.3).
    Unreserved,
}

impl Charset {
    pub(super) const fn has(self, octet: u8) -> bool {
        match self {
            Self::Digits => octet.is_ascii_digit(),
            Self::UpperDigits => octet.is_ascii_uppercase() || octet.is_ascii_digit(),
            Self::LowerDigits => octet.is_ascii_lowercase() || octet.is_ascii_digit(),
            Self::Hex => matches!(octet, b'0'..=b'9' | b'a'..=b'f'),
            Self::Base32 => matches!(octet, b'A'..=b'Z' | b'2'..=b'7'),
            Self::Base62 => octet.is_ascii_alphanumeric(),
            Self::Base64 => octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/'),
            Self::Url => octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'),
            Self::Dotted => octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.'),
            Self::Unreserved => {
                octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.' | b'~')
            }
        }
    }

    /// How many of these a text begins with, at most `most`.
    pub(super) fn prefix(self, text: &[u8], most: usize) -> usize {
        text.iter()
            .take(most)
            .take_while(|octet| self.has(**octet))
            .count()
    }

    /// How many of these a text ends with, at most `most`.
    pub(super) fn suffix(self, text: &[u8], most: usize) -> usize {
        text.iter()
            .rev()
            .take(most)
            .take_while(|octet| self.has(**octet))
            .count()
    }
}
