//! Objects that something is read of. Readers differ in which names they take for the same: some
//! fold case, some take `max_tokens` for `maxTokens`. A document that they would read differently
//! is refused.

use std::borrow::Cow;

use super::{Kind, Value};

/// How the names of a dialect may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// In one way.
    Exact,
    /// `maxOutputTokens` or `max_output_tokens` (protocol buffers).
    CamelOrSnake,
}

/// A value that is not what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Misread {
    /// The number of the value.
    pub at: u32,
    /// What is wrong with it.
    pub what: &'static str,
}

impl Value<'_> {
    /// That it is not what it should be.
    #[must_use]
    pub const fn misread(self, what: &'static str) -> Misread {
        Misread {
            at: self.at(),
            what,
        }
    }
}

/// An object whose names differ for every reader.
#[derive(Debug, Clone, Copy)]
pub struct Object<'a> {
    value: Value<'a>,
    spelling: Spelling,
}

impl<'a> Object<'a> {
    pub(super) fn open(value: Value<'a>, spelling: Spelling) -> Result<Self, Misread> {
        if value.kind() != Kind::Object {
            return Err(value.misread("is no object"));
        }
        let mut before: Vec<Value<'_>> = Vec::new();
        for (key, _) in value.members() {
            if before.len() >= LOOKED_AT {
                return Err(value.misread("has too many names"));
            }
            if before.iter().any(|it| folds_to(*it, key)) {
                return Err(key.misread("occurs twice, in two spellings"));
            }
            before.push(key);
        }
        Ok(Self { value, spelling })
    }

    /// The object as a value.
    #[must_use]
    pub const fn value(self) -> Value<'a> {
        self.value
    }

    /// Key and value of this name, also where the value is null.
    ///
    /// # Errors
    /// Where a name is one that some readers take for this one.
    pub fn member(self, name: &str) -> Result<Option<(Value<'a>, Value<'a>)>, Misread> {
        for (key, value) in self.value.members() {
            if key.is_text(name) || self.is_snake(key, name) {
                return Ok(Some((key, value)));
            }
            if folds_to_name(key, name) {
                return Err(
                    key.misread("is spelled in a way that some readers take for another name")
                );
            }
        }
        Ok(None)
    }

    fn is_snake(self, key: Value<'_>, name: &str) -> bool {
        let is_small = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'_';
        self.spelling == Spelling::CamelOrSnake
            && key.raw_text().iter().all(is_small)
            && folds_to_name(key, name)
    }

    /// Whether a key of this object is one of these names.
    #[must_use]
    pub fn is_one_of(self, key: Value<'_>, names: &[&str]) -> bool {
        names
            .iter()
            .any(|name| key.is_text(name) || self.is_snake(key, name))
    }

    /// The value of this name; null is as good as none.
    ///
    /// # Errors
    /// Where a name is one that some readers take for this one.
    pub fn get(self, name: &str) -> Result<Option<Value<'a>>, Misread> {
        let member = self.member(name)?;
        Ok(member.map(|(_, value)| value).filter(|it| !it.is_null()))
    }

    /// The text of this name; null is as good as none.
    ///
    /// # Errors
    /// Where it is none, or the name is in doubt.
    pub fn text(self, name: &str) -> Result<Option<Cow<'a, str>>, Misread> {
        let Some(value) = self.get(name)? else {
            return Ok(None);
        };
        let text = value.text().ok_or_else(|| value.misread("is no text"))?;
        Ok(Some(text))
    }

    /// The whole number of this name; null is as good as none.
    ///
    /// # Errors
    /// Where it is none, or the name is in doubt.
    pub fn count(self, name: &str) -> Result<Option<u64>, Misread> {
        let Some(value) = self.get(name)? else {
            return Ok(None);
        };
        let count = value
            .count()
            .ok_or_else(|| value.misread("is no whole number"))?;
        Ok(Some(count))
    }

    /// The truth value of this name; null is as good as none.
    ///
    /// # Errors
    /// Where it is none, or the name is in doubt.
    pub fn boolean(self, name: &str) -> Result<Option<bool>, Misread> {
        let Some(value) = self.get(name)? else {
            return Ok(None);
        };
        let boolean = value
            .boolean()
            .ok_or_else(|| value.misread("is neither true nor false"))?;
        Ok(Some(boolean))
    }

    /// The object of this name; null is as good as none.
    ///
    /// # Errors
    /// Where it is none, or the name is in doubt.
    pub fn object(self, name: &str) -> Result<Option<Self>, Misread> {
        let value = self.get(name)?;
        value.map(|it| it.object(self.spelling)).transpose()
    }

    /// The elements of the array of this name; none where there is no such name.
    ///
    /// # Errors
    /// Where it is no array, or the name is in doubt.
    pub fn elements(
        self,
        name: &str,
    ) -> Result<impl Iterator<Item = Value<'a>> + use<'a>, Misread> {
        let value = self.get(name)?;
        if let Some(value) = value
            && value.kind() != Kind::Array
        {
            return Err(value.misread("is no array"));
        }
        Ok(value.into_iter().flat_map(Value::elements))
    }
}

/// Names of an object that is looked at: each is compared with all before it.
const LOOKED_AT: usize = 256;

fn folds_to(one: Value<'_>, other: Value<'_>) -> bool {
    fold(one).eq(fold(other))
}

fn folds_to_name(key: Value<'_>, name: &str) -> bool {
    fold(key).eq(name
        .chars()
        .filter(|c| *c != '_')
        .map(|c| c.to_ascii_lowercase()))
}

/// The name without underscores, its case folded. (The long s and the sign of Kelvin are letters
/// of ASCII to readers that fold case.)
fn fold(key: Value<'_>) -> impl Iterator<Item = char> {
    let text = key.text().unwrap_or_default();
    Folded { text, at: 0 }.filter(|c| *c != '_')
}

struct Folded<'a> {
    text: Cow<'a, str>,
    at: usize,
}

impl Iterator for Folded<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        let character = self.text.get(self.at..)?.chars().next()?;
        self.at += character.len_utf8();
        if character.is_ascii() {
            return Some(character.to_ascii_lowercase());
        }
        let upper = character.to_uppercase().next()?;
        upper.to_lowercase().next()
    }
}
