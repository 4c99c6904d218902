//! Lines of a process, each bounded.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::limits::LINE_OCTETS;

/// Reads lines.
pub(super) struct Lines<R> {
    source: R,
    ahead: Vec<u8>,
    /// How much of `ahead` holds no end of a line.
    searched: usize,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) const fn new(source: R) -> Self {
        Self {
            source,
            ahead: Vec::new(),
            searched: 0,
        }
    }

    /// The next line without its end; none where there are no more. What is behind the last end of
    /// a line is no line. Cancelling it loses nothing.
    ///
    /// # Errors
    /// Where the process cannot be read, or a line is too long.
    pub(super) async fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            let rest = self.ahead.get(self.searched..).unwrap_or_default();
            if let Some(at) = rest.iter().position(|octet| *octet == b'\n') {
                let end = self.searched + at;
                let behind = self.ahead.split_off(end + 1);
                let mut line = std::mem::replace(&mut self.ahead, behind);
                self.searched = 0;
                line.pop();
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(Some(line));
            }
            self.searched = self.ahead.len();
            if self.searched > LINE_OCTETS {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            self.ahead.reserve(CHUNK);
            if self.source.read_buf(&mut self.ahead).await? == 0 {
                return Ok(None);
            }
        }
    }
}

/// Read at once, in octets.
const CHUNK: usize = 16 << 10;
