//! Packet lines (gitprotocol-common(5)): four hexadecimal digits that count themselves, then
//! the data. `0000`, `0001` and `0002` carry no data and end something.

use super::WireError;
use crate::limits::{PKT_DATA_OCTETS, PKT_OCTETS};

/// One packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pkt<'a> {
    /// Data, perhaps none.
    Data(&'a [u8]),
    /// `0000`.
    Flush,
    /// `0001`: between sections of protocol 2.
    Delim,
    /// `0002`: the end of an answer of protocol 2, where no connection says so.
    ResponseEnd,
}

/// Which hexadecimal digits count a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digits {
    /// As git writes them. Anything else in a request is there to be read in two ways.
    Lower,
    /// Of either case: an upstream's answer is written anew.
    Any,
}

/// What four octets say about the packet that they begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    /// This many octets of data follow.
    Data(usize),
    /// See [`Pkt::Flush`].
    Flush,
    /// See [`Pkt::Delim`].
    Delim,
    /// See [`Pkt::ResponseEnd`].
    ResponseEnd,
}

impl Header {
    /// Octets of a header.
    pub const OCTETS: usize = 4;

    /// Reads a header.
    ///
    /// # Errors
    /// [`WireError::Malformed`], [`WireError::TooLarge`].
    pub fn read(octets: [u8; Self::OCTETS], digits: Digits) -> Result<Self, WireError> {
        let mut length = 0;
        for octet in octets {
            length = length << 4 | digit(octet, digits)?;
        }
        match length {
            0 => Ok(Self::Flush),
            1 => Ok(Self::Delim),
            2 => Ok(Self::ResponseEnd),
            3 => Err(WireError::Malformed("a packet of length 3")),
            length if length > PKT_OCTETS => Err(WireError::TooLarge("a packet")),
            length => Ok(Self::Data(length - Self::OCTETS)),
        }
    }
}

/// Takes the first packet off, with what follows it. `None`: more octets are needed.
///
/// # Errors
/// [`WireError::Malformed`], [`WireError::TooLarge`]: as soon as the header shows it.
pub fn split(octets: &[u8], digits: Digits) -> Result<Option<(Pkt<'_>, &[u8])>, WireError> {
    let Some((header, rest)) = octets.split_first_chunk() else {
        // A header that is wrong already needs no more octets to be refused.
        for octet in octets {
            digit(*octet, digits)?;
        }
        return Ok(None);
    };
    Ok(match Header::read(*header, digits)? {
        Header::Flush => Some((Pkt::Flush, rest)),
        Header::Delim => Some((Pkt::Delim, rest)),
        Header::ResponseEnd => Some((Pkt::ResponseEnd, rest)),
        Header::Data(length) => rest
            .split_at_checked(length)
            .map(|(data, rest)| (Pkt::Data(data), rest)),
    })
}

/// Packets out of octets that come in pieces. It holds what was fed and not taken yet, so
/// whoever feeds it takes all packets before feeding again.
#[derive(Debug, Clone)]
pub struct PktReader {
    digits: Digits,
    buffer: Vec<u8>,
    at: usize,
}

impl PktReader {
    /// A reader.
    #[must_use]
    pub const fn new(digits: Digits) -> Self {
        Self {
            digits,
            buffer: Vec::new(),
            at: 0,
        }
    }

    /// Takes octets in.
    pub fn feed(&mut self, octets: &[u8]) {
        self.buffer.drain(..self.at);
        self.at = 0;
        self.buffer.extend_from_slice(octets);
    }

    /// The next packet that is complete.
    ///
    /// # Errors
    /// See [`split`].
    pub fn next_pkt(&mut self) -> Result<Option<Pkt<'_>>, WireError> {
        let held = self.buffer.get(self.at..).unwrap_or_default();
        let Some((pkt, rest)) = split(held, self.digits)? else {
            return Ok(None);
        };
        self.at = self.buffer.len() - rest.len();
        Ok(Some(pkt))
    }

    /// Octets that are held and belong to no packet taken.
    #[must_use]
    pub fn held(&self) -> &[u8] {
        self.buffer.get(self.at..).unwrap_or_default()
    }
}

/// Writes data; more than one packet holds goes into several.
pub fn write_data(data: &[u8], out: &mut Vec<u8>) {
    for part in data.chunks(PKT_DATA_OCTETS) {
        write_header(part.len(), out);
        out.extend_from_slice(part);
    }
}

/// Writes a line with its `\n`, as git does.
pub fn write_line(line: &str, out: &mut Vec<u8>) {
    let mut data = Vec::with_capacity(line.len() + 1);
    data.extend_from_slice(line.as_bytes());
    data.push(b'\n');
    write_data(&data, out);
}

/// Writes the header of a packet with this much data, at most [`PKT_DATA_OCTETS`].
pub fn write_header(data: usize, out: &mut Vec<u8>) {
    let length = data.min(PKT_DATA_OCTETS) + Header::OCTETS;
    for shift in [12, 8, 4, 0] {
        let value = length >> shift & 0xf;
        out.push(DIGITS.get(value).copied().unwrap_or(b'0'));
    }
}

/// Writes `0000`.
pub fn write_flush(out: &mut Vec<u8>) {
    out.extend_from_slice(b"0000");
}

/// Writes `0001`.
pub fn write_delim(out: &mut Vec<u8>) {
    out.extend_from_slice(b"0001");
}

/// The data of a line without the one `\n` that may end it.
#[must_use]
pub fn without_newline(data: &[u8]) -> &[u8] {
    data.strip_suffix(b"\n").unwrap_or(data)
}

/// A line as text.
///
/// # Errors
/// [`WireError::Malformed`] when it is not UTF-8.
pub fn text(data: &[u8]) -> Result<&str, WireError> {
    str::from_utf8(without_newline(data)).map_err(|_| WireError::Malformed("a line is not UTF-8"))
}

fn digit(octet: u8, digits: Digits) -> Result<usize, WireError> {
    match octet {
        b'0'..=b'9' => Ok(usize::from(octet - b'0')),
        b'a'..=b'f' => Ok(usize::from(octet - b'a') + 10),
        b'A'..=b'F' if digits == Digits::Any => Ok(usize::from(octet - b'A') + 10),
        _ => Err(WireError::Malformed("the length of a packet")),
    }
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

#[cfg(test)]
mod tests;
