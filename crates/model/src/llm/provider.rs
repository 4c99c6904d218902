//! Providers of language models: where they are, and which of the known dialects they speak.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::action::Scheme;
use crate::host::{Destination, Host, HostName};
use crate::ids::CredentialName;
use crate::limits::PROVIDER_NAME_OCTETS;

/// The short name of a provider, as rules and URLs have it: `anthropic`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProviderName(String);

/// Why a text is no name of a provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the name of a provider is 1 to {PROVIDER_NAME_OCTETS} lower-case letters, digits and `-`, and starts with a letter: not `{0}`"
)]
pub struct ProviderError(String);

impl ProviderName {
    /// Reads a name.
    ///
    /// # Errors
    /// Where it is none.
    pub fn new(name: &str) -> Result<Self, ProviderError> {
        let starts_well = name.starts_with(|c: char| c.is_ascii_lowercase());
        let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if !starts_well || name.len() > PROVIDER_NAME_OCTETS || !name.bytes().all(is_plain) {
            return Err(ProviderError(
                name.chars().take(PROVIDER_NAME_OCTETS).collect(),
            ));
        }
        Ok(Self(name.to_owned()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ProviderName {
    type Err = ProviderError;

    fn from_str(text: &str) -> Result<Self, ProviderError> {
        Self::new(text)
    }
}

impl TryFrom<String> for ProviderName {
    type Error = ProviderError;

    fn try_from(text: String) -> Result<Self, ProviderError> {
        Self::new(&text)
    }
}

impl From<ProviderName> for String {
    fn from(name: ProviderName) -> Self {
        name.0
    }
}

/// Which dialect a provider speaks: what its paths look like, and which bodies they take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProviderKind {
    /// OpenAI, and whatever is compatible with it: vLLM, Ollama, gateways. The base path holds the
    /// version: `/v1`.
    Openai,
    /// Anthropic's Messages.
    Anthropic,
    /// Gemini, as `generativelanguage` serves it.
    Gemini,
    /// Azure OpenAI: OpenAI's bodies, the model in the path, `api-version` in the query; or `/openai/v1`.
    AzureOpenai,
    /// Amazon Bedrock's runtime: the model in the path, binary event streams.
    Bedrock,
    /// Google Vertex AI: Gemini's and Anthropic's bodies, project, location and model in the path.
    Vertex,
}

/// A provider that rules can name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LlmProvider {
    /// Its short name.
    pub name: ProviderName,
    /// Its dialect.
    pub kind: ProviderKind,
    /// Where it is.
    pub destination: Destination,
    /// Whether it is reached in TLS.
    pub scheme: Scheme,
    /// What stands before the paths of the dialect, empty or `/part/part`. For
    /// [`ProviderKind::Openai`] it holds the version.
    pub base_path: String,
    /// The credential for it, where a rule names none.
    pub credential: Option<CredentialName>,
}

impl LlmProvider {
    /// The providers that rules can name without a definition.
    #[must_use]
    pub fn builtin() -> Vec<Self> {
        let read = |&(name, kind, host, base): &(&str, ProviderKind, &str, &str)| {
            let host: HostName = host.parse().ok()?;
            Some(Self {
                name: ProviderName::new(name).ok()?,
                kind,
                destination: Destination::new(Host::Name(host), HTTPS).ok()?,
                scheme: Scheme::Https,
                base_path: base.to_owned(),
                credential: None,
            })
        };
        BUILTIN.iter().filter_map(read).collect()
    }
}

const HTTPS: u16 = 443;

const BUILTIN: [(&str, ProviderKind, &str, &str); 6] = [
    (
        "anthropic",
        ProviderKind::Anthropic,
        "api.anthropic.com",
        "",
    ),
    ("openai", ProviderKind::Openai, "api.openai.com", "/v1"),
    (
        "gemini",
        ProviderKind::Gemini,
        "generativelanguage.googleapis.com",
        "",
    ),
    (
        "openrouter",
        ProviderKind::Openai,
        "openrouter.ai",
        "/api/v1",
    ),
    ("mistral", ProviderKind::Openai, "api.mistral.ai", "/v1"),
    ("groq", ProviderKind::Openai, "api.groq.com", "/openai/v1"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_provider_of_the_table_is_read() {
        assert_eq!(LlmProvider::builtin().len(), BUILTIN.len());
    }

    #[test]
    fn a_name_is_short_and_plain() {
        assert!(ProviderName::new("azure-eu-2").is_ok());
        for name in ["", "-a", "2a", "A", "a/b", "a.b", "a b", &"a".repeat(65)] {
            assert!(ProviderName::new(name).is_err(), "{name}");
        }
    }
}
