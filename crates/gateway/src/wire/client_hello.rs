//! Reads the ClientHello at the start of a TLS connection without touching it, so that the
//! name, the offered protocols and Encrypted Client Hello can be decided on before a byte
//! goes anywhere (RFC 8446, section 4.1.2; RFC 6066, section 3; RFC 7301; RFC 9849).
//!
//! The reader is stricter than a TLS server has to be: a hello that two implementations
//! could read differently is [`Progress::Invalid`], never a guess.

use std::borrow::Cow;

use ringfence_model::HostName;

use super::cursor::Cursor;
use super::limits::{ALPN_PROTOCOLS, CLIENT_HELLO_EXTENSIONS, CLIENT_HELLO_OCTETS};

/// How far the octets so far go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// A ClientHello may be coming; read more.
    Incomplete,
    /// A whole ClientHello.
    Hello(ClientHello),
    /// This is no TLS 1.0 or later; also the hello of SSL 2.
    NotTls,
    /// It starts like TLS and is malformed, ambiguous or too long. The text says why.
    Invalid(&'static str),
}

/// What a client says about the connection it wants.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientHello {
    /// The one host name of the `server_name` extension.
    pub sni: Option<HostName>,
    /// The protocol names offered, in the client's order, at most [`ALPN_PROTOCOLS`].
    pub alpn: Vec<Vec<u8>>,
    /// Whether Encrypted Client Hello is offered in any published form, GREASE included: what
    /// is inside cannot be told from the outside.
    pub ech: bool,
    /// Octets of the records that hold the hello, record headers included.
    pub length: usize,
}

/// Reads a ClientHello from the octets received so far, starting with the first one of the
/// connection. A call before the hello is whole only walks the record headers.
#[must_use]
pub fn read(prefix: &[u8]) -> Progress {
    if !starts_like_tls(prefix) {
        return Progress::NotTls;
    }
    let parsed = assemble(prefix).and_then(|whole| match whole {
        Some((message, length)) => parse(&message, length).map(Some),
        None => Ok(None),
    });
    match parsed {
        Ok(Some(hello)) => Progress::Hello(hello),
        Ok(None) => Progress::Incomplete,
        Err(reason) => Progress::Invalid(reason),
    }
}

type Parse<T> = Result<T, &'static str>;

/// A handshake record of major version 3; SSL 2 starts with a set high bit.
fn starts_like_tls(prefix: &[u8]) -> bool {
    match prefix {
        [] => true,
        [first] => *first == RECORD_HANDSHAKE,
        [first, major, ..] => *first == RECORD_HANDSHAKE && *major == 3,
    }
}

/// The body of the handshake message and the octets of the records that it came in.
fn assemble(prefix: &[u8]) -> Parse<Option<(Cow<'_, [u8]>, usize)>> {
    let mut cursor = Cursor::new(prefix);
    let mut header = Header::default();
    while let Some(fragment) = next_fragment(&mut cursor)? {
        header.add(fragment.octets)?;
        if let Some(length) = header.message_length()
            && header.seen >= length
        {
            if !fragment.whole || header.seen > length {
                return Err("more data follows the ClientHello in its record");
            }
            let used = prefix.len() - cursor.len();
            if used > CLIENT_HELLO_OCTETS {
                return Err(TOO_LONG);
            }
            return Ok(collect(prefix, length).map(|body| (body, used)));
        }
        if !fragment.whole {
            break;
        }
    }
    if prefix.len() >= CLIENT_HELLO_OCTETS {
        return Err(TOO_LONG);
    }
    Ok(None)
}

/// The first four octets of the handshake message, which can arrive one by one.
#[derive(Default)]
struct Header {
    octets: u32,
    seen: usize,
}

impl Header {
    fn add(&mut self, fragment: &[u8]) -> Parse<()> {
        let wanted = HANDSHAKE_HEADER.saturating_sub(self.seen);
        for octet in fragment.iter().take(wanted) {
            self.octets = self.octets << 8 | u32::from(*octet);
        }
        if self.seen == 0 && fragment.first().is_some_and(|kind| *kind != CLIENT_HELLO) {
            return Err("the first handshake message is not a ClientHello");
        }
        self.seen += fragment.len();
        match self.message_length() {
            Some(length) if length > CLIENT_HELLO_OCTETS => Err(TOO_LONG),
            _ => Ok(()),
        }
    }

    /// Octets of the message with its header, once the header is there.
    fn message_length(&self) -> Option<usize> {
        let body = usize::try_from(self.octets & 0x00ff_ffff).ok()?;
        (self.seen >= HANDSHAKE_HEADER).then_some(HANDSHAKE_HEADER + body)
    }
}

struct Fragment<'a> {
    octets: &'a [u8],
    /// Whether the record is there to its end.
    whole: bool,
}

/// The content of the next handshake record, as far as it has arrived.
fn next_fragment<'a>(cursor: &mut Cursor<'a>) -> Parse<Option<Fragment<'a>>> {
    let Some([kind, major, _minor]) = cursor.array() else {
        return Ok(None);
    };
    if kind != RECORD_HANDSHAKE || major != 3 {
        return Err("another record interrupts the ClientHello");
    }
    let Some(length) = cursor.u16().map(usize::from) else {
        return Ok(None);
    };
    if length == 0 || length > RECORD_OCTETS {
        return Err("a TLS record is empty or too long");
    }
    let whole = length <= cursor.len();
    let octets = cursor.take(length.min(cursor.len())).unwrap_or_default();
    Ok(Some(Fragment { octets, whole }))
}

/// Joins the fragments of a message that [`assemble`] has seen to be whole. The usual hello
/// lies in one record and is not copied.
fn collect(prefix: &[u8], length: usize) -> Option<Cow<'_, [u8]>> {
    let mut cursor = Cursor::new(prefix);
    let first = next_fragment(&mut cursor).ok()??;
    if first.octets.len() == length {
        return first.octets.get(HANDSHAKE_HEADER..).map(Cow::Borrowed);
    }
    let mut message = Vec::with_capacity(length);
    message.extend_from_slice(first.octets);
    while message.len() < length {
        message.extend_from_slice(next_fragment(&mut cursor).ok()??.octets);
    }
    Some(Cow::Owned(message.split_off(HANDSHAKE_HEADER)))
}

fn parse(message: &[u8], length: usize) -> Parse<ClientHello> {
    let mut cursor = Cursor::new(message);
    let mut extensions = skip_to_extensions(&mut cursor).ok_or(MALFORMED)?;
    if !cursor.is_empty() {
        return Err("data follows the extensions of the ClientHello");
    }
    let mut hello = ClientHello {
        length,
        ..ClientHello::default()
    };
    let mut seen = Vec::with_capacity(24);
    while !extensions.is_empty() {
        let kind = extensions.u16().ok_or(MALFORMED)?;
        let content = extensions.vector16().ok_or(MALFORMED)?;
        if seen.len() == CLIENT_HELLO_EXTENSIONS {
            return Err("the ClientHello has too many extensions");
        }
        if seen.contains(&kind) {
            return Err("the ClientHello has an extension twice");
        }
        seen.push(kind);
        match kind {
            EXTENSION_SERVER_NAME => hello.sni = Some(server_name(content)?),
            EXTENSION_ALPN => hello.alpn = protocols(content)?,
            _ => hello.ech |= is_ech(kind),
        }
    }
    Ok(hello)
}

/// Checks the fixed part and leaves `cursor` behind the extensions. A hello of TLS 1.2 and
/// before may end without any.
fn skip_to_extensions<'a>(cursor: &mut Cursor<'a>) -> Option<Cursor<'a>> {
    let [major, _minor] = cursor.array()?;
    cursor.take(RANDOM_OCTETS)?;
    let session = cursor.vector8()?.len();
    let suites = cursor.vector16()?.len();
    let compressions = cursor.vector8()?.len();
    let sound = major == 3
        && session <= SESSION_ID_OCTETS
        && suites >= 2
        && suites.is_multiple_of(2)
        && compressions >= 1;
    if !sound {
        return None;
    }
    if cursor.is_empty() {
        return Some(*cursor);
    }
    cursor.vector16()
}

fn server_name(mut content: Cursor<'_>) -> Parse<HostName> {
    let mut list = content.vector16().ok_or(MALFORMED)?;
    let kind = list.u8().ok_or(MALFORMED)?;
    let name = list.vector16().ok_or(MALFORMED)?;
    if !content.is_empty() {
        return Err(MALFORMED);
    }
    if !list.is_empty() {
        return Err("the ClientHello has several server names");
    }
    if kind != NAME_TYPE_HOST {
        return Err("the server name of the ClientHello is not a host name");
    }
    let text = std::str::from_utf8(name.rest()).map_err(|_| BAD_NAME)?;
    if !text.is_ascii() || text.ends_with('.') {
        return Err(BAD_NAME);
    }
    text.parse().map_err(|_| BAD_NAME)
}

fn protocols(mut content: Cursor<'_>) -> Parse<Vec<Vec<u8>>> {
    let mut list = content.vector16().ok_or(MALFORMED)?;
    if !content.is_empty() || list.is_empty() {
        return Err(MALFORMED);
    }
    let mut names = Vec::new();
    while !list.is_empty() {
        let name = list.vector8().ok_or(MALFORMED)?.rest();
        if name.is_empty() {
            return Err(MALFORMED);
        }
        if names.len() == ALPN_PROTOCOLS {
            return Err("the ClientHello offers too many protocols");
        }
        names.push(name.to_vec());
    }
    Ok(names)
}

/// `encrypted_client_hello` and `ech_outer_extensions` (RFC 9849), and the code points of the
/// drafts that were shipped, back to ESNI.
const fn is_ech(extension: u16) -> bool {
    matches!(
        extension,
        0xfe08..=0xfe0f | 0xfd00 | 0xda09 | 0xffce | 0xff02..=0xff04
    )
}

const RECORD_HANDSHAKE: u8 = 22;
/// RFC 8446, section 5.1.
const RECORD_OCTETS: usize = 1 << 14;
const HANDSHAKE_HEADER: usize = 4;
const CLIENT_HELLO: u8 = 1;
const RANDOM_OCTETS: usize = 32;
const SESSION_ID_OCTETS: usize = 32;
const EXTENSION_SERVER_NAME: u16 = 0;
const EXTENSION_ALPN: u16 = 16;
const NAME_TYPE_HOST: u8 = 0;
const TOO_LONG: &str = "the ClientHello is too long";
const MALFORMED: &str = "the ClientHello is malformed";
const BAD_NAME: &str = "the server name of the ClientHello is not a valid host name";

#[cfg(test)]
mod tests;
