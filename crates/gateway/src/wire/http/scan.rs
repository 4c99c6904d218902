//! Finds the end of a head in a buffer that grows, looking at each octet once.

use super::HttpError;
use crate::wire::limits::{HTTP_HEAD_OCTETS, HTTP_START_LINE_OCTETS};

/// How far a head has been looked through.
#[derive(Debug, Clone, Default)]
pub(super) struct HeadScan {
    scanned: usize,
    line_start: usize,
}

impl HeadScan {
    /// The length of the head with its empty line, once it is there. `buffer` always starts
    /// at the same octet and never shrinks. A bare LF is found as soon as it comes, so that a
    /// client that sends nothing else is answered and does not wait.
    pub(super) fn advance(&mut self, buffer: &[u8]) -> Result<Option<usize>, HttpError> {
        while let Some(unseen) = buffer.get(self.scanned..) {
            let Some(offset) = unseen.iter().position(|octet| *octet == b'\n') else {
                break;
            };
            let line_feed = self.scanned + offset;
            let line = buffer.get(self.line_start..line_feed).unwrap_or_default();
            self.check_length(line_feed)?;
            let Some(content) = line.strip_suffix(b"\r") else {
                return Err(HttpError::LineEnding);
            };
            if content.is_empty() {
                return self.end(line_feed);
            }
            self.scanned = line_feed + 1;
            self.line_start = self.scanned;
        }
        self.check_length(buffer.len())?;
        self.scanned = buffer.len();
        Ok(None)
    }

    /// An empty line before the start line is refused: nothing good sends one.
    fn end(&self, line_feed: usize) -> Result<Option<usize>, HttpError> {
        if self.line_start == 0 {
            return Err(HttpError::StartLine);
        }
        Ok(Some(line_feed + 1))
    }

    fn check_length(&self, length: usize) -> Result<(), HttpError> {
        if self.line_start == 0 && length > HTTP_START_LINE_OCTETS {
            return Err(HttpError::StartLineTooLong);
        }
        if length >= HTTP_HEAD_OCTETS {
            return Err(HttpError::HeadTooLong);
        }
        Ok(())
    }
}

/// The lines of a complete head, without their CRLF and without the empty line at the end.
/// The scan has seen that every LF stands behind a CR; a CR elsewhere is refused here or by
/// the character rules of what the line holds.
pub(super) fn lines(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    head.strip_suffix(b"\n\r\n")
        .unwrap_or_default()
        .split(|octet| *octet == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}
