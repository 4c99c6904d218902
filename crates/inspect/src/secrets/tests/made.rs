//! Secrets that are made up when a test runs, so that none is written down.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use flate2::Crc;

use crate::secrets::charset::Charset;
use crate::secrets::likeness::{is_made_up, is_random, is_wordy};
use crate::secrets::pattern::{Check, Part};
use crate::secrets::rule::{Form, Rule};

/// Makes values from a seed: xorshift is random enough.
pub(super) struct Maker(u64);

impl Maker {
    pub(super) fn new(seed: u64) -> Self {
        Self(0x9e37_79b9_7f4a_7c15 ^ (seed + 1).wrapping_mul(0x2545_f491_4f6c_dd1d))
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn of(&mut self, charset: Charset, length: usize) -> String {
        let all: Vec<u8> = (0..=127).filter(|octet| charset.has(*octet)).collect();
        let pick = |maker: &mut Self| all[usize::try_from(maker.next()).unwrap() % all.len()];
        (0..length).map(|_| char::from(pick(self))).collect()
    }

    pub(super) fn base62(&mut self, length: usize) -> String {
        self.of(Charset::Base62, length)
    }

    pub(super) fn hex(&mut self, length: usize) -> String {
        self.of(Charset::Hex, length)
    }

    pub(super) fn uuid(&mut self) -> String {
        [8, 4, 4, 4, 12].map(|length| self.hex(length)).join("-")
    }

    /// Letters and digits that do not look like words by chance.
    pub(super) fn random(&mut self, length: usize) -> String {
        std::iter::repeat_with(|| self.base62(length))
            .find(|value| is_random(value.as_bytes()))
            .unwrap()
    }

    pub(super) fn key_lines(&mut self, count: usize) -> Vec<String> {
        let mut lines: Vec<String> = (0..count).map(|_| self.base62(64)).collect();
        lines[0].replace_range(..4, "MIIE");
        lines
    }

    /// A token of GitHub or npm.
    pub(super) fn with_checksum(&mut self, prefix: &str) -> String {
        let body = self.base62(30);
        let mut crc = Crc::new();
        crc.update(body.as_bytes());
        let digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let mut rest = crc.sum() as usize;
        let mut sum = String::new();
        for _ in 0..6 {
            sum.insert(0, char::from(digits.as_bytes()[rest % 62]));
            rest /= 62;
        }
        format!("{prefix}{body}{sum}")
    }

    /// A token by the parts of a rule, if it has such.
    pub(super) fn token(&mut self, rule: &Rule, anchor: &str) -> Option<String> {
        let is_good = |body: &str| !is_made_up(body.as_bytes()) && !is_wordy(body.as_bytes(), 80);
        match &rule.form {
            Form::Token(token) if token.check == Check::Crc32 => Some(self.with_checksum(anchor)),
            Form::Token(token) => {
                let body = std::iter::repeat_with(|| self.parts(token.parts));
                let mut body = body.take(100).find(|body| is_good(body))?;
                if let Some(Part::Begin(charset, _)) = token.parts.last() {
                    body.push_str(&self.of(*charset, 20));
                }
                Some(format!("{anchor}{body}"))
            }
            Form::Middle(middle) => {
                let body = std::iter::repeat_with(|| {
                    let (charset, least, _) = middle.before;
                    let before = self.of(charset, least - middle.starts.len());
                    let (charset, least, _) = middle.after;
                    (
                        format!("{}{before}", middle.starts),
                        self.of(charset, least),
                    )
                });
                let (before, after) = body.take(100).find(|(b, a)| is_good(&format!("{b}{a}")))?;
                Some(format!("{before}{anchor}{after}"))
            }
            _ => None,
        }
    }

    fn parts(&mut self, parts: &[Part]) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => (*text).to_owned(),
            Part::Begin(charset, least) => self.of(*charset, *least),
            Part::Run(charset, least, most) => {
                let length = (*least).max((least + 60).min(*most));
                self.of(*charset, length)
            }
        };
        parts.iter().map(part).collect()
    }
}

pub(super) fn base64(octets: &[u8]) -> String {
    STANDARD.encode(octets)
}

pub(super) fn base64url(octets: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(octets)
}
