//! The head of a response.

use super::framing::Fields;
use super::headers::Headers;
use super::request::read_version;
use super::scan::{HeadScan, lines};
use super::{BodyKind, HttpError, Version};

/// A response head in the only form that anything behind the reader sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseHead {
    /// From 100 to 599, never 101.
    pub status: u16,
    /// The reason phrase, or nothing where it is not printable ASCII.
    pub reason: String,
    /// The version that the server speaks.
    pub version: Version,
    /// The end-to-end fields.
    pub headers: Headers,
    /// How the body is delimited.
    pub body: BodyKind,
    /// `Content-Length` of a response that has one but no body: to `HEAD`, and 304.
    pub content_length: Option<u64>,
    /// Whether the connection can carry another message after this one.
    pub keep_alive: bool,
}

impl ResponseHead {
    /// Makes the head fit for a client: a body until close becomes chunked, a chunked body
    /// for HTTP/1.0 becomes one until close, and the connection stays open only if the client
    /// can tell where the body ends and wants it to. `body` must have been taken for reading
    /// before; afterwards it says how to write.
    pub fn adapt(&mut self, client: Version, client_keep_alive: bool) {
        self.body = match (self.body, client) {
            (BodyKind::UntilClose, Version::Http11) => BodyKind::Chunked,
            (BodyKind::Chunked, Version::Http10) => BodyKind::UntilClose,
            (body, _) => body,
        };
        self.keep_alive = client_keep_alive && client == Version::Http11;
    }

    /// Whether the final response to the same request is still to come.
    #[must_use]
    pub const fn is_interim(&self) -> bool {
        self.status < 200
    }
}

/// Reads a response head to a request with this method, which decides whether there is a
/// body (RFC 9112, section 6.3); `None` when more octets are needed. The second value is the
/// number of octets that the head took. For a buffer that grows use [`ResponseReader`].
pub fn read_response(
    prefix: &[u8],
    request_method: &str,
) -> Result<Option<(ResponseHead, usize)>, HttpError> {
    ResponseReader::new(request_method).read(prefix)
}

/// Reads one response head from a buffer that grows, without looking at octets twice.
#[derive(Debug, Clone)]
pub struct ResponseReader {
    scan: HeadScan,
    request: RequestMethod,
}

/// The methods whose responses have no body where others do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RequestMethod {
    Head,
    Connect,
    Other,
}

impl ResponseReader {
    /// A reader for one response to a request with this method.
    #[must_use]
    pub fn new(request_method: &str) -> Self {
        let request = match request_method {
            "HEAD" => RequestMethod::Head,
            "CONNECT" => RequestMethod::Connect,
            _ => RequestMethod::Other,
        };
        Self {
            scan: HeadScan::default(),
            request,
        }
    }

    /// As [`read_response`]. Every call gets the buffer from the first octet of the head on.
    pub fn read(&mut self, buffer: &[u8]) -> Result<Option<(ResponseHead, usize)>, HttpError> {
        let Some(length) = self.scan.advance(buffer)? else {
            return Ok(None);
        };
        let head = buffer.get(..length).unwrap_or_default();
        parse(head, self.request).map(|head| Some((head, length)))
    }
}

fn parse(head: &[u8], request: RequestMethod) -> Result<ResponseHead, HttpError> {
    let mut lines = lines(head);
    let line = lines.next().ok_or(HttpError::StartLine)?;
    let (version, status, reason) = status_line(line)?;
    if status == 101 {
        return Err(HttpError::SwitchingProtocols);
    }
    let fields = Fields::read(lines)?;
    fields.check_version(version)?;
    let body = body(status, request, &fields);
    let declares_length = request == RequestMethod::Head && status >= 200 && status != 204;
    let declares_length = declares_length || status == 304;
    Ok(ResponseHead {
        status,
        reason,
        version,
        body,
        content_length: fields.content_length.filter(|_| declares_length),
        keep_alive: body != BodyKind::UntilClose && fields.keep_alive(version),
        headers: fields.headers,
    })
}

/// `HTTP-version SP status-code [ SP reason-phrase ]`; the space before no reason is left
/// out by many servers.
fn status_line(line: &[u8]) -> Result<(Version, u16, String), HttpError> {
    let (version, rest) = line.split_at_checked(8).ok_or(HttpError::StartLine)?;
    let version = std::str::from_utf8(version).map_err(|_| HttpError::StartLine)?;
    let version = read_version(version)?;
    let [b' ', status @ ..] = rest else {
        return Err(HttpError::StartLine);
    };
    let (status, rest) = status.split_at_checked(3).ok_or(HttpError::Status)?;
    let reason = match rest {
        [] => rest,
        [b' ', reason @ ..] => reason,
        _ => return Err(HttpError::Status),
    };
    Ok((version, read_status(status)?, read_reason(reason)?))
}

fn read_status(digits: &[u8]) -> Result<u16, HttpError> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(HttpError::Status);
    }
    let text = std::str::from_utf8(digits).map_err(|_| HttpError::Status)?;
    match text.parse() {
        Ok(status) if (100..=599).contains(&status) => Ok(status),
        _ => Err(HttpError::Status),
    }
}

fn read_reason(reason: &[u8]) -> Result<String, HttpError> {
    if reason
        .iter()
        .any(|octet| octet.is_ascii_control() && *octet != b'\t')
    {
        return Err(HttpError::LineEnding);
    }
    let printable = reason.iter().all(|octet| matches!(octet, 0x20..=0x7e));
    match std::str::from_utf8(reason) {
        Ok(text) if printable => Ok(text.to_owned()),
        _ => Ok(String::new()),
    }
}

fn body(status: u16, request: RequestMethod, fields: &Fields) -> BodyKind {
    let tunnel = request == RequestMethod::Connect && (200..300).contains(&status);
    if tunnel || request == RequestMethod::Head || matches!(status, 100..=199 | 204 | 304) {
        return BodyKind::None;
    }
    match fields.content_length {
        _ if fields.chunked => BodyKind::Chunked,
        Some(length) => BodyKind::Length(length),
        None => BodyKind::UntilClose,
    }
}
