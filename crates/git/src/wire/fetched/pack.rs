//! The answer to a request for objects: lines, and a pack in side bands, or bare.

use ringfence_model::git::{ObjectFormat, Oid};

use super::refs::is_ref;
use crate::limits::MESSAGE_OCTETS;
use crate::wire::censor::{Censor, Messages};
use crate::wire::fetch::{Fetch, Form};
use crate::wire::pkt::{self, Digits, Header};
use crate::wire::report::error_packet;
use crate::wire::sideband::{self, Band};
use crate::wire::text::one_line_of;
use crate::wire::{WireError, words};

/// Relays the answer to a request for objects, or takes the pack out of it. Octets of the pack
/// go through as they come; beside them one packet is held at most.
#[derive(Debug)]
pub struct PackFilter {
    shape: Shape,
    format: ObjectFormat,
    is_extracting: bool,
    section: Section,
    /// Whether the next line is the name of a section. Protocol 2 alone.
    is_named_next: bool,
    /// The begin of a packet.
    partial: Vec<u8>,
    /// Octets of the pack that the packet still has.
    passing: usize,
    messages: u64,
    shown: Messages,
    outcome: Fetched,
}

/// What an answer brought.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fetched {
    /// Octets of the pack.
    pub pack_octets: u64,
    /// What the upstream says that both sides have.
    pub acknowledged: u64,
    /// Why the upstream gave up, in its words: one line, safe to show.
    pub error: Option<String>,
}

/// How answers look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Modern,
    /// Protocol 0 and 1, in side bands or not.
    Legacy {
        side_band: bool,
    },
}

/// Where in an answer we are; in protocol 2 sections come in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Section {
    Start,
    Acknowledgments,
    ShallowInfo,
    WantedRefs,
    Pack,
    /// A pack without packets: all that follows.
    Bare,
    Done,
}

impl PackFilter {
    /// A filter that writes the answer to this request anew.
    #[must_use]
    pub const fn relay(request: &Fetch) -> Self {
        Self {
            shape: match request.form {
                Form::V2 { .. } => Shape::Modern,
                Form::Legacy { side_band, .. } => Shape::Legacy {
                    side_band: side_band.is_some(),
                },
            },
            format: request.format,
            is_extracting: false,
            section: Section::Start,
            is_named_next: matches!(request.form, Form::V2 { .. }),
            partial: Vec::new(),
            passing: 0,
            messages: 0,
            shown: Messages::new(),
            outcome: Fetched {
                pack_octets: 0,
                acknowledged: 0,
                error: None,
            },
        }
    }

    /// A filter that writes nothing but the pack in the answer to this request.
    #[must_use]
    pub const fn extract(request: &Fetch) -> Self {
        let mut filter = Self::relay(request);
        filter.is_extracting = true;
        filter
    }

    /// Shows of the upstream's messages what `censor` lets through.
    #[must_use]
    pub fn censored(self, censor: Box<dyn Censor>) -> Self {
        Self {
            shown: Messages::censored(censor),
            ..self
        }
    }

    /// Takes the next piece of the answer in and writes what goes on.
    ///
    /// # Errors
    /// See [`WireError`].
    pub fn feed(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), WireError> {
        let mut rest = piece;
        while !rest.is_empty() {
            rest = if self.section == Section::Bare {
                self.pass(rest, out);
                &[]
            } else if self.passing > 0 {
                let (now, later) = rest.split_at_checked(self.passing).unwrap_or((rest, &[]));
                self.passing -= now.len();
                self.pass(now, out);
                later
            } else {
                self.gather(rest, out)?
            };
        }
        Ok(())
    }

    /// Takes a piece in that is nothing but octets of the pack, and so goes on as it is; whether it
    /// was one. Else it is to be fed.
    pub fn passes(&mut self, piece: &[u8]) -> bool {
        if self.is_extracting || piece.is_empty() || self.passing < piece.len() {
            return false;
        }
        self.passing -= piece.len();
        self.outcome.pack_octets += piece.len() as u64;
        true
    }

    /// What the answer brought, when all of it was fed.
    ///
    /// # Errors
    /// [`WireError::Truncated`]. What was relayed already must not look complete then.
    pub fn finish(self) -> Result<Fetched, WireError> {
        let is_whole = self.partial.is_empty() && self.passing == 0;
        let may_end = match self.section {
            Section::Done | Section::Bare => true,
            Section::Pack => false,
            _ => matches!(self.shape, Shape::Legacy { .. }),
        };
        if is_whole && may_end {
            Ok(self.outcome)
        } else {
            Err(WireError::Truncated)
        }
    }

    fn pass(&mut self, pack: &[u8], out: &mut Vec<u8>) {
        self.outcome.pack_octets += pack.len() as u64;
        out.extend_from_slice(pack);
    }

    /// Takes octets up to what is needed next to know what to do.
    fn gather<'p>(&mut self, piece: &'p [u8], out: &mut Vec<u8>) -> Result<&'p [u8], WireError> {
        let missing = self.needed()?.saturating_sub(self.partial.len());
        let (now, rest) = piece.split_at_checked(missing).unwrap_or((piece, &[]));
        self.partial.extend_from_slice(now);
        if self.partial.len() < Header::OCTETS || self.is_bare() {
            if self.is_bare() {
                self.section = Section::Bare;
                let begin = std::mem::take(&mut self.partial);
                self.pass(&begin, out);
            }
            return Ok(rest);
        }
        if self.partial.len() >= self.needed()? {
            let partial = std::mem::take(&mut self.partial);
            self.packet(&partial, out)?;
            self.partial = partial;
            self.partial.clear();
        }
        Ok(rest)
    }

    /// How many octets of the packet that begins here have to be there: the header, the band, and
    /// all of it, unless it is of the pack.
    fn needed(&self) -> Result<usize, WireError> {
        let Some((header, rest)) = self.partial.split_first_chunk() else {
            return Ok(Header::OCTETS);
        };
        if self.is_bare() {
            return Ok(Header::OCTETS);
        }
        let Header::Data(length) = Header::read(*header, Digits::Any)? else {
            return Ok(Header::OCTETS);
        };
        let is_pack = match rest.first() {
            None => length > 0,
            Some(band) => self.has_bands() && *band == Band::Data.octet(),
        };
        Ok(Header::OCTETS + if is_pack { 1 } else { length })
    }

    /// Whether a bare pack begins here: its first four octets are no header of a packet.
    fn is_bare(&self) -> bool {
        let may_be_bare = self.shape == Shape::Legacy { side_band: false };
        may_be_bare && self.section == Section::Acknowledgments && self.partial == b"PACK"
    }

    fn has_bands(&self) -> bool {
        match self.shape {
            Shape::Modern => self.section == Section::Pack,
            Shape::Legacy { side_band } => side_band && self.section >= Section::Acknowledgments,
        }
    }

    /// Acts on a packet that is whole, or of which the band is known and is that of the pack.
    fn packet(&mut self, packet: &[u8], out: &mut Vec<u8>) -> Result<(), WireError> {
        let (header, data) = packet.split_first_chunk().ok_or(WireError::Truncated)?;
        if self.section == Section::Done {
            return Err(WireError::Malformed("octets behind the answer"));
        }
        match (Header::read(*header, Digits::Any)?, data) {
            (Header::Flush, _) => self.flush(out),
            (Header::Delim, _) => self.delim(out),
            (Header::ResponseEnd, _) => Err(WireError::Malformed("a packet out of place")),
            (Header::Data(_), data) if data.starts_with(b"ERR ") => self.error(data, out),
            (Header::Data(length), [1]) if self.has_bands() => {
                self.section = Section::Pack;
                self.passing = length - 1;
                if !self.is_extracting {
                    pkt::write_header(length, out);
                    out.push(Band::Data.octet());
                }
                Ok(())
            }
            (Header::Data(_), data @ [2 | 3, ..]) if self.has_bands() => {
                self.section = Section::Pack;
                self.message(data, out)
            }
            (Header::Data(_), data) => self.line(data, out),
        }
    }

    fn flush(&mut self, out: &mut Vec<u8>) -> Result<(), WireError> {
        self.section = match (self.shape, self.section) {
            // The end of the lines that say where history is cut off now.
            (Shape::Legacy { .. }, Section::Start) => Section::Start,
            (Shape::Legacy { .. }, Section::Pack) => Section::Done,
            (Shape::Modern, _) if !self.is_named_next => Section::Done,
            _ => return Err(WireError::Malformed("a packet out of place")),
        };
        if !self.is_extracting {
            if self.section == Section::Done {
                self.shown.finish(out);
            }
            pkt::write_flush(out);
        }
        Ok(())
    }

    fn delim(&mut self, out: &mut Vec<u8>) -> Result<(), WireError> {
        let is_modern = self.shape == Shape::Modern;
        if !is_modern || self.is_named_next || self.section == Section::Pack {
            return Err(WireError::Malformed("a packet out of place"));
        }
        self.is_named_next = true;
        if !self.is_extracting {
            pkt::write_delim(out);
        }
        Ok(())
    }

    fn error(&mut self, data: &[u8], out: &mut Vec<u8>) -> Result<(), WireError> {
        let reason = one_line_of(data.strip_prefix(b"ERR ").unwrap_or(data));
        if self.is_extracting {
            return Err(WireError::Remote(reason));
        }
        out.extend_from_slice(&error_packet(&reason));
        self.outcome.error = Some(reason);
        self.section = Section::Done;
        Ok(())
    }

    fn message(&mut self, data: &[u8], out: &mut Vec<u8>) -> Result<(), WireError> {
        let (band, text) = sideband::split(data)?;
        self.messages += data.len() as u64;
        if self.messages > MESSAGE_OCTETS {
            return Err(WireError::TooLarge("the messages of the upstream"));
        }
        if band == Band::Fatal {
            self.outcome.error = Some(one_line_of(text));
        }
        match (self.is_extracting, band) {
            (false, Band::Fatal) => self.shown.write_last(text, out),
            (false, _) => self.shown.write(text, out),
            (true, Band::Fatal) => return Err(WireError::Remote(one_line_of(text))),
            (true, _) => {}
        }
        Ok(())
    }

    fn line(&mut self, data: &[u8], out: &mut Vec<u8>) -> Result<(), WireError> {
        let line = pkt::text(data)?;
        match self.shape {
            Shape::Modern if self.is_named_next => self.name_section(line)?,
            Shape::Modern => self.modern_line(line)?,
            Shape::Legacy { .. } => self.legacy_line(line)?,
        }
        if !self.is_extracting {
            pkt::write_line(line, out);
        }
        Ok(())
    }

    fn name_section(&mut self, name: &str) -> Result<(), WireError> {
        let section = match name {
            "acknowledgments" => Section::Acknowledgments,
            "shallow-info" => Section::ShallowInfo,
            "wanted-refs" => Section::WantedRefs,
            "packfile" => Section::Pack,
            "packfile-uris" => return Err(WireError::Refused("packfile-uris")),
            _ => return Err(WireError::Refused("this section of an answer")),
        };
        if section <= self.section {
            return Err(WireError::Malformed("a section out of order"));
        }
        self.section = section;
        self.is_named_next = false;
        Ok(())
    }

    fn modern_line(&mut self, line: &str) -> Result<(), WireError> {
        match (self.section, line.split_once(' ')) {
            (Section::Acknowledgments, None) if matches!(line, "NAK" | "ready") => Ok(()),
            (Section::Acknowledgments, Some(("ACK", oid))) => self.acknowledged(oid),
            (Section::ShallowInfo, Some(("shallow" | "unshallow", oid))) => {
                words::oid(oid, self.format).map(drop)
            }
            (Section::WantedRefs, Some((oid, name))) if is_ref(name) => {
                words::oid(oid, self.format).map(drop)
            }
            _ => Err(WireError::Malformed("a line of an answer")),
        }
    }

    fn legacy_line(&mut self, line: &str) -> Result<(), WireError> {
        let parts: Vec<&str> = line.split(' ').collect();
        match (self.section, parts.as_slice()) {
            (Section::Start, ["shallow" | "unshallow", oid]) => {
                return words::oid(oid, self.format).map(drop);
            }
            (Section::Start | Section::Acknowledgments, ["NAK"]) => {}
            (
                Section::Start | Section::Acknowledgments,
                ["ACK", oid] | ["ACK", oid, "continue" | "common" | "ready"],
            ) => self.acknowledged(oid)?,
            _ => return Err(WireError::Malformed("a line of an answer")),
        }
        self.section = Section::Acknowledgments;
        Ok(())
    }

    fn acknowledged(&mut self, oid: &str) -> Result<(), WireError> {
        let _: Oid = words::oid(oid, self.format)?;
        self.outcome.acknowledged += 1;
        Ok(())
    }
}
