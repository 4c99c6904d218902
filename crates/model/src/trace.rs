//! Ids of traces and spans (W3C Trace Context, level 1). A run is one trace, and every event one
//! span of it, so that the record, the trace, and what the agent itself sends can be joined by ids
//! that nobody has to keep.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::{EventId, RunId};

/// A trace: the 16 octets of the id of its run, or what a client chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceId([u8; 16]);

/// A span of a trace: the last 8 octets of the id of its event, or what a client chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SpanId([u8; 8]);

/// Why a text is no id, or no `traceparent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id of a trace or span is 32 or 16 lower-case hex digits, and not all zero")]
pub struct TraceError;

impl TraceId {
    /// The trace of a run.
    #[must_use]
    pub fn of_run(run: RunId) -> Self {
        Self(run.uuid().into_bytes())
    }

    /// Its octets.
    #[must_use]
    pub const fn octets(self) -> [u8; 16] {
        self.0
    }
}

impl SpanId {
    /// The first span of a run, which all others are below.
    #[must_use]
    pub fn root(run: RunId) -> Self {
        Self(tail(run.uuid().into_bytes()))
    }

    /// The span of an event.
    #[must_use]
    pub fn of_event(event: EventId) -> Self {
        Self(tail(event.uuid().into_bytes()))
    }

    /// The span of these octets; none where all are zero, which names no span.
    #[must_use]
    pub fn from_octets(octets: [u8; 8]) -> Option<Self> {
        (octets != [0; 8]).then_some(Self(octets))
    }

    /// The span of these octets among those that are made here: the variant's bits of a UUID stand
    /// at its start, as they do in the span of an event.
    #[must_use]
    pub const fn made(octets: [u8; 8]) -> Self {
        let [first, rest @ ..] = octets;
        let [b, c, d, e, f, g, h] = rest;
        Self([first & 0x3f | 0x80, b, c, d, e, f, g, h])
    }

    /// Whether it may be one that is made here. Of those that clients choose, one in four may be.
    #[must_use]
    pub const fn may_be_made(self) -> bool {
        self.0[0] & 0xc0 == 0x80
    }

    /// Its octets.
    #[must_use]
    pub const fn octets(self) -> [u8; 8] {
        self.0
    }
}

/// Never all zero: the first of the octets holds the variant of the UUID (RFC 9562, section 4.1).
const fn tail(octets: [u8; 16]) -> [u8; 8] {
    let [_, _, _, _, _, _, _, _, a, b, c, d, e, f, g, h] = octets;
    [a, b, c, d, e, f, g, h]
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl From<SpanId> for String {
    fn from(id: SpanId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for SpanId {
    type Error = TraceError;

    fn try_from(text: String) -> Result<Self, TraceError> {
        text.parse()
    }
}

impl FromStr for TraceId {
    type Err = TraceError;

    fn from_str(text: &str) -> Result<Self, TraceError> {
        octets(text).map(Self)
    }
}

impl FromStr for SpanId {
    type Err = TraceError;

    fn from_str(text: &str) -> Result<Self, TraceError> {
        octets(text).map(Self)
    }
}

fn octets<const N: usize>(text: &str) -> Result<[u8; N], TraceError> {
    let digits = text.as_bytes();
    let (pairs, rest) = digits.as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return Err(TraceError);
    }
    let mut octets = [0; N];
    for (octet, [high, low]) in octets.iter_mut().zip(pairs) {
        *octet = digit(*high)? << 4 | digit(*low)?;
    }
    if octets == [0; N] {
        return Err(TraceError);
    }
    Ok(octets)
}

const fn digit(character: u8) -> Result<u8, TraceError> {
    match character {
        b'0'..=b'9' => Ok(character - b'0'),
        b'a'..=b'f' => Ok(character - b'a' + 10),
        _ => Err(TraceError),
    }
}

/// The header `traceparent`: which span the sender is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceParent {
    /// The trace.
    pub trace: TraceId,
    /// The span.
    pub span: SpanId,
    /// Whether the sender records the trace.
    pub sampled: bool,
}

/// The `traceparent` of what a run starts: in its trace, below its first span, recorded.
#[must_use]
pub fn traceparent(run: RunId) -> String {
    TraceParent {
        trace: TraceId::of_run(run),
        span: SpanId::root(run),
        sampled: true,
    }
    .to_string()
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = u8::from(self.sampled);
        write!(f, "00-{}-{}-{flags:02x}", self.trace, self.span)
    }
}

impl FromStr for TraceParent {
    type Err = TraceError;

    /// Reads version 0 exactly, and of a later version what version 0 has (section 3.2.4).
    fn from_str(text: &str) -> Result<Self, TraceError> {
        let mut parts = text.split('-');
        let mut next = || parts.next().ok_or(TraceError);
        let (version, trace, span, flags) = (next()?, next()?, next()?, next()?);
        let is_whole = next().is_err();
        let [version] = pair(version)?;
        if version == FORBIDDEN_VERSION || (version == 0 && !is_whole) {
            return Err(TraceError);
        }
        let [flags] = pair(flags)?;
        Ok(Self {
            trace: trace.parse()?,
            span: span.parse()?,
            sampled: flags & SAMPLED != 0,
        })
    }
}

/// One octet as two digits, which may be zero.
fn pair(text: &str) -> Result<[u8; 1], TraceError> {
    match text.as_bytes() {
        [high, low] => Ok([digit(*high)? << 4 | digit(*low)?]),
        _ => Err(TraceError),
    }
}

const FORBIDDEN_VERSION: u8 = 0xff;
const SAMPLED: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn the_ids_of_a_run_are_its_own() {
        let run: RunId = "0192f0c1-0000-7000-8000-00000000000a".parse().unwrap();
        assert_eq!(
            traceparent(run),
            "00-0192f0c100007000800000000000000a-800000000000000a-01"
        );
        let event: EventId = "0192f0c1-0000-7000-9000-00000000000b".parse().unwrap();
        assert_eq!(SpanId::of_event(event).to_string(), "900000000000000b");
    }

    #[test]
    fn spans_that_are_made_here_can_be_told_from_most_others() {
        let event = SpanId::of_event(EventId::new());
        assert!(event.may_be_made() && SpanId::root(RunId::new()).may_be_made());
        assert!(SpanId::made([0xff; 8]).may_be_made());
        for other in ["00f067aa0ba902b7", "4000000000000001", "c000000000000001"] {
            assert!(!other.parse::<SpanId>().unwrap().may_be_made(), "{other}");
        }
    }

    #[test]
    fn a_parent_is_written_as_it_was_read() {
        let parent: TraceParent = PARENT.parse().unwrap();
        assert!(parent.sampled);
        assert_eq!(parent.to_string(), PARENT);
        let unsampled = PARENT.replace("-01", "-00");
        assert!(!unsampled.parse::<TraceParent>().unwrap().sampled);
    }

    #[test]
    fn a_later_version_may_say_more() {
        for text in [
            PARENT.replacen("00", "01", 1),
            format!("cc{}-what", &PARENT[2..]),
        ] {
            let parent: TraceParent = text.parse().unwrap();
            assert_eq!(parent.to_string(), PARENT);
        }
    }

    #[test]
    fn what_is_no_parent_is_refused() {
        for text in [
            "",
            "00",
            &PARENT.to_uppercase(),
            &format!("{PARENT}-"),
            &format!("{PARENT}-00"),
            &format!(" {PARENT}"),
            &format!("{PARENT}0"),
            &PARENT.replacen("00", "ff", 1),
            &PARENT.replacen("00", "0", 1),
            &PARENT.replacen('4', "", 1),
            &PARENT.replacen('4', "g", 1),
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
        ] {
            assert_eq!(text.parse::<TraceParent>(), Err(TraceError), "{text}");
        }
    }
}
