//! The request as one JSON document: what CEL expressions and JSON pointers of rules look at.

use std::borrow::Cow;
use std::collections::HashSet;

use ringfence_model::{Content, GraphqlOperation, HttpRequest};
use serde_json::{Map, Value, json};

use crate::document::unscoped;
use crate::limits::QUERY_PARAMS;

/// What cannot be told, for example a query with several readings, is left out: who looks at it
/// finds nothing.
pub(super) fn of(request: &HttpRequest) -> Value {
    let mut document = Map::new();
    let mut put = |name: &str, value: Value| drop(document.insert(name.to_owned(), value));
    put("method", request.method.as_str().into());
    put("scheme", request.scheme.as_str().into());
    put("host", request.destination.host.to_string().into());
    put("port", request.destination.port.into());
    // Decoded, a name in a scope could not be told from two segments.
    let path = decoded(&request.path, false).filter(|_| unscoped(&request.path).is_none());
    if let Some(path) = path {
        put("path", path.into());
    }
    if let Some(params) = params(request.query.as_deref()) {
        put("query", grouped(params));
    }
    let headers = request.headers.iter();
    put(
        "headers",
        grouped(headers.map(|(name, value)| (name.into(), value.into()))),
    );
    put("content", content(request));
    let operation = request.content.as_ref().and_then(|it| it.graphql.as_ref());
    if let Some(operation) = operation {
        put("graphql", graphql(operation));
    }
    Value::Object(document)
}

/// The parameters of a query, decoded. None where servers could read it in several ways.
pub(super) fn params(query: Option<&str>) -> Option<Vec<(Cow<'_, str>, Cow<'_, str>)>> {
    let query = query.unwrap_or_default();
    // Some servers separate parameters by semicolons as well.
    if query.contains(';') {
        return None;
    }
    let mut params = Vec::new();
    for piece in query.split('&').filter(|piece| !piece.is_empty()) {
        if params.len() == QUERY_PARAMS {
            return None;
        }
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        params.push((decoded(name, true)?, decoded(value, true)?));
    }
    Some(params)
}

/// The one media type of a body, in lower case without parameters.
pub(super) fn media_type(request: &HttpRequest) -> Option<Cow<'_, str>> {
    let read = request.content.as_ref();
    if let Some(known) = read.and_then(|content| content.media_type.as_deref()) {
        return Some(known.into());
    }
    let value = only_header(request, "content-type")?;
    let media_type = value.split(';').next().unwrap_or_default().trim();
    Some(media_type.to_ascii_lowercase().into())
}

/// How long the body is, where that is known before it was read.
pub(super) fn octets(request: &HttpRequest) -> Option<u64> {
    match &request.content {
        Some(content) => Some(content.octets),
        None => only_header(request, "content-length")?.parse().ok(),
    }
}

fn only_header<'a>(request: &'a HttpRequest, wanted: &str) -> Option<&'a str> {
    let mut found = request.headers.iter().filter(|(name, _)| name == wanted);
    match (found.next(), found.next()) {
        (Some((_, value)), None) => Some(value),
        _ => None,
    }
}

fn content(request: &HttpRequest) -> Value {
    let mut content = Map::new();
    if let Some(media_type) = media_type(request) {
        content.insert("type".to_owned(), media_type.into());
    }
    if let Some(octets) = octets(request) {
        content.insert("octets".to_owned(), octets.into());
    }
    if let Some(Content {
        json: Some(value), ..
    }) = &request.content
    {
        content.insert("json".to_owned(), value.clone());
    }
    Value::Object(content)
}

/// A root field that is there twice has no one value, and is left out.
fn graphql(operation: &GraphqlOperation) -> Value {
    let mut fields = Map::new();
    let mut twice = HashSet::new();
    for field in &operation.fields {
        let known = fields.insert(field.name.clone(), field.arguments.clone());
        if known.is_some() {
            twice.insert(&field.name);
        }
    }
    for name in twice {
        fields.remove(name);
    }
    Value::Object(fields)
}

fn grouped<'a>(pairs: impl IntoIterator<Item = (Cow<'a, str>, Cow<'a, str>)>) -> Value {
    let mut grouped = Map::new();
    for (name, value) in pairs {
        let values = grouped.entry(name).or_insert_with(|| json!([]));
        if let Value::Array(values) = values {
            values.push(value.into());
        }
    }
    Value::Object(grouped)
}

/// None where an escape is not sound, or where the text is not UTF-8.
fn decoded(text: &str, plus_is_space: bool) -> Option<Cow<'_, str>> {
    if !text.contains(['%', '+']) {
        return Some(text.into());
    }
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        octets.push(match first {
            b'+' if plus_is_space => b' ',
            b'%' => {
                let (digits, tail) = tail.split_at_checked(2)?;
                rest = tail;
                let digits = std::str::from_utf8(digits).ok()?;
                let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
                u8::from_str_radix(digits, 16).ok().filter(|_| is_hex)?
            }
            other => other,
        });
    }
    String::from_utf8(octets).ok().map(Cow::Owned)
}
