//! Streams of events as Amazon frames them (`application/vnd.amazon.eventstream`): length, headers
//! and payload, each message with two checksums.

use crate::limits::EVENT_OCTETS;

/// One message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// `event`, `exception` or `error`.
    pub kind: &'a str,
    /// The type of the event or of the exception.
    pub name: &'a str,
    /// The payload.
    pub payload: &'a [u8],
}

/// Reads a stream of messages.
#[derive(Debug, Default)]
pub struct Parser {
    held: Vec<u8>,
    /// Octets of a message that is too long, still to come.
    skip: u64,
    skipped: u64,
    /// The stream is none, or is damaged: what follows cannot be found in it.
    is_broken: bool,
}

impl Parser {
    /// The next octets of the stream; `message` gets every message that ends in them.
    pub fn feed(&mut self, mut octets: &[u8], message: &mut dyn FnMut(Message<'_>)) {
        while !octets.is_empty() && !self.is_broken {
            if self.skip > 0 {
                let gone = usize::try_from(self.skip).unwrap_or(usize::MAX);
                let gone = gone.min(octets.len());
                self.skip -= gone as u64;
                octets = octets.get(gone..).unwrap_or_default();
                continue;
            }
            let wanted = self.wanted().saturating_sub(self.held.len());
            let (taken, rest) = octets.split_at(wanted.min(octets.len()));
            self.held.extend_from_slice(taken);
            octets = rest;
            self.step(message);
        }
    }

    /// Octets of messages that were too long.
    #[must_use]
    pub const fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Octets that are needed for the next step.
    fn wanted(&self) -> usize {
        match self.held.first_chunk::<PRELUDE>() {
            Some(prelude) => lengths(prelude).0,
            None => PRELUDE,
        }
    }

    fn step(&mut self, message: &mut dyn FnMut(Message<'_>)) {
        let Some(prelude) = self.held.first_chunk::<PRELUDE>() else {
            return;
        };
        let (total, headers) = lengths(prelude);
        let [.., a, b, c, d] = *prelude;
        let sum = u32::from_be_bytes([a, b, c, d]);
        let is_whole = sum == checksum(prelude.get(..8).unwrap_or_default());
        if !is_whole || total < PRELUDE + 4 || headers > total - PRELUDE - 4 {
            self.is_broken = true;
            return;
        }
        if total > EVENT_OCTETS {
            self.skip = (total - self.held.len()) as u64;
            self.skipped = self.skipped.saturating_add(total as u64);
            self.held.clear();
            return;
        }
        if self.held.len() < total {
            return;
        }
        match read(&self.held, headers) {
            Some(read) => message(read),
            None => self.is_broken = true,
        }
        self.held.clear();
    }
}

/// Length, length of the headers, checksum of both.
const PRELUDE: usize = 12;

/// The length of a message, and of its headers.
const fn lengths(prelude: &[u8; PRELUDE]) -> (usize, usize) {
    let [a, b, c, d, e, f, g, h, ..] = *prelude;
    let total = u32::from_be_bytes([a, b, c, d]);
    (total as usize, u32::from_be_bytes([e, f, g, h]) as usize)
}

fn read(octets: &[u8], headers: usize) -> Option<Message<'_>> {
    let (body, sum) = octets.split_last_chunk::<4>()?;
    if u32::from_be_bytes(*sum) != checksum(body) {
        return None;
    }
    let (headers, payload) = body.get(PRELUDE..)?.split_at_checked(headers)?;
    let mut message = Message {
        kind: "",
        name: "",
        payload,
    };
    let mut rest = headers;
    while !rest.is_empty() {
        let (name, value, behind) = header(rest)?;
        match name {
            b":message-type" => message.kind = value,
            b":event-type" | b":exception-type" | b":error-code" => message.name = value,
            _ => {}
        }
        rest = behind;
    }
    Some(message)
}

/// Name, text and rest. The value of a header that is no text is empty.
fn header(octets: &[u8]) -> Option<(&[u8], &str, &[u8])> {
    let (length, rest) = octets.split_first()?;
    let (name, rest) = rest.split_at_checked(usize::from(*length))?;
    let (kind, rest) = rest.split_first()?;
    let fixed = match kind {
        0 | 1 => 0,
        2 => 1,
        3 => 2,
        4 => 4,
        5 | 8 => 8,
        9 => 16,
        6 | 7 => {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            let length = usize::from(u16::from_be_bytes(*length));
            let (value, rest) = rest.split_at_checked(length)?;
            return Some((name, std::str::from_utf8(value).unwrap_or_default(), rest));
        }
        _ => return None,
    };
    Some((name, "", rest.get(fixed..)?))
}

/// One message with these headers, all texts.
#[must_use]
pub fn write(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in headers {
        block.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
        block.extend_from_slice(name.as_bytes());
        block.push(7);
        let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
        block.extend_from_slice(&length.to_be_bytes());
        block.extend_from_slice(value.as_bytes());
    }
    let length = |octets: usize| u32::try_from(octets).unwrap_or(u32::MAX).to_be_bytes();
    let mut out = Vec::with_capacity(PRELUDE + block.len() + payload.len() + 4);
    out.extend_from_slice(&length(PRELUDE + block.len() + payload.len() + 4));
    out.extend_from_slice(&length(block.len()));
    let sum = checksum(&out);
    out.extend_from_slice(&sum.to_be_bytes());
    out.extend_from_slice(&block);
    out.extend_from_slice(payload);
    let sum = checksum(&out);
    out.extend_from_slice(&sum.to_be_bytes());
    out
}

/// CRC-32 (ISO-HDLC), as zlib computes it.
fn checksum(octets: &[u8]) -> u32 {
    let step = |sum: u32, octet: &u8| {
        let [low, ..] = (sum ^ u32::from(*octet)).to_le_bytes();
        TABLE.get(usize::from(low)).unwrap_or(&0) ^ (sum >> 8)
    };
    !octets.iter().fold(u32::MAX, step)
}

const TABLE: [u32; 256] = table();

#[expect(
    clippy::indexing_slicing,
    reason = "a constant is computed when it is compiled"
)]
const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        let (mut sum, mut bit) = (at, 0);
        while bit < 8 {
            sum = (sum >> 1) ^ if sum & 1 == 1 { 0xedb8_8320 } else { 0 };
            bit += 1;
        }
        table[at as usize] = sum;
        at += 1;
    }
    table
}

#[cfg(test)]
mod tests;
