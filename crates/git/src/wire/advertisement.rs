//! What a service offers: its capabilities, and with protocol 0 and 1 the refs
//! (gitprotocol-http(5), "Discovering References"; gitprotocol-v2(5), "Capability
//! Advertisement").
//!
//! It is relayed in pieces. Capabilities go through by a list; whatever makes a client or the
//! upstream go elsewhere, or do what no rule is about, is not on it.

mod capabilities;

use ringfence_model::git::{GitService, ObjectFormat, Oid};

use super::fetched::SeenRef;
use super::pkt::{self, Digits, Pkt, PktReader};
use super::text::one_line_of;
use super::{ProtocolVersion, WireError, words};
use crate::limits::{ADVERTISEMENT_OCTETS, CAPABILITY_LINES};

pub use capabilities::Offer;

/// What a service offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advertised {
    /// The version that the upstream speaks.
    pub version: ProtocolVersion,
    /// The hash that names the objects.
    pub object_format: ObjectFormat,
    /// How many lines of refs were shown.
    pub refs: u64,
    /// The capabilities, as they were relayed.
    pub capabilities: Vec<String>,
}

/// Relays what a service offers. Which refs it shows, `shows` says, as with
/// [`RefsFilter`](super::fetched::RefsFilter); a tag and what it points to are two lines here,
/// and both are asked about.
#[derive(Debug)]
pub struct AdvertisementFilter<F> {
    service: GitService,
    offer: Offer,
    shows: F,
    reader: PktReader,
    octets: u64,
    state: State,
    version: Option<ProtocolVersion>,
    format: Option<ObjectFormat>,
    capabilities: Vec<String>,
    /// Lines of capabilities, let through or not.
    lines: usize,
    /// Where `HEAD` points.
    head: Option<String>,
    refs: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before all: a line may name the service.
    Start,
    /// Behind that line: `0000`.
    Named,
    /// The version, or the first ref.
    First,
    /// Capabilities of protocol 2.
    Capabilities,
    /// Refs.
    Refs,
    /// Behind the refs: where the upstream's history is cut off.
    Shallow,
    Done,
}

impl<F: FnMut(&SeenRef<'_>) -> bool> AdvertisementFilter<F> {
    /// A filter of the answer that offers this service.
    #[must_use]
    pub const fn new(service: GitService, offer: Offer, shows: F) -> Self {
        Self {
            service,
            offer,
            shows,
            reader: PktReader::new(Digits::Any),
            octets: 0,
            state: State::Start,
            version: None,
            format: None,
            capabilities: Vec::new(),
            lines: 0,
            head: None,
            refs: 0,
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
            match pkt {
                Pkt::Data(data) => self.line(data, out)?,
                Pkt::Flush => self.flush(out)?,
                _ => return Err(WireError::Malformed("a packet out of place")),
            }
        }
        self.reader = reader;
        Ok(())
    }

    /// What was offered, when all of it was fed, and what was asked for each ref.
    ///
    /// # Errors
    /// [`WireError::Truncated`].
    pub fn finish(self) -> Result<(Advertised, F), WireError> {
        let (State::Done, Some(version)) = (self.state, self.version) else {
            return Err(WireError::Truncated);
        };
        if !self.reader.held().is_empty() {
            return Err(WireError::Truncated);
        }
        let advertised = Advertised {
            version,
            object_format: self.format.unwrap_or(ObjectFormat::Sha1),
            refs: self.refs,
            capabilities: self.capabilities,
        };
        Ok((advertised, self.shows))
    }

    fn line(&mut self, data: &[u8], out: &mut Vec<u8>) -> Result<(), WireError> {
        if let Some(reason) = data.strip_prefix(b"ERR ") {
            return Err(WireError::Remote(one_line_of(reason)));
        }
        match self.state {
            State::Start if data.starts_with(b"# ") => self.name(data, out),
            State::Start | State::First => self.first(data, out),
            State::Capabilities => self.capability(pkt::text(data)?, out),
            State::Refs | State::Shallow => self.reference(data, out),
            State::Named | State::Done => Err(WireError::Malformed("a packet out of place")),
        }
    }

    fn name(&mut self, data: &[u8], out: &mut Vec<u8>) -> Result<(), WireError> {
        let line = format!("# service={}", self.service.as_str());
        if pkt::text(data)? != line {
            return Err(WireError::Malformed("the answer of another service"));
        }
        pkt::write_line(&line, out);
        self.state = State::Named;
        Ok(())
    }

    fn first(&mut self, data: &[u8], out: &mut Vec<u8>) -> Result<(), WireError> {
        let is_push = self.service == GitService::ReceivePack;
        match (self.version, pkt::without_newline(data)) {
            (None, b"version 1") => {
                pkt::write_line("version 1", out);
                self.version = Some(ProtocolVersion::V1);
                self.state = State::First;
                Ok(())
            }
            (None, b"version 2") if !is_push => {
                pkt::write_line("version 2", out);
                self.version = Some(ProtocolVersion::V2);
                self.state = State::Capabilities;
                Ok(())
            }
            _ => self.first_ref(data, out),
        }
    }

    /// The first line of refs has the capabilities behind a NUL.
    fn first_ref(&mut self, data: &[u8], out: &mut Vec<u8>) -> Result<(), WireError> {
        let nul = data.iter().position(|octet| *octet == 0);
        let parts = nul.and_then(|at| data.split_at_checked(at));
        let (line, rest) = parts.ok_or(WireError::Malformed("no capabilities"))?;
        let text = pkt::text(rest.get(1..).unwrap_or_default())?;
        self.version.get_or_insert(ProtocolVersion::V0);
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            self.note(word)?;
        }
        let words = text
            .split(' ')
            .filter_map(|word| self.offer.legacy(self.service, word));
        let mut kept: Vec<String> = words.collect();
        kept.retain(|word| self.shows_symref(word));
        if self.service == GitService::ReceivePack && self.offer.no_thin {
            kept.push("no-thin".to_owned());
        }
        self.capabilities = kept;
        self.state = State::Refs;
        self.reference(line, out)
    }

    fn note(&mut self, word: &str) -> Result<(), WireError> {
        match words::split(word) {
            ("object-format", Some(value)) if self.format.is_none() => {
                self.format = Some(words::object_format(value)?);
            }
            ("symref", Some(value)) => {
                if let Some(target) = value.strip_prefix("HEAD:") {
                    self.head = Some(target.to_owned());
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn shows_symref(&mut self, word: &str) -> bool {
        let symref = word
            .strip_prefix("symref=")
            .map(|pair| pair.split_once(':'));
        match symref {
            None => true,
            Some(Some((_, target))) => (self.shows)(&SeenRef::name(target)),
            Some(None) => false,
        }
    }

    fn capability(&mut self, line: &str, out: &mut Vec<u8>) -> Result<(), WireError> {
        self.lines += 1;
        if self.lines > CAPABILITY_LINES {
            return Err(WireError::TooLarge("the capabilities of the upstream"));
        }
        self.note(line)?;
        if let Some(kept) = Offer::modern(line) {
            pkt::write_line(&kept, out);
            self.capabilities.push(kept);
        }
        Ok(())
    }

    fn reference(&mut self, data: &[u8], out: &mut Vec<u8>) -> Result<(), WireError> {
        let format = self.format.unwrap_or(ObjectFormat::Sha1);
        let Ok(line) = pkt::text(data) else {
            return Ok(());
        };
        let (oid, name) = line
            .split_once(' ')
            .ok_or(WireError::Malformed("a line of refs"))?;
        if oid == "shallow" {
            let oid = words::oid(name, format)?;
            self.write_no_refs(out);
            self.state = State::Shallow;
            pkt::write_line(&format!("shallow {oid}"), out);
            return Ok(());
        }
        let oid = words::oid(oid, format)?;
        if self.state == State::Shallow {
            return Err(WireError::Malformed("a ref behind the refs"));
        }
        let peeled = name.strip_suffix("^{}");
        let seen = SeenRef {
            name: peeled.unwrap_or(name),
            oid: peeled.is_none().then_some(oid),
            peeled: peeled.is_some().then_some(oid),
            target: self.head.as_deref().filter(|_| name == "HEAD"),
        };
        // Neither `.have` nor `capabilities^{}` is the name of a ref.
        if !super::fetched::is_ref(seen.name) || !(self.shows)(&seen) {
            return Ok(());
        }
        self.write_ref(&format!("{oid} {name}"), out);
        Ok(())
    }

    fn write_ref(&mut self, line: &str, out: &mut Vec<u8>) {
        if self.refs == 0 {
            let capabilities = self.capabilities.join(" ");
            pkt::write_line(&format!("{line}\0{capabilities}"), out);
        } else {
            pkt::write_line(line, out);
        }
        self.refs += 1;
    }

    /// Where no ref is shown, the capabilities stand behind the name of no ref.
    fn write_no_refs(&mut self, out: &mut Vec<u8>) {
        if self.refs == 0 && self.state == State::Refs {
            let none = Oid::null(self.format.unwrap_or(ObjectFormat::Sha1));
            self.write_ref(&format!("{none} capabilities^{{}}"), out);
            self.refs = 0;
        }
    }

    fn flush(&mut self, out: &mut Vec<u8>) -> Result<(), WireError> {
        self.state = match self.state {
            State::Named => State::First,
            State::Refs => {
                self.write_no_refs(out);
                State::Done
            }
            State::Capabilities | State::Shallow => State::Done,
            State::Start | State::First | State::Done => {
                return Err(WireError::Malformed("a packet out of place"));
            }
        };
        pkt::write_flush(out);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
