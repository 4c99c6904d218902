//! Paths: the check that a path has one reading, and the patterns that rules match it with.
//!
//! A path is compared segment by segment with its percent-escapes decoded, so `/a%21` and
//! `/a!` are the same path to a rule as they are to most servers. A path that servers read
//! in several ways (dot segments, encoded slashes, empty segments) is not decided on at all.

use std::fmt;
use std::str::{FromStr, Split};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::limits::{PATH_OCTETS, PATTERN_OCTETS, PATTERN_WILDCARDS};

/// A pattern for the canonical path of a request.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^/"))]
pub struct PathPattern {
    text: String,
    segments: Vec<Segment>,
}

/// Why a path or a pattern was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// No slash in front.
    #[error("a path starts with `/`")]
    Relative,
    /// Longer than this version looks at.
    #[error("a path has at most {PATH_OCTETS} octets, a pattern at most {PATTERN_OCTETS}")]
    TooLong,
    /// A character that no path has.
    #[error("a path holds visible ASCII only, without `?`, `#` and `\\`; write others as `%XX`")]
    Character,
    /// `%` without two capital hexadecimal digits, or an escape that stands for itself.
    #[error("an escape in a path is `%` and two capital hexadecimal digits, and only where needed")]
    Escape,
    /// An encoded slash, backslash or NUL, an escape of an escape, or no UTF-8.
    #[error(
        "an encoded `/`, `\\` or NUL, an escape of an escape, and what is not UTF-8 are read in several ways"
    )]
    Hidden,
    /// `.`, `..` or nothing between two slashes.
    #[error("a path has no empty, `.` or `..` segments")]
    Segment,
    /// `**` beside other text.
    #[error("`**` stands alone between slashes, as in `/docs/**`")]
    Wildcard,
    /// Too many wildcards to match in bounded time.
    #[error("a path pattern has at most {PATTERN_WILDCARDS} wildcards")]
    Wildcards,
}

#[derive(Clone, PartialEq, Eq)]
enum Segment {
    /// `**`.
    Any,
    Glob(Vec<Token>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Token {
    /// `*`.
    Any,
    Octet(u8),
}

impl PathPattern {
    /// The pattern that matches `path` and nothing else.
    ///
    /// # Errors
    /// When the path is not canonical or is too long for a pattern.
    pub fn exact(path: &str) -> Result<Self, PathError> {
        path.replace('*', "%2A").parse()
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it names an encoded slash, as in `/@scope%2F*`.
    pub(crate) fn names_scope(&self) -> bool {
        self.text.contains(ENCODED_SLASH)
    }

    /// How far `path` is as the pattern has it up to its first wildcard, in octets.
    pub(crate) fn nearness(&self, path: &str) -> usize {
        let fixed = self.text.split('*').next().unwrap_or_default().bytes();
        fixed.zip(path.bytes()).take_while(|(a, b)| a == b).count()
    }

    /// Whether it names path parameters itself.
    pub(crate) fn names_parameters(&self) -> bool {
        has_parameters(&self.text)
    }

    /// The same for a forbid, which takes every path that some server takes for one that matches:
    /// in another case, and with a slash at the end. Asked by [`Self::matches_folded`].
    pub(crate) fn folded(&self) -> Self {
        let mut folded = self.clone();
        for segment in &mut folded.segments {
            if let Segment::Glob(tokens) = segment {
                tokens.iter_mut().for_each(Token::fold);
            }
        }
        let is_empty = |segment: &Segment| *segment == Segment::Glob(Vec::new());
        if folded.segments.len() > 1 && folded.segments.last().is_some_and(is_empty) {
            folded.segments.pop();
        }
        folded
    }

    /// Whether a pattern that is [`Self::folded`] matches `path`, in canonical form, as some server
    /// may read it.
    pub(crate) fn matches_folded(&self, path: &str) -> bool {
        let path = folded(path);
        let short = path.strip_suffix('/').filter(|short| !short.is_empty());
        self.matches(&path) || short.is_some_and(|short| self.matches(short))
    }

    /// Whether `path`, in canonical form, matches.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        path.strip_prefix('/')
            .is_some_and(|rest| match_segments(&self.segments, rest.split('/')))
    }
}

impl FromStr for PathPattern {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        if text.len() > PATTERN_OCTETS {
            return Err(PathError::TooLong);
        }
        check_path(text)?;
        let rest = text.strip_prefix('/').ok_or(PathError::Relative)?;
        let segments: Vec<_> = rest
            .split('/')
            .map(read_segment)
            .collect::<Result<_, _>>()?;
        if segments.iter().map(Segment::wildcards).sum::<usize>() > PATTERN_WILDCARDS {
            return Err(PathError::Wildcards);
        }
        Ok(Self {
            text: text.to_owned(),
            segments,
        })
    }
}

impl TryFrom<String> for PathPattern {
    type Error = PathError;

    fn try_from(text: String) -> Result<Self, PathError> {
        text.parse()
    }
}

impl From<PathPattern> for String {
    fn from(pattern: PathPattern) -> Self {
        pattern.text
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)
    }
}

impl Token {
    const fn fold(&mut self) {
        if let Self::Octet(octet) = self {
            octet.make_ascii_lowercase();
        }
    }
}

/// A path in lower case, but for the digits of its escapes.
fn folded(path: &str) -> String {
    let mut digits = 0_u8;
    let fold = |letter: char| {
        let is_digit = digits > 0;
        digits = if letter == '%' {
            2
        } else {
            digits.saturating_sub(1)
        };
        if is_digit {
            letter
        } else {
            letter.to_ascii_lowercase()
        }
    };
    path.chars().map(fold).collect()
}

impl Segment {
    fn wildcards(&self) -> usize {
        match self {
            Self::Any => 1,
            Self::Glob(tokens) => tokens.iter().filter(|token| **token == Token::Any).count(),
        }
    }
}

/// Whether a path has path parameters, as in `/a;x=1/b`: some servers route without them.
pub(crate) fn has_parameters(path: &str) -> bool {
    path.contains(';') || path.contains("%3B")
}

/// The path as a server sees it that cuts path parameters off.
pub(crate) fn without_parameters(path: &str) -> String {
    let cut = |segment: &str| -> String {
        let segment = segment.split(';').next().unwrap_or_default();
        segment.split("%3B").next().unwrap_or_default().to_owned()
    };
    path.split('/').map(cut).collect::<Vec<_>>().join("/")
}

const ENCODED_SLASH: &str = "%2F";

/// The path with plain slashes, where it has a segment `@scope%2Fname` or several: npm and others
/// write the names of packages so, and registries read them in both spellings. None where there
/// are none, or another encoded slash is in the path.
pub(crate) fn unscoped(path: &str) -> Option<String> {
    if !path.contains(ENCODED_SLASH) {
        return None;
    }
    let mut segments = path.split('/');
    let is_sound = |segment: &str| !segment.contains(ENCODED_SLASH) || has_scope(segment);
    let plain = || path.replace(ENCODED_SLASH, "/");
    segments.all(is_sound).then(plain)
}

/// Whether `path` has one reading, or two by a name in a scope alone.
pub(crate) fn check_path(path: &str) -> Result<(), PathError> {
    let plain = unscoped(path);
    check_canonical(plain.as_deref().unwrap_or(path))
}

/// Whether a segment is `@scope%2Fname`, of letters, digits, `-`, `_`, `.` and `~` alone, neither
/// part of which begins with a dot. A pattern may have `*` there.
fn has_scope(segment: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_.~*".contains(&b);
    let is_part =
        |part: &str| !part.is_empty() && !part.starts_with('.') && part.bytes().all(allowed);
    let name = segment.strip_prefix('@');
    let parts = name.and_then(|name| name.split_once(ENCODED_SLASH));
    parts.is_some_and(|(scope, name)| is_part(scope) && is_part(name))
}

/// Whether `path` has exactly one reading.
pub(crate) fn check_canonical(path: &str) -> Result<(), PathError> {
    if path.len() > PATH_OCTETS {
        return Err(PathError::TooLong);
    }
    let rest = path.strip_prefix('/').ok_or(PathError::Relative)?;
    check_octets(rest.as_bytes())?;
    let mut segments = rest.split('/').peekable();
    while let Some(segment) = segments.next() {
        // Only the last segment may be empty: that is a trailing slash.
        let is_empty = segment.is_empty() && segments.peek().is_some();
        // Some servers cut path parameters first: `..;x` is `..` to them.
        let name = segment.split(';').next().unwrap_or(segment);
        if is_empty || name == "." || name == ".." {
            return Err(PathError::Segment);
        }
    }
    Ok(())
}

fn check_octets(text: &[u8]) -> Result<(), PathError> {
    let mut rest = text;
    let has_escapes = text.contains(&b'%');
    let mut decoded = Vec::new();
    while let Some((&first, tail)) = rest.split_first() {
        match first {
            b'%' => {
                let (octet, after) = read_escape(tail).ok_or(PathError::Escape)?;
                check_escaped(octet)?;
                check_twice(octet, after)?;
                decoded.push(octet);
                rest = after;
            }
            b'?' | b'#' | b'\\' => return Err(PathError::Character),
            b'!'..=b'~' => {
                if has_escapes {
                    decoded.push(first);
                }
                rest = tail;
            }
            _ => return Err(PathError::Character),
        }
    }
    // Escapes that are not UTF-8 are text of an encoding that nobody names.
    std::str::from_utf8(&decoded).map_or(Err(PathError::Hidden), |_| Ok(()))
}

/// A `%25` after which a server that decodes twice would see a separator, a dot or an escape.
fn check_twice(octet: u8, after: &[u8]) -> Result<(), PathError> {
    let Some((digits, _)) = after.split_first_chunk::<2>() else {
        return Ok(());
    };
    match read_escape(&digits.to_ascii_uppercase()) {
        Some((0..=0x1f | 0x7f | b'/' | b'\\' | b'.' | b'%', _)) if octet == b'%' => {
            Err(PathError::Hidden)
        }
        _ => Ok(()),
    }
}

fn check_escaped(octet: u8) -> Result<(), PathError> {
    match octet {
        b'/' | b'\\' | 0 => Err(PathError::Hidden),
        // Unreserved characters (RFC 3986, section 2.3) have no second spelling here.
        b'-' | b'.' | b'_' | b'~' => Err(PathError::Escape),
        _ if octet.is_ascii_alphanumeric() => Err(PathError::Escape),
        _ => Ok(()),
    }
}

/// The octet that two capital hexadecimal digits stand for, and what follows them.
fn read_escape(text: &[u8]) -> Option<(u8, &[u8])> {
    let (&[high, low], rest) = text.split_first_chunk::<2>()?;
    let digit = |octet: u8| match octet {
        b'0'..=b'9' => Some(octet - b'0'),
        b'A'..=b'F' => Some(octet - b'A' + 10),
        _ => None,
    };
    Some((digit(high)? * 16 + digit(low)?, rest))
}

fn read_segment(text: &str) -> Result<Segment, PathError> {
    if text == "**" {
        return Ok(Segment::Any);
    }
    if text.contains("**") {
        return Err(PathError::Wildcard);
    }
    let mut tokens = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'*' {
            tokens.push(Token::Any);
            rest = tail;
        } else {
            let (octet, after) = next_octet(first, tail);
            tokens.push(Token::Octet(octet));
            rest = after;
        }
    }
    Ok(Segment::Glob(tokens))
}

/// One decoded octet of a segment and what follows it.
fn next_octet(first: u8, tail: &[u8]) -> (u8, &[u8]) {
    match (first, read_escape(tail)) {
        (b'%', Some(decoded)) => decoded,
        _ => (first, tail),
    }
}

/// Glob matching with one step back to the latest `**`, which is enough because an earlier
/// one could only have taken fewer segments.
fn match_segments(segments: &[Segment], path: Split<'_, char>) -> bool {
    let mut pattern = segments;
    let mut path = path;
    let mut latest: Option<(&[Segment], Split<'_, char>)> = None;
    loop {
        let mut ahead = path.clone();
        match (pattern.split_first(), ahead.next()) {
            (Some((Segment::Any, rest)), _) => {
                latest = Some((rest, path.clone()));
                pattern = rest;
                continue;
            }
            (Some((Segment::Glob(tokens), rest)), Some(segment))
                if match_octets(tokens, segment.as_bytes()) =>
            {
                (pattern, path) = (rest, ahead);
                continue;
            }
            (None, None) => return true,
            _ => {}
        }
        let Some((rest, from)) = &mut latest else {
            return false;
        };
        if from.next().is_none() {
            return false;
        }
        (pattern, path) = (*rest, from.clone());
    }
}

/// The same within one segment, for `*`.
fn match_octets(tokens: &[Token], segment: &[u8]) -> bool {
    let mut pattern = tokens;
    let mut text = segment;
    let mut latest: Option<(&[Token], &[u8])> = None;
    loop {
        let next = text
            .split_first()
            .map(|(&first, tail)| next_octet(first, tail));
        match (pattern.split_first(), next) {
            (Some((Token::Any, rest)), _) => {
                latest = Some((rest, text));
                pattern = rest;
                continue;
            }
            (Some((Token::Octet(wanted), rest)), Some((octet, tail))) if *wanted == octet => {
                (pattern, text) = (rest, tail);
                continue;
            }
            (None, None) => return true,
            _ => {}
        }
        let Some((rest, from)) = latest else {
            return false;
        };
        let Some((&first, tail)) = from.split_first() else {
            return false;
        };
        let (_, from) = next_octet(first, tail);
        latest = Some((rest, from));
        (pattern, text) = (rest, from);
    }
}

#[cfg(test)]
mod tests;
