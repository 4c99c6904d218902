//! Every bound that this crate puts on what the wire drives.

/// Longest message of an agent, in octets.
pub const ASKED_OCTETS: usize = 8 << 20;

/// Longest message of a server, in octets.
pub const ANSWERED_OCTETS: usize = 16 << 20;

/// Longest id of a message that is a text, in octets.
pub const ID_OCTETS: usize = 256;

/// Longest method, in octets.
pub const METHOD_OCTETS: usize = 128;

/// Longest name of a tool or prompt, in octets.
pub const NAME_OCTETS: usize = 128;

/// Longest URI of a resource, in octets.
pub const URI_OCTETS: usize = 4096;

/// Entries of one page of a list.
pub const ENTRIES: usize = 2000;

/// Longest canonical form of one definition, in octets.
pub const DEFINITION_OCTETS: usize = 256 << 10;

/// Differences of two definitions that are told.
pub const DIFFERENCES: usize = 64;

/// Longest text of a difference or a finding, in octets.
pub const SHOWN_OCTETS: usize = 256;

/// Longest value that is sealed, in octets.
pub const SEALED_OCTETS: usize = 64 << 10;

/// Longest base64 text whose content is looked at as text, in octets.
pub const ENCODED_OCTETS: usize = 2 << 20;

/// Resources of one `subscriptions/listen`.
pub const SUBSCRIPTIONS: usize = 256;

/// What a server may ask for within one answer.
pub const INPUTS: usize = 64;
