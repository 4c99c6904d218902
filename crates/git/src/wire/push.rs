//! The part of a push before its pack: which refs, from where to where, with which options
//! (gitprotocol-pack(5), "Reference Update Request and Packfile Transfer").
//!
//! It is never forwarded. What was read is written anew, and everything of which git's own
//! server takes more than one spelling is refused here.

mod capabilities;
mod reader;

use ringfence_model::git::{ObjectFormat, Oid, RefUpdate};

use super::pkt;

pub use capabilities::{PushCapabilities, ReportVersion};
pub use reader::{PushReader, PushStart};

/// What a push asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushRequest {
    /// Where the client's history is cut off.
    pub shallow: Vec<Oid>,
    /// The refs, at least one, none of them twice.
    pub updates: Vec<RefUpdate>,
    /// What the client can do and asks for.
    pub capabilities: PushCapabilities,
    /// The push options.
    pub options: Vec<String>,
}

impl PushRequest {
    /// The hash that names the objects.
    #[must_use]
    pub const fn object_format(&self) -> ObjectFormat {
        self.capabilities.object_format
    }

    /// Whether a pack follows. A push that only deletes has none, and ends where it was read to.
    #[must_use]
    pub fn has_pack(&self) -> bool {
        self.updates.iter().any(|update| !update.new.is_null())
    }

    /// The octets before the pack, in the one form that is sent.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for oid in &self.shallow {
            pkt::write_data(format!("shallow {oid}").as_bytes(), &mut out);
        }
        for (position, update) in self.updates.iter().enumerate() {
            let mut line = format!("{} {} {}", update.old, update.new, update.name);
            if position == 0 {
                line.push('\0');
                line.push_str(&self.capabilities.to_string());
            }
            pkt::write_data(line.as_bytes(), &mut out);
        }
        pkt::write_flush(&mut out);
        if self.capabilities.push_options {
            for option in &self.options {
                pkt::write_data(option.as_bytes(), &mut out);
            }
            pkt::write_flush(&mut out);
        }
        out
    }
}

#[cfg(test)]
mod tests;
