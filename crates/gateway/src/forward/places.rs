//! Where in a request a token of ours may stand: where a client puts what it authenticates itself
//! by. Anything else of a request was decided on as it is, so nothing is put there or taken out.

use http::HeaderValue;
use http::header::{HeaderName, SEC_WEBSOCKET_PROTOCOL};
use percent_encoding::percent_decode_str;

use super::draft::Draft;
use super::head::{is_authentication, is_authentication_parameter};
use super::presented::{basic, decode};
use crate::pipeline::{Injection, Material, tokens_in};

/// The places of a request that belong to a credential.
#[derive(Clone, Copy)]
pub(super) enum Places<'a> {
    /// A token there is taken out with all that the client authenticates itself by.
    Taken(Option<&'a Material>),
    /// A token there is replaced by the value of this credential.
    Filled(&'a Material),
}

impl<'a> Places<'a> {
    /// Where the first token stands that does not belong there, in words.
    pub(super) fn misplaced(self, draft: &Draft) -> Option<String> {
        for (name, value) in &draft.headers {
            if holds_token(name, value) && !self.has_header(name) {
                return Some(format!("the header `{name}`"));
            }
        }
        for parameter in draft.query.iter().flat_map(|query| query.split('&')) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let name = decode(name);
            let in_name = !tokens_in(&name).is_empty();
            let in_value = !tokens_in(&decode(value)).is_empty();
            let whole = in_name || in_value || !tokens_in(&decode(parameter)).is_empty();
            let name = String::from_utf8_lossy(&name);
            if whole && (in_name || !self.has_parameter(&name)) {
                return Some("the query".to_owned());
            }
        }
        let path: Vec<u8> = percent_decode_str(&draft.path).collect();
        (!tokens_in(&path).is_empty()).then(|| "the path".to_owned())
    }

    /// Whether a credential belongs into this header.
    pub(super) fn has_header(self, name: &HeaderName) -> bool {
        // Protocols that hold a credential are not asked for where a WebSocket is opened.
        let taken = matches!(self, Self::Taken(_)) && *name == SEC_WEBSOCKET_PROTOCOL;
        let injected = self.injections().any(|injection| {
            matches!(injection, Injection::Header { name: own, .. } if *own == name.as_str())
        });
        taken || injected || is_authentication(name)
    }

    /// Whether a credential belongs into the parameter of this decoded name.
    pub(super) fn has_parameter(self, name: &str) -> bool {
        let taken = matches!(self, Self::Taken(_)) && is_authentication_parameter(name);
        let injected = self.injections().any(
            |injection| matches!(injection, Injection::Query { name: own, .. } if own == name),
        );
        taken || injected
    }

    fn injections(self) -> impl Iterator<Item = &'a Injection> {
        let material = match self {
            Self::Taken(material) => material,
            Self::Filled(material) => Some(material),
        };
        material.into_iter().flat_map(|used| &used.injections)
    }
}

/// Whether a token stands in the field, be it in Basic authentication.
pub(super) fn holds_token(name: &HeaderName, value: &HeaderValue) -> bool {
    let hidden = basic(name, value).is_some_and(|pair| !tokens_in(pair.expose()).is_empty());
    hidden || !tokens_in(value.as_bytes()).is_empty()
}
