//! Texts with places for arguments: `{name}`, `{name?}` (what is absent takes the whole text with
//! it) and `{names...}` (a list). `{{` and `}}` are braces. A template is read once, with the file;
//! a value is never read as one.

use serde_json::{Map, Value};

use crate::error::CallError;
use crate::limits::LIST_VALUES;

/// The arguments of a call, after the tool's schema accepted them.
pub(crate) type Arguments = Map<String, Value>;

/// A text with places.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Place(Place),
}

/// A place for an argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) name: String,
    pub(crate) form: Form,
}

/// What a place takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// One value, which has to be there.
    Required,
    /// One value or none.
    Optional,
    /// A list, which may be absent.
    List,
}

/// What becomes of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Written {
    /// An optional value is absent.
    Absent,
    One(String),
    Many(Vec<String>),
}

impl Template {
    /// Reads a text.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        if text.contains('\0') {
            return Err("a NUL".to_owned());
        }
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            literal.push_str(before);
            if let Some(after) = from.strip_prefix("{{").or_else(|| from.strip_prefix("}}")) {
                literal.push_str(from.get(..1).unwrap_or_default());
                rest = after;
                continue;
            }
            let inner = from.strip_prefix('{').and_then(|it| it.split_once('}'));
            let (inner, after) = inner.ok_or_else(|| {
                format!(
                    "a brace without its other half in `{text}`; a brace itself is {{{{ or }}}}"
                )
            })?;
            if !literal.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut literal)));
            }
            parts.push(Part::Place(place(inner)?));
            rest = after;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        let template = Self { parts };
        let lists = template.places().filter(|it| it.form == Form::List);
        if lists.count() > 0 && template.parts.len() > 1 {
            return Err(format!("a list stands alone, so not as in `{text}`"));
        }
        Ok(template)
    }

    /// A text without places.
    pub(crate) fn literal(text: impl Into<String>) -> Self {
        Self {
            parts: vec![Part::Text(text.into())],
        }
    }

    /// One place alone.
    pub(crate) fn place(name: &str, form: Form) -> Self {
        Self {
            parts: vec![Part::Place(Place {
                name: name.to_owned(),
                form,
            })],
        }
    }

    /// This one, and behind it another one.
    pub(crate) fn then(mut self, other: Self) -> Self {
        self.parts.extend(other.parts);
        self
    }

    pub(crate) fn places(&self) -> impl Iterator<Item = &Place> {
        self.parts.iter().filter_map(|part| match part {
            Part::Place(place) => Some(place),
            Part::Text(_) => None,
        })
    }

    /// The place, where there is nothing else.
    pub(crate) fn bare(&self) -> Option<&Place> {
        match self.parts.as_slice() {
            [Part::Place(place)] => Some(place),
            _ => None,
        }
    }

    /// The text, where there are no places.
    pub(crate) fn as_literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether what it becomes begins with an argument.
    pub(crate) fn begins_with_place(&self) -> bool {
        matches!(self.parts.first(), Some(Part::Place(_)))
    }

    /// The text with the arguments, each of which goes through `encode`; so do, with `encode_text`,
    /// the parts between them.
    ///
    /// # Errors
    /// Where an argument cannot stand there.
    pub(crate) fn write(
        &self,
        arguments: &Arguments,
        encode: impl Fn(&Place, &str) -> Result<String, CallError>,
        encode_text: impl Fn(&str) -> String,
    ) -> Result<Written, CallError> {
        if let Some(place) = self.bare().filter(|place| place.form == Form::List) {
            let Some(values) = present(arguments, &place.name) else {
                return Ok(Written::Absent);
            };
            let values = list(&place.name, values)?;
            let values = values.iter().map(|value| encode(place, value));
            return values.collect::<Result<_, _>>().map(Written::Many);
        }
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(literal) => text.push_str(&encode_text(literal)),
                Part::Place(place) => match present(arguments, &place.name) {
                    Some(value) => text.push_str(&encode(place, &scalar(&place.name, value)?)?),
                    None if place.form == Form::Optional => return Ok(Written::Absent),
                    None => {
                        let name = &place.name;
                        return Err(CallError::new(format!("the argument `{name}` is missing")));
                    }
                },
            }
        }
        Ok(Written::One(text))
    }

    /// The text with the arguments as they are; a list becomes several.
    pub(crate) fn plain(&self, arguments: &Arguments) -> Result<Written, CallError> {
        self.write(arguments, |_, value| Ok(value.to_owned()), str::to_owned)
    }
}

fn place(inner: &str) -> Result<Place, String> {
    let (name, form) = if let Some(name) = inner.strip_suffix("...") {
        (name, Form::List)
    } else if let Some(name) = inner.strip_suffix('?') {
        (name, Form::Optional)
    } else {
        (inner, Form::Required)
    };
    let is_first = |octet: u8| octet.is_ascii_alphabetic() || octet == b'_';
    let is_other = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'_' | b'-');
    match name.as_bytes() {
        [first, rest @ ..] if is_first(*first) && rest.len() < 64 && rest.iter().all(is_other) => {
            Ok(Place {
                name: name.to_owned(),
                form,
            })
        }
        _ => Err(format!(
            "`{{{inner}}}` names no argument; it is written {{name}}, {{name?}} or {{names...}}, and a brace itself {{{{ or }}}}"
        )),
    }
}

/// An argument that is there; null is as good as absent.
pub(crate) fn present<'a>(arguments: &'a Arguments, name: &str) -> Option<&'a Value> {
    arguments.get(name).filter(|value| !value.is_null())
}

/// A value as text.
pub(crate) fn scalar(name: &str, value: &Value) -> Result<String, CallError> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            return Err(CallError::new(format!(
                "the argument `{name}` has to be a text, a number or true or false"
            )));
        }
    };
    if text.contains('\0') {
        return Err(CallError::new(format!("the argument `{name}` has a NUL")));
    }
    Ok(text)
}

/// The values of a list as texts.
pub(crate) fn list(name: &str, value: &Value) -> Result<Vec<String>, CallError> {
    let values = value
        .as_array()
        .ok_or_else(|| CallError::new(format!("the argument `{name}` has to be a list")))?;
    if values.len() > LIST_VALUES {
        return Err(CallError::new(format!(
            "the argument `{name}` has more than {LIST_VALUES} values"
        )));
    }
    values.iter().map(|value| scalar(name, value)).collect()
}

#[cfg(test)]
mod tests;
