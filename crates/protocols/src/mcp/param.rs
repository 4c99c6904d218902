//! Headers that repeat arguments of a call (`Mcp-Param-*`, 2026-07-28): they go on where they say
//! what some argument says.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use ringfence_mcp::frame::Frame;
use serde_json::Value;

use super::limits::PARAMS;

const PREFIX: &str = "mcp-param-";

/// The headers of this kind that go on. None where one is not what the message says.
pub(super) fn params(frame: &Frame, headers: &HeaderMap) -> Option<Vec<(HeaderName, HeaderValue)>> {
    let mut params: Vec<(HeaderName, HeaderValue)> = Vec::new();
    let named = headers
        .iter()
        .filter(|(name, _)| name.as_str().starts_with(PREFIX));
    let mut said = Vec::new();
    for (name, value) in named {
        if said.is_empty() {
            let arguments = frame.params().and_then(|it| it.get("arguments"));
            gather(&arguments?.to_json()?, &mut said);
        }
        let is_known = params.iter().any(|(known, _)| known == name);
        let text = decoded(value.to_str().ok()?)?;
        if is_known || params.len() >= PARAMS || !said.iter().any(|it| *it == text) {
            return None;
        }
        params.push((name.clone(), value.clone()));
    }
    Some(params)
}

/// Every argument that a header can say.
fn gather(value: &Value, said: &mut Vec<String>) {
    match value {
        Value::String(text) => said.push(text.clone()),
        Value::Bool(_) | Value::Number(_) => said.push(value.to_string()),
        Value::Object(members) => members.values().for_each(|it| gather(it, said)),
        Value::Array(_) | Value::Null => {}
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
