//! Providers of language models that a profile describes, beside those that are known from the
//! start.

use std::fmt;
use std::str::FromStr;

use ringfence_model::llm::{LlmProvider, ProviderKind, ProviderName};
use ringfence_model::{CredentialName, Destination, Host, HostName, Scheme};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::Cidr;
use super::super::rule::present;
use crate::limits::TEXT_OCTETS;

/// A provider, by the name that rules call it by. One that is known from the start is only given a
/// credential, or the networks that it is in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LlmProviderTerms {
    /// Its name in rules and in `http://llm.ringfence.internal/NAME/`: 1 to 32 lower-case letters,
    /// digits and `-`.
    #[schemars(with = "String", extend("pattern" = "^[a-z][a-z0-9-]{0,31}$"))]
    pub name: ProviderName,
    /// Its dialect. `openai` is also that of vLLM, Ollama and whatever else is compatible with it.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "ProviderKindWord")]
    pub kind: Option<ProviderKind>,
    /// What stands before the paths of the dialect, as in `https://llm.corp.example/v1`. With
    /// `kind: openai` it holds the version.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "BaseUrl")]
    pub url: Option<BaseUrl>,
    /// The credential for it, where a rule names none.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "String")]
    pub credential: Option<CredentialName>,
    /// Networks that the host may resolve into. Without the list: public addresses only.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<Cidr>")]
    pub addresses: Option<Vec<Cidr>>,
}

impl LlmProviderTerms {
    /// The provider in the words of the vocabulary. None where it is neither described in full nor
    /// known from the start, which the check of a profile refuses.
    #[must_use]
    pub fn provider(&self) -> Option<LlmProvider> {
        let credential = self.credential.clone();
        if let Some(known) = builtin(&self.name) {
            return Some(LlmProvider {
                credential,
                ..known
            });
        }
        let url = self.url.as_ref()?;
        Some(LlmProvider {
            name: self.name.clone(),
            kind: self.kind?,
            destination: url.destination.clone(),
            scheme: url.scheme,
            base_path: url.path.clone(),
            credential,
        })
    }
}

/// The provider of that name that is known from the start.
pub(crate) fn builtin(name: &ProviderName) -> Option<LlmProvider> {
    let mut known = LlmProvider::builtin().into_iter();
    known.find(|provider| provider.name == *name)
}

/// A URL that paths are put behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^https?://"))]
pub struct BaseUrl {
    text: String,
    scheme: Scheme,
    destination: Destination,
    path: String,
}

/// Why a text is no such URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a base URL is as in `https://llm.corp.example/v1` or `http://host.ringfence.internal:11434/v1`: a host name, perhaps a port, and no slash at its end"
)]
pub struct BaseUrlError;

impl BaseUrl {
    /// The host and port.
    #[must_use]
    pub const fn destination(&self) -> &Destination {
        &self.destination
    }

    /// Whether it is reached in TLS.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The path: empty, or `/part/part`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl FromStr for BaseUrl {
    type Err = BaseUrlError;

    fn from_str(text: &str) -> Result<Self, BaseUrlError> {
        let (scheme, rest) = match text.split_once("://") {
            Some(("http", rest)) => (Scheme::Http, rest),
            Some(("https", rest)) => (Scheme::Https, rest),
            _ => return Err(BaseUrlError),
        };
        let at = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(at).ok_or(BaseUrlError)?;
        if text.len() > TEXT_OCTETS || !is_path(path) {
            return Err(BaseUrlError);
        }
        Ok(Self {
            text: text.to_owned(),
            scheme,
            destination: destination(authority, scheme).ok_or(BaseUrlError)?,
            path: path.to_owned(),
        })
    }
}

fn destination(authority: &str, scheme: Scheme) -> Option<Destination> {
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, read_port(port)?),
        None if scheme == Scheme::Http => (authority, 80),
        None => (authority, 443),
    };
    let host: HostName = host.parse().ok()?;
    Destination::new(Host::Name(host), port).ok()
}

fn read_port(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|octet| octet.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

/// Empty, or `/part/part`.
fn is_path(path: &str) -> bool {
    let is_part = |part: &str| {
        let is_plain = |octet: u8| octet.is_ascii_alphanumeric() || b"._-".contains(&octet);
        !part.is_empty() && part != "." && part != ".." && part.bytes().all(is_plain)
    };
    match path.strip_prefix('/') {
        Some(rest) => rest.split('/').all(is_part),
        None => path.is_empty(),
    }
}

impl TryFrom<String> for BaseUrl {
    type Error = BaseUrlError;

    fn try_from(text: String) -> Result<Self, BaseUrlError> {
        text.parse()
    }
}

impl From<BaseUrl> for String {
    fn from(url: BaseUrl) -> Self {
        url.text
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The dialects, for the schema of the document.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
#[expect(
    dead_code,
    reason = "only its schema is used: the vocabulary's own type has none"
)]
enum ProviderKindWord {
    Openai,
    Anthropic,
    Gemini,
    AzureOpenai,
    Bedrock,
    Vertex,
}
