//! The fields that speak about one connection or one message's length, read into typed
//! values: where request smuggling lives, so every doubt is a refusal (RFC 9112, section 6).

use super::headers::{Headers, is_token_octet, read_line, trim};
use super::{Authority, HttpError, Version};
use crate::wire::limits::HTTP_CONNECTION_OPTIONS;

/// An offer to change the protocol of the connection. Offers of `h2c` are as good as none: a
/// server may ignore an offer (RFC 9110, section 7.8), and clients make this one unasked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Upgrade {
    #[default]
    None,
    /// To a WebSocket, and to nothing else (RFC 6455, section 4.1).
    WebSocket,
    Other,
}

/// How the body of a message is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyKind {
    /// No body, and the head says nothing about one.
    None,
    /// So many octets.
    Length(u64),
    /// Chunks up to an empty one.
    Chunked,
    /// All until the connection closes; responses only.
    UntilClose,
}

/// The field section of a head, sorted into what concerns this hop and what goes on.
#[derive(Debug, Default)]
pub(super) struct Fields {
    /// End-to-end fields.
    pub(super) headers: Headers,
    pub(super) host: Option<Authority>,
    pub(super) content_length: Option<u64>,
    /// Exactly one `chunked`.
    pub(super) chunked: bool,
    pub(super) upgrade: Upgrade,
    pub(super) expect_continue: bool,
    connection: Connection,
}

impl Fields {
    /// Reads the field lines, those behind the start line.
    pub(super) fn read<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Result<Self, HttpError> {
        let mut fields = Self::default();
        for line in lines {
            let (name, value) = read_line(line)?;
            fields.add(name, value)?;
        }
        if fields.content_length.is_some() && fields.chunked {
            return Err(HttpError::ConflictingLength);
        }
        for option in &fields.connection.named {
            fields.headers.remove(option);
        }
        Ok(fields)
    }

    fn add(&mut self, name: &str, value: &[u8]) -> Result<(), HttpError> {
        match Kind::of(name) {
            Kind::EndToEnd => self.headers.append(name, value),
            Kind::Dropped => Ok(()),
            Kind::Host => self.add_host(value),
            Kind::ContentLength => self.add_length(value),
            Kind::TransferEncoding => self.add_coding(value),
            Kind::Connection => self.connection.add(value),
            Kind::Expect => self.add_expectation(value),
            Kind::Upgrade => {
                self.add_upgrade(value);
                Ok(())
            }
            Kind::LooksLikeFraming => Err(HttpError::HeaderName),
        }
    }

    fn add_host(&mut self, value: &[u8]) -> Result<(), HttpError> {
        let text = std::str::from_utf8(value).map_err(|_| HttpError::Host)?;
        let authority = Authority::read(text)?;
        match self.host.replace(authority) {
            None => Ok(()),
            Some(_) => Err(HttpError::Host),
        }
    }

    fn add_upgrade(&mut self, value: &[u8]) {
        self.upgrade = match self.upgrade {
            found if value.eq_ignore_ascii_case(b"h2c") => found,
            Upgrade::None if value.eq_ignore_ascii_case(b"websocket") => Upgrade::WebSocket,
            _ => Upgrade::Other,
        };
    }

    fn add_length(&mut self, value: &[u8]) -> Result<(), HttpError> {
        let length = read_length(value).ok_or(HttpError::ContentLength)?;
        match self.content_length.replace(length) {
            None => Ok(()),
            Some(_) => Err(HttpError::ContentLength),
        }
    }

    fn add_coding(&mut self, value: &[u8]) -> Result<(), HttpError> {
        if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
            return Err(HttpError::TransferEncoding);
        }
        self.chunked = true;
        Ok(())
    }

    fn add_expectation(&mut self, value: &[u8]) -> Result<(), HttpError> {
        if !value.eq_ignore_ascii_case(b"100-continue") {
            return Err(HttpError::Expectation);
        }
        self.expect_continue = true;
        Ok(())
    }

    /// Fields of which servers may take either are there once at most.
    pub(super) fn check_singles(&self) -> Result<(), HttpError> {
        check_singles(self.headers.iter().map(|(name, _)| name))
    }

    /// Whether the connection can carry another message after this one.
    pub(super) const fn keep_alive(&self, version: Version) -> bool {
        match version {
            Version::Http11 => !self.connection.close,
            Version::Http10 => self.connection.keep_alive && !self.connection.close,
        }
    }

    /// Whether `Connection` says that `Upgrade` is meant.
    pub(super) const fn names_upgrade(&self) -> bool {
        self.connection.upgrade
    }

    /// HTTP/1.0 knows no transfer codings; one that claims to is up to something.
    pub(super) const fn check_version(&self, version: Version) -> Result<(), HttpError> {
        match version {
            Version::Http10 if self.chunked => Err(HttpError::TransferEncoding),
            _ => Ok(()),
        }
    }
}

/// What the `Connection` fields say.
#[derive(Debug, Default)]
struct Connection {
    close: bool,
    keep_alive: bool,
    upgrade: bool,
    named: Vec<String>,
}

impl Connection {
    fn add(&mut self, value: &[u8]) -> Result<(), HttpError> {
        for option in value.split(|octet| *octet == b',').map(trim) {
            let text = std::str::from_utf8(option).map_err(|_| HttpError::Connection)?;
            if !option.iter().all(|octet| is_token_octet(*octet)) {
                return Err(HttpError::Connection);
            }
            self.add_option(text)?;
        }
        Ok(())
    }

    fn add_option(&mut self, option: &str) -> Result<(), HttpError> {
        if option.eq_ignore_ascii_case("close") {
            self.close = true;
            return Ok(());
        }
        if option.eq_ignore_ascii_case("keep-alive") {
            self.keep_alive = true;
            return Ok(());
        }
        match Kind::of(option) {
            Kind::EndToEnd
                if END_TO_END
                    .iter()
                    .any(|name| option.eq_ignore_ascii_case(name)) =>
            {
                Err(HttpError::Connection)
            }
            Kind::EndToEnd if option.is_empty() => Ok(()),
            Kind::EndToEnd if self.named.len() == HTTP_CONNECTION_OPTIONS => {
                Err(HttpError::Connection)
            }
            Kind::EndToEnd => {
                self.named.push(option.to_owned());
                Ok(())
            }
            Kind::Upgrade => {
                self.upgrade = true;
                Ok(())
            }
            Kind::Dropped => Ok(()),
            _ => Err(HttpError::Connection),
        }
    }
}

/// What a field name means to a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    EndToEnd,
    /// Hop-by-hop, and of no meaning to us.
    Dropped,
    Host,
    ContentLength,
    TransferEncoding,
    Connection,
    Expect,
    Upgrade,
    /// `Content_Length` and the like, which CGI-style servers take for the real one.
    LooksLikeFraming,
}

impl Kind {
    pub(super) fn of(name: &str) -> Self {
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        match name.len() {
            2 if is("te") => Self::Dropped,
            4 if is("host") => Self::Host,
            6 if is("expect") => Self::Expect,
            7 if is("upgrade") => Self::Upgrade,
            7 if is("trailer") => Self::Dropped,
            10 if is("connection") => Self::Connection,
            10 if is("keep-alive") => Self::Dropped,
            14 if is("content-length") => Self::ContentLength,
            14 if is("http2-settings") => Self::Dropped,
            14 if resembles(name, "content-length") => Self::LooksLikeFraming,
            17 if is("transfer-encoding") => Self::TransferEncoding,
            17 if resembles(name, "transfer-encoding") => Self::LooksLikeFraming,
            _ if is_proxy_field(name) => Self::Dropped,
            _ => Self::EndToEnd,
        }
    }
}

/// Whether a field of this name may not be added to [`Headers`] by hand.
pub(super) fn is_reserved(name: &str) -> bool {
    !matches!(Kind::of(name), Kind::EndToEnd | Kind::Dropped)
}

fn is_proxy_field(name: &str) -> bool {
    name.get(..6)
        .is_some_and(|prefix| prefix.eq_ignore_ascii_case("proxy-"))
}

fn resembles(name: &str, framing: &str) -> bool {
    name.bytes()
        .map(|octet| if octet == b'_' { b'-' } else { octet })
        .zip(framing.bytes())
        .all(|(left, right)| left.eq_ignore_ascii_case(&right))
}

/// Whether each field of which servers may take either is among `names` once at most, however it
/// is spelt.
pub(super) fn check_singles<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), HttpError> {
    let mut seen = [false; SINGLE.len()];
    for name in names {
        let is = |single: &&str| single.len() == name.len() && resembles(name, single);
        let seen = SINGLE.iter().position(is).and_then(|at| seen.get_mut(at));
        if seen.is_some_and(|seen| std::mem::replace(seen, true)) {
            return Err(HttpError::Repeated);
        }
    }
    Ok(())
}

/// Digits only, at most 18, so that no later addition can overflow.
pub(super) fn read_length(value: &[u8]) -> Option<u64> {
    let sound = (1..=18).contains(&value.len()) && value.iter().all(u8::is_ascii_digit);
    sound.then(|| std::str::from_utf8(value).ok()?.parse().ok())?
}

/// Fields that say once how the rest is read or who asks.
const SINGLE: [&str; 4] = [
    "authorization",
    "content-encoding",
    "content-location",
    "content-type",
];

/// Fields that a client could take from the upstream's view by naming them in `Connection`.
const END_TO_END: [&str; 5] = [
    "authorization",
    "cookie",
    "cache-control",
    "range",
    "content-type",
];
