//! Tokens in the body of a request: in fields that the rule names, of JSON and of forms, and
//! nowhere else. A body in any other form, or encoded, is not looked into. What is sent must read
//! as what came, but for the values of those fields.

use std::collections::HashSet;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use ringfence_model::{ReasonCode, Secret};
use serde_json::Value;

use super::{in_parameter, name_of, with_value};
use crate::forward::authorise::misplaced;
use crate::forward::draft::Draft;
use crate::forward::exchange::Exchange;
use crate::forward::fault::Fault;
use crate::forward::inject::unusable;
use crate::forward::payload::Payload;
use crate::forward::presented::{collect, decode};
use crate::limits::REWRITTEN_BODY_OCTETS;
use crate::pipeline::{Material, tokens_in};
use crate::wire::json;

/// The forms of a body that can be looked into.
enum Form {
    Json,
    Urlencoded,
}

/// The tokens in these fields. A token that stands anywhere else in the body is refused.
pub(in crate::forward) async fn tokens(
    exchange: &Exchange<'_>,
    (draft, payload): (&Draft, &mut Payload),
    fields: &[String],
) -> Result<Vec<Secret>, Fault> {
    let Some((form, octets)) = read(draft, payload, fields).await? else {
        return Ok(Vec::new());
    };
    let found = match form {
        Form::Json => json_tokens(octets, fields),
        Form::Urlencoded => form_tokens(octets, fields),
    };
    found.ok_or_else(|| {
        misplaced(
            exchange,
            "the body, outside of the fields that the rule names",
        )
    })
}

/// Replaces the tokens in these fields.
pub(in crate::forward) async fn fill(
    draft: &Draft,
    payload: &mut Payload,
    (fields, material): (&[String], &Material),
) -> Result<(), Fault> {
    let Some((form, octets)) = read(draft, payload, fields).await? else {
        return Ok(());
    };
    let filled = match form {
        Form::Json => in_json(octets, fields, material)?,
        Form::Urlencoded if std::str::from_utf8(octets).is_ok() => {
            Some(in_form(octets, fields, material)?)
        }
        Form::Urlencoded => None,
    };
    if let Some(filled) = filled {
        payload.replace(filled);
    }
    Ok(())
}

/// The body, where it has a form that can be looked into.
async fn read<'a>(
    draft: &Draft,
    payload: &'a mut Payload,
    fields: &[String],
) -> Result<Option<(Form, &'a [u8])>, Fault> {
    let encoded = draft.headers.contains_key(CONTENT_ENCODING);
    let content = draft.headers.get(CONTENT_TYPE).map(|value| value.to_str());
    let Some(Ok(content)) = content.filter(|_| !encoded && !fields.is_empty()) else {
        return Ok(None);
    };
    let media = content.split(';').next().unwrap_or_default().trim();
    let media = media.to_ascii_lowercase();
    let form = if media == "application/json" || media.ends_with("+json") {
        Form::Json
    } else if media == "application/x-www-form-urlencoded" {
        Form::Urlencoded
    } else {
        return Ok(None);
    };
    let octets = payload.hold(REWRITTEN_BODY_OCTETS).await?;
    Ok(Some((form, octets)))
}

/// The tokens in these fields; none where there is one elsewhere. A document that two readers could
/// read as two has no fields.
fn json_tokens(octets: &[u8], fields: &[String]) -> Option<Vec<Secret>> {
    let Ok(mut document) = json::read(octets) else {
        return tokens_in(octets).is_empty().then(Vec::new);
    };
    let mut tokens = Vec::new();
    for field in fields {
        if let Some(Value::String(text)) = document.pointer_mut(field) {
            collect(text.as_bytes(), &mut tokens);
            text.clear();
        }
    }
    (!holds_token(&document)).then_some(tokens)
}

/// Replaces in the text of the document, so that nothing else of it changes. That is right only
/// where the text then reads as the document with the fields filled.
fn in_json(
    octets: &[u8],
    fields: &[String],
    material: &Material,
) -> Result<Option<Vec<u8>>, Fault> {
    let Ok(mut expected) = json::read(octets) else {
        return Ok(None);
    };
    if !holds_token(&expected) {
        return Ok(None);
    }
    let value = material.value.as_ref().map(Secret::expose);
    let text = value.and_then(|value| std::str::from_utf8(value).ok());
    let text = text.ok_or_else(|| unusable(material, "it does not fit into JSON"))?;
    for field in fields {
        if let Some(Value::String(old)) = expected.pointer_mut(field)
            && let Some(filled) = with_value(old.as_bytes(), text.as_bytes())
        {
            *old = String::from_utf8_lossy(filled.expose()).into_owned();
        }
    }
    let quoted = Value::from(text).to_string();
    let inner = quoted.get(1..quoted.len() - 1).unwrap_or_default();
    let filled = with_value(octets, inner.as_bytes());
    let filled = filled.filter(|filled| json::read(filled.expose()) == Ok(expected));
    let filled = filled.ok_or_else(|| {
        let reason = "a token stands in the body in a way that it cannot be replaced in";
        Fault::refused(ReasonCode::TokenInvalid, reason)
    })?;
    Ok(Some(filled.expose().to_vec()))
}

/// Whether a token stands in any text or name of the document.
fn holds_token(value: &Value) -> bool {
    let is_token = |text: &str| !tokens_in(text.as_bytes()).is_empty();
    match value {
        Value::String(text) => is_token(text),
        Value::Array(items) => items.iter().any(holds_token),
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| is_token(name) || holds_token(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The tokens in these fields; none where there is one elsewhere, or where a field with one occurs
/// twice.
fn form_tokens(octets: &[u8], fields: &[String]) -> Option<Vec<Secret>> {
    if std::str::from_utf8(octets).is_err() {
        return tokens_in(octets).is_empty().then(Vec::new);
    }
    let mut tokens = Vec::new();
    let mut names = HashSet::new();
    let mut twice = false;
    for parameter in parameters(octets) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let is_named = is_named(parameter, fields);
        twice |= is_named && !names.insert(name_of(parameter));
        let found = tokens.len();
        collect(&decode(value), &mut tokens);
        if !tokens_in(&decode(name)).is_empty() || (tokens.len() > found && !is_named) {
            return None;
        }
    }
    (!twice || tokens.is_empty()).then_some(tokens)
}

fn in_form(octets: &[u8], fields: &[String], material: &Material) -> Result<Vec<u8>, Fault> {
    let mut filled: Vec<String> = Vec::new();
    for parameter in parameters(octets) {
        filled.push(if is_named(parameter, fields) {
            in_parameter(parameter, material)?
        } else {
            parameter.to_owned()
        });
    }
    Ok(filled.join("&").into_bytes())
}

/// A form that is not text has no fields.
fn parameters(octets: &[u8]) -> impl Iterator<Item = &str> {
    let text = std::str::from_utf8(octets).unwrap_or_default();
    text.split('&')
}

fn is_named(parameter: &str, fields: &[String]) -> bool {
    let name = name_of(parameter);
    let named = |field: &String| field.strip_prefix('/').unwrap_or(field) == name;
    fields.iter().any(named)
}
