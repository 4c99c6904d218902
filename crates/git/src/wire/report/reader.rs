//! Reads an upstream's answer to a push, in pieces.

use ringfence_model::git::{ObjectFormat, RefName};

use super::{Changed, RefReport, Report};
use crate::limits::{MESSAGE_OCTETS, PUSH_UPDATES, REPORT_OCTETS};
use crate::wire::censor::{Censor, Messages};
use crate::wire::pkt::{self, Digits, Pkt, PktReader};
use crate::wire::push::PushCapabilities;
use crate::wire::sideband::{self, Band};
use crate::wire::text::one_line_of;
use crate::wire::{WireError, words};

/// What an upstream answered to a push.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// Its report, where it was asked for one and sent it.
    pub report: Option<Report>,
    /// Why it gave up, in its words: one line, safe to show.
    pub fatal: Option<String>,
}

/// Reads an upstream's answer to a push.
#[derive(Debug)]
pub struct ReportReader {
    side_band: bool,
    has_report: bool,
    format: ObjectFormat,
    outer: PktReader,
    /// What came in the band of data.
    report: Vec<u8>,
    messages: u64,
    shown: Messages,
    fatal: Option<String>,
    is_done: bool,
}

impl ReportReader {
    /// A reader of the answer to a push that was sent with these capabilities.
    #[must_use]
    pub const fn new(sent: &PushCapabilities) -> Self {
        Self {
            side_band: sent.side_band,
            has_report: sent.report.is_some(),
            format: sent.object_format,
            outer: PktReader::new(Digits::Any),
            report: Vec::new(),
            messages: 0,
            shown: Messages::new(),
            fatal: None,
            is_done: false,
        }
    }

    /// Shows of the upstream's messages what `censor` lets through.
    #[must_use]
    pub fn censored(self, censor: Box<dyn Censor>) -> Self {
        Self {
            shown: Messages::censored(censor),
            ..self
        }
    }

    /// Takes the next piece in. Messages for people are written to `messages`, in packets of
    /// their band, safe to show: they can go to the client at once.
    ///
    /// # Errors
    /// See [`WireError`].
    pub fn feed(&mut self, piece: &[u8], messages: &mut Vec<u8>) -> Result<(), WireError> {
        if !self.side_band {
            return self.keep(piece);
        }
        let mut outer = std::mem::replace(&mut self.outer, PktReader::new(Digits::Any));
        outer.feed(piece);
        while let Some(pkt) = outer.next_pkt()? {
            self.packet(pkt, messages)?;
        }
        self.outer = outer;
        Ok(())
    }

    fn packet(&mut self, pkt: Pkt<'_>, messages: &mut Vec<u8>) -> Result<(), WireError> {
        let data = match pkt {
            _ if self.is_done => return Err(WireError::Malformed("octets behind the answer")),
            Pkt::Flush => {
                self.is_done = true;
                self.shown.finish(messages);
                return Ok(());
            }
            Pkt::Data(data) => data,
            _ => return Err(WireError::Malformed("a packet out of place")),
        };
        if let Some(reason) = data.strip_prefix(b"ERR ") {
            return Err(WireError::Remote(one_line_of(reason)));
        }
        match sideband::split(data)? {
            (Band::Data, report) => self.keep(report),
            (Band::Message, text) => {
                self.messages += data.len() as u64;
                if self.messages > MESSAGE_OCTETS {
                    return Err(WireError::TooLarge("the messages of the upstream"));
                }
                self.shown.write(text, messages);
                Ok(())
            }
            (Band::Fatal, text) => {
                self.shown.finish(messages);
                self.fatal.get_or_insert_with(|| one_line_of(text));
                Ok(())
            }
        }
    }

    fn keep(&mut self, report: &[u8]) -> Result<(), WireError> {
        if self.report.len() + report.len() > REPORT_OCTETS {
            return Err(WireError::TooLarge("the report of the upstream"));
        }
        self.report.extend_from_slice(report);
        Ok(())
    }

    /// The report, where all of it is here, for who has to know before the answer is over.
    #[must_use]
    pub fn so_far(&self) -> Option<Report> {
        if self.side_band && !self.is_done {
            return None;
        }
        read(&self.report, self.format).ok()
    }

    /// What the answer said, when all of it was fed.
    ///
    /// # Errors
    /// See [`WireError`].
    pub fn finish(self) -> Result<Answer, WireError> {
        let ended = self.is_done && self.outer.held().is_empty();
        if self.side_band && !ended && self.fatal.is_none() {
            return Err(WireError::Truncated);
        }
        let report = match self.report.as_slice() {
            [] if self.fatal.is_some() || !self.has_report => None,
            octets => Some(read(octets, self.format)?),
        };
        Ok(Answer {
            report,
            fatal: self.fatal,
        })
    }
}

/// Reads the lines of a report.
fn read(octets: &[u8], format: ObjectFormat) -> Result<Report, WireError> {
    let mut rest = octets;
    let mut line = || -> Result<Option<&[u8]>, WireError> {
        match pkt::split(rest, Digits::Any)?.ok_or(WireError::Truncated)? {
            (Pkt::Data(data), after) => {
                rest = after;
                Ok(Some(pkt::without_newline(data)))
            }
            (Pkt::Flush, []) => Ok(None),
            _ => Err(WireError::Malformed("a report")),
        }
    };
    let first = line()?.unwrap_or_default();
    if let Some(reason) = first.strip_prefix(b"ERR ") {
        return Err(WireError::Remote(one_line_of(reason)));
    }
    let unpack = match first.strip_prefix(b"unpack ") {
        Some(b"ok") => Ok(()),
        Some(reason) => Err(one_line_of(reason)),
        None => return Err(WireError::Malformed("a report without `unpack`")),
    };
    let mut refs = Vec::new();
    while let Some(line) = line()? {
        read_line(line, format, &mut refs)?;
    }
    Ok(Report { unpack, refs })
}

fn read_line(
    line: &[u8],
    format: ObjectFormat,
    refs: &mut Vec<RefReport>,
) -> Result<(), WireError> {
    if let Some(option) = line.strip_prefix(b"option ") {
        let last = refs.last_mut().and_then(|last| last.outcome.as_mut().ok());
        let changed = last.ok_or(WireError::Malformed("an option without a ref"))?;
        return read_option(option, format, changed);
    }
    if refs.len() == PUSH_UPDATES {
        return Err(WireError::TooLarge("the refs of a report"));
    }
    let (outcome, rest) = if let Some(rest) = line.strip_prefix(b"ok ") {
        (Ok(Changed::default()), rest)
    } else if let Some(rest) = line.strip_prefix(b"ng ") {
        let end = rest.iter().position(|octet| *octet == b' ');
        let (name, reason) = end
            .and_then(|end| rest.split_at_checked(end))
            .unwrap_or((rest, b""));
        (Err(one_line_of(reason)), name)
    } else {
        return Err(WireError::Malformed("a line of a report"));
    };
    let name = name(rest)?;
    refs.push(RefReport { name, outcome });
    Ok(())
}

fn read_option(
    option: &[u8],
    format: ObjectFormat,
    changed: &mut Changed,
) -> Result<(), WireError> {
    let text = pkt::text(option)?;
    let (key, value) = text.split_once(' ').unwrap_or((text, ""));
    match key {
        "refname" => changed.name = Some(name(value.as_bytes())?),
        "old-oid" => changed.old = Some(words::oid(value, format)?),
        "new-oid" => changed.new = Some(words::oid(value, format)?),
        "forced-update" => changed.forced = true,
        // What is not known is not sent on.
        _ => {}
    }
    Ok(())
}

fn name(octets: &[u8]) -> Result<RefName, WireError> {
    let text = str::from_utf8(octets).ok();
    text.and_then(|text| RefName::new(text).ok())
        .ok_or(WireError::Malformed("the name of a ref in a report"))
}
