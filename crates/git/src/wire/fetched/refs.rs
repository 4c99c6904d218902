//! The answer to `ls-refs` of protocol 2, and what is common to all lists of refs.

use ringfence_model::git::{ObjectFormat, Oid, RefName};

use crate::limits::ADVERTISEMENT_OCTETS;
use crate::wire::pkt::{self, Digits, Pkt, PktReader};
use crate::wire::text::one_line_of;
use crate::wire::{WireError, words};

/// A ref that an upstream shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenRef<'a> {
    /// `HEAD`, or its full name.
    pub name: &'a str,
    /// The object that it is, where this line says so.
    pub oid: Option<Oid>,
    /// The object that a tag points to, where this line says so.
    pub peeled: Option<Oid>,
    /// The ref that it stands for, where this line says so.
    pub target: Option<&'a str>,
}

/// Relays the answer to `ls-refs`. Which refs it shows, `shows` says; it is asked once for each
/// line, and once more, without objects, for the target of a symbolic ref.
#[derive(Debug)]
pub struct RefsFilter<F> {
    reader: PktReader,
    format: ObjectFormat,
    shows: F,
    octets: u64,
    is_done: bool,
}

impl<F: FnMut(&SeenRef<'_>) -> bool> RefsFilter<F> {
    /// A filter of the answer to a request with this format.
    #[must_use]
    pub const fn new(format: ObjectFormat, shows: F) -> Self {
        Self {
            reader: PktReader::new(Digits::Any),
            format,
            shows,
            octets: 0,
            is_done: false,
        }
    }

    /// Takes the next piece of the answer in and writes what goes to the client.
    ///
    /// # Errors
    /// See [`WireError`].
    pub fn feed(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), WireError> {
        self.octets += piece.len() as u64;
        if self.octets > ADVERTISEMENT_OCTETS {
            return Err(WireError::TooLarge("the refs of the upstream"));
        }
        let mut reader = std::mem::replace(&mut self.reader, PktReader::new(Digits::Any));
        reader.feed(piece);
        while let Some(pkt) = reader.next_pkt()? {
            if self.is_done {
                return Err(WireError::Malformed("octets behind the answer"));
            }
            match pkt {
                Pkt::Data(data) => self.line(data, out)?,
                Pkt::Flush => {
                    self.is_done = true;
                    pkt::write_flush(out);
                }
                _ => return Err(WireError::Malformed("a packet out of place")),
            }
        }
        self.reader = reader;
        Ok(())
    }

    /// Checks that the answer was complete, and gives back what was asked.
    ///
    /// # Errors
    /// [`WireError::Truncated`].
    pub fn finish(self) -> Result<F, WireError> {
        if !self.is_done || !self.reader.held().is_empty() {
            return Err(WireError::Truncated);
        }
        Ok(self.shows)
    }

    fn line(&mut self, data: &[u8], out: &mut Vec<u8>) -> Result<(), WireError> {
        if let Some(reason) = data.strip_prefix(b"ERR ") {
            return Err(WireError::Remote(one_line_of(reason)));
        }
        let Ok(line) = pkt::text(data) else {
            // A name in another encoding is no ref that a rule or a record can name.
            return Ok(());
        };
        let mut parts = line.split(' ');
        let (Some(oid), Some(name)) = (parts.next(), parts.next()) else {
            return Err(WireError::Malformed("a line of refs"));
        };
        let oid = match oid {
            "unborn" => None,
            oid => Some(words::oid(oid, self.format)?),
        };
        let (mut peeled, mut target) = (None, None);
        for attribute in parts {
            match attribute.split_once(':') {
                Some(("peeled", oid)) => peeled = Some(words::oid(oid, self.format)?),
                Some(("symref-target", name)) => target = Some(name),
                _ => {}
            }
        }
        let seen = SeenRef {
            name,
            oid,
            peeled,
            target,
        };
        self.write(&seen, out);
        Ok(())
    }

    fn write(&mut self, seen: &SeenRef<'_>, out: &mut Vec<u8>) {
        if !is_ref(seen.name) || !(self.shows)(seen) {
            return;
        }
        let oid = seen
            .oid
            .map_or_else(|| "unborn".to_owned(), |oid| oid.to_string());
        let mut line = format!("{oid} {}", seen.name);
        if let Some(target) = seen.target.filter(|target| is_ref(target))
            && (self.shows)(&SeenRef::name(target))
        {
            line.push_str(&format!(" symref-target:{target}"));
        }
        if let Some(peeled) = seen.peeled {
            line.push_str(&format!(" peeled:{peeled}"));
        }
        pkt::write_line(&line, out);
    }
}

impl<'a> SeenRef<'a> {
    /// A ref of which nothing but the name is said.
    pub(crate) const fn name(name: &'a str) -> Self {
        Self {
            name,
            oid: None,
            peeled: None,
            target: None,
        }
    }
}

/// Whether a name is one that a client is shown: another is no ref that git would take.
pub(crate) fn is_ref(name: &str) -> bool {
    name == "HEAD" || RefName::new(name).is_ok()
}
