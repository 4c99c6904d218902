//! The canonical form of a path (RFC 3986, section 6.2.2), and the refusal of paths that
//! have no single meaning. The decision and the upstream see the same canonical path.

use super::HttpError;

/// Escapes in upper case, unreserved characters not escaped. The result starts with `/`, has
/// no empty, `.` or `..` segment (a last empty segment is a trailing slash and stays), and
/// decodes to UTF-8 without control characters, slashes or backslashes, but for the one slash of
/// a segment `@scope%2Fname`: whether that may be is for policy to say.
pub(super) fn canonical(path: &str) -> Result<String, HttpError> {
    if !path.starts_with('/') {
        return Err(HttpError::Target);
    }
    let written = if path.contains('%') {
        let written = |segment| match scoped(segment) {
            Some(scoped) => Ok(scoped),
            None => decode_unreserved(segment),
        };
        let segments: Result<Vec<_>, _> = path.split('/').map(written).collect();
        segments?.join("/")
    } else {
        path.bytes().try_for_each(check_octet)?;
        path.to_owned()
    };
    check_segments(&written)?;
    Ok(written)
}

/// A name in a scope as package managers write it: `@scope%2Fname`, with no other escape, and with
/// nothing in it that could become a segment of dots.
fn scoped(segment: &str) -> Option<String> {
    let (scope, rest) = segment.strip_prefix('@')?.split_once('%')?;
    let name = rest
        .strip_prefix("2F")
        .or_else(|| rest.strip_prefix("2f"))?;
    let is_part =
        |part: &str| !part.is_empty() && !part.starts_with('.') && part.bytes().all(is_unreserved);
    (is_part(scope) && is_part(name)).then(|| format!("@{scope}%2F{name}"))
}

fn decode_unreserved(path: &str) -> Result<String, HttpError> {
    let mut written = String::with_capacity(path.len());
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [octet, tail @ ..] = rest {
        rest = tail;
        if *octet == b'%' {
            let value = escape(&mut rest)?;
            push_decoded(value, &mut written)?;
            decoded.push(value);
        } else {
            check_octet(*octet)?;
            written.push(char::from(*octet));
            decoded.push(*octet);
        }
    }
    if std::str::from_utf8(&decoded).is_err() || hides_separator(&decoded) {
        return Err(HttpError::PathAmbiguous);
    }
    Ok(written)
}

/// Whether a server that decodes twice would see a dot, a separator or a control character.
fn hides_separator(decoded: &[u8]) -> bool {
    decoded.windows(3).any(|window| {
        let [b'%', digits @ ..] = window else {
            return false;
        };
        let mut digits = digits;
        escape(&mut digits)
            .is_ok_and(|value| matches!(value, 0..=0x1f | 0x7f | b'/' | b'\\' | b'.' | b'%'))
    })
}

/// Checks a query: visible ASCII and sound escapes. It is kept as it came.
pub(super) fn check_query(query: &str) -> Result<(), HttpError> {
    let mut rest = query.as_bytes();
    while let [octet, tail @ ..] = rest {
        rest = tail;
        match octet {
            b'%' => drop(escape(&mut rest)?),
            b'#' => return Err(HttpError::Target),
            0x21..=0x7e => {}
            _ => return Err(HttpError::Target),
        }
    }
    Ok(())
}

/// Takes the two digits behind a `%`.
fn escape(rest: &mut &[u8]) -> Result<u8, HttpError> {
    let [high, low, tail @ ..] = *rest else {
        return Err(HttpError::Target);
    };
    *rest = tail;
    Ok(hex_digit(*high)? << 4 | hex_digit(*low)?)
}

fn hex_digit(octet: u8) -> Result<u8, HttpError> {
    match octet {
        b'0'..=b'9' => Ok(octet - b'0'),
        b'a'..=b'f' => Ok(octet - b'a' + 10),
        b'A'..=b'F' => Ok(octet - b'A' + 10),
        _ => Err(HttpError::Target),
    }
}

/// Writes an escaped octet in its canonical form.
fn push_decoded(value: u8, written: &mut String) -> Result<(), HttpError> {
    match value {
        0..=0x1f | 0x7f | b'/' | b'\\' => Err(HttpError::PathAmbiguous),
        _ if is_unreserved(value) => {
            written.push(char::from(value));
            Ok(())
        }
        _ => {
            written.push('%');
            written.push(hex_character(value >> 4));
            written.push(hex_character(value & 0xf));
            Ok(())
        }
    }
}

const fn hex_character(nibble: u8) -> char {
    match nibble {
        0..=9 => (b'0' + nibble) as char,
        _ => (b'A' + nibble - 10) as char,
    }
}

/// `pchar` and `/` of RFC 3986, section 3.3.
fn check_octet(octet: u8) -> Result<(), HttpError> {
    let sub_delimiter = matches!(
        octet,
        b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'='
    );
    if is_unreserved(octet) || sub_delimiter || matches!(octet, b':' | b'@' | b'/') {
        return Ok(());
    }
    match octet {
        b'\\' => Err(HttpError::PathAmbiguous),
        _ => Err(HttpError::Target),
    }
}

const fn is_unreserved(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~')
}

/// Some servers cut path parameters off before they resolve dot segments, so `..;x` counts,
/// and some decode before that.
fn check_segments(path: &str) -> Result<(), HttpError> {
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let name = segment.split(';').next().unwrap_or_default();
        let name = name.split("%3B").next().unwrap_or_default();
        let empty = segment.is_empty() && segments.peek().is_some();
        if empty || name == "." || name == ".." {
            return Err(HttpError::PathAmbiguous);
        }
    }
    Ok(())
}
