//! The body of a message, read whole before it is decided on.

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use ringfence_gateway::Reserved;
use ringfence_gateway::http::RequestBody;
use ringfence_mcp::limits::ASKED_OCTETS;
use tokio::time::timeout;

use super::limits::{REQUEST_WAIT, UNANNOUNCED_OCTETS};
use super::service::Client;

/// Why a body was not read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unread {
    #[error("the message is longer than {0} octets")]
    TooLong(usize),
    #[error("there is no room left to read the message in: too many others are under way")]
    NoRoom,
    #[error("the message did not arrive in time")]
    TimedOut,
    #[error("the client broke off: {0}")]
    Broken(String),
    #[error("compressed messages are not read: send it without Content-Encoding")]
    Encoded,
    #[error("a message is declared as application/json")]
    NotJson,
}

impl Client {
    /// Reads the body of a message, in the room that the sandbox has for bodies.
    pub(super) async fn body(
        &self,
        head: &Parts,
        body: RequestBody,
    ) -> Result<(Bytes, Reserved), Unread> {
        let is_plain = |value: &http::HeaderValue| value.as_bytes() == b"identity";
        if !head.headers.get(CONTENT_ENCODING).is_none_or(is_plain) {
            return Err(Unread::Encoded);
        }
        if !is_json(head) {
            return Err(Unread::NotJson);
        }
        let announced = head.headers.get(CONTENT_LENGTH);
        let announced: Option<usize> = announced.and_then(|it| it.to_str().ok()?.parse().ok());
        if announced.is_some_and(|octets| octets > ASKED_OCTETS) {
            return Err(Unread::TooLong(ASKED_OCTETS));
        }
        let limit = announced.unwrap_or(UNANNOUNCED_OCTETS);
        let room = self.gateway.reserve(&self.session, weight(limit)).await;
        let mut room = room.ok_or(Unread::NoRoom)?;
        let received = timeout(REQUEST_WAIT, Limited::new(body, limit).collect()).await;
        let octets = match received.map_err(|_| Unread::TimedOut)? {
            Ok(collected) => collected.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => return Err(Unread::TooLong(limit)),
            Err(error) => return Err(Unread::Broken(error.to_string())),
        };
        room.shrink(weight(octets.len()));
        Ok((octets, room))
    }
}

/// The room that a message takes: itself twice, and where its values are.
const fn weight(octets: usize) -> u64 {
    4 * octets as u64
}

/// A simple form that a page of another origin could send is none (RFC 6454, 2025-11-25).
fn is_json(head: &Parts) -> bool {
    let value = head.headers.get(CONTENT_TYPE);
    let Some(value) = value.and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let mut parts = value.split(';');
    let essence = parts.next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
        && parts.all(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let value = value.trim().trim_matches('"');
            !name.trim().eq_ignore_ascii_case("charset") || value.eq_ignore_ascii_case("utf-8")
        })
}
