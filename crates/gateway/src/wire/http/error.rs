//! Why an HTTP message is refused.

use ringfence_model::ReasonCode;

/// A message that is malformed, ambiguous or beyond a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The start line is no HTTP/1 start line; HTTP/0.9 too.
    #[error("the first line is not that of an HTTP/1 message")]
    StartLine,
    /// A version other than 1.0 and 1.1.
    #[error("only HTTP/1.0 and HTTP/1.1 are understood")]
    Version,
    /// The preface of HTTP/2 without TLS.
    #[error("HTTP/2 without TLS is not supported")]
    Http2Preface,
    /// A request to change the protocol of the connection. An offer of `h2c` alone is ignored.
    #[error("protocol upgrades are not supported on this connection")]
    Upgrade,
    /// A response 101.
    #[error("the server wants to switch protocols")]
    SwitchingProtocols,
    /// A line does not end in exactly CRLF, or holds a CR or NUL.
    #[error("a line holds or ends in a bare CR, bare LF or control character")]
    LineEnding,
    /// A header field continued on a second line.
    #[error("a header field is folded over several lines")]
    ObsoleteFold,
    /// A name that is no token, that has space before the colon, or that only looks like
    /// a framing field to some servers.
    #[error("the name of a header field is not valid")]
    HeaderName,
    /// A control character in a value.
    #[error("the value of a header field is not valid")]
    HeaderValue,
    /// The method is no token, or does not go with the form of the target.
    #[error("the method is not valid here")]
    Method,
    /// The target is in none of the four forms, or holds characters that a URI has not.
    #[error("the request target is not valid")]
    Target,
    /// The path could name different resources to different servers: dot segments, empty
    /// segments, encoded slashes, backslashes or control characters, bytes not UTF-8.
    #[error(
        "the path is ambiguous: dot or empty segments, encoded separators or control characters"
    )]
    PathAmbiguous,
    /// No `Host`, several, or one that is no host with an optional port.
    #[error("exactly one valid Host header field is needed")]
    Host,
    /// `Host` differs from the authority of the target.
    #[error("the Host header field differs from the request target")]
    HostMismatch,
    /// `Content-Length` is no number, too large, or there more than once.
    #[error("Content-Length is not valid")]
    ContentLength,
    /// `Transfer-Encoding` is something other than one `chunked` on HTTP/1.1.
    #[error("Transfer-Encoding is not exactly one \"chunked\"")]
    TransferEncoding,
    /// Both `Content-Length` and `Transfer-Encoding`.
    #[error("Content-Length and Transfer-Encoding exclude each other")]
    ConflictingLength,
    /// A body where the method has none.
    #[error("this method has no body")]
    UnexpectedBody,
    /// A field that is there more than once, of which servers may take either.
    #[error("a header field that can only be there once is there more than once")]
    Repeated,
    /// `Connection` is malformed or names a field that is not hop-by-hop.
    #[error("the Connection header field is not valid")]
    Connection,
    /// An expectation other than `100-continue`.
    #[error("only the expectation 100-continue is understood")]
    Expectation,
    /// The status is not three digits from 100 to 599.
    #[error("the status code is not valid")]
    Status,
    /// HTTP/2 with a scheme other than that of the connection.
    #[error("the scheme is not that of the connection")]
    Scheme,
    /// HTTP/2 with a field that speaks about a connection of HTTP/1.
    #[error("a header field does not belong into HTTP/2")]
    ConnectionField,
    /// A chunk is malformed.
    #[error("the chunked body is malformed")]
    Chunk,
    /// A chunk size line, the extensions or the trailers are too long.
    #[error("the chunked body has too much beside its data")]
    ChunkOverhead,
    /// The start line is too long.
    #[error("the first line is too long")]
    StartLineTooLong,
    /// The head is too long or has too many fields.
    #[error("the header fields are too long or too many")]
    HeadTooLong,
}

impl HttpError {
    /// The stable reason by which a request is refused for this.
    #[must_use]
    pub const fn code(self) -> ReasonCode {
        match self {
            Self::Upgrade | Self::Http2Preface | Self::SwitchingProtocols => {
                ReasonCode::UpgradeRefused
            }
            Self::HostMismatch => ReasonCode::HostMismatch,
            _ => ReasonCode::Malformed,
        }
    }

    /// The status code that answers a request refused for this reason.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::StartLineTooLong => 414,
            Self::Expectation => 417,
            Self::HeadTooLong => 431,
            Self::Upgrade => 501,
            Self::SwitchingProtocols | Self::Status => 502,
            Self::Version | Self::Http2Preface => 505,
            _ => 400,
        }
    }
}
