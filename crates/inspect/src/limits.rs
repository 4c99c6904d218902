//! Every limit of this crate: what values may be given, how long one match can be, and how far
//! an encoded body may expand, how deep a JSON text may be.

/// Values in one scrub set.
pub const VALUES: usize = 64;
/// Octets of one value. A private key in PEM is some thousand.
pub const VALUE_OCTETS: usize = 64 * 1024;
/// Values shorter than this are looked for in fewer forms: in all of them they would be found by chance.
pub const ALL_FORMS_OCTETS: usize = 8;
/// Values shorter than this are looked for without base64 as well.
pub const BASE64_OCTETS: usize = 5;

/// Layers of escapes that are undone, one inside the other (`%2541`, JSON in a JSON string).
pub(crate) const ESCAPE_LAYERS: u8 = 2;
/// Octets of one escaped character, all layers together: six times `\u00XX`.
pub(crate) const UNIT_OCTETS: usize = 36;
/// Octets between two characters of a value that mean nothing: a line break and the indentation after it.
pub(crate) const GAP_OCTETS: usize = 24;
/// Symbols of base64 that a line has at least. Encoders write 64 or 76.
pub(crate) const LINE_SYMBOLS: u8 = 12;
/// Octets that a stream is held back for each octet of the longest value, so that matches of this length are found
/// wherever it is cut. Twelve hold each character in two layers as they are met (`%255C`, `&amp;#x41;`), each digit of a
/// hexadecimal form as `\u00XX`, and base64 with every symbol as `%XX` and a line break after every twelve.
pub const HELD_FOR_EACH_OCTET: usize = 12;
/// Readings of one text that are followed at the same time. Only values that look like escapes have more than one.
pub(crate) const READINGS: usize = 4;

/// Content encodings of one body, one inside the other.
pub const ENCODINGS: usize = 2;
/// Octets that a body may decode to, whatever it is made of.
pub const DECODED_OCTETS: u64 = 4 << 30;
/// Octets that each encoded octet may decode to. DEFLATE reaches 1,032; real pages stay below 100.
pub const EXPANSION: u64 = 200;
/// Octets that may be decoded before any were earned by encoded ones, so that small bodies of blanks pass.
pub const EXPANSION_FREE_OCTETS: u64 = 1 << 20;
/// Octets that may be earned and not used: no piece of a body decodes to more than this and its own share.
pub const EXPANSION_SAVED_OCTETS: u64 = 2 << 20;
/// Octets of history that a decoder keeps: what RFC 9659 allows for Zstandard in HTTP.
pub const WINDOW_OCTETS: u64 = 8 << 20;
/// Octets of one Zstandard block (RFC 8878, 3.1.1.2).
pub(crate) const BLOCK_OCTETS: usize = 128 * 1024;
/// Octets that a decoder writes at a time.
pub(crate) const DECODE_STEP_OCTETS: usize = 16 * 1024;
/// Members or frames of one body.
pub const MEMBERS: usize = 1024;

/// Brackets of a JSON text that may be open at one place, where members are taken out of it.
pub const DEPTH: usize = 512;
/// Octets of a URL in a JSON text, quotes and escapes included, that parameters are taken out of.
pub const URL_TEXT_OCTETS: usize = 16 * 1024;

/// Octets before an anchor that a rule for secrets may look at.
pub(crate) const SECRET_BEFORE_OCTETS: usize = 512;
/// Octets from the beginning of an anchor on that a rule for secrets may look at.
pub(crate) const SECRET_AFTER_OCTETS: usize = 4 * 1024;
/// Octets that are searched for secrets at a time.
pub(crate) const SECRET_STEP_OCTETS: usize = 60 * 1024;
/// Findings in one text after which it is not searched any further.
pub const SECRET_FINDINGS: usize = 64;
