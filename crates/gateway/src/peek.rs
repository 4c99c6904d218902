//! Tells from a client's first bytes what a connection carries, and checks a TLS hello against
//! the name that was decided on. Pure: it looks and does not take.

use ringfence_model::{Host, ReasonCode};
use ringfence_policy::Grant;

use crate::wire::client_hello::ClientHello;
use crate::wire::limits::HTTP_METHOD_OCTETS;

/// What the first bytes look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum First {
    /// Too few bytes to tell.
    Unknown,
    /// A TLS record with a handshake message.
    Tls,
    /// An HTTP/1 request line, or the preface of HTTP/2.
    Http,
    /// Anything else.
    Other,
}

/// What `prefix` looks like.
#[must_use]
pub fn first(prefix: &[u8]) -> First {
    match prefix {
        [] | [0x16] => First::Unknown,
        [0x16, 0x03, ..] => First::Tls,
        _ => request_line(prefix),
    }
}

/// Whether a TLS hello may go where the decision led.
///
/// # Errors
/// The reason code, and the reason in words.
pub fn check_hello(
    hello: &ClientHello,
    host: &Host,
    grant: &Grant,
) -> Result<(), (ReasonCode, String)> {
    match host {
        // A rule that names the address and lets any bytes through has nothing to compare.
        Host::Address(_) if grant.opaque => Ok(()),
        _ if hello.ech => Err((
            ReasonCode::EncryptedClientHello,
            "the TLS hello is encrypted (ECH), so the server name cannot be checked".to_owned(),
        )),
        Host::Address(address) => match &hello.sni {
            None => Ok(()),
            Some(sni) => Err((
                ReasonCode::SniMismatch,
                format!("the TLS server name is {sni}, but the decision was about {address}"),
            )),
        },
        Host::Name(name) => match &hello.sni {
            Some(sni) if sni == name => Ok(()),
            Some(sni) => Err((
                ReasonCode::SniMismatch,
                format!("the TLS server name is {sni}, but the decision was about {name}"),
            )),
            None => Err((
                ReasonCode::SniMissing,
                format!("the TLS hello has no server name, which must be {name}"),
            )),
        },
    }
}

/// A method in capitals, a space, and the start of a target: `NICK somebody` is not HTTP.
fn request_line(prefix: &[u8]) -> First {
    let length = prefix
        .iter()
        .take_while(|octet| octet.is_ascii_uppercase() || **octet == b'-')
        .count();
    let (method, rest) = prefix.split_at_checked(length).unwrap_or_default();
    match rest {
        _ if length > HTTP_METHOD_OCTETS => First::Other,
        [] | [b' '] if length > 0 => First::Unknown,
        [b' ', b'/' | b'*', ..] if length > 0 => First::Http,
        [b' ', ..] if method == b"CONNECT" => First::Http,
        [b' ', target @ ..] if length > 0 => absolute_form(target),
        _ => First::Other,
    }
}

fn absolute_form(target: &[u8]) -> First {
    let starts = |scheme: &[u8]| {
        target
            .iter()
            .zip(scheme)
            .all(|(octet, expected)| octet.to_ascii_lowercase() == *expected)
    };
    if !starts(b"http://") && !starts(b"https://") {
        First::Other
    } else if target.len() < b"https://".len() {
        First::Unknown
    } else {
        First::Http
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_are_told_apart() {
        for (prefix, expected) in [
            (&b""[..], First::Unknown),
            (b"\x16", First::Unknown),
            (b"\x16\x03\x01", First::Tls),
            (b"\x16\x02", First::Other),
            (b"GE", First::Unknown),
            (b"GET ", First::Unknown),
            (b"GET /", First::Http),
            (b"M-SEARCH * HTTP/1.1", First::Http),
            (b"PRI * HTTP/2.0", First::Http),
            (b"CONNECT a.test:1", First::Http),
            (b"GET http:/", First::Unknown),
            (b"GET HTTP://a", First::Http),
            (b"NICK somebody", First::Other),
            (b"EHLO h.test", First::Other),
            (b"SSH-2.0-x", First::Other),
            (b"A001 LOGIN", First::Other),
            (b"\0\0\0\x08\x04\xd2\x16\x2f", First::Other),
        ] {
            assert_eq!(first(prefix), expected, "{}", prefix.escape_ascii());
        }
    }
}
