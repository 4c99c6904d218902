//! Requests for refs and objects, of protocol 0, 1 and 2 (gitprotocol-v2(5), "Command Request";
//! gitprotocol-pack(5), "Packfile Negotiation").
//!
//! A request is read whole, into what it asks for, and written anew. A server without state
//! does whatever a request says, advertised or not; so what is not known here is refused.

mod legacy;
mod modern;

use ringfence_model::git::{ObjectFormat, Oid, RefName};

use super::{ProtocolVersion, WireError};
use crate::limits::FETCH_REQUEST_OCTETS;

/// A request to `git-upload-pack`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchRequest {
    /// `0000` alone: a client asks whether it may fetch before it sends much.
    Probe,
    /// `ls-refs` of protocol 2.
    ListRefs(ListRefs),
    /// Objects.
    Fetch(Box<Fetch>),
}

/// Which refs a client wants to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListRefs {
    /// The hash that names the objects.
    pub format: ObjectFormat,
    /// Whether it wants to see what tags point to.
    pub peel: bool,
    /// Whether it wants to see where symbolic refs point.
    pub symrefs: bool,
    /// Whether it wants to see `HEAD` where its branch has no commit yet.
    pub unborn: bool,
    /// What the refs begin with; none means all. A server may show more.
    pub prefixes: Vec<String>,
}

/// Which objects a client wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// How it is said.
    pub form: Form,
    /// The hash that names the objects.
    pub format: ObjectFormat,
    /// The objects that it wants, with all that they lead to.
    pub wants: Vec<Oid>,
    /// The refs that it wants, by name. Protocol 2 alone.
    pub want_refs: Vec<RefName>,
    /// What it has.
    pub haves: Vec<Oid>,
    /// Where its history is cut off.
    pub shallow: Vec<Oid>,
    /// Where the history that it gets is to be cut off.
    pub deepen: Deepen,
    /// The filter of a partial clone.
    pub filter: Option<String>,
    /// Whether deltas may be against what it has.
    pub thin_pack: bool,
    /// Whether it wants no progress.
    pub no_progress: bool,
    /// Whether it wants the tags of what it gets.
    pub include_tag: bool,
    /// Whether it takes deltas by offset.
    pub ofs_delta: bool,
    /// Whether it has said all that it has, and the pack is to come.
    pub done: bool,
}

/// Where history is to be cut off.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Deepen {
    /// Behind this many commits.
    pub depth: Option<u64>,
    /// Whether they are counted from where it is cut off now.
    pub relative: bool,
    /// At commits older than this time, in seconds since 1970.
    pub since: Option<u64>,
    /// At what these refs reach.
    pub not: Vec<String>,
}

impl Deepen {
    /// Whether anything is cut off.
    #[must_use]
    pub const fn is_any(&self) -> bool {
        self.depth.is_some() || self.since.is_some() || !self.not.is_empty()
    }
}

/// How a request for objects is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// In protocol 2.
    V2 {
        /// Whether no pack may come before `done`.
        wait_for_done: bool,
    },
    /// In protocol 0 or 1.
    Legacy {
        /// How what both have is told.
        acks: Acks,
        /// Whether the pack may come without `done`.
        no_done: bool,
        /// How large the packets with bands are; `None`: the pack comes bare.
        side_band: Option<SideBand>,
    },
}

/// How what both sides have is told, in protocol 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acks {
    /// The first one.
    Single,
    /// `multi_ack`.
    Multi,
    /// `multi_ack_detailed`.
    Detailed,
}

/// How large packets with bands are, in protocol 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SideBand {
    /// `side-band`: 1000 octets.
    Small,
    /// `side-band-64k`.
    Large,
}

impl FetchRequest {
    /// Reads the whole body of a request, after its content encoding was undone.
    ///
    /// # Errors
    /// See [`WireError`].
    pub fn parse(version: ProtocolVersion, body: &[u8]) -> Result<Self, WireError> {
        if body.len() > FETCH_REQUEST_OCTETS {
            return Err(WireError::TooLarge("a request to fetch"));
        }
        match (version, body) {
            (_, b"0000") => Ok(Self::Probe),
            (ProtocolVersion::V2, body) => modern::read(body),
            (ProtocolVersion::V0 | ProtocolVersion::V1, body) => {
                legacy::read(body).map(|fetch| Self::Fetch(Box::new(fetch)))
            }
        }
    }

    /// The body in the one form that is sent.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        match self {
            Self::Probe => b"0000".to_vec(),
            Self::ListRefs(list) => list.write(),
            Self::Fetch(fetch) => fetch.write(),
        }
    }
}

impl ListRefs {
    /// Asks for all refs below these prefixes, and for nothing else.
    #[must_use]
    pub const fn new(format: ObjectFormat, prefixes: Vec<String>) -> Self {
        Self {
            format,
            peel: false,
            symrefs: false,
            unborn: false,
            prefixes,
        }
    }

    /// The body in the one form that is sent.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        modern::write_list_refs(self)
    }
}

impl Fetch {
    /// A request of protocol 2 that asks for nothing yet.
    #[must_use]
    pub const fn new(format: ObjectFormat) -> Self {
        Self {
            form: Form::V2 {
                wait_for_done: false,
            },
            format,
            wants: Vec::new(),
            want_refs: Vec::new(),
            haves: Vec::new(),
            shallow: Vec::new(),
            deepen: Deepen {
                depth: None,
                relative: false,
                since: None,
                not: Vec::new(),
            },
            filter: None,
            thin_pack: false,
            no_progress: false,
            include_tag: false,
            ofs_delta: false,
            done: false,
        }
    }

    /// The body in the one form that is sent.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        match &self.form {
            Form::V2 { wait_for_done } => modern::write_fetch(self, *wait_for_done),
            Form::Legacy {
                acks,
                no_done,
                side_band,
            } => legacy::write(self, *acks, *no_done, *side_band),
        }
    }
}

#[cfg(test)]
mod tests;
