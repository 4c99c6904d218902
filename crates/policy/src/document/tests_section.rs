//! The `tests` section: actions with the decision that a profile must give.

mod git;
mod http;
mod llm;
mod mcp;

use std::fmt;
use std::str::FromStr;

use ringfence_model::{
    Action, Connect, Destination, Effect, Entry, Host, HostError, HttpRequest, Scheme,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{MethodError, PathError, Profile, check_path};
pub use git::GitTest;
pub use http::{GraphqlTest, GraphqlTestField, HttpTest};
pub use llm::LlmTest;
pub use mcp::McpTest;

/// One test of a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PolicyTest {
    /// The profile must allow this.
    Allow(TestAction),
    /// The profile must deny this.
    Deny(TestAction),
}

/// What a test tries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TestAction {
    /// To connect, as in `connect: "example.com:443"`.
    Connect(ConnectTest),
    /// To send a request, as in `http: {method: GET, url: "http://example.com/"}`.
    Http(Box<HttpTest>),
    /// To fetch or push, as in `git: {repo: github/acme/docs, push: refs/heads/main}`.
    Git(Box<GitTest>),
    /// To ask a language model, as in `llm: {provider: anthropic, model: claude-sonnet-4-5}`.
    Llm(Box<LlmTest>),
    /// To send a message to a server, as in `mcp: {server: salesforce, tool: query}`.
    Mcp(Box<McpTest>),
}

/// A host and a port, as in `example.com:443` or `[2001:db8::1]:443`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct ConnectTest(Destination);

/// An `http` or `https` URL with a canonical path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^https?://"))]
pub struct HttpUrl {
    scheme: Scheme,
    destination: Destination,
    path: String,
    query: Option<String>,
}

/// Why the action of a test was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TestError {
    /// Not `http://` or `https://`.
    #[error("a URL starts with `http://` or `https://`")]
    Scheme,
    /// The host or port.
    #[error("{0}")]
    Host(HostError),
    /// The method.
    #[error("{0}")]
    Method(MethodError),
    /// The path.
    #[error("{0}")]
    Path(PathError),
    /// The repository.
    #[error("there is no such repository on any git server that is known here")]
    Repo,
    /// What is done with it.
    #[error("a git request has either `fetch: true` or `push: REF`")]
    Git,
    /// The provider of a language model.
    #[error("there is no such provider of language models")]
    Provider,
    /// The server of the Model Context Protocol.
    #[error("there is no such server in `mcpServers`")]
    Server,
    /// What is asked of it.
    #[error("a message to a server has one of `tool`, with `arguments`, `resource` and `prompt`")]
    Mcp,
}

impl PolicyTest {
    /// What is tried.
    #[must_use]
    pub const fn tried(&self) -> &TestAction {
        match self {
            Self::Allow(tried) | Self::Deny(tried) => tried,
        }
    }

    /// The decision that the profile must give.
    #[must_use]
    pub const fn expected(&self) -> Effect {
        match self {
            Self::Allow(_) => Effect::Allow,
            Self::Deny(_) => Effect::Deny,
        }
    }
}

impl TestAction {
    /// The action to decide on, with the git servers and providers that `profile` describes.
    ///
    /// # Errors
    /// Where it is about one that is not known.
    pub fn action_in(&self, profile: &Profile) -> Result<Action, TestError> {
        Ok(match self {
            Self::Git(test) => return test.action(&profile.git_upstreams),
            Self::Llm(test) => return test.action(profile),
            Self::Mcp(test) => return test.action(profile),
            Self::Connect(ConnectTest(destination)) => Action::Connect(Connect {
                destination: destination.clone(),
                entry: Entry::Transparent,
            }),
            Self::Http(test) => Action::Http(HttpRequest {
                destination: test.url.destination.clone(),
                scheme: test.url.scheme,
                method: test.method.as_str().to_owned(),
                path: test.url.path.clone(),
                query: test.url.query.clone(),
                headers: test.headers(),
                content: Some(test.content()),
            }),
        })
    }

    /// The action to decide on, where no profile is needed for it.
    #[cfg(test)]
    pub(crate) fn action(&self) -> Action {
        let profile = Profile::new("any".parse().unwrap(), Vec::new());
        self.action_in(&profile).unwrap()
    }
}

impl FromStr for TestAction {
    type Err = TestError;

    /// Reads `HOST:PORT`, or `METHOD URL` with a space between.
    fn from_str(text: &str) -> Result<Self, TestError> {
        let Some((method, url)) = text.split_once(' ') else {
            return text.parse().map(Self::Connect);
        };
        let method = method.parse().map_err(TestError::Method)?;
        Ok(Self::Http(Box::new(HttpTest::new(method, url.parse()?))))
    }
}

impl FromStr for ConnectTest {
    type Err = TestError;

    fn from_str(text: &str) -> Result<Self, TestError> {
        text.parse().map(Self).map_err(TestError::Host)
    }
}

impl TryFrom<String> for ConnectTest {
    type Error = TestError;

    fn try_from(text: String) -> Result<Self, TestError> {
        text.parse()
    }
}

impl From<ConnectTest> for String {
    fn from(test: ConnectTest) -> Self {
        test.0.to_string()
    }
}

impl FromStr for HttpUrl {
    type Err = TestError;

    fn from_str(text: &str) -> Result<Self, TestError> {
        let (scheme, rest) = split_scheme(text).ok_or(TestError::Scheme)?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (target, None),
        };
        let path = if path.is_empty() { "/" } else { path };
        check_path(path).map_err(TestError::Path)?;
        Ok(Self {
            scheme,
            destination: read_authority(authority, scheme).map_err(TestError::Host)?,
            path: path.to_owned(),
            query,
        })
    }
}

impl TryFrom<String> for HttpUrl {
    type Error = TestError;

    fn try_from(text: String) -> Result<Self, TestError> {
        text.parse()
    }
}

impl From<HttpUrl> for String {
    fn from(url: HttpUrl) -> Self {
        url.to_string()
    }
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.scheme.as_str();
        write!(f, "{scheme}://{}{}", self.destination, self.path)?;
        match &self.query {
            Some(query) => write!(f, "?{query}"),
            None => Ok(()),
        }
    }
}

fn split_scheme(text: &str) -> Option<(Scheme, &str)> {
    if let Some(rest) = text.strip_prefix("http://") {
        return Some((Scheme::Http, rest));
    }
    text.strip_prefix("https://")
        .map(|rest| (Scheme::Https, rest))
}

/// `host:port`, or a host alone with the scheme's own port.
fn read_authority(text: &str, scheme: Scheme) -> Result<Destination, HostError> {
    let default_port = match scheme {
        Scheme::Http => 80,
        Scheme::Https => 443,
    };
    // A colon inside brackets belongs to the address.
    let has_port = text
        .rsplit_once(':')
        .is_some_and(|(_, port)| !port.contains(']'));
    if has_port {
        text.parse()
    } else {
        Destination::new(text.parse::<Host>()?, default_port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_read_from_text() {
        for (text, shown) in [
            ("files.example.org:443", "connect files.example.org:443"),
            ("[2001:db8::1]:22", "connect [2001:db8::1]:22"),
            ("GET http://Example.com", "GET http://example.com:80/"),
            (
                "POST https://example.com/a?b=c",
                "POST https://example.com:443/a",
            ),
            ("GET http://[::1]:8080/x", "GET http://[::1]:8080/x"),
            ("GET http://[::1]/x", "GET http://[::1]:80/x"),
            (
                "GET http://example.com?q=/../",
                "GET http://example.com:80/",
            ),
        ] {
            let action = text.parse::<TestAction>().unwrap().action();
            assert_eq!(action.to_string(), shown);
        }
    }

    #[test]
    fn ambiguous_actions_are_refused() {
        for text in [
            "files.example.org",
            "files.example.org:0",
            "files.example.org:99999",
            "GET ftp://example.com/",
            "GET http://user@example.com/",
            "GET http://example.com/a/../b",
            "GET http://example.com/#x",
            "GET http:///x",
            "get http://example.com/",
        ] {
            assert!(text.parse::<TestAction>().is_err(), "{text}");
        }
    }
}
