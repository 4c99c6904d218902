//! Tokens in the body of a request: in fields that the rule names, of JSON and of forms, and
//! nowhere else. A body in any other form, or encoded, is not looked into.

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use ringfence_model::{ReasonCode, Secret};
use serde_json::Value;

use super::{in_parameter, with_value};
use crate::forward::draft::Draft;
use crate::forward::fault::Fault;
use crate::forward::inject::unusable;
use crate::forward::payload::Payload;
use crate::forward::presented::{collect, decode};
use crate::limits::REWRITTEN_BODY_OCTETS;
use crate::pipeline::{Material, tokens_in};

/// The forms of a body that can be looked into.
enum Form {
    Json,
    Urlencoded,
}

/// The tokens in these fields.
pub(in crate::forward) async fn tokens(
    draft: &Draft,
    payload: &mut Payload,
    fields: &[String],
) -> Result<Vec<Secret>, Fault> {
    let mut tokens = Vec::new();
    let Some((form, octets)) = read(draft, payload, fields).await? else {
        return Ok(tokens);
    };
    match form {
        Form::Json => {
            for text in json_fields(octets, fields) {
                collect(text.as_bytes(), &mut tokens);
            }
        }
        Form::Urlencoded => {
            for parameter in parameters(octets).filter(|one| is_named(one, fields)) {
                collect(&decode(parameter), &mut tokens);
            }
        }
    }
    Ok(tokens)
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

/// The texts of the fields that are there.
fn json_fields(octets: &[u8], fields: &[String]) -> Vec<String> {
    let Ok(document) = serde_json::from_slice::<Value>(octets) else {
        return Vec::new();
    };
    fields
        .iter()
        .filter_map(|field| document.pointer(field)?.as_str().map(str::to_owned))
        .collect()
}

/// Replaces in the text of the document, so that nothing else of it changes. That is right only
/// where each token of the text stands in one of the fields, and as it is.
fn in_json(
    octets: &[u8],
    fields: &[String],
    material: &Material,
) -> Result<Option<Vec<u8>>, Fault> {
    let texts = json_fields(octets, fields);
    let declared: usize = texts
        .iter()
        .map(|text| tokens_in(text.as_bytes()).len())
        .sum();
    if declared == 0 {
        return Ok(None);
    }
    if tokens_in(octets).len() != declared {
        let reason = "a token stands in the body outside of the fields that the rule names";
        return Err(Fault::refused(ReasonCode::TokenInvalid, reason));
    }
    let value = material.value.as_ref().map(Secret::expose);
    let text = value.and_then(|value| std::str::from_utf8(value).ok());
    let text = text.ok_or_else(|| unusable(material, "it does not fit into JSON"))?;
    let quoted = Value::from(text).to_string();
    let inner = quoted.get(1..quoted.len() - 1).unwrap_or_default();
    let filled = with_value(octets, inner.as_bytes());
    Ok(filled.map(|filled| filled.expose().to_vec()))
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
    let name = parameter.split('=').next().unwrap_or_default();
    let name = decode(name);
    fields.iter().any(|field| {
        let field = field.strip_prefix('/').unwrap_or(field);
        field.as_bytes() == name
    })
}
