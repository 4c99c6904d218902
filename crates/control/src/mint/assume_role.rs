//! Temporary keys of a role of AWS (AWS STS API reference, "AssumeRole"). The request is signed with
//! the sealed keys, which no upstream but STS ever gets a signature of.

use jiff::Timestamp;
use ringfence_gateway::{Injection, Material, SigV4};
use ringfence_model::Secret;

use super::exchange::{Answer, Asked, FORM, Issuer, form};
use super::limits::{ACCESS_KEY_OCTETS, ROLE_SECONDS, ROLE_SECONDS_USUAL, TOKEN_OCTETS};
use super::reply::{self, malformed};
use super::settings::{Given, unusable};
use super::words::{self, Hidden};
use super::{MintError, Minted};
use crate::credential::{Definition, Secrets};
use crate::endpoint::Endpoint;

/// How the keys of a role are asked for.
pub(super) struct AssumeRole<'a> {
    endpoint: Endpoint,
    keys: SigV4,
    role: &'a str,
    session: &'a str,
    external_id: Option<&'a str>,
    seconds: i64,
    service: &'a str,
}

/// Temporary keys.
pub(super) struct Keys {
    keys: SigV4,
    expires: Timestamp,
}

impl<'a> AssumeRole<'a> {
    pub(super) fn read(given: Given<'a>) -> Result<Self, MintError> {
        let region = given.required("region")?;
        let is_region = |octet: u8| octet.is_ascii_lowercase() || b"-0123456789".contains(&octet);
        if !region.bytes().all(is_region) {
            return Err(unusable(
                "region",
                "it is lower-case letters, digits and `-`",
            ));
        }
        let role = given.required("role_arn")?;
        if !role.starts_with("arn:") || !role.contains(":role/") {
            return Err(unusable("role_arn", "it is arn:aws:iam::ACCOUNT:role/NAME"));
        }
        let usual = format!("https://sts.{region}.amazonaws.com");
        Ok(Self {
            endpoint: given.endpoint("sts_url", &usual)?,
            role,
            session: session(given.setting("session_name").unwrap_or("ringfence"))?,
            external_id: given.setting("external_id"),
            seconds: seconds(given.setting("duration"))?,
            service: given.required("service")?,
            keys: SigV4 {
                access_key: given.required("access_key")?.to_owned(),
                secret_key: given.required_secret("secret_key")?.clone(),
                session_token: None,
                region: region.to_owned(),
                service: "sts".to_owned(),
            },
        })
    }

    pub(super) async fn ask(&self, issuer: &Issuer<'_>) -> Result<Keys, MintError> {
        let answer = issuer.post_signed(|now| Ok(self.asked(now))).await?;
        self.keys(&answer)
    }

    fn asked(&self, now: Timestamp) -> Asked {
        let seconds = self.seconds.to_string();
        let mut fields: Vec<(&str, &[u8])> = vec![
            ("Action", b"AssumeRole"),
            ("Version", b"2011-06-15"),
            ("RoleArn", self.role.as_bytes()),
            ("RoleSessionName", self.session.as_bytes()),
            ("DurationSeconds", seconds.as_bytes()),
        ];
        let external_id = self.external_id.map(str::as_bytes);
        fields.extend(external_id.map(|id| ("ExternalId", id)));
        Asked {
            endpoint: self.endpoint.clone(),
            headers: vec![("accept".to_owned(), Secret::new("text/xml"))],
            content_type: FORM,
            body: form(&fields),
            signed: Some((self.keys.clone(), now)),
            hidden: Vec::new(),
        }
    }

    fn keys(&self, answer: &Answer) -> Result<Keys, MintError> {
        reply::expect(answer, 200, refusal)?;
        let xml = readable(answer)?;
        let given = element(xml, "Credentials")?;
        let access_key = value(given, "AccessKeyId", ACCESS_KEY_OCTETS)?;
        if !access_key
            .bytes()
            .all(|octet| octet.is_ascii_alphanumeric())
        {
            return Err(malformed("its `AccessKeyId` is not letters and digits"));
        }
        let secret = |name| value(given, name, TOKEN_OCTETS).map(Secret::new);
        Ok(Keys {
            keys: SigV4 {
                access_key: access_key.to_owned(),
                secret_key: secret("SecretAccessKey")?,
                session_token: Some(secret("SessionToken")?),
                region: self.keys.region.clone(),
                service: self.service.to_owned(),
            },
            expires: self.expires(answer, value(given, "Expiration", TOKEN_OCTETS)?)?,
        })
    }

    fn expires(&self, answer: &Answer, given: &str) -> Result<Timestamp, MintError> {
        let theirs = given.parse().ok();
        let ours = theirs.and_then(|theirs| answer.by_our_clock(theirs));
        let ours = ours.ok_or_else(|| malformed("its `Expiration` is not a time"))?;
        let life = ours.duration_since(answer.time).as_secs();
        let is_sound = (1..=self.seconds + SLACK_SECONDS).contains(&life);
        is_sound
            .then_some(ours)
            .ok_or_else(|| malformed("its `Expiration` is over, or later than was asked for"))
    }
}

impl Keys {
    pub(super) fn minted(self, definition: &Definition, secrets: &Secrets) -> Minted {
        let mut hidden = vec![self.keys.secret_key.clone()];
        hidden.extend(self.keys.session_token.clone());
        hidden.extend(secrets.iter().map(|(_, secret)| secret.clone()));
        Minted {
            material: Material {
                name: definition.name.clone(),
                version: definition.version,
                injections: vec![Injection::SigV4(self.keys)],
                value: None,
                secrets: hidden,
                minted: true,
            },
            expires: Some(self.expires),
            host: None,
            replaced: Secrets::default(),
        }
    }
}

/// Between the answer's `Date` and its `Expiration`.
const SLACK_SECONDS: i64 = 60;

fn session(name: &str) -> Result<&str, MintError> {
    let is_word = |octet: u8| octet.is_ascii_alphanumeric() || b"_=,.@-".contains(&octet);
    let is_name = (2..=64).contains(&name.len()) && name.bytes().all(is_word);
    is_name
        .then_some(name)
        .ok_or_else(|| unusable("session_name", "it is 2 to 64 letters, digits and `_=,.@-`"))
}

fn seconds(given: Option<&str>) -> Result<i64, MintError> {
    let Some(text) = given else {
        return Ok(ROLE_SECONDS_USUAL);
    };
    let is_number = text.bytes().all(|octet| octet.is_ascii_digit());
    let seconds = text.parse().ok().filter(|_| is_number);
    seconds
        .filter(|seconds| ROLE_SECONDS.contains(seconds))
        .ok_or_else(|| unusable("duration", "it is a number of seconds from 900 to 43200"))
}

/// The code and the message of an error, as far as they may be shown.
fn refusal(status: u16, body: &Secret, hidden: &Hidden) -> String {
    let text = std::str::from_utf8(body.expose()).unwrap_or_default();
    let part = |name| element(text, name).unwrap_or_default();
    words::shown(status, (part("Code"), part("Message")), hidden)
}

/// XML without anything that hides a part of it from a plain search: comments, character data
/// sections and definitions all begin alike.
fn readable(answer: &Answer) -> Result<&str, MintError> {
    let kind = answer.content_type.as_deref().unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !["text/xml", "application/xml"].contains(&kind) {
        return Err(malformed("its type is not text/xml"));
    }
    let text = std::str::from_utf8(answer.body.expose());
    let text = text.map_err(|_| malformed("it is not UTF-8"))?;
    match text.contains("<!") {
        true => Err(malformed("it holds a comment or a definition")),
        false => Ok(text),
    }
}

/// What is inside of the one element of this name.
fn element<'a>(xml: &'a str, name: &str) -> Result<&'a str, MintError> {
    let wrong = || malformed(&format!("it has no `{name}`, or more than one"));
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let (before, rest) = xml.split_once(&open).ok_or_else(wrong)?;
    let (inside, after) = rest.split_once(&close).ok_or_else(wrong)?;
    let is_only = [before, inside, after]
        .iter()
        .all(|part| !part.contains(&open) && !part.contains(&close));
    is_only.then_some(inside).ok_or_else(wrong)
}

/// The text of such an element: visible ASCII without markup.
fn value<'a>(xml: &'a str, name: &str, most: usize) -> Result<&'a str, MintError> {
    let text = element(xml, name)?;
    let is_plain = |octet: u8| octet.is_ascii_graphic() && octet != b'<' && octet != b'&';
    let is_value = !text.is_empty() && text.len() <= most && text.bytes().all(is_plain);
    is_value.then_some(text).ok_or_else(|| {
        malformed(&format!(
            "its `{name}` is empty, too long, or holds what no key does"
        ))
    })
}

#[cfg(test)]
mod tests;
