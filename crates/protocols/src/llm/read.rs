//! The body of a request, read whole before it is decided on.

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use ringfence_gateway::Reserved;
use ringfence_gateway::http::RequestBody;
use ringfence_llm::limits::BODY_OCTETS;
use tokio::time::timeout;

use super::limits::{
    DRAIN_WAIT, DRAINED_OCTETS, READ_OCTETS, REQUEST_WAIT, UNANNOUNCED_OCTETS, VALUES_OCTETS,
};
use super::service::Client;

/// Why a body was not read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unread {
    #[error("the body is longer than {0} octets")]
    TooLong(usize),
    #[error("there is no room left to read the body in: too many other requests are under way")]
    NoRoom,
    #[error("the body did not arrive in time")]
    TimedOut,
    #[error("the client broke off: {0}")]
    Broken(String),
    #[error("compressed requests are not read: send it without Content-Encoding")]
    Encoded,
    #[error("the body is not declared as JSON")]
    NotJson,
}

impl Client {
    /// Reads the body of a request, in the room that the sandbox has for bodies.
    pub(super) async fn body(
        &self,
        head: &Parts,
        body: &mut RequestBody,
    ) -> Result<(Bytes, Reserved), Unread> {
        let is_plain = |value: &http::HeaderValue| value.as_bytes() == b"identity";
        if !head.headers.get(CONTENT_ENCODING).is_none_or(is_plain) {
            return Err(Unread::Encoded);
        }
        if !is_json(head) {
            return Err(Unread::NotJson);
        }
        let announced = announced(head);
        if announced.is_some_and(|octets| octets > BODY_OCTETS as u64) {
            return Err(Unread::TooLong(BODY_OCTETS));
        }
        let limit = announced.map_or(UNANNOUNCED_OCTETS, |_| BODY_OCTETS);
        let expected = announced.unwrap_or(UNANNOUNCED_OCTETS as u64);
        let room = self.gateway.reserve(&self.session, weight(expected)).await;
        let mut room = room.ok_or(Unread::NoRoom)?;
        let received = timeout(REQUEST_WAIT, Limited::new(body, limit).collect()).await;
        let octets = match received.map_err(|_| Unread::TimedOut)? {
            Ok(collected) => collected.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => return Err(Unread::TooLong(limit)),
            Err(error) => return Err(Unread::Broken(error.to_string())),
        };
        room.shrink(weight(octets.len() as u64));
        Ok((octets, room))
    }
}

/// Reads away the rest of a body that is not asked for any more, up to a bound.
pub(super) async fn drain(body: &mut RequestBody) {
    let rest = Limited::new(body, DRAINED_OCTETS);
    let mut rest = std::pin::pin!(rest);
    let reading = async { while let Some(Ok(_)) = rest.frame().await {} };
    let _ = timeout(DRAIN_WAIT, reading).await;
}

/// The room that a body of so many octets takes: itself, changed once, and where its values are.
pub(super) fn weight(octets: u64) -> u64 {
    (2 * octets + (8 * octets).min(VALUES_OCTETS)).min(READ_OCTETS)
}

fn announced(head: &Parts) -> Option<u64> {
    let length = head.headers.get(CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

/// A body of another type could be read by the provider in another way than here.
fn is_json(head: &Parts) -> bool {
    let mut values = head.headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return false;
    };
    let Ok(value) = value.to_str() else {
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
