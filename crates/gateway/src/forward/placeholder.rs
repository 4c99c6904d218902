//! Puts the credential where the client put a token of ours, in the places that belong to it:
//! headers, Basic authentication and the query here, declared fields of the body in [`body`].

pub(super) mod body;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::HeaderValue;
use percent_encoding::utf8_percent_encode;
use ringfence_model::Secret;

use super::draft::Draft;
use super::fault::Fault;
use super::inject::{QUERY, unusable};
use super::places::Places;
use super::presented::{basic, decode};
use crate::pipeline::{Material, tokens_in};

/// Replaces the tokens in the head of a request, where this credential belongs.
pub(super) fn fill(draft: &mut Draft, material: &Material) -> Result<(), Fault> {
    let misfit = || unusable(material, "it does not fit into a header");
    let places = Places::Filled(material);
    for (name, text) in &mut draft.headers {
        if !places.has_header(name) {
            continue;
        }
        let filled = match basic(name, text) {
            Some(pair) => in_basic(&pair, material)?,
            None => replaced(text.as_bytes(), material)?,
        };
        if let Some(filled) = filled {
            let mut value = HeaderValue::from_bytes(filled.expose()).map_err(|_| misfit())?;
            value.set_sensitive(true);
            *text = value;
        }
    }
    if let Some(query) = &draft.query {
        let parts: Result<Vec<_>, _> = query
            .split('&')
            .map(|parameter| {
                if places.has_parameter(&name_of(parameter)) {
                    in_parameter(parameter, material)
                } else {
                    Ok(parameter.to_owned())
                }
            })
            .collect();
        draft.query = Some(parts?.join("&"));
    }
    Ok(())
}

/// A text with each token in it replaced; none where there is none.
fn replaced(text: &[u8], material: &Material) -> Result<Option<Secret>, Fault> {
    match &material.value {
        Some(value) => Ok(with_value(text, value.expose())),
        None if tokens_in(text).is_empty() => Ok(None),
        None => Err(unusable(
            material,
            "it has no value that could stand for a token",
        )),
    }
}

/// A text with each token in it replaced by `value`; none where there is none.
fn with_value(text: &[u8], value: &[u8]) -> Option<Secret> {
    let ranges = tokens_in(text);
    if ranges.is_empty() {
        return None;
    }
    let mut filled = Vec::with_capacity(text.len() + value.len());
    let mut from = 0;
    for range in ranges {
        filled.extend_from_slice(text.get(from..range.start).unwrap_or_default());
        filled.extend_from_slice(value);
        from = range.end;
    }
    filled.extend_from_slice(text.get(from..).unwrap_or_default());
    Some(Secret::new(filled))
}

/// Replaces within `user:password`, whose first colon ends the user.
fn in_basic(pair: &Secret, material: &Material) -> Result<Option<Secret>, Fault> {
    let Some(filled) = replaced(pair.expose(), material)? else {
        return Ok(None);
    };
    let colon = |text: &[u8]| text.iter().filter(|octet| **octet == b':').count();
    let user = pair.expose().split(|octet| *octet == b':').next();
    let in_user = user.is_some_and(|user| !tokens_in(user).is_empty());
    if in_user && colon(filled.expose()) != colon(pair.expose()) {
        return Err(unusable(
            material,
            "it holds a colon, which a user name cannot",
        ));
    }
    let encoded = format!("Basic {}", STANDARD.encode(filled.expose()));
    Ok(Some(Secret::new(encoded)))
}

/// Replaces within the value of one parameter of a query or form, and encodes it anew.
pub(super) fn in_parameter(parameter: &str, material: &Material) -> Result<String, Fault> {
    let Some((name, text)) = parameter.split_once('=') else {
        return Ok(parameter.to_owned());
    };
    let Some(filled) = replaced(&decode(text), material)? else {
        return Ok(parameter.to_owned());
    };
    let filled = std::str::from_utf8(filled.expose())
        .map_err(|_| unusable(material, "it does not fit into a query"))?;
    Ok(format!("{name}={}", utf8_percent_encode(filled, &QUERY)))
}

/// The decoded name of a parameter.
pub(super) fn name_of(parameter: &str) -> String {
    let name = parameter.split('=').next().unwrap_or_default();
    String::from_utf8_lossy(&decode(name)).into_owned()
}
