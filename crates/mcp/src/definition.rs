//! What servers say of themselves and of what they offer, in a form that can be kept and compared:
//! all of it, known or not, with the members of objects in order.

mod difference;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use ringfence_json::{Kind, Misread, Spelling, Value};

pub use difference::{Difference, differences};

use crate::ask::is_hidden;
use crate::limits::{DEFINITION_OCTETS, ENTRIES, NAME_OCTETS, URI_OCTETS};
use crate::method::ListOf;

/// A definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// What it is known by.
    pub name: String,
    /// All of it.
    pub canonical: String,
    /// Whether it says of itself that it only reads: a tool's hint, which nobody has to believe.
    pub reads_only: bool,
}

/// Why a list is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// It is no list of such entries.
    #[error("the server's list is not understood: {0}")]
    Malformed(String),
    /// One name, two entries: which one is meant?
    #[error("the server has two entries of the name {0}")]
    Twice(String),
    /// A name that a person cannot see whole.
    #[error(
        "the server has an entry whose name holds characters that are not seen, or is too long"
    )]
    Unseen,
    /// It is too long.
    #[error("the server's list is too long")]
    TooMany,
}

impl From<Misread> for DefinitionError {
    fn from(misread: Misread) -> Self {
        Self::Malformed(format!("a member {}", misread.what))
    }
}

/// The definitions of one page of a list, in its order.
///
/// # Errors
/// Where an entry is not one, or two have one name.
pub fn of_list(result: Value<'_>, of: ListOf) -> Result<Vec<Definition>, DefinitionError> {
    let malformed = |why: &str| DefinitionError::Malformed(why.to_owned());
    let result = result.object(Spelling::Exact)?;
    let list = result.member(of.member())?.map(|(_, list)| list);
    let list = list.ok_or_else(|| malformed("it has no entries"))?;
    if list.kind() != Kind::Array {
        return Err(malformed("it is no array"));
    }
    let (mut names, mut definitions) = (BTreeSet::new(), Vec::new());
    for entry in list.elements() {
        if definitions.len() >= ENTRIES {
            return Err(DefinitionError::TooMany);
        }
        let definition = of_entry(entry, of)?;
        if !names.insert(definition.name.clone()) {
            return Err(DefinitionError::Twice(definition.name));
        }
        definitions.push(definition);
    }
    Ok(definitions)
}

fn of_entry(entry: Value<'_>, of: ListOf) -> Result<Definition, DefinitionError> {
    let object = entry.object(Spelling::Exact)?;
    let name = object.text(of.key())?;
    let name =
        name.ok_or_else(|| DefinitionError::Malformed(format!("an entry has no `{}`", of.key())))?;
    let most = match of {
        ListOf::Tools | ListOf::Prompts => NAME_OCTETS,
        ListOf::Resources | ListOf::Templates => URI_OCTETS,
    };
    let is_odd = |c: char| c.is_control() || is_hidden(c);
    let is_mixed = of.key() == "name" && is_mixed(&name);
    if name.is_empty() || name.len() > most || name.contains(is_odd) || is_mixed {
        return Err(DefinitionError::Unseen);
    }
    let annotations = object.object("annotations")?;
    let hint = annotations.map(|it| it.get("readOnlyHint")).transpose()?;
    let reads_only = hint.flatten().and_then(Value::boolean) == Some(true);
    if entry.raw().len() > DEFINITION_OCTETS {
        return Err(DefinitionError::TooMany);
    }
    readable(entry)?;
    Ok(Definition {
        name: name.into_owned(),
        canonical: entry.canonical(),
        reads_only: of == ListOf::Tools && reads_only,
    })
}

/// What readers differ about, a person cannot accept.
fn readable(value: Value<'_>) -> Result<(), DefinitionError> {
    let why = "a number in it is too large";
    let odd = || DefinitionError::Malformed(why.to_owned());
    value.to_json().map(drop).ok_or_else(odd)
}

/// Whether a name has letters of two scripts that look alike.
fn is_mixed(name: &str) -> bool {
    let is_alike = |c: char| {
        matches!(c, '\u{370}'..='\u{3ff}' | '\u{400}'..='\u{52f}' | '\u{530}'..='\u{58f}'
            | '\u{13a0}'..='\u{13ff}' | '\u{1f00}'..='\u{1fff}' | '\u{2100}'..='\u{214f}'
            | '\u{ab70}'..='\u{abbf}' | '\u{ff01}'..='\u{ff5e}' | '\u{1d400}'..='\u{1d7ff}')
    };
    name.contains(is_alike) && name.contains(|c: char| c.is_ascii_alphabetic())
}

/// What a server says of itself, in the result of `initialize` or `server/discover`: who it is, and
/// its instructions, which clients give to models. Both eras say those alike.
///
/// # Errors
/// Where it is too long.
pub fn of_server(result: Value<'_>) -> Result<Definition, DefinitionError> {
    if result.raw().len() > DEFINITION_OCTETS {
        return Err(DefinitionError::TooMany);
    }
    readable(result)?;
    let meta = result.get("_meta");
    let named = result.get("serverInfo");
    let named = named.or_else(|| meta.and_then(|it| it.get(SERVER_INFO)));
    let canonical =
        |value: Option<Value<'_>>| value.map_or_else(|| "null".to_owned(), Value::canonical);
    let (instructions, named) = (canonical(result.get("instructions")), canonical(named));
    Ok(Definition {
        name: SERVER.to_owned(),
        canonical: format!(r#"{{"instructions":{instructions},"serverInfo":{named}}}"#),
        reads_only: false,
    })
}

/// What the definition of a server itself is known by.
const SERVER: &str = "server";

/// Where a stateless server says who it is.
const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";
