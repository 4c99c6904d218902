//! One JSON document to the upstream and one back.

use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use http::{Extensions, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use ringfence_gateway::Permit;
use ringfence_gateway::http::{RequestBody, ResponseBody, full};
use ringfence_gateway::wire::json;
use ringfence_git::wire::WireError;
use serde_json::Value;
use tokio::time::timeout;

use super::super::limits::{LFS_ANSWER_OCTETS, LFS_REQUEST_OCTETS, REQUEST_WAIT};
use super::super::say::Words;
use super::super::service::{Client, Odd, Place, headers};
use super::super::status::Failed;
use super::LFS_JSON;

/// What the upstream answered.
pub(super) struct Said {
    pub(super) status: StatusCode,
    pub(super) value: Value,
    /// Whoever serves the client must be able to cut its answer.
    pub(super) extensions: Extensions,
}

/// An answer that is no success, as the client gets it.
pub(super) type Stopped = Box<Response<ResponseBody>>;

/// What a request can take: as much as it announces, or all that is ever read of one.
fn room_for(headers: &HeaderMap) -> u64 {
    let most = LFS_REQUEST_OCTETS as u64;
    let length = headers.get(CONTENT_LENGTH);
    let length = length.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    length.map_or(most, |length| length.min(most))
}

/// A text of a request: bounded, of one line.
pub(super) fn text(value: &Value, name: &'static str) -> Result<Option<String>, Odd> {
    match value.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.len() <= TEXT_OCTETS && !has_control(text) => {
            Ok((!text.is_empty()).then(|| text.clone()))
        }
        Some(_) => Err(malformed(name)),
    }
}

/// The full name of the ref that a request is about, where it says so.
pub(super) fn ref_name(value: &Value) -> Result<Option<String>, Odd> {
    match value.get("ref") {
        None | Some(Value::Null) => Ok(None),
        Some(named @ Value::Object(_)) => text(named, "name"),
        Some(_) => Err(malformed("ref")),
    }
}

pub(super) fn malformed(name: &'static str) -> Odd {
    Odd::Body(format!("`{name}` is not what Git LFS sends"))
}

fn has_control(text: &str) -> bool {
    text.chars().any(char::is_control)
}

/// Longest text of a request or an answer that goes on.
const TEXT_OCTETS: usize = 4096;

impl Client {
    /// Reads the JSON of a request, and what `read` makes of it.
    pub(super) async fn lfs_read<T>(
        &self,
        headers: &HeaderMap,
        body: RequestBody,
        read: impl FnOnce(&Value) -> Result<T, Odd>,
    ) -> Result<T, Odd> {
        let _room = self.room(room_for(headers)).await.ok_or(Odd::NoRoom)?;
        let reading = Limited::new(body, LFS_REQUEST_OCTETS).collect();
        let whole = timeout(REQUEST_WAIT, reading)
            .await
            .map_err(|_| Odd::TimedOut)?
            .map_err(|error| Odd::Body(error.to_string()))?
            .to_bytes();
        let value = json::read(&whole).map_err(|error| Odd::Body(error.to_string()))?;
        read(&value)
    }

    /// Sends what `permit` allows, and reads the answer whole. A status that is none of `good` is
    /// the client's answer.
    pub(super) async fn lfs_ask(
        &self,
        place: &Place,
        permit: Permit,
        (head, body): (&HeaderMap, Option<&Value>),
        good: &[StatusCode],
    ) -> Result<Said, Stopped> {
        let own = [
            (CONTENT_TYPE, LFS_JSON),
            (ACCEPT, LFS_JSON),
            (ACCEPT_ENCODING, "identity"),
        ];
        let skipped = usize::from(body.is_none());
        let headers = headers(head, own.get(skipped..).unwrap_or_default());
        let body = body.map(Value::to_string).unwrap_or_default();
        let event = permit.event();
        let sent = self.send(permit, headers, full(body)).await;
        let response = sent.map_err(|stopped| Box::new(Words::of(&stopped).as_lfs(None)))?;
        let (head, body) = response.into_parts();
        let whole = Limited::new(body, LFS_ANSWER_OCTETS).collect().await;
        let odd = |reason: String| {
            let words = self.failed(place, event, &Failed::Lfs(reason));
            Box::new(words.as_lfs(Some(StatusCode::BAD_GATEWAY)))
        };
        if !good.contains(&head.status) {
            let (failed, status) = failed(&head);
            return Err(Box::new(self.failed(place, event, &failed).as_lfs(status)));
        }
        let whole = whole.map_err(|error| odd(error.to_string()))?.to_bytes();
        let value = json::read(&whole).map_err(|error| odd(error.to_string()))?;
        Ok(Said {
            status: head.status,
            value,
            extensions: head.extensions,
        })
    }

    /// The client's answer where the upstream's is not understood.
    pub(super) fn lfs_not_understood(
        &self,
        place: &Place,
        event: ringfence_model::EventId,
        reason: &str,
    ) -> Response<ResponseBody> {
        let failed = Failed::Lfs(reason.to_owned());
        let words = self.failed(place, event, &failed);
        words.as_lfs(Some(StatusCode::BAD_GATEWAY))
    }
}

/// What a status of the upstream means, and the status that the client is told. A credential that
/// is not accepted is the rule's and not the client's, which must not ask for another.
pub(super) fn failed(head: &http::response::Parts) -> (Failed, Option<StatusCode>) {
    let status = head.status;
    let seconds = head.headers.get(RETRY_AFTER);
    let seconds = seconds.and_then(|value| value.to_str().ok());
    let is_number = |text: &&str| {
        (1..=6).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_digit())
    };
    let failed = match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => Failed::NotFound,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Failed::Credential(status.as_u16()),
        StatusCode::TOO_MANY_REQUESTS => Failed::Busy(seconds.filter(is_number).map(str::to_owned)),
        _ if status.is_redirection() => Failed::Redirected,
        _ => Failed::Status(status.as_u16()),
    };
    let told = match status {
        StatusCode::UNAUTHORIZED => StatusCode::FORBIDDEN,
        status if status.is_client_error() => status,
        StatusCode::NOT_IMPLEMENTED | StatusCode::INSUFFICIENT_STORAGE => status,
        _ => StatusCode::BAD_GATEWAY,
    };
    (failed, Some(told))
}

/// An answer to the client.
pub(super) fn answer(
    status: StatusCode,
    value: &Value,
    extensions: Extensions,
) -> Response<ResponseBody> {
    let mut answer = Response::new(full(value.to_string()));
    *answer.status_mut() = status;
    *answer.extensions_mut() = extensions;
    super::super::say::set_type(&mut answer, LFS_JSON);
    answer
}

impl Odd {
    pub(super) fn too_large() -> Self {
        WireError::TooLarge("a request of Git LFS").into()
    }
}
