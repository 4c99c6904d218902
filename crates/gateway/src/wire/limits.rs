//! The bounds of everything that a wire can drive in the parsers.

/// Octets of TLS records that may be read to find a whole ClientHello.
pub const CLIENT_HELLO_OCTETS: usize = 16 * 1024;
/// Extensions in one ClientHello; real clients send about twenty.
pub const CLIENT_HELLO_EXTENSIONS: usize = 96;
/// Protocol names in one ALPN extension.
pub const ALPN_PROTOCOLS: usize = 16;

/// Octets of an HTTP head, from the first octet to the empty line.
pub const HTTP_HEAD_OCTETS: usize = 64 * 1024;
/// Octets of the first line of an HTTP message.
pub const HTTP_START_LINE_OCTETS: usize = 16 * 1024;
/// Octets of an HTTP method; the longest registered one has 17.
pub const HTTP_METHOD_OCTETS: usize = 32;
/// Header fields in one HTTP head.
pub const HTTP_FIELDS: usize = 128;
/// Octets of one header field name.
pub const HTTP_FIELD_NAME_OCTETS: usize = 256;
/// Fields that `Connection` may name; real clients name one or two.
pub const HTTP_CONNECTION_OPTIONS: usize = 16;

/// Octets of one chunk-size line with its extension, without CRLF.
pub const CHUNK_LINE_OCTETS: usize = 1024;
/// Hexadecimal digits of a chunk size: 15 cannot overflow 64 bits.
pub const CHUNK_SIZE_DIGITS: usize = 15;
/// Octets of chunk extensions in one body, summed over all chunks.
pub const CHUNK_EXTENSION_OCTETS: usize = 16 * 1024;
/// Octets of the trailer section of a chunked body.
pub const TRAILER_OCTETS: usize = 8 * 1024;

/// Octets of one DNS query over UDP or TCP.
pub const DNS_QUERY_OCTETS: usize = 4096;
/// Names with a synthetic address in one sandbox.
pub const DNS_NAMES: usize = 16 * 1024;
