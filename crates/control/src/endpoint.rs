//! The address of an issuer or a secret store, read from a setting. It is always a whole URL under
//! TLS; a secret store on the same machine may do without.

use std::fmt;
use std::net::IpAddr;

use ringfence_gateway::OwnUrl;
use ringfence_gateway::http::authority;
use ringfence_gateway::wire::dns::HOST_SERVICE;
use ringfence_model::{Destination, Host, Scheme};

use crate::limits::SETTING_OCTETS;

/// Where requests of our own go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint(OwnUrl);

/// Why a text is no such address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EndpointError {
    /// Another scheme, or none.
    #[error("it must start with https://")]
    Scheme,
    /// Plain text to another machine.
    #[error("http:// is for 127.0.0.1, [::1] and {HOST_SERVICE} only; use https://")]
    Plain,
    /// No host, a user, or a port that is none.
    #[error("it must be https://HOST[:PORT]/PATH, without user and password")]
    Authority,
    /// A fragment, a space, dot segments and the like.
    #[error("its path holds what no path does, as spaces, `#`, `\\` or `..`")]
    Path,
    /// Too long.
    #[error("it is longer than {SETTING_OCTETS} octets")]
    TooLong,
}

impl Endpoint {
    /// Reads `https://HOST[:PORT][/PATH][?QUERY]`.
    ///
    /// # Errors
    /// Where it is anything else.
    pub(crate) fn parse(text: &str) -> Result<Self, EndpointError> {
        Self::read(text).and_then(|endpoint| match endpoint.0.scheme {
            Scheme::Https => Ok(endpoint),
            Scheme::Http => Err(EndpointError::Scheme),
        })
    }

    /// Reads the same, or `http://` with an address or the name of this machine itself.
    ///
    /// # Errors
    /// Where it is anything else.
    pub(crate) fn parse_near(text: &str) -> Result<Self, EndpointError> {
        let endpoint = Self::read(text)?;
        let is_near = match &endpoint.0.destination.host {
            Host::Address(IpAddr::V4(address)) => address.is_loopback(),
            Host::Address(IpAddr::V6(address)) => address.is_loopback(),
            // It leads nowhere but to this machine.
            Host::Name(name) => name.as_str() == HOST_SERVICE,
        };
        match endpoint.0.scheme {
            Scheme::Http if !is_near => Err(EndpointError::Plain),
            _ => Ok(endpoint),
        }
    }

    fn read(text: &str) -> Result<Self, EndpointError> {
        if text.len() > SETTING_OCTETS {
            return Err(EndpointError::TooLong);
        }
        let (scheme, rest) = match text.split_once("://") {
            Some(("https", rest)) => (Scheme::Https, rest),
            Some(("http", rest)) => (Scheme::Http, rest),
            _ => return Err(EndpointError::Scheme),
        };
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(at);
        let destination = destination(authority, scheme).ok_or(EndpointError::Authority)?;
        let path_and_query = match path.strip_prefix('?') {
            Some(query) => format!("/?{query}"),
            None if path.is_empty() => "/".to_owned(),
            None => path.to_owned(),
        };
        if !is_path_and_query(&path_and_query) {
            return Err(EndpointError::Path);
        }
        Ok(Self(OwnUrl {
            scheme,
            destination,
            path_and_query,
        }))
    }

    /// This address with `path`, which starts with `/` and is encoded, behind its own path.
    #[must_use]
    pub(crate) fn join(&self, path: &str) -> Self {
        let own = self.0.path_and_query.split('?').next().unwrap_or_default();
        let mut url = self.0.clone();
        url.path_and_query = format!("{}{path}", own.trim_end_matches('/'));
        Self(url)
    }

    /// Another path of the same server.
    #[must_use]
    pub(crate) fn at(&self, path: &str) -> Self {
        let mut url = self.0.clone();
        path.clone_into(&mut url.path_and_query);
        Self(url)
    }

    /// The path, without the query.
    #[must_use]
    pub(crate) fn path(&self) -> &str {
        let whole = self.0.path_and_query.split('?').next();
        whole.unwrap_or_default()
    }

    /// The query, where there is one.
    #[must_use]
    pub(crate) fn query(&self) -> Option<&str> {
        let parts = self.0.path_and_query.split_once('?');
        parts.map(|(_, query)| query)
    }

    /// Whether both are of one server: scheme, host and port.
    #[must_use]
    pub(crate) fn is_beside(&self, other: &Self) -> bool {
        self.scheme() == other.scheme() && self.destination() == other.destination()
    }

    /// Where it leads.
    #[must_use]
    pub(crate) fn destination(&self) -> &Destination {
        &self.0.destination
    }

    /// Plain text or TLS.
    #[must_use]
    pub(crate) fn scheme(&self) -> Scheme {
        self.0.scheme
    }

    /// For a request.
    #[must_use]
    pub(crate) fn url(&self) -> OwnUrl {
        self.0.clone()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let OwnUrl {
            scheme,
            destination,
            path_and_query,
        } = &self.0;
        let authority = authority(destination, *scheme);
        write!(f, "{}://{authority}{path_and_query}", scheme.as_str())
    }
}

fn destination(authority: &str, scheme: Scheme) -> Option<Destination> {
    let has_port = authority
        .rsplit_once(':')
        .is_some_and(|(_, port)| !port.ends_with(']'));
    if has_port {
        return authority.parse().ok();
    }
    let port = match scheme {
        Scheme::Http => 80,
        Scheme::Https => 443,
    };
    Destination::new(authority.parse().ok()?, port).ok()
}

/// Only what reads the same everywhere: visible ASCII, no dot segments, no fragment.
fn is_path_and_query(text: &str) -> bool {
    let path = text.split('?').next().unwrap_or_default();
    let is_plain = |octet: u8| octet.is_ascii_graphic() && !b"#\\\"<>^`{|}".contains(&octet);
    text.bytes().all(is_plain) && !path.split('/').any(|part| part == "." || part == "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let url = Endpoint::parse(text).unwrap().url();
        format!("{} {}", url.destination, url.path_and_query)
    }

    #[test]
    fn a_url_is_taken_apart() {
        for (text, expected) in [
            ("https://login.acme.test", "login.acme.test:443 /"),
            (
                "https://login.acme.test:8443/a/b?c=d",
                "login.acme.test:8443 /a/b?c=d",
            ),
            (
                "https://LOGIN.acme.test./token",
                "login.acme.test:443 /token",
            ),
            ("https://[2001:db8::1]/t", "[2001:db8::1]:443 /t"),
            ("https://[2001:db8::1]:8443/t", "[2001:db8::1]:8443 /t"),
            ("https://a.test?x=1", "a.test:443 /?x=1"),
        ] {
            assert_eq!(shown(text), expected);
        }
        let base = Endpoint::parse("https://ghe.acme.test/api/v3/").unwrap();
        assert_eq!(base.join("/app/x").url().path_and_query, "/api/v3/app/x");
    }

    #[test]
    fn what_is_read_differently_elsewhere_is_refused() {
        for (text, expected) in [
            ("http://login.acme.test/t", EndpointError::Scheme),
            ("HTTPS://login.acme.test/t", EndpointError::Scheme),
            ("login.acme.test", EndpointError::Scheme),
            ("ftp://login.acme.test", EndpointError::Scheme),
            ("https://user@login.acme.test/", EndpointError::Authority),
            ("https://a.test\\@b.test/", EndpointError::Authority),
            ("https:///t", EndpointError::Authority),
            ("https://a.test:0/", EndpointError::Authority),
            ("https://a.test:/", EndpointError::Authority),
            ("https://a.test/a b", EndpointError::Path),
            ("https://a.test/a\r\nb: c", EndpointError::Path),
            ("https://a.test/#a", EndpointError::Path),
            ("https://a.test/a/../b", EndpointError::Path),
        ] {
            assert_eq!(Endpoint::parse(text), Err(expected), "{text}");
        }
        let long = format!("https://a.test/{}", "a".repeat(SETTING_OCTETS));
        assert_eq!(Endpoint::parse(&long), Err(EndpointError::TooLong));
    }

    #[test]
    fn plain_text_stays_on_this_machine() {
        for text in [
            "http://127.0.0.1:8200",
            "http://[::1]:8200",
            "https://vault.acme.test",
        ] {
            assert!(Endpoint::parse_near(text).is_ok(), "{text}");
        }
        for text in [
            "http://192.0.2.1:8200",
            "http://vault.acme.test",
            "http://localhost:8200",
        ] {
            assert_eq!(
                Endpoint::parse_near(text),
                Err(EndpointError::Plain),
                "{text}"
            );
        }
    }
}
