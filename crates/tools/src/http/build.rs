//! One request from its description and the arguments of a call.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, HeaderValue};
use serde_json::Value;

use super::url::{encode, encode_literal};
use super::{Http, Parameter, Style};
use crate::client::Request;
use crate::error::CallError;
use crate::limits::{HEADER_OCTETS, TARGET_OCTETS};
use crate::template::{Arguments, Place, Template, Written, list, present, scalar};

impl Http {
    /// The request for these arguments. `surroundings` are the variables of the server.
    ///
    /// # Errors
    /// Where a value cannot stand where it would.
    pub(crate) fn request(
        &self,
        arguments: &Arguments,
        surroundings: &BTreeMap<String, String>,
    ) -> Result<Request, CallError> {
        let body = self.body.write(arguments)?;
        let mut headers = self.headers(arguments)?;
        if let Some(name) = &self.token {
            let token = surroundings.get(name).ok_or_else(|| {
                CallError::new(format!(
                    "there is no token in `{name}`: a person can add it to `tokens` of the server's profile"
                ))
            })?;
            headers.insert(
                AUTHORIZATION,
                value("Authorization", &format!("Bearer {token}"))?,
            );
        }
        if let Some((kind, _)) = &body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        headers.insert(HOST, value("Host", &self.base.authority())?);
        Ok(Request {
            method: self.method.clone(),
            base: self.base.clone(),
            target: self.target(arguments)?,
            headers,
            body: body.map_or_else(Bytes::new, |(_, body)| Bytes::from(body)),
        })
    }

    fn target(&self, arguments: &Arguments) -> Result<String, CallError> {
        let mut target = String::new();
        for segment in &self.path {
            target.push('/');
            match segment.write(arguments, in_path, encode_literal)? {
                Written::One(text) => target.push_str(&text),
                Written::Many(texts) => target.push_str(&texts.join(",")),
                // What is behind it would be somewhere else.
                Written::Absent => {
                    return Err(CallError::new("an argument of the path is missing"));
                }
            }
        }
        let mut pairs = Vec::new();
        for parameter in &self.query {
            parameter.write(arguments, &mut pairs)?;
        }
        for (at, pair) in pairs.iter().enumerate() {
            target.push(if at == 0 { '?' } else { '&' });
            target.push_str(pair);
        }
        if target.len() > TARGET_OCTETS {
            return Err(CallError::new(format!(
                "path and query are longer than {TARGET_OCTETS} octets"
            )));
        }
        Ok(target)
    }

    fn headers(&self, arguments: &Arguments) -> Result<HeaderMap, CallError> {
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        headers.insert(
            ACCEPT,
            HeaderValue::from_static("application/json, text/*;q=0.9, */*;q=0.5"),
        );
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        for (name, template, style) in &self.headers {
            if let Some(text) = flat(template, *style, arguments)? {
                headers.insert(name.clone(), value(name.as_str(), &text)?);
            }
        }
        Ok(headers)
    }
}

/// A value in a segment of a path. Servers and proxies differ in what they make of an escaped
/// slash, of dots and of escapes in escapes, so none of them is sent.
fn in_path(place: &Place, text: &str) -> Result<String, CallError> {
    let name = &place.name;
    let refused = |what: &str| {
        Err(CallError::new(format!(
            "the argument `{name}` stands in the path of a URL, so it {what}"
        )))
    };
    if text.is_empty() {
        return refused("must not be empty");
    }
    if matches!(text, "." | "..") {
        return refused("must not be `.` or `..`");
    }
    if text.contains(['/', '\\', '%']) || text.chars().any(char::is_control) {
        return refused("must not have `/`, `\\`, `%` or control characters");
    }
    Ok(encode(text))
}

/// A value of a header: what is visible, and blanks.
fn value(name: &str, text: &str) -> Result<HeaderValue, CallError> {
    let is_plain = |octet: u8| matches!(octet, b' '..=b'~' | 0x80..);
    if !text.bytes().all(is_plain) || text.len() > HEADER_OCTETS {
        return Err(CallError::new(format!(
            "the header `{name}` takes no line ends or other control characters, and at most {HEADER_OCTETS} octets"
        )));
    }
    HeaderValue::from_bytes(text.as_bytes())
        .map_err(|_| CallError::new(format!("the header `{name}` does not take this value")))
}

/// One text for a header.
fn flat(
    template: &Template,
    style: Style,
    arguments: &Arguments,
) -> Result<Option<String>, CallError> {
    if let Some(found) = template
        .bare()
        .and_then(|it| Some((it, present(arguments, &it.name)?)))
    {
        let (place, value) = found;
        if style == Style::Json {
            return Ok(Some(value.to_string()));
        }
        if value.is_array() {
            return Ok(Some(list(&place.name, value)?.join(",")));
        }
    }
    Ok(match template.plain(arguments)? {
        Written::One(text) => Some(text),
        Written::Many(texts) => Some(texts.join(",")),
        Written::Absent => None,
    })
}

impl Parameter {
    /// Adds `name=value` as often as there are values.
    fn write(&self, arguments: &Arguments, pairs: &mut Vec<String>) -> Result<(), CallError> {
        let found = self
            .value
            .bare()
            .and_then(|it| Some((it, present(arguments, &it.name)?)));
        let name = encode(&self.name);
        match (found, self.style) {
            (Some((_, value)), Style::Json) => {
                pairs.push(format!("{name}={}", encode(&value.to_string())));
            }
            (Some((place, Value::Object(fields))), Style::Deep) => {
                for (field, value) in fields {
                    let value = scalar(&place.name, value)?;
                    let field = encode(field);
                    pairs.push(format!("{name}%5B{field}%5D={}", encode(&value)));
                }
            }
            (Some((place, value @ Value::Array(_))), style) => {
                let values = list(&place.name, value)?;
                let values = values.iter().map(|it| encode(it));
                match style {
                    Style::Joined(separator) => {
                        let separator = encode_literal(&separator.to_string());
                        let values: Vec<String> = values.collect();
                        pairs.push(format!("{name}={}", values.join(&separator)));
                    }
                    _ => pairs.extend(values.map(|value| format!("{name}={value}"))),
                }
            }
            _ => match self.value.plain(arguments)? {
                Written::One(text) => pairs.push(format!("{name}={}", encode(&text))),
                Written::Many(texts) => {
                    pairs.extend(texts.iter().map(|it| format!("{name}={}", encode(it))));
                }
                Written::Absent => {}
            },
        }
        Ok(())
    }
}

const AGENT: &str = concat!("ringfence-tools/", env!("CARGO_PKG_VERSION"));
