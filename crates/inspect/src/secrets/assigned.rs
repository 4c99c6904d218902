//! Values that are given to something with a telling name, in code, configuration and shells.

use super::around::{Around, holds};
use super::charset::Charset;
use super::likeness::{is_hex, is_password, is_random, is_uuid};
use super::name::Name;

/// What is given a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// A key, a token, a secret.
    Key,
    /// A password.
    Password,
    /// The secret part of an access key of AWS: 40 characters.
    AwsSecret,
    /// The password of a machine in a `.netrc`.
    Netrc,
    /// What an `.npmrc` signs in with.
    Npmrc,
    /// What follows `Bearer`.
    Bearer,
}

/// Octets of a name on each side of its anchor.
const NAME_OCTETS: usize = 40;
/// Blanks between a name, its sign and its value.
const BLANKS: usize = 24;
/// Octets of a value.
const VALUE_OCTETS: usize = 160;

pub(super) fn fits(what: What, around: &Around<'_>) -> bool {
    match what {
        What::Key => value_of(around).is_some_and(|(name, value)| is_key(&name, value)),
        What::Password => value_of(around).is_some_and(|(_, value)| is_secret_password(value)),
        What::AwsSecret => {
            value_of(around).is_some_and(|(_, value)| value.len() == 40 && is_random(value))
        }
        What::Netrc => is_netrc(around),
        What::Npmrc => {
            let value = plain(around.after);
            value.is_some_and(|value| is_uuid(value) || value.len() >= 16 && is_random(value))
        }
        What::Bearer => {
            let length = Charset::Unreserved.prefix(around.after, VALUE_OCTETS);
            let value = around.after.get(..length).unwrap_or_default();
            around.begins_word() && value.len() >= 20 && is_random(value) && !is_uuid(value)
        }
    }
}

fn is_key(name: &Name, value: &[u8]) -> bool {
    let value = without_padding(value);
    let allowed =
        |octet: &u8| Charset::Unreserved.has(*octet) || matches!(octet, b'+' | b'/' | b'=');
    value.len() >= 16
        && value.iter().all(allowed)
        && !value.starts_with(b"/")
        && !value.to_ascii_lowercase().starts_with(b"sha")
        && !KNOWN.iter().any(|start| value.starts_with(start))
        && !is_uuid(value)
        && (!is_hex(value) || value.len() >= 32 && name.is_strong())
        && is_random(value)
}

/// What rules of their own judge, or what is no secret, whatever its name.
const KNOWN: &[&[u8]] = &[b"eyJ", b"AIza", b"pk_", b"sk_test_", b"rk_test_"];

/// Leaves out hashes, templates, patterns and paths.
fn is_secret_password(value: &[u8]) -> bool {
    let strange: [&[u8]; 9] = [
        b"${", b"$(", b"{{", b"#{", b"%s", b"%(", b"://", b"(?", b"\\",
    ];
    is_password(value)
        && !strange.iter().any(|part| holds(value, part))
        && !matches!(
            value.first(),
            Some(b'$' | b'{' | b'<' | b'/' | b'^' | b'[' | b'(' | b'%' | b'.')
        )
        && !is_uuid(value)
        && !is_hex(value)
}

/// `machine H login L password P`, also over several lines.
fn is_netrc(around: &Around<'_>) -> bool {
    let Some(value) = plain(around.after.trim_ascii_start()) else {
        return false;
    };
    around.begins_word()
        && is_password(value)
        && holds(around.before, b"machine ")
        && holds(around.before, b"login ")
}

/// The name around an anchor and the value that it is given, if the name is that of a secret.
fn value_of<'t>(around: &Around<'t>) -> Option<(Name, &'t [u8])> {
    let length = Charset::Url.prefix(around.after, NAME_OCTETS);
    let (rest_of_name, rest) = around.after.split_at(length);
    // Most names in code are given nothing: this is the fast way out.
    let (closed, rest) = close(rest);
    let sign = blanks(rest)?.first()?;
    if !matches!(sign, b'=' | b':' | b'>' | b',' | b'(' | b'i' | b'?') && !is_option(around) {
        return None;
    }
    let length = Charset::Url.suffix(around.before, NAME_OCTETS);
    let start = around.before.len() - length;
    let name = Name::new(
        around.before.get(start..).unwrap_or_default(),
        around.anchor,
        rest_of_name,
    );
    if !name.is_secret() {
        return None;
    }
    Some((name, assignment(closed, rest, around)?))
}

/// The quote or bracket that ends a name, and the blanks after it.
fn close(rest: &[u8]) -> (bool, &[u8]) {
    let (closed, rest) = match rest {
        [b'\\', b'"' | b'\'', rest @ ..] | [b'"' | b'\'' | b'`', rest @ ..] => (true, rest),
        _ => (false, rest),
    };
    let rest = rest.strip_prefix(b"]").unwrap_or(rest);
    (closed, rest)
}

/// What stands after a sign that gives a name a value.
fn assignment<'t>(closed: bool, rest: &'t [u8], around: &Around<'t>) -> Option<&'t [u8]> {
    let spaced = blanks(rest)?;
    match spaced {
        [b'=', b'=' | b'~', ..] | [b':', b':' | b'/', ..] => None,
        [b'=', b'>', rest @ ..] | [b':' | b'?', b'=', rest @ ..] | [b'=', rest @ ..] => value(rest),
        [b':', rest @ ..] => value(typed(rest).unwrap_or(rest)),
        [b'>', rest @ ..] if is_element(around) => value(rest),
        [b',', rest @ ..] if closed => quoted(blanks(rest)?),
        [b'(', rest @ ..] if !closed => quoted(blanks(rest)?),
        [b'i', b's', b' ', rest @ ..] if spaced.len() < rest.len() + 8 => value(rest),
        _ if is_option(around) && spaced.len() < rest.len() => value(spaced),
        _ => None,
    }
}

/// What comes after the type, in `name: Type = value`.
fn typed(rest: &[u8]) -> Option<&[u8]> {
    let window = rest.get(..rest.len().min(BLANKS + 16))?;
    let kind = |octet: &&u8| octet.is_ascii_alphanumeric() || b" &'?<>_.|".contains(octet);
    let length = window.iter().take_while(kind).count();
    rest.get(length..)?.strip_prefix(b"=")
}

/// Whether the name is that of an element, as in `<password>`.
fn is_element(around: &Around<'_>) -> bool {
    let length = Charset::Dotted.suffix(around.before, NAME_OCTETS);
    let start = around.before.len() - length;
    around
        .before
        .get(..start)
        .is_some_and(|before| before.ends_with(b"<"))
}

/// Whether the name is that of an option, as in `--password`.
fn is_option(around: &Around<'_>) -> bool {
    let length = Charset::Url.suffix(around.before, NAME_OCTETS);
    let start = around.before.len() - length;
    let name = around.before.get(start..).unwrap_or_default();
    name.starts_with(b"--")
}

fn blanks(text: &[u8]) -> Option<&[u8]> {
    let blank = |octet: &&u8| matches!(octet, b' ' | b'\t');
    let length = text.iter().take(BLANKS).take_while(blank).count();
    text.get(length..)
}

fn value(text: &[u8]) -> Option<&[u8]> {
    let text = blanks(text)?;
    quoted(text).or_else(|| plain(text))
}

/// A value in quotes, which may be escaped themselves or have a letter before them.
fn quoted(text: &[u8]) -> Option<&[u8]> {
    let text = match text {
        [b'b' | b'r' | b'f' | b'u' | b'L' | b'@' | b'B', rest @ ..]
            if matches!(rest.first(), Some(b'"' | b'\'')) =>
        {
            rest
        }
        _ => text,
    };
    let (quote, text) = match text {
        [b'"', b'"', b'"', text @ ..] => (b'"', text),
        [b'\\', quote @ (b'"' | b'\''), text @ ..] | [quote @ (b'"' | b'\'' | b'`'), text @ ..] => {
            (*quote, text)
        }
        _ => return None,
    };
    let inside = |octet: &&u8| octet.is_ascii_graphic() && **octet != quote && **octet != b'\\';
    let length = text
        .iter()
        .take(VALUE_OCTETS + 1)
        .take_while(inside)
        .count();
    let ends = match text.get(length..)? {
        [b'\\', end, ..] | [end, ..] => *end == quote,
        [] => false,
    };
    (ends && length <= VALUE_OCTETS)
        .then(|| text.get(..length))
        .flatten()
}

/// A value without quotes, up to a blank or what ends one in shells, URLs and markup.
fn plain(text: &[u8]) -> Option<&[u8]> {
    let inside = |octet: &&u8| {
        octet.is_ascii_graphic()
            && !matches!(
                octet,
                b'"' | b'\'' | b'`' | b'<' | b'>' | b'&' | b';' | b',' | b'\\' | b'|'
            )
    };
    let length = text
        .iter()
        .take(VALUE_OCTETS + 1)
        .take_while(inside)
        .count();
    let value = text.get(..length)?;
    let value = value.strip_suffix(b".").unwrap_or(value);
    let code = |octet: &u8| matches!(octet, b'(' | b')' | b'[' | b']' | b'{' | b'}');
    let is_value = length <= VALUE_OCTETS && !value.iter().any(code);
    (is_value && !matches!(value.first(), Some(b'$' | b'%' | b'*' | b'@' | b'~'))).then_some(value)
}

/// A value without the padding of base64.
fn without_padding(value: &[u8]) -> &[u8] {
    let last = value.iter().rposition(|octet| *octet != b'=');
    let end = last.map_or(0, |last| last + 1);
    value.get(..end).unwrap_or_default()
}
