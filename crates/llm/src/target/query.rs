//! Queries: the parameters that are known, each once.

use super::{Asked, TargetError, path};
use crate::limits::{MODEL_OCTETS, PATH_OCTETS};

/// Reads the query. Parameters in `dropped` are left out; those that are in neither list are
/// refused, because a request without them would be another one.
pub(super) fn read(
    asked: &Asked<'_>,
    known: &[&'static str],
    dropped: &[&str],
) -> Result<Vec<(&'static str, String)>, TargetError> {
    let query = asked.query.unwrap_or_default();
    if query.len() > PATH_OCTETS {
        return Err(TargetError::Malformed("the query is too long"));
    }
    let mut read: Vec<(&'static str, String)> = Vec::new();
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        if dropped.contains(&name) {
            continue;
        }
        let Some(name) = known.iter().find(|it| **it == name) else {
            return Err(TargetError::Malformed(
                "the query has a parameter that is not known to the gateway",
            ));
        };
        if read.iter().any(|(before, _)| before == name) {
            return Err(TargetError::Malformed("the query has a parameter twice"));
        }
        read.push((name, decoded(value)?));
    }
    Ok(read)
}

/// No query at all.
pub(super) fn none(asked: &Asked<'_>) -> Result<(), TargetError> {
    read(asked, &[], &[]).map(|_| ())
}

fn decoded(value: &str) -> Result<String, TargetError> {
    let wrong = TargetError::Malformed("the query could be read in more than one way");
    let text = percent_encoding::percent_decode_str(value);
    let text = text.decode_utf8().map_err(|_| wrong.clone())?;
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.:/=,@".contains(&b);
    if text.len() > MODEL_OCTETS || !text.bytes().all(is_plain) {
        return Err(wrong);
    }
    Ok(text.into_owned())
}

/// The query in its one form.
pub(super) fn write(parameters: &[(&'static str, String)]) -> Option<String> {
    let one = |(name, value): &(&str, String)| format!("{name}={}", path::encoded(value));
    let written: Vec<String> = parameters.iter().map(one).collect();
    (!written.is_empty()).then(|| written.join("&"))
}
