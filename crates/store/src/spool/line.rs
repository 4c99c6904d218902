//! One line of a spool, version 1. A line has exactly one spelling: what does not look as this
//! module would have written it is not a line of the chain.

use std::io::Write;

use ringfence_model::{RECORD_VERSION, Record, RunId};

use crate::digest::Digest;

/// Where the next line goes: its number, the hash that it continues, and its octet offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) seq: u64,
    pub(crate) prev: Digest,
    pub(crate) offset: u64,
}

impl Position {
    /// The start of a run's spool. The id is in the first hash, so that a spool cannot be given
    /// to another run by its name.
    pub(crate) fn first(run: RunId) -> Self {
        Self {
            seq: 1,
            prev: Digest::of(&[b"ringfence-spool-v1\0", run.to_string().as_bytes()]),
            offset: 0,
        }
    }

    const fn after(self, hash: Digest, octets: u64) -> Self {
        Self {
            seq: self.seq + 1,
            prev: hash,
            offset: self.offset + octets,
        }
    }
}

/// Why a line is not the next one of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LineFault {
    /// It is of a version that this program does not know.
    Version(u64),
    /// It is not what was written, in these words.
    Broken(&'static str),
}

/// A line that continues the chain.
pub(super) struct Line {
    pub(super) text: String,
    pub(super) record: Record,
    pub(super) next: Position,
}

/// Writes the line of a record into the emptied `line`, and returns where the one after it goes.
pub(super) fn write(at: &Position, record: &[u8], line: &mut Vec<u8>) -> Position {
    let hash = hash(at, record);
    line.clear();
    line.extend_from_slice(prefix(at).as_bytes());
    let _infallible = write!(line, "{hash}");
    line.extend_from_slice(RECORD);
    line.extend_from_slice(record);
    line.extend_from_slice(END);
    at.after(hash, line.len() as u64)
}

/// Reads a line with its line feed.
pub(super) fn read(at: &Position, line: &[u8]) -> Result<Line, LineFault> {
    let Some(rest) = line.strip_prefix(prefix(at).as_bytes()) else {
        return Err(other_version(line).unwrap_or(LineFault::Broken(
            "a record is missing, changed or out of order",
        )));
    };
    let body = rest.split_at_checked(HASH_DIGITS).and_then(|(hash, rest)| {
        let record = rest.strip_prefix(RECORD)?.strip_suffix(END)?;
        Some((std::str::from_utf8(hash).ok()?, record))
    });
    let Some((written, record)) = body else {
        return Err(LineFault::Broken("the line is not one of a spool"));
    };
    let hash = hash(at, record);
    if written.parse() != Ok(hash) {
        return Err(LineFault::Broken("the record was changed"));
    }
    let not_a_record = LineFault::Broken("the line does not hold a record");
    let Ok(text) = std::str::from_utf8(record) else {
        return Err(not_a_record);
    };
    Ok(Line {
        record: serde_json::from_str(text).map_err(|_| not_a_record)?,
        text: text.to_owned(),
        next: at.after(hash, line.len() as u64),
    })
}

fn prefix(at: &Position) -> String {
    format!(
        "{{\"v\":{RECORD_VERSION},\"seq\":{},\"prev\":\"{}\",\"hash\":\"",
        at.seq, at.prev
    )
}

fn hash(at: &Position, record: &[u8]) -> Digest {
    Digest::of(&[at.prev.as_bytes(), record])
}

fn other_version(line: &[u8]) -> Option<LineFault> {
    let (digits, _) = std::str::from_utf8(line)
        .ok()?
        .strip_prefix("{\"v\":")?
        .split_once(',')?;
    let version: u64 = digits.parse().ok()?;
    (version != u64::from(RECORD_VERSION)).then_some(LineFault::Version(version))
}

const HASH_DIGITS: usize = 64;
const RECORD: &[u8] = b"\",\"record\":";
const END: &[u8] = b"}\n";
