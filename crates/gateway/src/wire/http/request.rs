//! The head of a request.

use ringfence_model::{Destination, Scheme};

use super::framing::{Fields, Upgrade};
use super::headers::{Headers, is_token_octet};
use super::scan::{HeadScan, lines};
use super::{Authority, BodyKind, HttpError, Target, Version};
use crate::wire::limits::HTTP_METHOD_OCTETS;

/// A request head in the only form that anything behind the reader sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestHead {
    /// The method token, case-sensitive.
    pub method: String,
    /// What the request is about.
    pub target: Target,
    /// The version that the client speaks.
    pub version: Version,
    /// The `Host` field, which agrees with the target where that holds an authority.
    /// HTTP/1.0 clients may leave `Host` out then; this is the target's authority.
    pub authority: Authority,
    /// The end-to-end fields.
    pub headers: Headers,
    /// How the body is delimited, never [`BodyKind::UntilClose`].
    pub body: BodyKind,
    /// Whether the client waits for `100 Continue` before it sends the body.
    pub expect_continue: bool,
    /// Whether the client wants to use the connection again.
    pub keep_alive: bool,
    /// Whether the client asks to make the connection a WebSocket, where the reader allows that.
    pub websocket: bool,
}

/// Reads a request head; `None` when more octets are needed. The second value is the number
/// of octets that the head took. For a buffer that grows use [`RequestReader`].
pub fn read_request(prefix: &[u8]) -> Result<Option<(RequestHead, usize)>, HttpError> {
    RequestReader::default().read(prefix)
}

/// Reads one request head from a buffer that grows, without looking at octets twice.
#[derive(Debug, Clone, Default)]
pub struct RequestReader {
    scan: HeadScan,
    websocket: bool,
}

impl RequestReader {
    /// Does not refuse requests that ask for a WebSocket.
    #[must_use]
    pub const fn with_websocket(mut self) -> Self {
        self.websocket = true;
        self
    }

    /// As [`read_request`]. Every call gets the buffer from the first octet of the head on.
    pub fn read(&mut self, buffer: &[u8]) -> Result<Option<(RequestHead, usize)>, HttpError> {
        if buffer.starts_with(HTTP2_PREFACE) {
            return Err(HttpError::Http2Preface);
        }
        let Some(length) = self.scan.advance(buffer)? else {
            return Ok(None);
        };
        let head = buffer.get(..length).unwrap_or_default();
        let head = parse(head, self.websocket)?;
        Ok(Some((head, length)))
    }
}

fn parse(head: &[u8], websocket: bool) -> Result<RequestHead, HttpError> {
    let mut lines = lines(head);
    let line = lines.next().ok_or(HttpError::StartLine)?;
    let (method, target, version) = request_line(line)?;
    let target = Target::read(method, target)?;
    let fields = Fields::read(lines)?;
    fields.check_version(version)?;
    fields.check_singles()?;
    let body = body(&fields);
    let websocket = match fields.upgrade {
        Upgrade::None => false,
        Upgrade::WebSocket if websocket => {
            check_websocket(method, version, body, &fields)?;
            true
        }
        Upgrade::WebSocket | Upgrade::Other => return Err(HttpError::Upgrade),
    };
    if method == "CONNECT" && !matches!(body, BodyKind::None | BodyKind::Length(0)) {
        return Err(HttpError::UnexpectedBody);
    }
    Ok(RequestHead {
        method: method.to_owned(),
        version,
        authority: authority(&target, fields.host.as_ref(), version)?,
        target,
        body,
        expect_continue: fields.expect_continue && version == Version::Http11,
        keep_alive: fields.keep_alive(version),
        headers: fields.headers,
        websocket,
    })
}

/// RFC 6455, section 4.1, as far as it is not the server's to check.
fn check_websocket(
    method: &str,
    version: Version,
    body: BodyKind,
    fields: &Fields,
) -> Result<(), HttpError> {
    let bare = matches!(body, BodyKind::None | BodyKind::Length(0)) && !fields.expect_continue;
    if method == "GET" && version == Version::Http11 && bare && fields.names_upgrade() {
        Ok(())
    } else {
        Err(HttpError::Upgrade)
    }
}

/// `method SP request-target SP HTTP-version`, with single spaces.
fn request_line(line: &[u8]) -> Result<(&str, &str, Version), HttpError> {
    if !line.iter().all(|octet| matches!(octet, 0x20..=0x7e)) {
        return Err(HttpError::StartLine);
    }
    let line = std::str::from_utf8(line).map_err(|_| HttpError::StartLine)?;
    let mut parts = line.split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(HttpError::StartLine);
    };
    Ok((read_method(method)?, target, read_version(version)?))
}

pub(super) fn read_method(text: &str) -> Result<&str, HttpError> {
    let sound = (1..=HTTP_METHOD_OCTETS).contains(&text.len()) && text.bytes().all(is_token_octet);
    if sound {
        Ok(text)
    } else {
        Err(HttpError::Method)
    }
}

pub(super) fn read_version(text: &str) -> Result<Version, HttpError> {
    match text {
        "HTTP/1.1" => Ok(Version::Http11),
        "HTTP/1.0" => Ok(Version::Http10),
        other if other.starts_with("HTTP/") => Err(HttpError::Version),
        _ => Err(HttpError::StartLine),
    }
}

fn body(fields: &Fields) -> BodyKind {
    match fields.content_length {
        _ if fields.chunked => BodyKind::Chunked,
        Some(length) => BodyKind::Length(length),
        None => BodyKind::None,
    }
}

/// Two names in one request are a way around a decision made on either.
fn authority(
    target: &Target,
    host: Option<&Authority>,
    version: Version,
) -> Result<Authority, HttpError> {
    let (named, default_port) = match target {
        Target::Absolute {
            authority, scheme, ..
        } => (authority, Some(default_port(*scheme))),
        Target::Authority(destination) => (destination, None),
        Target::Origin { .. } | Target::Asterisk => return host.cloned().ok_or(HttpError::Host),
    };
    match host {
        Some(host) if agrees(host, named, default_port) => Ok(host.clone()),
        Some(_) => Err(HttpError::HostMismatch),
        None if version == Version::Http10 => Ok(Authority {
            host: named.host.clone(),
            port: Some(named.port),
        }),
        None => Err(HttpError::Host),
    }
}

/// A `Host` without a port means the scheme's; `CONNECT` has no scheme, so any.
fn agrees(host: &Authority, named: &Destination, default_port: Option<u16>) -> bool {
    let port = host.port.or(default_port).unwrap_or(named.port);
    host.host == named.host && port == named.port
}

const fn default_port(scheme: Scheme) -> u16 {
    match scheme {
        Scheme::Http => 80,
        Scheme::Https => 443,
    }
}

/// The first line of the HTTP/2 connection preface (RFC 9113, section 3.4).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n";
