//! A tool that sends a request. Where it goes stands in the file; arguments fill segments of the
//! path, values of the query, of headers and of the body, and can become nothing else. Credentials
//! are none of its business: the gateway of the sandbox puts them in.

mod body;
mod build;
mod url;

use http::{HeaderName, Method};

pub(crate) use body::{Body, Node};
pub(crate) use url::{Base, segments};

use crate::template::Template;

/// A request, as a file describes it.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    pub(crate) method: Method,
    pub(crate) base: Base,
    /// The segments of the path.
    pub(crate) path: Vec<Template>,
    pub(crate) query: Vec<Parameter>,
    pub(crate) headers: Vec<(HeaderName, Template, Style)>,
    pub(crate) body: Body,
    /// The variable with the token that is sent as `Authorization: Bearer`.
    pub(crate) token: Option<String>,
}

/// A parameter of the query.
#[derive(Debug, Clone)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) value: Template,
    pub(crate) style: Style,
}

/// How a list or an object is written (OpenAPI 3.1, 4.8.12.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// `a=1&a=2`.
    Repeated,
    /// `a=1,2`, and so with another separator.
    Joined(char),
    /// `a[b]=1`.
    Deep,
    /// The value as JSON.
    Json,
}

impl Http {
    /// The templates, for a check of the arguments that they name.
    pub(crate) fn templates(&self) -> Vec<&Template> {
        let mut templates: Vec<&Template> = self.path.iter().collect();
        templates.extend(self.query.iter().map(|it| &it.value));
        templates.extend(self.headers.iter().map(|(_, value, _)| value));
        templates.extend(self.body.templates());
        templates
    }
}

/// A header that a tool may set. What frames a message, routes it or authenticates it is not its
/// business.
///
/// # Errors
/// What is wrong with it, in words.
pub(crate) fn header(name: &str) -> Result<HeaderName, String> {
    let lower = name.to_ascii_lowercase();
    if AUTHENTICATING.contains(&lower.as_str()) {
        return Err(format!(
            "`{name}` is the gateway's: keep the secret as a credential of the server's profile, and leave the header out"
        ));
    }
    if FRAMING.contains(&lower.as_str()) || lower.starts_with("proxy-") {
        return Err(format!("`{name}` is set by Ringfence: leave it out"));
    }
    HeaderName::from_bytes(lower.as_bytes()).map_err(|_| format!("`{name}` is no name of a header"))
}

const AUTHENTICATING: [&str; 3] = ["authorization", "proxy-authorization", "cookie"];

const FRAMING: [&str; 14] = [
    "host",
    "content-length",
    "content-type",
    "content-encoding",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "accept-encoding",
    "forwarded",
    "x-http-method-override",
];

#[cfg(test)]
mod tests;
