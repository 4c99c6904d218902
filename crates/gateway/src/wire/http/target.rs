//! The request target in its four forms (RFC 9112, section 3.2) and the authority that a
//! request speaks of.

use std::fmt;

use ringfence_model::{Destination, Host, Scheme};

use super::{HttpError, path};

/// What a request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// `/path?query`, to an origin server.
    Origin {
        /// Canonical, starting with `/`.
        path: String,
        /// As sent, without `?`.
        query: Option<String>,
    },
    /// `http://host/path?query`, to a proxy.
    Absolute {
        /// `http` or `https`.
        scheme: Scheme,
        /// The host, and the port or the default port of the scheme.
        authority: Destination,
        /// Canonical, starting with `/`.
        path: String,
        /// As sent, without `?`.
        query: Option<String>,
    },
    /// `host:port`, with `CONNECT` only.
    Authority(Destination),
    /// `*`, with `OPTIONS` only.
    Asterisk,
}

impl Target {
    /// The canonical path, or `*`; `CONNECT` has none.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::Origin { path, .. } | Self::Absolute { path, .. } => Some(path),
            Self::Asterisk => Some("*"),
            Self::Authority(_) => None,
        }
    }

    /// The query without `?`.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        match self {
            Self::Origin { query, .. } | Self::Absolute { query, .. } => query.as_deref(),
            Self::Asterisk | Self::Authority(_) => None,
        }
    }

    /// The form follows from the method: `CONNECT` and `OPTIONS *` are the special ones.
    pub(super) fn read(method: &str, text: &str) -> Result<Self, HttpError> {
        if method == "CONNECT" {
            return connect(text).map(Self::Authority);
        }
        if text == "*" {
            return match method {
                "OPTIONS" => Ok(Self::Asterisk),
                _ => Err(HttpError::Method),
            };
        }
        if text.starts_with('/') {
            let (path, query) = path_and_query(text)?;
            return Ok(Self::Origin { path, query });
        }
        absolute(method, text)
    }
}

/// A host and, where it was given, a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// The name or address.
    pub host: Host,
    /// The port, if it was given.
    pub port: Option<u16>,
}

impl Authority {
    /// The destination that this speaks of on a connection whose port is `port` by default.
    /// `None` for port 0, which names nothing.
    #[must_use]
    pub fn destination(&self, port: u16) -> Option<Destination> {
        Destination::new(self.host.clone(), self.port.unwrap_or(port)).ok()
    }

    /// Reads `uri-host [ ":" port ]` (RFC 9110, section 7.2). No user information, no
    /// percent-encoding, no empty port; IPv6 in brackets.
    pub(super) fn read(text: &str) -> Result<Self, HttpError> {
        let (host, port) = split_port(text).ok_or(HttpError::Host)?;
        let port = match port {
            Some(digits) => Some(read_port(digits).ok_or(HttpError::Host)?),
            None => None,
        };
        let host = host.parse().map_err(|_| HttpError::Host)?;
        Ok(Self { host, port })
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Address(std::net::IpAddr::V6(address)) => write!(f, "[{address}]")?,
            host => write!(f, "{host}")?,
        }
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

/// The host still has its brackets, if any.
fn split_port(text: &str) -> Option<(&str, Option<&str>)> {
    if !text.is_ascii() {
        return None;
    }
    let end_of_host = if text.starts_with('[') {
        text.find(']')? + 1
    } else {
        text.find(':').unwrap_or(text.len())
    };
    let (host, rest) = text.split_at_checked(end_of_host)?;
    if rest.is_empty() {
        return Some((host, None));
    }
    Some((host, Some(rest.strip_prefix(':')?)))
}

fn read_port(digits: &str) -> Option<u16> {
    let sound = (1..=5).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    let port: u16 = digits.parse().ok()?;
    (sound && port != 0).then_some(port)
}

fn connect(text: &str) -> Result<Destination, HttpError> {
    let authority = Authority::read(text).map_err(|_| HttpError::Target)?;
    let port = authority.port.ok_or(HttpError::Target)?;
    authority.destination(port).ok_or(HttpError::Target)
}

fn absolute(method: &str, text: &str) -> Result<Target, HttpError> {
    let (scheme, authority, rest) = split_absolute(text).ok_or(HttpError::Target)?;
    let (path, query) = match rest.as_bytes().first() {
        Some(b'/') => path_and_query(rest)?,
        // RFC 9112, section 3.2.4 gives `OPTIONS` without a path the meaning of `*`.
        _ if method == "OPTIONS" => return Err(HttpError::Target),
        None => ("/".to_owned(), None),
        Some(_) => path_and_query(&format!("/{rest}"))?,
    };
    Ok(Target::Absolute {
        scheme,
        authority,
        path,
        query,
    })
}

/// The scheme, the authority with its port, and what is behind them.
pub(super) fn split_absolute(text: &str) -> Option<(Scheme, Destination, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    let (scheme, port) = if scheme.eq_ignore_ascii_case("http") {
        (Scheme::Http, 80)
    } else if scheme.eq_ignore_ascii_case("https") {
        (Scheme::Https, 443)
    } else {
        return None;
    };
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at_checked(end)?;
    let authority = Authority::read(authority).ok()?.destination(port)?;
    Some((scheme, authority, rest))
}

fn path_and_query(text: &str) -> Result<(String, Option<String>), HttpError> {
    let (path, query) = match text.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (text, None),
    };
    let path = path::canonical(path)?;
    if let Some(query) = query {
        path::check_query(query)?;
    }
    Ok((path, query.map(str::to_owned)))
}
