//! The body of a request: JSON or a form, with arguments as values.

use serde_json::{Map, Value};

use super::url::encode;
use crate::error::CallError;
use crate::template::{Arguments, Form, Place, Template, Written, list, present, scalar};

/// A body, as a file describes it.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    None,
    Json(Node),
    Form(Vec<(String, Template)>),
    /// One argument is the form, as an object.
    FormOf(Template),
}

/// A JSON value with places.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    /// The value as it is.
    Literal(Value),
    /// One place alone, or a text with places.
    Text(Template),
    List(Vec<Self>),
    Fields(Vec<(String, Self)>),
}

impl Node {
    /// Reads a value whose texts are templates.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(crate) fn read(value: &Value) -> Result<Self, String> {
        Ok(match value {
            Value::String(text) => Self::Text(Template::read(text)?),
            Value::Array(values) => {
                Self::List(values.iter().map(Self::read).collect::<Result<_, _>>()?)
            }
            Value::Object(fields) => {
                let fields = fields
                    .iter()
                    .map(|(name, value)| Ok((name.clone(), Self::read(value)?)));
                Self::Fields(fields.collect::<Result<_, String>>()?)
            }
            other => Self::Literal(other.clone()),
        })
    }

    fn templates<'a>(&'a self, into: &mut Vec<&'a Template>) {
        match self {
            Self::Literal(_) => {}
            Self::Text(template) => into.push(template),
            Self::List(nodes) => nodes.iter().for_each(|it| it.templates(into)),
            Self::Fields(fields) => fields.iter().for_each(|(_, it)| it.templates(into)),
        }
    }

    /// The value with the arguments; none where an optional one is absent.
    fn write(&self, arguments: &Arguments) -> Result<Option<Value>, CallError> {
        match self {
            Self::Literal(value) => Ok(Some(value.clone())),
            Self::Text(template) => match template.bare() {
                Some(place) => argument(place, arguments),
                None => Ok(match template.plain(arguments)? {
                    Written::One(text) => Some(Value::String(text)),
                    Written::Absent | Written::Many(_) => None,
                }),
            },
            Self::List(nodes) => {
                let mut values = Vec::new();
                for node in nodes {
                    values.extend(node.write(arguments)?);
                }
                Ok(Some(Value::Array(values)))
            }
            Self::Fields(fields) => {
                let mut values = Map::new();
                for (name, node) in fields {
                    if let Some(value) = node.write(arguments)? {
                        values.insert(name.clone(), value);
                    }
                }
                Ok(Some(Value::Object(values)))
            }
        }
    }
}

/// An argument as the JSON value that it is.
fn argument(place: &Place, arguments: &Arguments) -> Result<Option<Value>, CallError> {
    let found = match place.form {
        // Null is a value here, other than in a text.
        Form::Required => arguments.get(&place.name),
        Form::Optional | Form::List => arguments.get(&place.name).filter(|it| !it.is_null()),
    };
    match found {
        Some(value) => Ok(Some(value.clone())),
        None if place.form == Form::Required => {
            let name = &place.name;
            Err(CallError::new(format!("the argument `{name}` is missing")))
        }
        None => Ok(None),
    }
}

impl Body {
    pub(super) fn templates(&self) -> Vec<&Template> {
        let mut templates = Vec::new();
        match self {
            Self::None => {}
            Self::Json(node) => node.templates(&mut templates),
            Self::Form(fields) => templates.extend(fields.iter().map(|(_, it)| it)),
            Self::FormOf(template) => templates.push(template),
        }
        templates
    }

    /// The type and the octets; none where there is no body.
    pub(super) fn write(
        &self,
        arguments: &Arguments,
    ) -> Result<Option<(&'static str, String)>, CallError> {
        match self {
            Self::None => Ok(None),
            Self::Json(node) => Ok(node
                .write(arguments)?
                .map(|value| (JSON, value.to_string()))),
            Self::Form(fields) => {
                let mut pairs = Vec::new();
                for (name, template) in fields {
                    pair(&mut pairs, name, template.plain(arguments)?);
                }
                Ok(Some((FORM, pairs.join("&"))))
            }
            Self::FormOf(template) => form_of(template, arguments),
        }
    }
}

fn pair(pairs: &mut Vec<String>, name: &str, written: Written) {
    let values = match written {
        Written::Absent => Vec::new(),
        Written::One(value) => vec![value],
        Written::Many(values) => values,
    };
    let name = encode(name);
    pairs.extend(values.iter().map(|it| format!("{name}={}", encode(it))));
}

fn form_of(
    template: &Template,
    arguments: &Arguments,
) -> Result<Option<(&'static str, String)>, CallError> {
    let Some(place) = template.bare() else {
        return Ok(None);
    };
    let Some(value) = present(arguments, &place.name) else {
        return Ok(None);
    };
    let name = &place.name;
    let fields = value
        .as_object()
        .ok_or_else(|| CallError::new(format!("the argument `{name}` has to be an object")))?;
    let mut pairs = Vec::new();
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
        let written = match value {
            Value::Array(_) => Written::Many(list(name, value)?),
            _ => Written::One(scalar(name, value)?),
        };
        pair(&mut pairs, name, written);
    }
    Ok(Some((FORM, pairs.join("&"))))
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
