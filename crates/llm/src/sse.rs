//! Streams of events (WHATWG HTML, section 9.2.6), read in any pieces. A line ends with CR, LF or
//! both. An event that is too long passes unread: what comes behind it is read again.

use crate::limits::EVENT_OCTETS;

/// One event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    /// Its name; empty where it has none.
    pub name: &'a str,
    /// Its data, the lines of it with LF between them.
    pub data: &'a [u8],
}

/// Reads a stream of events.
#[derive(Debug, Default)]
pub struct Parser {
    /// The part of a line that came with an earlier piece.
    line: Vec<u8>,
    data: Vec<u8>,
    name: String,
    has_data: bool,
    /// The event is too long, or not in UTF-8.
    skips: bool,
    /// The last octet was a CR: an LF behind it belongs to it.
    after_cr: bool,
    /// Something came before: a mark of the order of octets is one at the beginning alone.
    started: bool,
    skipped: u64,
}

impl Parser {
    /// The next octets of the stream; `event` gets every event that ends in them.
    pub fn feed(&mut self, mut octets: &[u8], event: &mut dyn FnMut(Event<'_>)) {
        while !octets.is_empty() {
            if std::mem::take(&mut self.after_cr) && octets.first() == Some(&b'\n') {
                octets = octets.get(1..).unwrap_or_default();
                continue;
            }
            let Some(end) = memchr::memchr2(b'\r', b'\n', octets) else {
                self.hold(octets);
                return;
            };
            let (line, rest) = octets.split_at(end);
            self.after_cr = rest.first() == Some(&b'\r');
            octets = rest.get(1..).unwrap_or_default();
            self.end_line(line, event);
        }
    }

    /// The stream is over. Its last event may lack the empty line behind it.
    pub fn finish(&mut self, event: &mut dyn FnMut(Event<'_>)) {
        if !self.line.is_empty() {
            self.end_line(&[], event);
        }
        self.dispatch(event);
    }

    /// Octets of events that were too long.
    #[must_use]
    pub const fn skipped(&self) -> u64 {
        self.skipped
    }

    fn hold(&mut self, octets: &[u8]) {
        if self.fits(octets.len()) {
            self.line.extend_from_slice(octets);
        }
    }

    /// Whether so many octets more can be held of this event.
    fn fits(&mut self, more: usize) -> bool {
        let held = self.line.len() + self.data.len();
        if !self.skips && held + more > EVENT_OCTETS {
            self.skips = true;
            self.skipped = self.skipped.saturating_add(held as u64);
            self.line = Vec::new();
            self.data = Vec::new();
            self.has_data = false;
        }
        if self.skips {
            self.skipped = self.skipped.saturating_add(more as u64);
            // That there is a line must be known: an empty one ends the event.
            if more > 0 && self.line.is_empty() {
                self.line.push(b':');
            }
        }
        !self.skips
    }

    fn end_line(&mut self, rest: &[u8], event: &mut dyn FnMut(Event<'_>)) {
        if self.line.is_empty() {
            if self.skips && !rest.is_empty() {
                self.skipped = self.skipped.saturating_add(rest.len() as u64);
                return;
            }
            self.whole_line(rest, event);
            return;
        }
        self.hold(rest);
        let mut line = std::mem::take(&mut self.line);
        self.whole_line(&line, event);
        line.clear();
        self.line = line;
    }

    fn whole_line(&mut self, line: &[u8], event: &mut dyn FnMut(Event<'_>)) {
        let line = if std::mem::replace(&mut self.started, true) {
            line
        } else {
            line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)
        };
        if line.is_empty() {
            self.dispatch(event);
            return;
        }
        let (field, value) = match memchr::memchr(b':', line) {
            Some(0) => return,
            Some(at) => {
                let (field, value) = line.split_at(at);
                let value = value.get(1..).unwrap_or_default();
                (field, value.strip_prefix(b" ").unwrap_or(value))
            }
            None => (line, &b""[..]),
        };
        match field {
            b"data" => self.add(value),
            b"event" => {
                self.name.clear();
                // A name that is longer than any is none that is known.
                let name = std::str::from_utf8(value).unwrap_or_default();
                self.name
                    .push_str(crate::text::shortened(name, NAME_OCTETS));
            }
            _ => {}
        }
    }

    fn add(&mut self, value: &[u8]) {
        if !self.fits(value.len() + 1) {
            return;
        }
        if self.has_data {
            self.data.push(b'\n');
        }
        self.has_data = true;
        self.data.extend_from_slice(value);
    }

    fn dispatch(&mut self, event: &mut dyn FnMut(Event<'_>)) {
        if self.has_data && !self.skips {
            event(Event {
                name: &self.name,
                data: &self.data,
            });
        }
        self.data.clear();
        self.name.clear();
        self.has_data = false;
        self.skips = false;
    }
}

const NAME_OCTETS: usize = 128;

#[cfg(test)]
mod tests;
