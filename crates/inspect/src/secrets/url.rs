//! Secrets of URLs and HTTP: user and password, and signatures of shared access.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::around::{Around, holds};
use super::charset::Charset;
use super::likeness::{is_hex, is_password, is_random, is_uuid};

/// Octets of the scheme of a URL.
const SCHEME_OCTETS: usize = 24;
/// Octets of what stands before the host.
const USER_OCTETS: usize = 512;
/// Octets of user and password in base64.
const BASIC_OCTETS: usize = 344;

/// Schemes of what a connection string leads to.
const DATABASES: &[&str] = &[
    "postgres",
    "postgresql",
    "mysql",
    "mysql2",
    "mariadb",
    "mongodb",
    "redis",
    "rediss",
    "amqp",
    "amqps",
    "mssql",
    "sqlserver",
    "clickhouse",
    "cockroachdb",
    "cassandra",
    "neo4j",
    "bolt",
    "ldap",
    "ldaps",
    "smtp",
    "smtps",
    "oracle",
    "snowflake",
    "nats",
];

/// The anchor is `://`.
pub(super) fn has_password(around: &Around<'_>, of_database: bool) -> bool {
    let window = around.after.len().min(USER_OCTETS);
    let window = around.after.get(..window).unwrap_or_default();
    let inside = |octet: &&u8| {
        octet.is_ascii_graphic()
            && !matches!(
                octet,
                b'/' | b'?' | b'#' | b'"' | b'\'' | b'`' | b'<' | b'>' | b'\\' | b'(' | b')' | b'|'
            )
    };
    let length = window.iter().take_while(inside).count();
    let authority = window.get(..length).unwrap_or_default();
    let Some(at) = authority.iter().rposition(|octet| *octet == b'@') else {
        return false;
    };
    let user = authority.get(..at).unwrap_or_default();
    let Some(colon) = user.iter().position(|octet| *octet == b':') else {
        return false;
    };
    let password = user.get(colon + 1..).unwrap_or_default();
    is_database(around.before) == of_database && !is_template(password) && is_password(password)
}

fn is_database(before: &[u8]) -> bool {
    let scheme = |octet: &&u8| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'-' | b'.');
    let length = before
        .iter()
        .rev()
        .take(SCHEME_OCTETS)
        .take_while(scheme)
        .count();
    let scheme = before.get(before.len() - length..).unwrap_or_default();
    let base = scheme
        .split(|octet| *octet == b'+')
        .next()
        .unwrap_or_default();
    DATABASES
        .iter()
        .any(|name| base.eq_ignore_ascii_case(name.as_bytes()))
}

/// Whether a password has to be filled in: what URLs may hold is escaped.
fn is_template(password: &[u8]) -> bool {
    let mut rest = password;
    while let [octet, after @ ..] = rest {
        rest = match (octet, after) {
            (b'%', [high, low, after @ ..]) if is_hex(&[*high, *low]) => after,
            (b'%' | b'{' | b'}' | b'[' | b']' | b'*', _) => return true,
            (b'$', [b'A'..=b'Z' | b'{' | b'_', ..]) => return true,
            _ => after,
        };
    }
    is_uuid(password)
}

/// User and password in base64, as HTTP's basic authentication has them (RFC 7617).
pub(super) fn is_basic(around: &Around<'_>) -> bool {
    if !around.begins_word() && around.anchor.first().is_some_and(u8::is_ascii_alphabetic) {
        return false;
    }
    let length = Charset::Base64.prefix(around.after, BASIC_OCTETS);
    if !(16..BASIC_OCTETS).contains(&length) {
        return false;
    }
    let encoded = around.after.get(..length).unwrap_or_default();
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let Ok(decoded) = GeneralPurpose::new(&STANDARD, config).decode(encoded) else {
        return false;
    };
    let Some(colon) = decoded.iter().position(|octet| *octet == b':') else {
        return false;
    };
    let password = decoded.get(colon + 1..).unwrap_or_default();
    colon > 0
        && decoded.iter().all(|octet| octet.is_ascii_graphic())
        && (is_password(password) || password.len() >= 16 && is_random(password))
}

/// The anchor is `sig=`: the signature is 32 octets in base64, escaped for URLs, and version and
/// end stand beside it.
pub(super) fn is_shared_access(around: &Around<'_>) -> bool {
    let signature = |octet: &&u8| Charset::Base64.has(**octet) || matches!(octet, b'%' | b'=');
    let length = around.after.iter().take(64).take_while(signature).count();
    let signature = around.after.get(..length).unwrap_or_default();
    let escapes = signature.iter().filter(|octet| **octet == b'%').count();
    let padding = signature.iter().filter(|octet| **octet == b'=').count();
    // Padding may be left out.
    let symbols = length.saturating_sub(2 * escapes + padding);
    let near = |text: &[u8]| {
        let from = around.before.len().saturating_sub(NEAR_OCTETS);
        let to = around.after.len().min(NEAR_OCTETS);
        holds(around.before.get(from..).unwrap_or_default(), text)
            || holds(around.after.get(..to).unwrap_or_default(), text)
    };
    around.begins_word()
        && (43..=44).contains(&symbols)
        && is_random(signature)
        && near(b"sv=20")
        && near(b"se=20")
}

/// Octets around a signature in which the other parameters stand.
const NEAR_OCTETS: usize = 400;
