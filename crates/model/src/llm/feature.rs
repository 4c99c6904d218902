//! What a provider does by itself when a request asks for it. Each is a way out of the sandbox
//! that leads through an allowed host: what the provider fetches, runs or keeps, no rule about the
//! network ever sees.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::limits::NAME_OCTETS;

/// Something that a provider does by itself, beyond answering with text and calls of tools that
/// the client runs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum HostedFeature {
    /// Searches the web, or another index of the provider's such as maps.
    WebSearch,
    /// Fetches pages that the model or the request names.
    WebFetch,
    /// Fetches an image, document or other content from a URL in the request.
    FetchedUrl,
    /// Runs code on the provider's machines.
    CodeExecution,
    /// Calls MCP servers or connectors from the provider's machines.
    RemoteMcp,
    /// Searches files that are kept with the provider.
    FileSearch,
    /// Reads a file that is kept with the provider.
    StoredFile,
    /// Continues from, keeps, or reads a response, a conversation or a cached context that is kept
    /// with the provider.
    StoredResponse,
    /// Goes on after the connection is closed.
    Background,
    /// Makes images or sound.
    Generation,
    /// Chooses by itself among the tools that the request offers.
    ToolSearch,
    /// Skills or agents that are kept with the provider.
    Skills,
    /// Anything that is not known here, by the provider's own name for it.
    Other(String),
}

/// Why a text is no name of a feature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not something that a provider does by itself: one of web-search, web-fetch, fetched-url, code-execution, remote-mcp, file-search, stored-file, stored-response, background, generation, tool-search, skills, or `other:` and the provider's name for it"
)]
pub struct HostedFeatureError(String);

impl HostedFeature {
    /// All that have a name of their own.
    pub const KNOWN: [Self; 12] = [
        Self::WebSearch,
        Self::WebFetch,
        Self::FetchedUrl,
        Self::CodeExecution,
        Self::RemoteMcp,
        Self::FileSearch,
        Self::StoredFile,
        Self::StoredResponse,
        Self::Background,
        Self::Generation,
        Self::ToolSearch,
        Self::Skills,
    ];

    /// What is not known here, by the provider's name for it: shortened, and without what could
    /// not be shown.
    #[must_use]
    pub fn other(name: &str) -> Self {
        let is_plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        Self::Other(name.chars().filter(is_plain).take(NAME_OCTETS).collect())
    }

    const fn as_str(&self) -> &str {
        match self {
            Self::WebSearch => "web-search",
            Self::WebFetch => "web-fetch",
            Self::FetchedUrl => "fetched-url",
            Self::CodeExecution => "code-execution",
            Self::RemoteMcp => "remote-mcp",
            Self::FileSearch => "file-search",
            Self::StoredFile => "stored-file",
            Self::StoredResponse => "stored-response",
            Self::Background => "background",
            Self::Generation => "generation",
            Self::ToolSearch => "tool-search",
            Self::Skills => "skills",
            Self::Other(name) => name.as_str(),
        }
    }
}

impl fmt::Display for HostedFeature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if matches!(self, Self::Other(_)) {
            f.write_str(OTHER)?;
        }
        f.write_str(self.as_str())
    }
}

const OTHER: &str = "other:";

impl FromStr for HostedFeature {
    type Err = HostedFeatureError;

    fn from_str(text: &str) -> Result<Self, HostedFeatureError> {
        if let Some(name) = text.strip_prefix(OTHER) {
            let other = Self::other(name);
            let is_whole = !name.is_empty() && other.as_str() == name;
            return is_whole
                .then_some(other)
                .ok_or_else(|| HostedFeatureError(text.to_owned()));
        }
        let known = Self::KNOWN.into_iter().find(|known| known.as_str() == text);
        known.ok_or_else(|| HostedFeatureError(text.to_owned()))
    }
}

impl TryFrom<String> for HostedFeature {
    type Error = HostedFeatureError;

    fn try_from(text: String) -> Result<Self, HostedFeatureError> {
        text.parse()
    }
}

impl From<HostedFeature> for String {
    fn from(feature: HostedFeature) -> Self {
        feature.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        let other = HostedFeature::other("computer_use_preview");
        for feature in HostedFeature::KNOWN.into_iter().chain([other]) {
            assert_eq!(feature.to_string().parse(), Ok(feature));
        }
    }

    #[test]
    fn a_name_that_is_not_known_is_refused() {
        for text in [
            "",
            "web_search",
            "Web-Search",
            "other:",
            "other:a b",
            "other",
        ] {
            assert!(text.parse::<HostedFeature>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_name_of_the_wire_cannot_do_harm_where_it_is_shown() {
        let long = "x\u{1b}[31m\n".repeat(100);
        let HostedFeature::Other(name) = HostedFeature::other(&long) else {
            panic!();
        };
        assert!(name.len() <= NAME_OCTETS && name.chars().all(|c| c.is_ascii_alphanumeric()));
    }
}
