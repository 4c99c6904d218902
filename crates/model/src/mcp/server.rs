//! Servers of the Model Context Protocol that rules can name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::action::Scheme;
use crate::host::{Destination, Host, HostName};
use crate::ids::CredentialName;
use crate::limits::SERVER_NAME_OCTETS;

/// The short name of a server, as rules and URLs have it: `salesforce`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServerName(String);

/// Why a text is no name of a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the name of a server is 1 to {SERVER_NAME_OCTETS} lower-case letters, digits and `-`, and starts with a letter: not `{0}`"
)]
pub struct ServerError(String);

impl ServerName {
    /// Reads a name.
    ///
    /// # Errors
    /// Where it is none.
    pub fn new(name: &str) -> Result<Self, ServerError> {
        let starts_well = name.starts_with(|c: char| c.is_ascii_lowercase());
        let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if !starts_well || name.len() > SERVER_NAME_OCTETS || !name.bytes().all(is_plain) {
            return Err(ServerError(name.chars().take(SERVER_NAME_OCTETS).collect()));
        }
        Ok(Self(name.to_owned()))
    }

    /// The name of the gateway's own server.
    #[must_use]
    pub fn own() -> Self {
        Self(OWN_SERVER.to_owned())
    }

    /// Whether this is the gateway's own server, which nobody else can be called.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.0 == OWN_SERVER
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ServerName {
    type Err = ServerError;

    fn from_str(text: &str) -> Result<Self, ServerError> {
        Self::new(text)
    }
}

impl TryFrom<String> for ServerName {
    type Error = ServerError;

    fn try_from(text: String) -> Result<Self, ServerError> {
        Self::new(&text)
    }
}

impl From<ServerName> for String {
    fn from(name: ServerName) -> Self {
        name.0
    }
}

/// The zone of servers that Ringfence starts. Nothing of it is dialled.
pub const HOSTED_ZONE: &str = "hosted.ringfence.internal";

/// The path of the endpoint of each of them.
pub const HOSTED_PATH: &str = "/mcp";

/// Where rules and records see the server of this name that Ringfence starts.
#[must_use]
pub fn hosted_at(name: &ServerName) -> Destination {
    // What the name of a server may be, a label of a host may be too, but for an end in `-`, which
    // no profile is taken with.
    let host = format!("{name}.{HOSTED_ZONE}");
    let host = host.parse().map_or_else(|_| nowhere(), Host::Name);
    Destination { host, port: 80 }
}

/// An address that nothing leads to.
const fn nowhere() -> Host {
    Host::Address(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED))
}

/// A server that rules can name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct McpServer {
    /// Its short name.
    pub name: ServerName,
    /// Where it is.
    pub destination: Destination,
    /// Whether it is reached in TLS.
    pub scheme: Scheme,
    /// The path of its endpoint: `/mcp`. It has no query.
    pub path: String,
    /// The credential for it, where a rule names none.
    pub credential: Option<CredentialName>,
    /// Whether it is told which span of which run a message belongs to.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub trace: bool,
}

impl McpServer {
    /// The gateway's own server: it answers itself, and nothing is dialled. None never comes.
    #[must_use]
    pub fn own() -> Option<Self> {
        let host: HostName = OWN_HOST.parse().ok()?;
        Some(Self {
            name: ServerName::own(),
            destination: Destination {
                host: Host::Name(host),
                port: 80,
            },
            scheme: Scheme::Http,
            path: format!("/{OWN_SERVER}"),
            credential: None,
            trace: false,
        })
    }
}

const OWN_SERVER: &str = "ringfence";
const OWN_HOST: &str = "mcp.ringfence.internal";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_plain() {
        assert!(ServerName::new("azure-devops-2").is_ok());
        for name in [
            "",
            "-a",
            "2a",
            "A",
            "a/b",
            "a.b",
            "a_b",
            "a b",
            &"a".repeat(65),
        ] {
            assert!(ServerName::new(name).is_err(), "{name}");
        }
    }
}
