//! Streams of events (WHATWG HTML, section 9.2.6), read in any pieces. A line ends with CR, LF or
//! both. An event that is too long passes unread: what comes behind it is read again.

/// Longest event that is read where nothing else is said, in octets.
pub const EVENT_OCTETS: usize = 4 << 20;

/// One event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    /// Its name; empty where it has none.
    pub name: &'a str,
    /// Its data, the lines of it with LF between them.
    pub data: &'a [u8],
    /// Its id, where it says one itself.
    pub id: Option<&'a str>,
    /// After how many milliseconds a client may come again, where it says so.
    pub retry: Option<u64>,
}

impl Event<'_> {
    /// The event as it goes over the wire. Its name and id are of one line.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.data.len() + SPARE);
        let mut field = |name: &str, value: &[u8]| {
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value);
            out.push(b'\n');
        };
        if !self.name.is_empty() {
            field("event", self.name.as_bytes());
        }
        if let Some(id) = self.id {
            field("id", id.as_bytes());
        }
        if let Some(retry) = self.retry {
            field("retry", retry.to_string().as_bytes());
        }
        for line in self.data.split(|octet| *octet == b'\n') {
            field("data", line);
        }
        out.push(b'\n');
        out
    }
}

/// What the names of fields take.
const SPARE: usize = 64;

/// Reads a stream of events.
#[derive(Debug)]
pub struct Parser {
    /// The part of a line that came with an earlier piece.
    line: Vec<u8>,
    data: Vec<u8>,
    name: String,
    id: Option<String>,
    retry: Option<u64>,
    has_data: bool,
    /// The event is too long, or not in UTF-8.
    skips: bool,
    /// The last octet was a CR: an LF behind it belongs to it.
    after_cr: bool,
    /// Something came before: a mark of the order of octets is one at the beginning alone.
    started: bool,
    skipped: u64,
    longest: usize,
}

impl Default for Parser {
    fn default() -> Self {
        Self::new(EVENT_OCTETS)
    }
}

impl Parser {
    /// A reader of events that have at most `longest` octets.
    #[must_use]
    pub const fn new(longest: usize) -> Self {
        Self {
            line: Vec::new(),
            data: Vec::new(),
            name: String::new(),
            id: None,
            retry: None,
            has_data: false,
            skips: false,
            after_cr: false,
            started: false,
            skipped: 0,
            longest,
        }
    }

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

    /// Whether what comes next begins a line: an event that is half there cannot be taken back.
    #[must_use]
    pub const fn is_between_lines(&self) -> bool {
        self.line.is_empty() && !self.skips
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
        if !self.skips && held + more > self.longest {
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
                let end = name.floor_char_boundary(NAME_OCTETS);
                self.name.push_str(name.get(..end).unwrap_or_default());
            }
            // An id with a NUL is none; one that is longer than any is as good as none.
            b"id" if value.len() <= ID_OCTETS && !value.contains(&0) => {
                self.id = std::str::from_utf8(value).ok().map(str::to_owned);
            }
            b"retry" if value.iter().all(u8::is_ascii_digit) => {
                let digits = std::str::from_utf8(value).unwrap_or_default();
                self.retry = digits.parse().ok();
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
                id: self.id.as_deref(),
                retry: self.retry,
            });
        }
        self.data.clear();
        self.name.clear();
        self.id = None;
        self.retry = None;
        self.has_data = false;
        self.skips = false;
    }
}

const NAME_OCTETS: usize = 128;

const ID_OCTETS: usize = 1024;

#[cfg(test)]
mod tests;
