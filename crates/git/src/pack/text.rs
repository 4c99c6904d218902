//! The headers of commits and tags: lines of a word, a space and a value, up to an empty line.

use ringfence_model::git::{ObjectFormat, Oid};

use super::Fault;

/// The headers, one after another, and then the message.
pub(super) struct Headers<'a> {
    rest: &'a [u8],
    format: ObjectFormat,
}

impl<'a> Headers<'a> {
    pub(super) const fn new(format: ObjectFormat, octets: &'a [u8]) -> Self {
        Self {
            rest: octets,
            format,
        }
    }

    /// The value of the next header if it has this name.
    pub(super) fn optional(&mut self, name: &str) -> Result<Option<&'a [u8]>, Fault> {
        let after = self.rest.strip_prefix(name.as_bytes());
        let Some(after) = after.and_then(|after| after.strip_prefix(b" ")) else {
            return Ok(None);
        };
        let end = after.iter().position(|octet| *octet == b'\n');
        let (value, rest) = after.split_at(end.ok_or(Fault::Header)?);
        if value.contains(&0) {
            return Err(Fault::Header);
        }
        self.rest = rest.get(1..).unwrap_or_default();
        Ok(Some(value))
    }

    /// The value of the next header, which must have this name.
    pub(super) fn required(&mut self, name: &str) -> Result<&'a [u8], Fault> {
        self.optional(name)?.ok_or(Fault::Header)
    }

    pub(super) fn optional_oid(&mut self, name: &str) -> Result<Option<Oid>, Fault> {
        let Some(value) = self.optional(name)? else {
            return Ok(None);
        };
        let text = str::from_utf8(value).map_err(|_| Fault::ObjectName)?;
        let oid: Oid = text.parse().map_err(|_| Fault::ObjectName)?;
        if oid.format() != self.format || oid.is_null() {
            return Err(Fault::ObjectName);
        }
        Ok(Some(oid))
    }

    pub(super) fn required_oid(&mut self, name: &str) -> Result<Oid, Fault> {
        self.optional_oid(name)?.ok_or(Fault::Header)
    }

    /// A header whose value is a person and a time.
    pub(super) fn person(&mut self, name: &str) -> Result<Option<&'a [u8]>, Fault> {
        let Some(value) = self.optional(name)? else {
            return Ok(None);
        };
        let open = value.iter().position(|octet| *octet == b'<');
        let close = value.iter().rposition(|octet| *octet == b'>');
        match (open, close) {
            (Some(open), Some(close)) if open < close => Ok(Some(value)),
            _ => Err(Fault::Person),
        }
    }

    /// Skips the other headers, none of which may have a name from `known`, for someone else may
    /// read the last of two where this reads the first. What is left is the message.
    pub(super) fn message(mut self, known: &[&str]) -> Result<&'a [u8], Fault> {
        loop {
            if self.rest.is_empty() {
                return Ok(self.rest);
            }
            let end = self.rest.iter().position(|octet| *octet == b'\n');
            let (line, rest) = self.rest.split_at(end.ok_or(Fault::Header)?);
            self.rest = rest.get(1..).unwrap_or_default();
            if line.is_empty() {
                return Ok(self.rest);
            }
            let word = line.split(|octet| *octet == b' ').next();
            let is_known = known.iter().any(|name| Some(name.as_bytes()) == word);
            if is_known || line.contains(&0) {
                return Err(Fault::Header);
            }
        }
    }
}
