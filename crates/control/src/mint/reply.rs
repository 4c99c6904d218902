//! The answer of a token endpoint (RFC 6749, section 5), read strictly. Nothing of it is repeated
//! in an error but what `words` lets through.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use ringfence_model::{HostName, Secret};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error, Visitor};

use super::MintError;
use super::exchange::Answer;
use super::limits::{LIFE_SECONDS, TOKEN_OCTETS};
use super::words::{self, Hidden};
use crate::credential::Binding;
use crate::endpoint::Endpoint;

/// What a token endpoint gave out.
#[derive(Debug)]
pub(crate) struct Token {
    pub(crate) access_token: Secret,
    pub(crate) refresh_token: Option<Secret>,
    pub(crate) expires: Option<Timestamp>,
    /// Where it is good, as Salesforce says; not checked yet.
    pub(super) instance_url: Option<String>,
}

/// Other members are ignored, as the standard says. All are optional here, so that what is missing
/// can be named.
#[derive(Deserialize)]
struct TokenReply {
    access_token: Option<Text>,
    token_type: Option<Text>,
    expires_in: Option<Seconds>,
    refresh_token: Option<Text>,
    instance_url: Option<String>,
}

/// Reads the answer to a token request.
pub(super) fn token(answer: &Answer) -> Result<Token, MintError> {
    let reply: TokenReply = json(answer, 200)?;
    let has_bearer = reply.token_type.is_some_and(|text| {
        let text = text.0.expose();
        text.eq_ignore_ascii_case(b"bearer")
    });
    if !has_bearer {
        return Err(malformed("its `token_type` is not `Bearer`"));
    }
    let expires = match reply.expires_in {
        None => None,
        Some(Seconds(seconds)) => Some(after(answer.time, seconds)?),
    };
    Ok(Token {
        access_token: visible("access_token", reply.access_token)?,
        refresh_token: match reply.refresh_token {
            None => None,
            given => Some(visible("refresh_token", given)?),
        },
        expires,
        instance_url: reply.instance_url,
    })
}

/// The JSON of an answer of the expected status; any other is an error.
pub(super) fn json<T: DeserializeOwned>(answer: &Answer, expected: u16) -> Result<T, MintError> {
    expect(answer, expected, words::refusal)?;
    if !answer.content_type.as_deref().is_some_and(is_json) {
        return Err(malformed("its type is not application/json"));
    }
    // The parser's own words would repeat what it read.
    serde_json::from_slice(answer.body.expose()).map_err(|_| {
        malformed(
            "it is not the JSON object that it must be, or has a member twice or of a wrong type",
        )
    })
}

/// An error unless the answer has this status; `words` are those of the issuer's refusal.
pub(super) fn expect(
    answer: &Answer,
    expected: u16,
    words: fn(u16, &Secret, &Hidden) -> String,
) -> Result<(), MintError> {
    let status = answer.status;
    if status == expected {
        return Ok(());
    }
    Err(match status {
        300..=399 => malformed(&format!("a redirect, status {status}, is not followed")),
        400..=428 | 430..=499 => MintError::Refused(words(status, &answer.body, &answer.hidden)),
        429 | 500..=599 => MintError::Unreachable(format!("it answered with status {status}")),
        _ => malformed(&format!("status {status} is not expected")),
    })
}

/// A token that can stand in a header: visible ASCII and not too long.
pub(super) fn visible(name: &str, given: Option<Text>) -> Result<Secret, MintError> {
    let Some(Text(secret)) = given else {
        return Err(malformed(&format!("`{name}` is missing")));
    };
    let octets = secret.expose();
    if octets.is_empty() || octets.len() > TOKEN_OCTETS {
        return Err(malformed(&format!(
            "`{name}` is empty or longer than {TOKEN_OCTETS} octets"
        )));
    }
    if !octets.iter().all(u8::is_ascii_graphic) {
        return Err(malformed(&format!(
            "`{name}` holds a space, a line end or another character that no token has"
        )));
    }
    Ok(secret)
}

/// The host of `instance_url`, where the credential may be sent there.
pub(super) fn instance(binding: &Binding, url: &str) -> Result<HostName, MintError> {
    let other = || malformed("its `instance_url` is not a host of this credential");
    let endpoint = Endpoint::parse(url).map_err(|_| other())?;
    let destination = endpoint.destination();
    let is_bound = binding.covers_host(&destination.host)
        && destination.port == binding.port
        && endpoint.scheme() == binding.scheme;
    let host = destination.host.name().filter(|_| is_bound);
    host.cloned().ok_or_else(other)
}

pub(super) fn malformed(why: &str) -> MintError {
    MintError::Malformed(why.to_owned())
}

fn after(now: Timestamp, seconds: i64) -> Result<Timestamp, MintError> {
    if !(1..=LIFE_SECONDS).contains(&seconds) {
        return Err(malformed(
            "its `expires_in` is not a number of seconds above 0 and below ten years",
        ));
    }
    let expires = now.checked_add(SignedDuration::from_secs(seconds));
    expires.map_err(|_| malformed("its `expires_in` leads beyond the calendar"))
}

/// `application/json` or a type that is JSON as well (RFC 6839), whatever its parameters.
fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let essence = essence.to_ascii_lowercase();
    essence == "application/json"
        || essence
            .strip_prefix("application/")
            .is_some_and(|kind| kind.ends_with("+json"))
}

/// A string that may be secret; it is never a `String` of our own.
pub(super) struct Text(pub(super) Secret);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
        Ok(Text(Secret::new(text)))
    }
}

/// A whole number, or its digits as a string, as some issuers write it.
struct Seconds(i64);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SecondsVisitor)
    }
}

struct SecondsVisitor;

impl Visitor<'_> for SecondsVisitor {
    type Value = Seconds;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of seconds")
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<Seconds, E> {
        Ok(Seconds(seconds))
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<Seconds, E> {
        Ok(Seconds(i64::try_from(seconds).unwrap_or(i64::MAX)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Seconds, E> {
        let is_number = !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
        let seconds = text.parse().ok().filter(|_| is_number);
        seconds
            .map(Seconds)
            .ok_or_else(|| E::custom("no number of seconds"))
    }
}

#[cfg(test)]
mod tests;
