//! Octets that wait, in order. What was taken from the front is not moved, and an empty queue
//! holds no memory.

use tokio::io::ReadBuf;

#[derive(Debug, Default)]
pub(super) struct Queue {
    octets: Vec<u8>,
    used: usize,
}

impl Queue {
    pub(super) fn new(octets: Vec<u8>) -> Self {
        Self { octets, used: 0 }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }

    pub(super) const fn len(&self) -> usize {
        self.octets.len() - self.used
    }

    /// All that waits.
    pub(super) fn peek(&self) -> &[u8] {
        self.octets.get(self.used..).unwrap_or_default()
    }

    /// Drops so many octets from the front.
    pub(super) fn consume(&mut self, octets: usize) {
        self.used += octets;
        if self.used >= self.octets.len() {
            *self = Self::default();
        }
    }

    pub(super) fn extend(&mut self, octets: &[u8]) {
        self.octets.extend_from_slice(octets);
    }

    /// Moves at most `most` octets to `buf`, and says how many.
    pub(super) fn give(&mut self, buf: &mut ReadBuf<'_>, most: usize) -> usize {
        let octets = self.peek();
        let count = octets.len().min(buf.remaining()).min(most);
        buf.put_slice(octets.get(..count).unwrap_or_default());
        self.consume(count);
        count
    }
}
