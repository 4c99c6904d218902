//! The key-value store, version 2, of HashiCorp Vault and OpenBao.

use std::collections::BTreeMap;
use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ringfence_gateway::{Outbound, OwnRequest, OwnResponse};
use ringfence_model::Secret;
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use super::config::VaultConfig;
use super::limits::VAULT_PATH_OCTETS;
use super::{SourceError, file};

/// A field of a secret: `MOUNT/PATH#FIELD`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultRef {
    mount: String,
    path: String,
    field: String,
}

impl VaultRef {
    /// Reads `MOUNT/PATH#FIELD`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (place, field) = text.split_once('#')?;
        let (mount, path) = place.split_once('/')?;
        let is_segment = |segment: &str| {
            !matches!(segment, "" | "." | "..") && !segment.chars().any(char::is_control)
        };
        let is_sound = text.len() <= VAULT_PATH_OCTETS
            && place.split('/').all(is_segment)
            && is_segment(field);
        is_sound.then(|| Self {
            mount: mount.to_owned(),
            path: path.to_owned(),
            field: field.to_owned(),
        })
    }

    /// As the API wants it.
    fn encoded(&self) -> String {
        let encoded = |segment: &str| utf8_percent_encode(segment, KEPT).to_string();
        let path: Vec<_> = self.path.split('/').map(encoded).collect();
        format!("/v1/{}/data/{}", encoded(&self.mount), path.join("/"))
    }
}

impl fmt::Display for VaultRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}#{}", self.mount, self.path, self.field)
    }
}

/// What stays as it is in a segment of a path.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Asks for the field. `token` is the one of the environment, which counts before the file.
pub(super) async fn read(
    config: &VaultConfig,
    token: Option<&Secret>,
    wanted: &VaultRef,
    outbound: &Outbound,
) -> Result<Secret, SourceError> {
    let token = match (token, &config.token_file) {
        (Some(token), _) => token.clone(),
        (None, Some(path)) => trimmed(&file::read(path).await?),
        (None, None) => {
            return Err(refused(
                "there is no token for it: set VAULT_TOKEN or token_file",
            ));
        }
    };
    let mut headers = vec![
        ("x-vault-token".to_owned(), token),
        ("x-vault-request".to_owned(), Secret::new("true")),
    ];
    if let Some(namespace) = &config.namespace {
        headers.push((
            "x-vault-namespace".to_owned(),
            Secret::new(namespace.as_str()),
        ));
    }
    let request = OwnRequest {
        method: "GET".to_owned(),
        url: config.address.0.join(&wanted.encoded()).url(),
        headers,
        body: Secret::new(""),
    };
    let response = outbound.send(request).await;
    let response = response.map_err(|error| SourceError::Unreachable(error.to_string()))?;
    parse(&response, &wanted.field)
}

fn trimmed(token: &Secret) -> Secret {
    Secret::new(token.expose().trim_ascii())
}

/// The field of an answer. Nothing of the answer is repeated in an error.
fn parse(response: &OwnResponse, field: &str) -> Result<Secret, SourceError> {
    if let Some(why) = explained(response.status) {
        let status = response.status;
        return Err(refused(&format!("{why} (status {status})")));
    }
    let reply: Reply = serde_json::from_slice(response.body.expose())
        .map_err(|_| refused("its answer is not that of a key-value store of version 2"))?;
    let mut fields = reply.data.data.0;
    match fields.remove(field) {
        Some(Value::Text(secret)) if !secret.expose().is_empty() => Ok(secret),
        Some(_) => Err(refused("the field is empty or not a string")),
        None => Err(refused("the secret has no such field")),
    }
}

fn explained(status: u16) -> Option<&'static str> {
    match status {
        200 => None,
        300..=399 => Some("it answered with a redirect, which is not followed"),
        400 => Some("it did not take the request"),
        401 | 403 => Some("its token is not accepted, or may not read this"),
        404 => Some("there is no such secret, or it was deleted"),
        429 | 472 | 473 => Some("it is busy, or a stand-by"),
        500..=599 => Some("it is sealed, or has failed"),
        _ => Some("it answered with an unexpected status"),
    }
}

fn refused(why: &str) -> SourceError {
    SourceError::Refused(format!("Vault: {why}"))
}

#[derive(Deserialize)]
struct Reply {
    data: Versioned,
}

/// Only version 2 has data in its data.
#[derive(Deserialize)]
struct Versioned {
    data: Fields,
    #[serde(rename = "metadata")]
    _metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "version")]
    _version: u64,
}

/// The fields by name, each there once.
struct Fields(BTreeMap<String, Value>);

enum Value {
    Text(Secret),
    Other,
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = BTreeMap::new();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            if fields.insert(name, value).is_some() {
                return Err(A::Error::custom("a field is there twice"));
            }
        }
        Ok(Fields(fields))
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(Secret::new(text)))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }
}

#[cfg(test)]
mod tests;
