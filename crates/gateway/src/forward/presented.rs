//! The tokens of ours that a request carries, wherever a client may put one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use http::header::{AUTHORIZATION, HeaderName};
use percent_encoding::percent_decode_str;
use ringfence_model::Secret;

use super::draft::Draft;
use crate::pipeline::tokens_in;

/// The tokens in the head of a request: in any header, in either part of Basic authentication, in
/// any name or value of the query, and in the path.
pub(super) fn presented(draft: &Draft) -> Vec<Secret> {
    let mut tokens = Vec::new();
    for (name, value) in &draft.headers {
        collect(value.as_bytes(), &mut tokens);
        if let Some(basic) = basic(name, value) {
            collect(basic.expose(), &mut tokens);
        }
    }
    for parameter in draft.query.iter().flat_map(|query| query.split('&')) {
        collect(&decode(parameter), &mut tokens);
    }
    let path: Vec<u8> = percent_decode_str(&draft.path).collect();
    collect(&path, &mut tokens);
    tokens
}

/// The tokens in a text.
pub(super) fn collect(text: &[u8], tokens: &mut Vec<Secret>) {
    for range in tokens_in(text) {
        tokens.push(Secret::new(text.get(range).unwrap_or_default()));
    }
}

/// `user:password` of a field of Basic authentication (RFC 7617).
pub(super) fn basic(name: &HeaderName, value: &HeaderValue) -> Option<Secret> {
    let scheme = b"basic ";
    let text = value.as_bytes();
    let (begin, rest) = text.split_at_checked(scheme.len())?;
    if *name != AUTHORIZATION || !begin.eq_ignore_ascii_case(scheme) {
        return None;
    }
    STANDARD.decode(rest.trim_ascii()).ok().map(Secret::new)
}

/// A part of a query or form, decoded (`application/x-www-form-urlencoded`).
pub(super) fn decode(text: &str) -> Vec<u8> {
    percent_decode_str(&text.replace('+', " ")).collect()
}
