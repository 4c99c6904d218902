//! A list of documents that comes in pieces, as Gemini streams where it is not asked for events.

use crate::limits::EVENT_OCTETS;

/// Takes a list apart without reading what is in it.
#[derive(Debug, Default)]
pub(super) struct Parser {
    held: Vec<u8>,
    depth: usize,
    in_text: bool,
    escaped: bool,
    skips: bool,
    skipped: u64,
}

impl Parser {
    /// The next octets; `document` gets every object of the list that ends in them.
    pub(super) fn feed(&mut self, octets: &[u8], document: &mut dyn FnMut(&[u8])) {
        for &octet in octets {
            let before = self.depth;
            self.step(octet);
            let is_inside = before.max(self.depth) > 1;
            if !is_inside {
                continue;
            }
            if self.held.len() >= EVENT_OCTETS {
                self.skips = true;
                self.skipped = self.skipped.saturating_add(self.held.len() as u64);
                self.held.clear();
            }
            if self.skips {
                self.skipped = self.skipped.saturating_add(1);
            } else {
                self.held.push(octet);
            }
            if self.depth == 1 {
                if !self.skips {
                    document(&self.held);
                }
                self.held.clear();
                self.skips = false;
            }
        }
    }

    pub(super) const fn skipped(&self) -> u64 {
        self.skipped
    }

    const fn step(&mut self, octet: u8) {
        if self.in_text {
            match octet {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_text = false,
                _ => {}
            }
            return;
        }
        match octet {
            b'"' => self.in_text = true,
            b'{' | b'[' => self.depth = self.depth.saturating_add(1),
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}
