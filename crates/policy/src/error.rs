//! The one error of this crate: what is wrong with a policy, where, and what to do about it.

use std::fmt;
use std::ops::Range;

use crate::limits::QUOTE_CHARS;

/// Why a policy was refused. Its text is `file:line:column: message`; the parts are there as
/// data, so that a command line can print the lines around the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyError {
    /// The file, or what else the text came from.
    pub source_name: String,
    /// Where in the text; none where the policy did not come as text.
    pub located: Option<Located>,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

/// A place in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The octets that are meant; may be empty.
    pub span: Range<usize>,
}

impl PolicyError {
    pub(crate) fn new(source_name: &str, message: impl Into<String>) -> Self {
        Self {
            source_name: source_name.to_owned(),
            located: None,
            message: message.into(),
            help: None,
        }
    }

    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The line, from 1, where the place is known.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.located.as_ref().map(|located| located.line)
    }

    /// The column, from 1, where the place is known.
    #[must_use]
    pub fn column(&self) -> Option<usize> {
        self.located.as_ref().map(|located| located.column)
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source_name)?;
        if let Some(Located { line, column, .. }) = &self.located {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for PolicyError {}

/// Foreign text made safe to show: control characters escaped, the length bounded.
pub(crate) fn quoted(text: &str) -> String {
    let mut shown = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == QUOTE_CHARS {
            shown.push('…');
            break;
        }
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}
