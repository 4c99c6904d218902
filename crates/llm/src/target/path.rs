//! Paths, taken apart in one way.

use std::fmt::Write as _;

use super::TargetError;
use crate::limits::{MODEL_OCTETS, PATH_OCTETS};

/// The decoded parts of a path.
#[derive(Debug)]
pub(super) struct Segments(Vec<String>);

impl Segments {
    /// Reads a path that begins with a slash.
    pub(super) fn read(path: &str) -> Result<Self, TargetError> {
        if path.len() > PATH_OCTETS {
            return Err(TargetError::Malformed("the path is too long"));
        }
        let parts = path.strip_prefix('/').unwrap_or_default().split('/');
        parts.map(segment).collect::<Result<_, _>>().map(Self)
    }

    /// The parts as they are compared with.
    pub(super) fn as_slices(&self) -> Vec<&str> {
        self.0.iter().map(String::as_str).collect()
    }
}

/// One part: decoded once, and nothing in it that a second reader could take for more.
fn segment(raw: &str) -> Result<String, TargetError> {
    let wrong = TargetError::Malformed("the path could be read in more than one way");
    let mut decoded = Vec::with_capacity(raw.len());
    let mut octets = raw.bytes();
    while let Some(octet) = octets.next() {
        decoded.push(match octet {
            b'%' => escaped(&mut octets).ok_or_else(|| wrong.clone())?,
            _ => octet,
        });
    }
    // A slash that is escaped is part of a name, as in the ARN of a model.
    let is_plain = |b: &u8| b.is_ascii_alphanumeric() || b"-_.:@+/~,=".contains(b);
    let text = String::from_utf8(decoded).map_err(|_| wrong.clone())?;
    let is_dots = text.split('/').any(|part| matches!(part, "" | "." | ".."));
    if is_dots || !text.bytes().all(|octet| is_plain(&octet)) {
        return Err(wrong);
    }
    Ok(text)
}

fn escaped(octets: &mut impl Iterator<Item = u8>) -> Option<u8> {
    let mut digit = || char::from(octets.next()?).to_digit(16);
    let (high, low) = (digit()?, digit()?);
    u8::try_from(high << 4 | low).ok()
}

/// The name of a model as a part of a path.
pub(super) fn encoded(model: &str) -> String {
    let mut out = String::with_capacity(model.len());
    for octet in model.bytes() {
        if octet.is_ascii_alphanumeric() || b"-_.~".contains(&octet) {
            out.push(char::from(octet));
        } else {
            let _ = write!(out, "%{octet:02X}");
        }
    }
    out
}

/// A name of a model, deployment, project or location in a path.
pub(super) fn name(text: &str) -> Result<&str, TargetError> {
    if text.is_empty() || text.len() > MODEL_OCTETS {
        return Err(TargetError::Malformed("the name of the model is too long"));
    }
    Ok(text)
}

/// A name that has no slash in it.
pub(super) fn simple_name(text: &str) -> Result<&str, TargetError> {
    if text.contains('/') {
        return Err(TargetError::Malformed(
            "the path could be read in more than one way",
        ));
    }
    name(text)
}
