//! A request as it will be sent, before the credential is put in: written from what was decided
//! on, with the fields of the agent's that may go on.

use http::header::{ACCEPT_ENCODING, HOST, HeaderMap, HeaderValue, IF_RANGE, RANGE};
use http::uri::PathAndQuery;
use http::{Method, Request, Uri, Version, request};
use ringfence_model::{Action, HttpRequest, ReasonCode, Scheme};

use super::fault::Fault;
use super::head::{clean_request, substitute};
use super::payload::Outgoing;
use crate::http::authority;
use crate::pipeline::without_tokens;

/// A request that is being written.
#[derive(Clone)]
pub(super) struct Draft {
    pub(super) method: Method,
    pub(super) scheme: Scheme,
    pub(super) authority: String,
    pub(super) path: String,
    pub(super) query: Option<String>,
    pub(super) headers: HeaderMap,
    /// Whether the agent speaks HTTP/2.
    pub(super) http2: bool,
    /// Whether it asks for a WebSocket, and so takes its connection over.
    pub(super) takes_over: bool,
}

impl Draft {
    /// The request that `action` describes. What the agent's message says of method, path and
    /// query must be the same, but for tokens, which are not recorded.
    pub(super) fn new(action: &Action, head: request::Parts) -> Result<Self, Fault> {
        let differs = |what: &str| {
            let reason = format!("the {what} is not the one that was decided on");
            Fault::refused(ReasonCode::Malformed, reason)
        };
        let Action::Http(decided) = action else {
            return Err(differs("action"));
        };
        if head.method.as_str() != decided.method || head.method == Method::CONNECT {
            return Err(differs("method"));
        }
        let uri_path = head.uri.path();
        if uri_path != decided.path {
            return Err(differs("path"));
        }
        let query = head.uri.query().map(str::to_owned);
        let shortened = query.as_deref().map(without_tokens).unwrap_or_default();
        if shortened != decided.query.as_deref().unwrap_or_default() {
            return Err(differs("query"));
        }
        let mut headers = head.headers;
        clean_request(&mut headers);
        if let Some(name) = substitute(&headers, query.as_deref()) {
            let reason = format!(
                "`{name}` makes some servers do something else than the request that was decided on"
            );
            return Err(Fault::refused(ReasonCode::Malformed, reason));
        }
        Ok(Self {
            method: head.method,
            query,
            headers,
            http2: head.version == Version::HTTP_2,
            ..Self::bare(decided)
        })
    }

    /// A `GET` of the gateway's own to where `request` leads.
    pub(super) fn own(request: &HttpRequest, path: &str, query: Option<&str>) -> Self {
        let mut headers = HeaderMap::new();
        let json = HeaderValue::from_static("application/json");
        headers.insert(http::header::ACCEPT, json);
        let agent = HeaderValue::from_static("ringfence");
        headers.insert(http::header::USER_AGENT, agent);
        Self {
            path: path.to_owned(),
            query: query.map(str::to_owned),
            headers,
            ..Self::bare(request)
        }
    }

    fn bare(request: &HttpRequest) -> Self {
        Self {
            method: Method::GET,
            scheme: request.scheme,
            authority: authority(&request.destination, request.scheme),
            path: request.path.clone(),
            query: None,
            headers: HeaderMap::new(),
            http2: false,
            takes_over: false,
        }
    }

    /// Asks for a response that the gateway can read: whole, and in an encoding that it undoes.
    /// A part of a response could end in the middle of a value, and the next begin there.
    pub(super) fn ask_readable(&mut self) {
        self.headers.remove(RANGE);
        self.headers.remove(IF_RANGE);
        let wanted: Vec<&str> = self
            .headers
            .get_all(ACCEPT_ENCODING)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(accepted)
            .collect();
        let value = match wanted.as_slice() {
            [] => HeaderValue::from_static("identity"),
            wanted => HeaderValue::from_str(&wanted.join(", "))
                .unwrap_or_else(|_| HeaderValue::from_static("identity")),
        };
        self.headers.insert(ACCEPT_ENCODING, value);
    }

    /// Whether it changes nothing upstream, so that it may be sent once more (RFC 9110, 9.2.1).
    pub(super) fn is_safe(&self) -> bool {
        matches!(self.method, Method::GET | Method::HEAD | Method::OPTIONS)
    }

    /// The path and query as they are sent.
    pub(super) fn target(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }

    /// The request for one version of HTTP.
    pub(super) fn write(mut self, http2: bool, body: Outgoing) -> Result<Request<Outgoing>, Fault> {
        let unusable = || Fault::refused(ReasonCode::Malformed, "the target is not valid");
        let target = PathAndQuery::try_from(self.target()).map_err(|_| unusable())?;
        let uri = if http2 {
            let mut parts = http::uri::Parts::default();
            parts.scheme = Some(match self.scheme {
                Scheme::Http => http::uri::Scheme::HTTP,
                Scheme::Https => http::uri::Scheme::HTTPS,
            });
            parts.authority = Some(self.authority.parse().map_err(|_| unusable())?);
            parts.path_and_query = Some(target);
            Uri::from_parts(parts).map_err(|_| unusable())?
        } else {
            let host = HeaderValue::try_from(&self.authority).map_err(|_| unusable())?;
            self.headers.insert(HOST, host);
            if self.headers.contains_key(http::header::TE) {
                let te = HeaderValue::from_static("te");
                self.headers.insert(http::header::CONNECTION, te);
            }
            if self.takes_over {
                let upgrade = HeaderValue::from_static("upgrade");
                self.headers.insert(http::header::CONNECTION, upgrade);
                let websocket = HeaderValue::from_static("websocket");
                self.headers.insert(http::header::UPGRADE, websocket);
            }
            Uri::from(target)
        };
        let mut request = Request::new(body);
        *request.method_mut() = self.method;
        *request.uri_mut() = uri;
        *request.headers_mut() = self.headers;
        Ok(request)
    }
}

/// The encodings that the gateway undoes as they stream. Zstandard comes in large blocks, which
/// would hold events back.
fn accepted(offer: &str) -> Option<&'static str> {
    let (name, weight) = offer.split_once(';').unwrap_or((offer, ""));
    let weight = weight.trim().to_ascii_lowercase();
    let refused = weight
        .strip_prefix("q=")
        .and_then(|weight| weight.parse::<f32>().ok())
        .is_some_and(|weight| weight <= 0.0);
    let name = name.trim().to_ascii_lowercase();
    let known = ["gzip", "deflate", "br"]
        .into_iter()
        .find(|known| *known == name);
    known.filter(|_| !refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_encodings_that_can_be_undone_are_asked_for() {
        for (offered, asked) in [
            ("gzip, deflate, br, zstd", "gzip, deflate, br"),
            ("zstd", "identity"),
            ("gzip;q=0, br;q=0.5", "br"),
            ("*", "identity"),
            ("", "identity"),
        ] {
            let request = HttpRequest {
                destination: "api.test:443".parse().unwrap(),
                scheme: Scheme::Https,
                method: "GET".to_owned(),
                path: "/".to_owned(),
                query: None,
                headers: Vec::new(),
                content: None,
            };
            let mut draft = Draft::own(&request, "/", None);
            draft
                .headers
                .insert(ACCEPT_ENCODING, HeaderValue::from_static(offered));
            draft
                .headers
                .insert(RANGE, HeaderValue::from_static("bytes=0-9"));
            draft.ask_readable();
            assert_eq!(draft.headers[ACCEPT_ENCODING], asked, "{offered}");
            assert!(!draft.headers.contains_key(RANGE));
        }
    }
}
