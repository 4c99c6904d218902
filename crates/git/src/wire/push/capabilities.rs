//! What the client of a push can do and asks for.

use std::fmt;

use ringfence_model::git::ObjectFormat;

use crate::wire::{WireError, words};

/// In which form a client takes the report on its push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportVersion {
    /// `report-status`.
    V1,
    /// `report-status-v2`: with options behind each ref.
    V2,
}

/// What the client of a push can do and asks for. What is not known is left out, and so is
/// not sent to the upstream either.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushCapabilities {
    /// The form of the report; without one, nothing tells how the push went.
    pub report: Option<ReportVersion>,
    /// Whether the answer comes in side bands.
    pub side_band: bool,
    /// Whether the client wants no progress.
    pub quiet: bool,
    /// Whether all refs move or none.
    pub atomic: bool,
    /// Whether push options follow.
    pub push_options: bool,
    /// The hash that names the objects.
    pub object_format: ObjectFormat,
    /// What the client calls itself. It is not sent on.
    pub agent: Option<String>,
}

impl Default for PushCapabilities {
    fn default() -> Self {
        Self {
            report: None,
            side_band: false,
            quiet: false,
            atomic: false,
            push_options: false,
            object_format: ObjectFormat::Sha1,
            agent: None,
        }
    }
}

impl PushCapabilities {
    /// Reads what stands behind the NUL of the first line.
    pub(super) fn read(text: &str) -> Result<Self, WireError> {
        let mut read = Self::default();
        let mut has_format = false;
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            match words::split(word) {
                ("report-status", None) => {
                    read.report = read.report.or(Some(ReportVersion::V1));
                }
                ("report-status-v2", None) => read.report = Some(ReportVersion::V2),
                ("side-band-64k", None) => read.side_band = true,
                ("quiet", None) => read.quiet = true,
                ("atomic", None) => read.atomic = true,
                ("push-options", None) => read.push_options = true,
                ("object-format", Some(value)) if !has_format => {
                    read.object_format = words::object_format(value)?;
                    has_format = true;
                }
                ("object-format", _) => return Err(WireError::Malformed("the object format")),
                ("agent", Some(agent)) if words::is_agent(agent) => {
                    read.agent = Some(agent.to_owned());
                }
                ("push-cert", _) => return Err(WireError::Refused("a signed push")),
                _ => {}
            }
        }
        Ok(read)
    }
}

impl fmt::Display for PushCapabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = match self.report {
            None => "",
            Some(ReportVersion::V1) => "report-status",
            Some(ReportVersion::V2) => "report-status-v2",
        };
        let words = [
            (self.report.is_some(), report),
            (self.side_band, "side-band-64k"),
            (self.quiet, "quiet"),
            (self.atomic, "atomic"),
            (self.push_options, "push-options"),
        ];
        for (_, word) in words.iter().filter(|(asked, _)| *asked) {
            write!(f, "{word} ")?;
        }
        let format = self.object_format.as_str();
        write!(f, "object-format={format} {}", words::AGENT)
    }
}
