//! The gateway's configuration: where names lead, who resolves the rest, and the limits.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use ringfence_model::{Destination, HostName, HostPattern, Secret};
use serde::Deserialize;

use crate::limits::{Limits, NAME_SERVERS};

/// All of it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How upstreams are reached.
    pub dial: DialConfig,
    /// Bounds on connections.
    pub limits: Limits,
    /// Listeners of this very process, which are never dialled: a request would meet itself.
    #[serde(skip)]
    pub forbidden: Vec<SocketAddr>,
    /// Whether sandboxes may not tell of themselves.
    #[serde(skip)]
    pub deaf: bool,
}

/// The `[dial]` table.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DialConfig {
    /// Static names. An entry counts as naming its address, so it may be private.
    pub hosts: Hosts,
    /// Name servers; the system's where there are none.
    pub dns_servers: Vec<SocketAddr>,
    /// An HTTP proxy through which everything else is reached.
    pub upstream_proxy: Option<UpstreamProxy>,
    /// Files with PEM certificates of further authorities, trusted like the system's.
    pub extra_roots: Vec<PathBuf>,
}

/// Why a configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A host map's value.
    #[error("`{0}` is not an address or ADDRESS:PORT")]
    HostTarget(String),
    /// A host map's key.
    #[error("`{0}` is not a host name or `*.NAME`: {1}")]
    HostPattern(String, ringfence_model::HostError),
    /// The upstream proxy; its text may hold a password, so it is not repeated.
    #[error("upstream_proxy is http://[USER:PASSWORD@]HOST:PORT")]
    UpstreamProxy,
    /// A file of further authorities.
    #[error("extra_roots: {}: {reason}", path.display())]
    ExtraRoot {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Too many name servers.
    #[error("at most {NAME_SERVERS} dns_servers may be given")]
    NameServers,
}

/// Static names: exact ones and `*.zone` patterns.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "HashMap<String, HostTarget>")]
pub struct Hosts {
    exact: HashMap<HostName, HostTarget>,
    below: HashMap<String, HostTarget>,
}

impl Hosts {
    /// Adds one name or pattern.
    pub fn insert(&mut self, pattern: HostPattern, target: HostTarget) {
        match pattern {
            HostPattern::Exact(name) => self.exact.insert(name, target),
            HostPattern::Below(zone) => self.below.insert(zone.as_str().to_owned(), target),
        };
    }

    /// Where `name` leads: the exact entry, else the longest pattern.
    #[must_use]
    pub fn get(&self, name: &HostName) -> Option<HostTarget> {
        if let Some(target) = self.exact.get(name) {
            return Some(*target);
        }
        let mut rest = name.as_str();
        while let Some((_, zone)) = rest.split_once('.') {
            if let Some(target) = self.below.get(zone) {
                return Some(*target);
            }
            rest = zone;
        }
        None
    }
}

impl TryFrom<HashMap<String, HostTarget>> for Hosts {
    type Error = ConfigError;

    fn try_from(entries: HashMap<String, HostTarget>) -> Result<Self, ConfigError> {
        let mut hosts = Self::default();
        for (key, target) in entries {
            let pattern = key
                .parse()
                .map_err(|cause| ConfigError::HostPattern(key, cause))?;
            hosts.insert(pattern, target);
        }
        Ok(hosts)
    }
}

/// An address, and a port where it is not the one that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct HostTarget {
    /// The address to dial.
    pub address: IpAddr,
    /// The port to dial instead of the agent's.
    pub port: Option<u16>,
}

impl TryFrom<String> for HostTarget {
    type Error = ConfigError;

    fn try_from(text: String) -> Result<Self, ConfigError> {
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Ok(Self {
                address: address.ip().to_canonical(),
                port: Some(address.port()),
            });
        }
        let bare = text
            .strip_prefix('[')
            .and_then(|inner| inner.strip_suffix(']'))
            .unwrap_or(&text);
        match bare.parse::<IpAddr>() {
            Ok(address) => Ok(Self {
                address: address.to_canonical(),
                port: None,
            }),
            Err(_) => Err(ConfigError::HostTarget(text)),
        }
    }
}

/// An HTTP proxy that is asked to `CONNECT`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct UpstreamProxy {
    /// Where the proxy is.
    pub destination: Destination,
    /// `user:password` for Basic authentication.
    pub credentials: Option<Secret>,
}

impl TryFrom<String> for UpstreamProxy {
    type Error = ConfigError;

    fn try_from(text: String) -> Result<Self, ConfigError> {
        let rest = text
            .strip_prefix("http://")
            .ok_or(ConfigError::UpstreamProxy)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (user, authority) = match rest.rsplit_once('@') {
            Some((user, authority)) => (Some(user), authority),
            None => (None, rest),
        };
        let credentials = user.map(decode_credentials).transpose()?;
        let destination = authority.parse().map_err(|_| ConfigError::UpstreamProxy)?;
        Ok(Self {
            destination,
            credentials,
        })
    }
}

/// Undoes percent-encoding; a control character could end the header that will hold it.
fn decode_credentials(text: &str) -> Result<Secret, ConfigError> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        let decoded = if octet == b'%' {
            let (high, low) = (rest.next(), rest.next());
            hex(high).zip(hex(low)).map(|(high, low)| high << 4 | low)
        } else {
            Some(octet)
        };
        match decoded {
            Some(octet) if !octet.is_ascii_control() => octets.push(octet),
            _ => return Err(ConfigError::UpstreamProxy),
        }
    }
    Ok(Secret::new(octets))
}

fn hex(digit: Option<u8>) -> Option<u8> {
    let value = char::from(digit?).to_digit(16)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests;
