//! Installation tokens of a GitHub App. They are always for named repositories with named
//! permissions: GitHub takes an empty list for all of them, so none is ever sent, and an answer
//! that grants more than was asked for is refused.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ringfence_model::Secret;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::MintError;
use super::assertion::{Algorithm, Claims, Signer};
use super::exchange::{Answer, Asked, Issuer};
use super::limits::{INSTALLATION_LIFE_SECONDS, PERMISSIONS, REPOSITORIES};
use super::reply::{self, Text, Token, malformed};
use super::settings::{Given, unusable};
use crate::endpoint::Endpoint;

/// The API of github.com.
const API: &str = "https://api.github.com";

/// The version of the API that this is written for.
const API_VERSION: &str = "2022-11-28";

/// An installation of an app.
pub(super) struct Installation<'a> {
    endpoint: Endpoint,
    app: &'a str,
    signer: Signer,
    wanted: Wanted<'a>,
}

/// What the token is to be good for.
#[derive(Serialize)]
struct Wanted<'a> {
    repositories: Vec<&'a str>,
    permissions: BTreeMap<&'a str, Level>,
}

/// How much a permission permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Read,
    Write,
    Admin,
}

#[derive(Deserialize)]
struct Granted {
    token: Option<Text>,
    expires_at: Option<String>,
    permissions: Option<BTreeMap<String, Level>>,
    repository_selection: Option<String>,
    repositories: Option<Vec<Repository>>,
}

#[derive(Deserialize)]
struct Repository {
    name: String,
}

impl<'a> Installation<'a> {
    pub(super) fn read(given: Given<'a>) -> Result<Self, MintError> {
        let app = given.required("app_id")?;
        let is_id = |octet: u8| octet.is_ascii_alphanumeric() || b".-_".contains(&octet);
        if !app.bytes().all(is_id) {
            return Err(unusable(
                "app_id",
                "it is the id or the client id of an app",
            ));
        }
        let installation = given.required("installation_id")?;
        if !installation.bytes().all(|octet| octet.is_ascii_digit()) {
            return Err(unusable("installation_id", "it is a number"));
        }
        let path = format!("/app/installations/{installation}/access_tokens");
        let endpoint = given.endpoint("api_url", API)?.join(&path);
        let wanted = Wanted {
            repositories: repositories(given.required("repositories")?)?,
            permissions: permissions(given.required("permissions")?)?,
        };
        let key = given.required_secret("private_key")?;
        Ok(Self {
            endpoint,
            app,
            signer: Signer::new(Algorithm::RS256, "private_key", key)?,
            wanted,
        })
    }

    pub(super) async fn ask(&self, issuer: &Issuer<'_>) -> Result<Token, MintError> {
        let body = serde_json::to_vec(&self.wanted)
            .map_err(|_| MintError::Settings("it cannot be written as JSON".to_owned()))?;
        let claims = Claims {
            iss: self.app,
            sub: None,
            aud: None,
            scope: None,
        };
        let make = |now| {
            let assertion = self.signer.sign(claims, now)?;
            Ok(self.asked(assertion, &body))
        };
        let answer = issuer.post_signed(make).await?;
        self.token(&answer)
    }

    fn asked(&self, assertion: Secret, body: &[u8]) -> Asked {
        let authorization = Zeroizing::new([b"Bearer ", assertion.expose()].concat());
        let header = |name: &str, value: &[u8]| (name.to_owned(), Secret::new(value));
        Asked {
            endpoint: self.endpoint.clone(),
            headers: vec![
                header("authorization", &authorization),
                header("accept", b"application/vnd.github+json"),
                header("x-github-api-version", API_VERSION.as_bytes()),
            ],
            content_type: "application/json",
            body: Secret::new(body),
            signed: None,
            hidden: vec![assertion],
        }
    }

    fn token(&self, answer: &Answer) -> Result<Token, MintError> {
        if let Some(why) = explained(answer.status) {
            return Err(MintError::Refused(format!(
                "{why} (status {})",
                answer.status
            )));
        }
        let granted: Granted = reply::json(answer, 201)?;
        self.check(&granted)?;
        Ok(Token {
            access_token: reply::visible("token", granted.token)?,
            refresh_token: None,
            expires: Some(expires(answer, granted.expires_at.as_deref())?),
            instance_url: None,
        })
    }

    /// Nothing beyond what was asked for. GitHub adds `metadata: read` to everything.
    fn check(&self, granted: &Granted) -> Result<(), MintError> {
        if granted.repository_selection.as_deref() != Some("selected") {
            return Err(malformed("the token is not for selected repositories only"));
        }
        let is_wanted = |repository: &Repository| {
            let mut wanted = self.wanted.repositories.iter();
            wanted.any(|name| name.eq_ignore_ascii_case(&repository.name))
        };
        let repositories = granted.repositories.as_deref();
        if !repositories.is_some_and(|list| !list.is_empty() && list.iter().all(is_wanted)) {
            return Err(malformed(
                "the token is for other repositories than were asked for",
            ));
        }
        let is_granted = |(name, level): (&String, &Level)| {
            let wanted = self.wanted.permissions.get(name.as_str());
            let is_implied = name == "metadata" && *level == Level::Read;
            is_implied || wanted.is_some_and(|wanted| level <= wanted)
        };
        let permissions = granted.permissions.as_ref();
        if !permissions.is_some_and(|map| map.iter().all(is_granted)) {
            return Err(malformed(
                "the token has more permissions than were asked for",
            ));
        }
        Ok(())
    }
}

/// GitHub's refusals in words: its own are not the fields of RFC 6749.
fn explained(status: u16) -> Option<&'static str> {
    match status {
        401 => Some("the app id or its private key is not accepted"),
        403 => Some("the installation is suspended or not allowed to do this"),
        404 => Some("there is no such installation of this app"),
        422 => Some("the installation does not have all these repositories and permissions"),
        _ => None,
    }
}

fn expires(answer: &Answer, given: Option<&str>) -> Result<Timestamp, MintError> {
    let theirs = given.and_then(|text| text.parse::<Timestamp>().ok());
    let ours = theirs.and_then(|theirs| answer.by_our_clock(theirs));
    let ours = ours.ok_or_else(|| malformed("its `expires_at` is not a time"))?;
    let life = ours.duration_since(answer.time).as_secs();
    let is_sound = (1..=INSTALLATION_LIFE_SECONDS).contains(&life);
    is_sound
        .then_some(ours)
        .ok_or_else(|| malformed("its `expires_at` is over, or more than two hours ahead"))
}

/// Names without their owner, which the installation implies, separated by commas.
fn repositories(text: &str) -> Result<Vec<&str>, MintError> {
    let wrong = |why| unusable("repositories", why);
    let mut names: Vec<&str> = text.split(',').map(str::trim).collect();
    names.retain(|name| !name.is_empty());
    if names.is_empty() {
        return Err(wrong("it names none, which GitHub takes for all of them"));
    }
    if names.len() > REPOSITORIES {
        return Err(wrong("it names more than 100"));
    }
    let is_plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-._".contains(&octet);
    if !names.iter().all(|name| name.bytes().all(is_plain)) {
        return Err(wrong("it is names without owner, separated by commas"));
    }
    Ok(names)
}

/// `NAME:LEVEL`, separated by commas.
fn permissions(text: &str) -> Result<BTreeMap<&str, Level>, MintError> {
    let wrong = |why| unusable("permissions", why);
    let mut found = BTreeMap::new();
    for pair in text
        .split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
    {
        let (name, level) = pair
            .split_once(':')
            .ok_or_else(|| wrong("it is NAME:LEVEL, separated by commas"))?;
        let level = match level {
            "read" => Level::Read,
            "write" => Level::Write,
            "admin" => Level::Admin,
            _ => return Err(wrong("a level is read, write or admin")),
        };
        let is_word = |octet: u8| octet.is_ascii_lowercase() || octet == b'_';
        if name.is_empty() || !name.bytes().all(is_word) {
            return Err(wrong("a name is lower-case letters and `_`"));
        }
        if found.insert(name, level).is_some() {
            return Err(wrong("a name is there twice"));
        }
    }
    if found.is_empty() || found.len() > PERMISSIONS {
        return Err(wrong(
            "it names none, which GitHub takes for all of them, or too many",
        ));
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
