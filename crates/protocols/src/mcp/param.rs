//! Headers that repeat arguments of a call (`Mcp-Param-*`, 2026-07-28): they go on where the tool's
//! definition says which argument each repeats, and they say what that says.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use ringfence_json::{Kind, Value};
use ringfence_mcp::frame::Frame;
use serde_json::Value as Json;

use super::limits::PARAMS;

const PREFIX: &str = "mcp-param-";

/// The keyword of a schema that says which header repeats an argument.
const KEYWORD: &str = "x-mcp-header";

/// The headers of this kind. None where one is there twice, or there are too many.
pub(super) fn params(headers: &HeaderMap) -> Option<Vec<(HeaderName, HeaderValue)>> {
    let mut params: Vec<(HeaderName, HeaderValue)> = Vec::new();
    let named = headers
        .iter()
        .filter(|(name, _)| name.as_str().starts_with(PREFIX));
    for (name, value) in named {
        let is_known = params.iter().any(|(known, _)| known == name);
        if is_known || params.len() >= PARAMS {
            return None;
        }
        params.push((name.clone(), value.clone()));
    }
    Some(params)
}

/// Whether each header is one of the tool that `definition` is of, and says what the message says.
pub(super) fn agree(params: &[(HeaderName, HeaderValue)], definition: &str, frame: &Frame) -> bool {
    if params.is_empty() {
        return true;
    }
    let definition: Json = serde_json::from_str(definition).unwrap_or_default();
    let mut said = Vec::new();
    if let Some(schema) = definition.get("inputSchema") {
        let arguments = frame.params().and_then(|it| it.get("arguments"));
        gather(schema, arguments, &mut said);
    }
    params.iter().all(|(name, value)| {
        let name = name.as_str().strip_prefix(PREFIX).unwrap_or_default();
        let value = value.to_str().ok().and_then(decoded);
        let mut of_name = said
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .peekable();
        of_name.peek().is_some()
            && value.is_some_and(|value| of_name.all(|(_, said)| said.as_deref() == Some(&*value)))
    })
}

/// The headers that a schema knows, and what the message says of each.
fn gather(schema: &Json, value: Option<Value<'_>>, said: &mut Vec<(String, Option<String>)>) {
    let properties = schema.get("properties").and_then(Json::as_object);
    for (name, below) in properties.into_iter().flatten() {
        let value = value.and_then(|it| it.get(name));
        if let Some(header) = below.get(KEYWORD).and_then(Json::as_str) {
            said.push((header.to_owned(), value.and_then(plain)));
        }
        gather(below, value, said);
    }
}

/// What a header says for a value.
fn plain(value: Value<'_>) -> Option<String> {
    match value.kind() {
        Kind::Text => value.text().map(Cow::into_owned),
        Kind::Bool | Kind::Number => String::from_utf8(value.raw().to_vec()).ok(),
        _ => None,
    }
}

fn decoded(value: &str) -> Option<Cow<'_, str>> {
    let inner = value
        .strip_prefix("=?base64?")
        .and_then(|it| it.strip_suffix("?="));
    let Some(inner) = inner else {
        return Some(Cow::Borrowed(value));
    };
    String::from_utf8(STANDARD.decode(inner).ok()?)
        .ok()
        .map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use ringfence_mcp::limits::ASKED_OCTETS;

    use super::*;

    const TOOL: &str = r#"{"inputSchema":{"properties":{
        "region":{"type":"string","x-mcp-header":"Region"},
        "deep":{"properties":{"n":{"x-mcp-header":"N"}}},
        "other":{"type":"string"}}}}"#;

    fn is_agreed(headers: &[(&'static str, &'static str)]) -> bool {
        let call = br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t",
            "arguments":{"region":"eu","deep":{"n":7},"other":"us"}}}"#;
        let frame = Frame::read(call, ASKED_OCTETS).unwrap();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        params(&map).is_some_and(|params| agree(&params, TOOL, &frame))
    }

    #[test]
    fn a_header_repeats_the_argument_that_the_tool_says_and_no_other() {
        assert!(is_agreed(&[]));
        assert!(is_agreed(&[
            ("mcp-param-region", "eu"),
            ("mcp-param-n", "7")
        ]));
        assert!(is_agreed(&[("mcp-param-region", "=?base64?ZXU=?=")]));
        for odd in [
            &[("mcp-param-region", "us")][..],
            &[("mcp-param-region", "=?base64?dXM=?=")],
            &[("mcp-param-region", "=?base64?!?=")],
            &[("mcp-param-other", "us")],
            &[("mcp-param-tenant", "eu")],
            &[("mcp-param-n", "7.0")],
            &[("mcp-param-region", "eu"), ("mcp-param-region", "eu")],
        ] {
            assert!(!is_agreed(odd), "{odd:?}");
        }
    }
}
