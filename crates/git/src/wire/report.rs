//! How a push went: the report of an upstream, read and written anew, and our own refusals in
//! the form that a client shows (gitprotocol-pack(5), "Report Status").

mod reader;

use ringfence_model::git::{Oid, RefName};

use super::pkt;
use super::push::{PushCapabilities, PushRequest, ReportVersion};
use super::sideband::{self, Band};
use super::text::one_line;

pub use reader::{Answer, ReportReader};

/// A report on a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Whether the pack was taken in; else why not.
    pub unpack: Result<(), String>,
    /// How each ref went.
    pub refs: Vec<RefReport>,
}

/// How one ref went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefReport {
    /// The ref.
    pub name: RefName,
    /// Whether it was changed; else why not.
    pub outcome: Result<Changed, String>,
}

/// What a server did otherwise than asked, where its report says so.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changed {
    /// The ref that was changed instead.
    pub name: Option<RefName>,
    /// What it was.
    pub old: Option<Oid>,
    /// What it is.
    pub new: Option<Oid>,
    /// Whether commits may be lost.
    pub forced: bool,
}

impl Report {
    /// A refusal of the whole push before anything was sent on: the pack was not looked at any
    /// further, and each ref has its reason.
    #[must_use]
    pub fn refusal<'r>(request: &PushRequest, mut reason: impl FnMut(&RefName) -> &'r str) -> Self {
        let refuse = |update: &ringfence_model::git::RefUpdate| RefReport {
            name: update.name.clone(),
            outcome: Err(one_line(reason(&update.name))),
        };
        Self {
            unpack: Ok(()),
            refs: request.updates.iter().map(refuse).collect(),
        }
    }

    /// The report with one entry for each ref that was asked for, in that order. An upstream
    /// that says nothing of one has not done it.
    #[must_use]
    pub fn for_request(mut self, request: &PushRequest) -> Self {
        let refs = request.updates.iter().map(|update| {
            let at = self.refs.iter().position(|found| found.name == update.name);
            at.map_or_else(
                || RefReport {
                    name: update.name.clone(),
                    outcome: Err("the upstream says nothing of this ref".to_owned()),
                },
                |at| self.refs.swap_remove(at),
            )
        });
        let refs = refs.collect();
        Self {
            unpack: self.unpack,
            refs,
        }
    }

    /// The whole answer to a push: a message for people, if there is one, and the report, as
    /// the client takes them. `None`: it takes neither, so that only an HTTP error tells it.
    #[must_use]
    pub fn answer(&self, message: &str, capabilities: &PushCapabilities) -> Option<Vec<u8>> {
        if capabilities.report.is_none() && !capabilities.side_band {
            return None;
        }
        let mut out = Vec::new();
        if capabilities.side_band && !message.is_empty() {
            write_message(message, &mut out);
        }
        self.write(capabilities, &mut out);
        Some(out)
    }

    /// Writes the report and the end of the answer.
    pub fn write(&self, capabilities: &PushCapabilities, out: &mut Vec<u8>) {
        let mut report = Vec::new();
        if let Some(version) = capabilities.report {
            self.write_lines(version, &mut report);
        }
        if capabilities.side_band {
            sideband::write(Band::Data, &report, out);
            pkt::write_flush(out);
        } else {
            out.append(&mut report);
        }
    }

    fn write_lines(&self, version: ReportVersion, out: &mut Vec<u8>) {
        match &self.unpack {
            Ok(()) => pkt::write_line("unpack ok", out),
            Err(reason) => pkt::write_line(&format!("unpack {}", some_line(reason)), out),
        }
        for RefReport { name, outcome } in &self.refs {
            match outcome {
                Err(reason) => pkt::write_line(&format!("ng {name} {}", some_line(reason)), out),
                Ok(changed) => {
                    pkt::write_line(&format!("ok {name}"), out);
                    if version == ReportVersion::V2 {
                        changed.write(out);
                    }
                }
            }
        }
        pkt::write_flush(out);
    }
}

impl Changed {
    fn write(&self, out: &mut Vec<u8>) {
        if let Some(name) = &self.name {
            pkt::write_line(&format!("option refname {name}"), out);
        }
        if let Some(old) = &self.old {
            pkt::write_line(&format!("option old-oid {old}"), out);
        }
        if let Some(new) = &self.new {
            pkt::write_line(&format!("option new-oid {new}"), out);
        }
        if self.forced {
            pkt::write_line("option forced-update", out);
        }
    }
}

/// Writes a message for people into its band, with the line end that makes a client show it.
pub fn write_message(message: &str, out: &mut Vec<u8>) {
    let mut text = message.to_owned();
    if !text.ends_with(['\n', '\r']) {
        text.push('\n');
    }
    sideband::write_text(Band::Message, text.as_bytes(), out);
}

/// The packet that ends a conversation with a reason: `ERR …`. A client shows it for what it
/// asked with protocol 2, and for the refs that it asked for; not in answer to a push.
#[must_use]
pub fn error_packet(reason: &str) -> Vec<u8> {
    let mut out = Vec::new();
    pkt::write_line(&format!("ERR {}", some_line(reason)), &mut out);
    out
}

fn some_line(reason: &str) -> String {
    match one_line(reason) {
        line if line.is_empty() => "refused".to_owned(),
        line => line,
    }
}

#[cfg(test)]
mod tests;
