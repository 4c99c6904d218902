//! Strict JSON (RFC 8259) as spans of its own text. A document is scanned once, to a flat list of
//! its values in order; nothing is copied, so that what is not changed can be sent on as it was.
//! What two readers could take for two different documents is refused: a name that occurs twice in
//! one object, half a surrogate pair, text behind the document.

mod changes;
mod decode;
pub mod limits;
mod object;
mod scan;
mod value;
mod write;

pub use changes::{Changes, quoted};
pub use object::{Misread, Object, Spelling};
pub use value::{Value, shown};

/// Why a text is not read as JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// Not JSON.
    #[error("it ends, or has another character than JSON has, at octet {0}")]
    Syntax(usize),
    /// Not UTF-8.
    #[error("it is not UTF-8")]
    Encoding,
    /// A name that occurs twice in one object.
    #[error("a name occurs twice in the object that begins at octet {0}")]
    Twice(usize),
    /// Too much of something.
    #[error("it has too many {0}")]
    TooMany(&'static str),
}

/// The values of a document in order: a value, then what is in it. The members of an object are a
/// key and a value each.
#[derive(Debug, Clone, Default)]
pub struct Tape {
    nodes: Vec<Node>,
}

/// One value: where it is in the text, and which one comes behind it and all that is in it.
#[derive(Debug, Clone, Copy)]
struct Node {
    start: u32,
    end: u32,
    next: u32,
    kind: Kind,
    /// Whether a text has escapes.
    escaped: bool,
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool,
    /// A number, as it is written.
    Number,
    /// The name of a member.
    Key,
    /// A string.
    Text,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl Tape {
    /// Scans a document.
    ///
    /// # Errors
    /// Where it is not JSON, is read differently by different readers, or breaks a limit.
    pub fn read(octets: &[u8]) -> Result<Self, JsonError> {
        let mut tape = Self::default();
        tape.read_again(octets)?;
        Ok(tape)
    }

    /// Scans another document, in the same memory.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_again(&mut self, octets: &[u8]) -> Result<(), JsonError> {
        self.nodes.clear();
        std::str::from_utf8(octets).map_err(|_| JsonError::Encoding)?;
        let scanned = scan::scan(octets, &mut self.nodes);
        if scanned.is_err() {
            self.nodes.clear();
        }
        scanned
    }

    /// The document. `octets` are those that were scanned.
    #[must_use]
    pub fn root<'a>(&'a self, octets: &'a [u8]) -> Value<'a> {
        Value::new(&self.nodes, octets, 0)
    }

    /// How many values there are, keys among them.
    #[must_use]
    pub fn len(&self) -> u32 {
        u32::try_from(self.nodes.len()).unwrap_or(u32::MAX)
    }

    /// Whether no document was scanned.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }
}

#[cfg(test)]
mod tests;
