//! Every bound that this crate puts on documents and on the actions it is asked about.

/// Longest text of one policy source, all its documents together, in octets.
pub const SOURCE_OCTETS: usize = 8 * 1024 * 1024;

/// Most documents in one source.
pub const DOCUMENTS: usize = 256;

/// Deepest nesting of a document; the language itself needs seven levels.
pub const DOCUMENT_DEPTH: usize = 12;

/// Most YAML nodes in one source; a rule has about ten.
pub const DOCUMENT_NODES: usize = 2_000_000;

/// Most rules in one snapshot, all its profiles together.
pub const RULES: usize = 250_000;

/// Most entries in one list of a rule (ports, methods, paths, addresses).
pub const LIST_ENTRIES: usize = 1_024;

/// Most tests in one profile.
pub const TESTS: usize = 10_000;

/// Longest free text (`description`, `reason`) in octets.
pub const TEXT_OCTETS: usize = 1_024;

/// Longest rule id in octets.
pub const RULE_ID_OCTETS: usize = 64;

/// Longest HTTP method in octets.
pub const METHOD_OCTETS: usize = 32;

/// Longest path pattern in octets. With [`PATTERN_WILDCARDS`] it bounds the time of a match.
pub const PATTERN_OCTETS: usize = 512;

/// Most wildcards in one path pattern.
pub const PATTERN_WILDCARDS: usize = 8;

/// Longest path that is decided on, in octets; a longer one is denied.
pub const PATH_OCTETS: usize = 8 * 1024;

/// Longest piece of foreign text that is quoted in a reason or an error, in characters.
pub const QUOTE_CHARS: usize = 120;
