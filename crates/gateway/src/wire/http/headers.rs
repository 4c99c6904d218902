//! The end-to-end header fields of a head, in order and with the spelling they came in.
//!
//! Names and values lie in two buffers, so that reading a head costs a handful of
//! allocations however many fields it has.

use std::fmt;

use super::HttpError;
use super::framing;
use crate::wire::limits::{HTTP_FIELD_NAME_OCTETS, HTTP_FIELDS};

/// An ordered list of header fields; names compare without case.
#[derive(Clone, Default)]
pub struct Headers {
    names: String,
    values: Vec<u8>,
    fields: Vec<Field>,
}

/// Where the name and the value of one field lie in their buffers.
#[derive(Debug, Clone, Copy)]
struct Field {
    name: (usize, usize),
    value: (usize, usize),
}

impl Headers {
    /// The value of the first field of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.iter()
            .find(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// All fields in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.fields.iter().map(|field| self.resolve(field))
    }

    /// How many fields there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Appends a field. Refused are malformed names and values and the names that belong to
    /// the typed fields of a head: framing, `Host`, `Connection`, `Expect`, `Upgrade`.
    pub fn push(&mut self, name: &str, value: &[u8]) -> Result<(), HttpError> {
        if framing::is_reserved(name) {
            return Err(HttpError::HeaderName);
        }
        check_name(name.as_bytes())?;
        self.append(name, trim(check_value(value)?))
    }

    /// Removes all fields of this name and says whether there were any.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.fields.len();
        let names = &self.names;
        self.fields
            .retain(|field| !slice(names, field.name).eq_ignore_ascii_case(name));
        before != self.fields.len()
    }

    /// Appends what was checked before.
    pub(super) fn append(&mut self, name: &str, value: &[u8]) -> Result<(), HttpError> {
        if self.fields.len() == HTTP_FIELDS {
            return Err(HttpError::HeadTooLong);
        }
        let field = Field {
            name: (self.names.len(), self.names.len() + name.len()),
            value: (self.values.len(), self.values.len() + value.len()),
        };
        self.names.push_str(name);
        self.values.extend_from_slice(value);
        self.fields.push(field);
        Ok(())
    }

    fn resolve(&self, field: &Field) -> (&str, &[u8]) {
        let (from, to) = field.value;
        let value = self.values.get(from..to).unwrap_or_default();
        (slice(&self.names, field.name), value)
    }
}

impl PartialEq for Headers {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Headers {}

/// Names only: values can hold what must not be logged.
impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.iter().map(|(name, _)| name))
            .finish()
    }
}

/// Splits a field line into a checked name and a checked value without surrounding space.
pub(super) fn read_line(line: &[u8]) -> Result<(&str, &[u8]), HttpError> {
    if matches!(line.first(), Some(b' ' | b'\t')) {
        return Err(HttpError::ObsoleteFold);
    }
    let colon = line
        .iter()
        .position(|octet| *octet == b':')
        .ok_or(HttpError::HeaderName)?;
    let (name, rest) = line.split_at_checked(colon).ok_or(HttpError::HeaderName)?;
    let value = rest.strip_prefix(b":").ok_or(HttpError::HeaderName)?;
    Ok((check_name(name)?, trim(check_value(value)?)))
}

/// RFC 9110, section 5.6.2.
pub(super) const fn is_token_octet(octet: u8) -> bool {
    octet.is_ascii_alphanumeric()
        || matches!(
            octet,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

/// Removes optional white space (RFC 9110, section 5.6.3) from both ends.
pub(super) fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = value {
        value = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

fn check_name(name: &[u8]) -> Result<&str, HttpError> {
    if name.len() > HTTP_FIELD_NAME_OCTETS {
        return Err(HttpError::HeadTooLong);
    }
    if name.is_empty() || !name.iter().all(|octet| is_token_octet(*octet)) {
        return Err(HttpError::HeaderName);
    }
    std::str::from_utf8(name).map_err(|_| HttpError::HeaderName)
}

/// Visible characters, space, tab and octets above ASCII (RFC 9110, section 5.5).
pub(super) fn check_value(value: &[u8]) -> Result<&[u8], HttpError> {
    if value
        .iter()
        .all(|octet| matches!(octet, b'\t' | 0x20..=0x7e | 0x80..))
    {
        Ok(value)
    } else {
        Err(HttpError::HeaderValue)
    }
}

fn slice(names: &str, (from, to): (usize, usize)) -> &str {
    names.get(from..to).unwrap_or_default()
}
