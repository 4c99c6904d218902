//! A request as it will be sent, before the credential is put in: written from what was decided
//! on, with the fields of the agent's that may go on.

use http::header::{
    ACCEPT, ACCEPT_CHARSET, ACCEPT_ENCODING, HOST, HeaderMap, HeaderValue, IF_RANGE, RANGE,
};
use http::uri::PathAndQuery;
use http::{Method, Request, Uri, Version, request};
use ringfence_model::{HttpRequest, ReasonCode, Scheme};

use super::charset;
use super::fault::Fault;
use super::head::{clean_request, substitute};
use super::payload::Outgoing;
use crate::http::authority;
use crate::pipeline::without_tokens;

/// The encodings of messages in a body that a client of gRPC reads.
const GRPC_ACCEPT_ENCODING: &str = "grpc-accept-encoding";

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
    /// The request that was `decided` on. What the agent's message says of method, path and
    /// query must be the same, but for tokens, which are not recorded.
    pub(super) fn new(decided: &HttpRequest, head: request::Parts) -> Result<Self, Fault> {
        let differs = |what: &str| {
            let reason = format!("the {what} is not the one that was decided on");
            Fault::refused(ReasonCode::Malformed, reason)
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
        headers.insert(ACCEPT, json);
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

    /// Asks for a response that the gateway can search for values: whole, in an alphabet that it
    /// reads, and not encoded, because the length of what is says something of a value in it.
    pub(super) fn ask_searchable(&mut self) {
        self.ask_readable();
        let identity = HeaderValue::from_static("identity");
        if self.headers.contains_key(GRPC_ACCEPT_ENCODING) {
            self.headers.insert(GRPC_ACCEPT_ENCODING, identity.clone());
        }
        self.headers.insert(ACCEPT_ENCODING, identity);
        self.headers.remove(ACCEPT_CHARSET);
        let accepted: Vec<HeaderValue> = self
            .headers
            .get_all(ACCEPT)
            .iter()
            .filter_map(charset::dropped)
            .collect();
        self.headers.remove(ACCEPT);
        for value in accepted {
            self.headers.append(ACCEPT, value);
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

    fn draft(name: &'static str, value: &'static str) -> Draft {
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
        draft.headers.insert(name, HeaderValue::from_static(value));
        draft
            .headers
            .insert(RANGE, HeaderValue::from_static("bytes=0-9"));
        draft
    }

    #[test]
    fn only_encodings_that_can_be_undone_are_asked_for() {
        for (offered, asked) in [
            ("gzip, deflate, br, zstd", "gzip, deflate, br"),
            ("zstd", "identity"),
            ("gzip;q=0, br;q=0.5", "br"),
            ("*", "identity"),
            ("", "identity"),
        ] {
            let mut draft = draft("accept-encoding", offered);
            draft.ask_readable();
            assert_eq!(draft.headers[ACCEPT_ENCODING], asked, "{offered}");
            assert!(!draft.headers.contains_key(RANGE));
        }
    }

    #[test]
    fn what_is_searched_is_asked_for_in_no_encoding_and_no_alphabet_of_the_agents() {
        for (name, offered, asked) in [
            ("accept-encoding", "gzip, br", Some("identity")),
            ("grpc-accept-encoding", "identity,gzip", Some("identity")),
            ("accept-charset", "utf-16", None),
            ("accept", "text/*;charset=utf-16;q=1", Some("text/*;q=1")),
        ] {
            let mut draft = draft(name, offered);
            draft.ask_searchable();
            let value = draft.headers.get(name).map(HeaderValue::as_bytes);
            assert_eq!(value, asked.map(str::as_bytes), "{name}");
            assert!(!draft.headers.contains_key(RANGE));
        }
        let mut bare = draft("x-other", "");
        bare.ask_searchable();
        assert_eq!(bare.headers[ACCEPT_ENCODING], "identity");
        assert!(!bare.headers.contains_key(GRPC_ACCEPT_ENCODING));
    }
}
