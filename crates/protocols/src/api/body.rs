//! Reads the body of a request where the decision on it needs to know what it says. What is sent
//! on afterwards is what was read, or the same written anew.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http::request::Parts;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use ringfence_gateway::http::RequestBody;
use ringfence_gateway::wire::json;
use ringfence_gateway::{Gateway, Reading, Reserved, Session};
use ringfence_model::Content;
use tokio::time::timeout;

use super::limits::BODY_OCTETS;
use super::{classify, graphql, weight};

/// A body that was read, and what it says.
#[derive(Debug)]
pub(super) struct Read {
    /// What policy may know.
    pub(super) content: Content,
    /// What is sent on.
    pub(super) octets: Bytes,
    /// The room of the octets, kept until they are sent.
    pub(super) room: Reserved,
    /// The room of what they say, kept until it is decided on.
    pub(super) working: Vec<Reserved>,
}

/// Why a body was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unread {
    /// It is longer than what is read.
    #[error("the body is longer than {0} octets, and a rule has to read it")]
    TooLong(u64),
    /// The sandbox has too many other bodies under way, or this one says too much.
    #[error("there is no room left to read the body in, which a rule has to read")]
    NoRoom,
    /// It did not come in time.
    #[error("the body did not arrive in time")]
    TimedOut,
    /// The client broke off.
    #[error("the client broke off: {0}")]
    Broken(String),
}

/// Reads bodies for one sandbox, in the room that it has for them.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) gateway: &'a Gateway,
    pub(crate) session: &'a Session,
    /// The longest wait for a whole body.
    pub(crate) wait: Duration,
}

impl Reader<'_> {
    /// Reads the body of a request as far as `reading` asks.
    pub(super) async fn read(
        &self,
        head: &Parts,
        body: RequestBody,
        reading: Reading,
    ) -> Result<Read, Unread> {
        let limit = match reading.octets {
            0 => BODY_OCTETS,
            octets => octets,
        };
        let announced = announced(head).unwrap_or(limit);
        let mut room = self.reserve(announced.min(limit)).await?;
        let octets = timeout(self.wait, receive(body, limit)).await;
        let octets = octets.map_err(|_| Unread::TimedOut)??;
        room.shrink(octets.len() as u64);
        let mut read = Read {
            content: Content {
                media_type: classify::media_type(head),
                octets: octets.len() as u64,
                ..Content::default()
            },
            octets,
            room,
            working: Vec::new(),
        };
        self.understand(head, &mut read, reading).await?;
        Ok(read)
    }

    /// What the octets say. What cannot be read says why, and only rules that do not ask allow it.
    async fn understand(
        &self,
        head: &Parts,
        read: &mut Read,
        reading: Reading,
    ) -> Result<(), Unread> {
        let content = &mut read.content;
        if let Some(fault) = unreadable(head, content.media_type.as_deref(), reading) {
            content.fault = Some(fault.to_owned());
            return Ok(());
        }
        let weight = weight::of_json(&read.octets);
        read.working.push(self.reserve(weight).await?);
        let value = match json::read(&read.octets) {
            Ok(value) => value,
            Err(error) => {
                content.fault = Some(error.to_string());
                return Ok(());
            }
        };
        if !reading.graphql {
            content.json = Some(value);
            return Ok(());
        }
        read.working
            .push(self.reserve(weight::of_graphql(&value)).await?);
        match graphql::read(&value) {
            Err(error) => content.fault = Some(error.to_string()),
            Ok(request) => {
                read.octets = request.body.to_string().into();
                content.octets = read.octets.len() as u64;
                content.graphql = Some(request.operation);
                content.json = Some(request.body);
            }
        }
        Ok(())
    }

    async fn reserve(&self, octets: u64) -> Result<Reserved, Unread> {
        let reserved = self.gateway.reserve(self.session, octets).await;
        reserved.ok_or(Unread::NoRoom)
    }
}

fn announced(head: &Parts) -> Option<u64> {
    let length = head.headers.get(CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

async fn receive(body: RequestBody, limit: u64) -> Result<Bytes, Unread> {
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    match Limited::new(body, most).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Unread::TooLong(limit)),
        Err(error) => Err(Unread::Broken(error.to_string())),
    }
}

/// Why a body is not even tried to be read, from what its head says.
fn unreadable(head: &Parts, media_type: Option<&str>, reading: Reading) -> Option<&'static str> {
    if head.headers.contains_key(CONTENT_ENCODING) {
        Some("the body is compressed, and a rule has to read it")
    } else if !media_type.is_some_and(is_json) {
        Some("the body is not declared as JSON")
    } else if !is_utf8(head) {
        // Readers that believe it see other texts than this one does.
        Some("the body is declared in another encoding than UTF-8")
    } else if reading.graphql && head.uri.query().is_some() {
        // Some servers let what is there win over the body.
        Some("a part of the GraphQL request may be in the query")
    } else {
        None
    }
}

/// Whether no parameter of the media type says that the text is not UTF-8 (RFC 8259, section 8.1).
fn is_utf8(head: &Parts) -> bool {
    let value = head.headers.get(http::header::CONTENT_TYPE);
    let value = value.and_then(|value| value.to_str().ok());
    let mut parameters = value.unwrap_or_default().split(';').skip(1);
    parameters.all(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let value = value.trim().trim_matches('"');
        !name.trim().eq_ignore_ascii_case("charset") || value.eq_ignore_ascii_case("utf-8")
    })
}

fn is_json(media_type: &str) -> bool {
    media_type == "application/json"
        || media_type == "application/graphql+json"
        || (media_type.starts_with("application/") && media_type.ends_with("+json"))
}

#[cfg(test)]
mod tests;
