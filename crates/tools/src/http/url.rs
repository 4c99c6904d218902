//! Where requests go: read from the file, never from an argument.

use http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::template::Template;

/// Scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Base {
    pub(crate) is_https: bool,
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Base {
    /// Reads the start of a URL up to its path, and returns what follows as well.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(crate) fn read(url: &str) -> Result<(Self, &str), String> {
        let (scheme, rest) = url
            .split_once("://")
            .ok_or_else(|| format!("`{url}` is no absolute URL, as https://api.acme.test/v1 is"))?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        if authority.contains(['{', '}', '@', '\\', '%']) {
            return Err(format!(
                "the host of `{url}` is to be written out: it has no arguments, user or escapes"
            ));
        }
        let is_https = match scheme {
            "https" => true,
            "http" => false,
            _ => return Err(format!("`{url}` is neither https nor http")),
        };
        if rest.contains('#') {
            return Err(format!("`{url}` has a fragment, which is never sent"));
        }
        let uri: Uri = format!("{scheme}://{authority}/")
            .parse()
            .map_err(|_| format!("`{url}` has no host that can be read"))?;
        let host = uri.host().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| format!("`{url}` has no host"))?;
        let port = uri.port_u16().unwrap_or(if is_https { 443 } else { 80 });
        let base = Self {
            is_https,
            host: host.to_ascii_lowercase(),
            port,
        };
        Ok((base, rest))
    }

    /// Host and port, as the header says them: the port where it is not the usual one.
    pub(crate) fn authority(&self) -> String {
        match (self.is_https, self.port) {
            (true, 443) | (false, 80) => self.host.clone(),
            (_, port) => format!("{}:{port}", self.host),
        }
    }
}

/// The segments of a path with places.
///
/// # Errors
/// What is wrong with it, in words.
pub(crate) fn segments(path: &str) -> Result<Vec<Template>, String> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let segments = path.split('/').map(|segment| {
        let template = Template::read(segment)?;
        if matches!(template.as_literal(), Some("." | "..")) {
            return Err(format!("`/{path}` has a segment `.` or `..`"));
        }
        Ok(template)
    });
    segments.collect()
}

/// A value as a part of one segment of a path, of the query, or of a form.
pub(crate) fn encode(value: &str) -> String {
    utf8_percent_encode(value, ENCODED).to_string()
}

/// What the file says between places of a path: escapes in it stay as they are.
pub(crate) fn encode_literal(text: &str) -> String {
    utf8_percent_encode(text, LITERAL).to_string()
}

/// All but the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What may stand in a segment: also sub-delims, `:`, `@` and escapes.
const LITERAL: &AsciiSet = &ENCODED
    .remove(b'%')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');
