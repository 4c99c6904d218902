//! Where a credential may be sent. It is part of the credential, so no rule can widen it.

use std::fmt;

use ringfence_model::{Destination, Host, HostError, HostPattern, Scheme};

use crate::limits::PATH_OCTETS;

/// The upstreams of a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The hosts, by name: an address has no owner that a certificate could prove.
    pub host: HostPattern,
    /// The port.
    pub port: u16,
    /// TLS, or plain text where the person said so.
    pub scheme: Scheme,
    /// The canonical path that requests must be at or below; `/` for any.
    pub path_prefix: String,
}

/// Why a binding is not usable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BindingError {
    /// The host or the port.
    #[error("`{text}` is not a host or HOST:PORT: {source}")]
    Host {
        /// What was given.
        text: String,
        /// What is wrong with it.
        #[source]
        source: HostError,
    },
    /// The path prefix.
    #[error(
        "`{0}` is not a path prefix: it starts with `/` and holds no empty or dot segments, no `%`, no `?` and no `#`"
    )]
    Path(String),
}

impl Binding {
    /// Reads `HOST[:PORT]` and a path prefix. Without a port, it is the usual one of the scheme.
    ///
    /// # Errors
    /// Where one of them is not in its usual spelling.
    pub fn parse(
        host: &str,
        path_prefix: Option<&str>,
        scheme: Scheme,
    ) -> Result<Self, BindingError> {
        let wrong = |source| BindingError::Host {
            text: host.to_owned(),
            source,
        };
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) => (name, parse_port(port).map_err(wrong)?),
            None => (host, usual_port(scheme)),
        };
        let path_prefix = path_prefix.unwrap_or("/");
        if !is_path_prefix(path_prefix) {
            return Err(BindingError::Path(path_prefix.to_owned()));
        }
        let trimmed = path_prefix.trim_end_matches('/');
        Ok(Self {
            host: name.parse().map_err(wrong)?,
            port,
            scheme,
            path_prefix: if trimmed.is_empty() { "/" } else { trimmed }.to_owned(),
        })
    }

    /// Whether a request to this upstream, with this canonical path, may carry the credential.
    #[must_use]
    pub fn covers(&self, destination: &Destination, scheme: Scheme, path: &str) -> bool {
        self.covers_host(&destination.host)
            && destination.port == self.port
            && scheme == self.scheme
            && self.covers_path(path)
    }

    /// Whether the host is one of those.
    #[must_use]
    pub fn covers_host(&self, host: &Host) -> bool {
        host.name().is_some_and(|name| self.host.matches(name))
    }

    /// For people: what a key for SSH is for is no URL of HTTP.
    #[must_use]
    pub fn shown(&self, is_ssh: bool) -> String {
        let shown = self.to_string();
        match shown.strip_prefix("https://") {
            Some(rest) if is_ssh => format!("ssh://{rest}"),
            _ => shown,
        }
    }

    fn covers_path(&self, path: &str) -> bool {
        if self.path_prefix == "/" {
            return path.starts_with('/');
        }
        path.strip_prefix(&self.path_prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl fmt::Display for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        write!(
            f,
            "{scheme}://{}:{}{}",
            self.host, self.port, self.path_prefix
        )
    }
}

const fn usual_port(scheme: Scheme) -> u16 {
    match scheme {
        Scheme::Http => 80,
        Scheme::Https => 443,
    }
}

/// Digits only: `u16::from_str` would take `+443`.
fn parse_port(text: &str) -> Result<u16, HostError> {
    let is_number = !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
    let port = text.parse().ok().filter(|port| is_number && *port != 0);
    port.ok_or(HostError::Port)
}

/// Only what has one spelling: the gateway compares with the canonical path, in which no
/// unreserved character is percent-encoded.
fn is_path_prefix(path: &str) -> bool {
    let Some(rest) = path.strip_prefix('/') else {
        return false;
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let is_plain = |octet: u8| octet.is_ascii_graphic() && !b"%?#;\\\"<>^`{|}".contains(&octet);
    let is_segment = |segment: &str| !segment.is_empty() && segment != "." && segment != "..";
    path.len() <= PATH_OCTETS
        && !path.contains("//")
        && rest.bytes().all(is_plain)
        && (rest.is_empty() || rest.split('/').all(is_segment))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding(host: &str, path: Option<&str>) -> Binding {
        Binding::parse(host, path, Scheme::Https).unwrap()
    }

    fn to(text: &str) -> Destination {
        text.parse().unwrap()
    }

    #[test]
    fn a_credential_goes_to_its_host_port_scheme_and_path_only() {
        let bound = binding("api.acme.test", Some("/repos/acme/"));
        let api = to("api.acme.test:443");
        assert!(bound.covers(&api, Scheme::Https, "/repos/acme"));
        assert!(bound.covers(&api, Scheme::Https, "/repos/acme/web"));
        for (destination, scheme, path) in [
            ("api.acme.test:443", Scheme::Https, "/repos/acme-evil/web"),
            ("api.acme.test:443", Scheme::Https, "/repos"),
            ("api.acme.test:443", Scheme::Http, "/repos/acme"),
            ("api.acme.test:8443", Scheme::Https, "/repos/acme"),
            ("evil.test:443", Scheme::Https, "/repos/acme"),
            ("x.api.acme.test:443", Scheme::Https, "/repos/acme"),
            ("192.0.2.1:443", Scheme::Https, "/repos/acme"),
        ] {
            let covers = bound.covers(&to(destination), scheme, path);
            assert!(!covers, "{destination} {path}");
        }
    }

    #[test]
    fn a_pattern_covers_names_below_it_and_never_itself() {
        let bound = binding("*.acme.test:8443", None);
        assert!(bound.covers(&to("a.b.acme.test:8443"), Scheme::Https, "/"));
        assert!(!bound.covers(&to("acme.test:8443"), Scheme::Https, "/"));
    }

    #[test]
    fn what_has_two_spellings_is_no_binding() {
        for host in [
            "",
            "a.test:0",
            "a.test:+1",
            "a.test:",
            "*.com",
            "192.0.2.1",
            "a_b.test",
        ] {
            assert!(Binding::parse(host, None, Scheme::Https).is_err(), "{host}");
        }
        for path in [
            "x", "/a//b", "/a/../b", "/%61", "/a?b", "/a b", "/a;b", "//",
        ] {
            let parsed = Binding::parse("a.test", Some(path), Scheme::Https);
            assert!(parsed.is_err(), "{path}");
        }
    }
}
