//! Patterns for names with slashes in them: repositories, refs, files. `*` stands for any text
//! within one segment, `**` for any number of segments, `{a,b}` for `a` or `b`.
//!
//! A match takes time linear in the name, because a pattern is bounded: neither kind of wildcard
//! goes back further than to its latest occurrence.

use crate::limits::{GLOB_ALTERNATIVES, PATTERN_OCTETS, PATTERN_WILDCARDS};

/// Why a pattern was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GlobError {
    /// Longer than this version looks at.
    #[error("a pattern has at most {PATTERN_OCTETS} octets")]
    TooLong,
    /// Nothing between two slashes, or a segment that no name has.
    #[error("a pattern has no empty, `.` or `..` segments, and no slash at its ends")]
    Segment,
    /// A control character or a backslash.
    #[error("a pattern has no control characters and no `\\`")]
    Character,
    /// `**` beside other text.
    #[error("`**` stands alone between slashes, as in `docs/**`")]
    Wildcard,
    /// Too many wildcards to match in bounded time.
    #[error("a pattern has at most {PATTERN_WILDCARDS} wildcards")]
    Wildcards,
    /// Braces that are not closed, or are inside others.
    #[error("alternatives are written `{{a,b}}`, not inside each other")]
    Braces,
    /// Too many alternatives.
    #[error("a pattern has at most {GLOB_ALTERNATIVES} alternatives in all")]
    Alternatives,
}

/// One alternative of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Glob {
    segments: Vec<Segment>,
    /// Whether the case of ASCII letters does not count.
    is_folded: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    /// `**`.
    Any,
    Text(Vec<Token>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    /// `*`.
    Any,
    Octet(u8),
}

/// The alternatives that a pattern stands for, without braces.
pub(crate) fn alternatives(pattern: &str) -> Result<Vec<String>, GlobError> {
    if pattern.len() > PATTERN_OCTETS {
        return Err(GlobError::TooLong);
    }
    if pattern.chars().any(|c| c.is_control() || c == '\\') {
        return Err(GlobError::Character);
    }
    let mut open = vec![String::new()];
    let mut rest = pattern;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, braced) = rest.split_at(at);
        let inner = braced.strip_prefix('{').ok_or(GlobError::Braces)?;
        let (inner, after) = inner.split_once('}').ok_or(GlobError::Braces)?;
        let words: Vec<&str> = inner.split(',').collect();
        if inner.contains('{') || words.len() < 2 {
            return Err(GlobError::Braces);
        }
        if open.len() * words.len() > GLOB_ALTERNATIVES {
            return Err(GlobError::Alternatives);
        }
        open = open
            .iter()
            .flat_map(|start| {
                words
                    .iter()
                    .map(move |word| format!("{start}{before}{word}"))
            })
            .collect();
        rest = after;
    }
    for alternative in &mut open {
        alternative.push_str(rest);
    }
    Ok(open)
}

impl Glob {
    /// One alternative.
    pub(crate) fn new(alternative: &str) -> Result<Self, GlobError> {
        let segments: Vec<_> = alternative
            .split('/')
            .map(Segment::read)
            .collect::<Result<_, _>>()?;
        if segments.iter().map(Segment::wildcards).sum::<usize>() > PATTERN_WILDCARDS {
            return Err(GlobError::Wildcards);
        }
        Ok(Self {
            segments,
            is_folded: false,
        })
    }

    /// All alternatives of a pattern.
    pub(crate) fn all(pattern: &str) -> Result<Vec<Self>, GlobError> {
        alternatives(pattern)?
            .iter()
            .map(|it| Self::new(it))
            .collect()
    }

    /// The same, for names in any case.
    pub(crate) fn folded(mut self) -> Self {
        self.is_folded = true;
        for segment in &mut self.segments {
            if let Segment::Text(tokens) = segment {
                tokens.iter_mut().for_each(Token::fold);
            }
        }
        self
    }

    /// Whether `name` matches as a whole.
    pub(crate) fn matches(&self, name: &[u8]) -> bool {
        let mut pattern = self.segments.as_slice();
        let mut rest = Some(name);
        let mut latest: Option<(&[Segment], Option<&[u8]>)> = None;
        loop {
            match (pattern.split_first(), rest) {
                (Some((Segment::Any, after)), _) => {
                    latest = Some((after, rest));
                    pattern = after;
                    continue;
                }
                (Some((Segment::Text(tokens), after)), Some(text)) => {
                    let (segment, tail) = split(text);
                    if self.is_segment(tokens, segment) {
                        (pattern, rest) = (after, tail);
                        continue;
                    }
                }
                (None, None) => return true,
                _ => {}
            }
            // One step back is enough: an earlier `**` could only have taken fewer segments.
            let Some((after, Some(from))) = latest else {
                return false;
            };
            let (_, from) = split(from);
            latest = Some((after, from));
            (pattern, rest) = (after, from);
        }
    }

    /// The same within one segment, for `*`.
    fn is_segment(&self, tokens: &[Token], segment: &[u8]) -> bool {
        let mut pattern = tokens;
        let mut text = segment;
        let mut latest: Option<(&[Token], &[u8])> = None;
        loop {
            match (pattern.split_first(), text.split_first()) {
                (Some((Token::Any, after)), _) => {
                    latest = Some((after, text));
                    pattern = after;
                    continue;
                }
                (Some((Token::Octet(wanted), after)), Some((octet, tail)))
                    if *wanted == self.seen(*octet) =>
                {
                    (pattern, text) = (after, tail);
                    continue;
                }
                (None, None) => return true,
                _ => {}
            }
            let Some((after, [_, from @ ..])) = latest else {
                return false;
            };
            latest = Some((after, from));
            (pattern, text) = (after, from);
        }
    }

    const fn seen(&self, octet: u8) -> u8 {
        if self.is_folded {
            octet.to_ascii_lowercase()
        } else {
            octet
        }
    }
}

/// The first segment, and what is behind the slash after it.
fn split(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut parts = text.splitn(2, |octet| *octet == b'/');
    (parts.next().unwrap_or_default(), parts.next())
}

impl Segment {
    fn read(text: &str) -> Result<Self, GlobError> {
        match text {
            "**" => return Ok(Self::Any),
            "" | "." | ".." => return Err(GlobError::Segment),
            _ if text.contains("**") => return Err(GlobError::Wildcard),
            _ => {}
        }
        let token = |octet| match octet {
            b'*' => Token::Any,
            octet => Token::Octet(octet),
        };
        Ok(Self::Text(text.bytes().map(token).collect()))
    }

    fn wildcards(&self) -> usize {
        match self {
            Self::Any => 1,
            Self::Text(tokens) => tokens.iter().filter(|token| **token == Token::Any).count(),
        }
    }
}

impl Token {
    const fn fold(&mut self) {
        if let Self::Octet(octet) = self {
            octet.make_ascii_lowercase();
        }
    }
}

#[cfg(test)]
mod tests;
