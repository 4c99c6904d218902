//! The chunked transfer coding (RFC 9112, section 7.1), decoded step by step and written
//! anew. Extensions and trailers are checked and dropped, so nothing that we did not
//! understand is carried on.

use std::io::Write as _;

use super::HttpError;
use super::headers::read_line;
use crate::wire::limits::{
    CHUNK_EXTENSION_OCTETS, CHUNK_LINE_OCTETS, CHUNK_SIZE_DIGITS, TRAILER_OCTETS,
};

/// Decodes one chunked body from input that comes in pieces. It buffers a line at most.
#[derive(Debug, Clone, Default)]
pub struct ChunkedReader {
    state: State,
    /// The part of a line that came in earlier pieces.
    line: Vec<u8>,
    extensions: usize,
    trailers: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Size,
    Data(u64),
    DataEnd,
    Trailer,
    Done,
}

/// What one piece of input gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step<'a> {
    /// Octets of the input that are dealt with; the rest is to be fed again.
    pub consumed: usize,
    /// Octets of the body, a part of the input.
    pub data: &'a [u8],
    /// Whether the body has ended. What was not consumed belongs to the next message.
    pub done: bool,
}

impl ChunkedReader {
    /// Decodes up to and including the next run of body octets. Without data and without
    /// `done`, all input was consumed and more is needed.
    pub fn feed<'a>(&mut self, input: &'a [u8]) -> Result<Step<'a>, HttpError> {
        let mut rest = input;
        let mut data: &[u8] = &[];
        while data.is_empty() && !rest.is_empty() && self.state != State::Done {
            match self.state {
                State::Data(left) => (data, rest) = self.take_data(left, rest),
                _ => rest = self.take_line(rest)?,
            }
        }
        Ok(Step {
            consumed: input.len() - rest.len(),
            data,
            done: self.state == State::Done,
        })
    }

    fn take_data<'a>(&mut self, left: u64, input: &'a [u8]) -> (&'a [u8], &'a [u8]) {
        let count = usize::try_from(left).map_or(input.len(), |left| left.min(input.len()));
        let (data, rest) = input.split_at_checked(count).unwrap_or((input, &[]));
        self.state = match left - data.len() as u64 {
            0 => State::DataEnd,
            left => State::Data(left),
        };
        (data, rest)
    }

    /// Takes input up to the end of the current line and acts on the line if it is whole.
    fn take_line<'a>(&mut self, input: &'a [u8]) -> Result<&'a [u8], HttpError> {
        let line_feed = input.iter().position(|octet| *octet == b'\n');
        let count = line_feed.map_or(input.len(), |at| at + 1);
        let (part, rest) = input.split_at_checked(count).unwrap_or((input, &[]));
        if self.line.len() + part.len() > self.line_limit() {
            return Err(self.overlong());
        }
        if line_feed.is_none() {
            self.line.extend_from_slice(part);
            return Ok(rest);
        }
        if self.line.is_empty() {
            self.end_line(part)?;
        } else {
            let mut line = std::mem::take(&mut self.line);
            line.extend_from_slice(part);
            self.end_line(&line)?;
        }
        Ok(rest)
    }

    /// CRLF included.
    const fn line_limit(&self) -> usize {
        match self.state {
            State::DataEnd => 2,
            State::Trailer => TRAILER_OCTETS - self.trailers,
            _ => CHUNK_LINE_OCTETS + 2,
        }
    }

    /// The data of a chunk that runs past its size shows as an overlong end of line.
    const fn overlong(&self) -> HttpError {
        match self.state {
            State::DataEnd => HttpError::Chunk,
            _ => HttpError::ChunkOverhead,
        }
    }

    fn end_line(&mut self, line: &[u8]) -> Result<(), HttpError> {
        let line_octets = line.len();
        let line = line.strip_suffix(b"\r\n").ok_or(HttpError::LineEnding)?;
        self.state = match self.state {
            State::DataEnd if line.is_empty() => State::Size,
            State::Trailer if line.is_empty() => State::Done,
            State::Trailer => {
                read_line(line)?;
                self.trailers += line_octets;
                State::Trailer
            }
            State::Size => self.size_line(line)?,
            _ => return Err(HttpError::Chunk),
        };
        Ok(())
    }

    fn size_line(&mut self, line: &[u8]) -> Result<State, HttpError> {
        let digits = line.iter().take_while(|o| o.is_ascii_hexdigit()).count();
        let (size, extension) = line.split_at_checked(digits).ok_or(HttpError::Chunk)?;
        if !(1..=CHUNK_SIZE_DIGITS).contains(&digits) || !is_extension(extension) {
            return Err(HttpError::Chunk);
        }
        self.extensions += extension.len();
        if self.extensions > CHUNK_EXTENSION_OCTETS {
            return Err(HttpError::ChunkOverhead);
        }
        let size = std::str::from_utf8(size).map_err(|_| HttpError::Chunk)?;
        match u64::from_str_radix(size, 16) {
            Ok(0) => Ok(State::Trailer),
            Ok(size) => Ok(State::Data(size)),
            Err(_) => Err(HttpError::Chunk),
        }
    }
}

/// Nothing, or `;` and printable characters; it is dropped, so its inner form is no matter.
fn is_extension(octets: &[u8]) -> bool {
    match octets {
        [] => true,
        [b';', rest @ ..] => rest
            .iter()
            .all(|octet| matches!(octet, b'\t' | 0x20..=0x7e)),
        _ => false,
    }
}

/// Appends one chunk. No data writes nothing: an empty chunk would end the body.
pub fn write_chunk(data: &[u8], out: &mut Vec<u8>) {
    if data.is_empty() {
        return;
    }
    chunk_head(data.len(), out);
    out.extend_from_slice(data);
    out.extend_from_slice(CHUNK_TAIL);
}

/// Appends the size line of a chunk whose data is written elsewhere and followed by
/// [`CHUNK_TAIL`]. `length` is not 0.
pub fn chunk_head(length: usize, out: &mut Vec<u8>) {
    // Writing to a Vec cannot fail.
    let _ = write!(out, "{length:x}\r\n");
}

/// What follows the data of each chunk.
pub const CHUNK_TAIL: &[u8] = b"\r\n";
/// The end of a chunked body, without trailers.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";
