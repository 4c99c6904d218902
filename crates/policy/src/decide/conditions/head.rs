//! Query and headers.

use std::borrow::Cow;

use super::super::document;
use super::{Asked, Unmet};
use crate::document::{ParamCondition, TextPattern};

pub(super) fn query(asked: &Asked<'_>) -> Result<(), Unmet> {
    let Some(conditions) = &asked.rule.query else {
        return Ok(());
    };
    let params = document::params(asked.request.query.as_deref()).ok_or(Unmet::QueryForm)?;
    let named = conditions.params.as_deref().unwrap_or_default();
    for (index, condition) in named.iter().enumerate() {
        let of_name = |(name, _): &&(Cow<'_, str>, Cow<'_, str>)| *name == condition.name;
        let values = params
            .iter()
            .filter(of_name)
            .map(|(_, value)| value.as_ref());
        let patterns = condition.matches.as_deref();
        if !takes(asked, values, patterns, condition.required) {
            return Err(Unmet::Param(index));
        }
    }
    let is_named = |name: &str| {
        named
            .iter()
            .any(|known: &ParamCondition| known.name == name)
    };
    if conditions.others.are_allowed() || params.iter().all(|(name, _)| is_named(name)) {
        Ok(())
    } else {
        Err(Unmet::OtherParam)
    }
}

pub(super) fn headers(asked: &Asked<'_>) -> Result<(), Unmet> {
    let Some(conditions) = &asked.rule.headers else {
        return Ok(());
    };
    if asked.query.recorded {
        return Err(Unmet::HeadersUnknown);
    }
    for (index, condition) in conditions.params.iter().enumerate() {
        let headers = asked.request.headers.iter();
        let values = headers
            .filter(|(name, _)| is_spelling(name, condition.name.as_str()))
            .map(|(_, value)| value.as_str());
        let patterns = condition.matches.as_deref();
        if !takes(asked, values, patterns, condition.required) {
            return Err(Unmet::Header(index));
        }
    }
    Ok(())
}

/// Whether a name of a field is another one as servers see it that make variables of fields: `_` and
/// `-` are one to them.
fn is_spelling(name: &str, of: &str) -> bool {
    let folded = |octet: u8| if octet == b'_' { b'-' } else { octet };
    name.bytes().map(folded).eq(of.bytes().map(folded))
}

/// An allow takes values that all match, and by default none at all. A forbid is about a request
/// that has one value that matches, among whatever others.
fn takes<'v>(
    asked: &Asked<'_>,
    mut values: impl Iterator<Item = &'v str>,
    patterns: Option<&[TextPattern]>,
    required: bool,
) -> bool {
    let matches = |value: &str| {
        patterns.is_none_or(|patterns| patterns.iter().any(|pattern| pattern.matches(value)))
    };
    if asked.is_forbid {
        return values.any(matches);
    }
    match values.next() {
        None => !required,
        Some(first) => matches(first) && values.all(matches),
    }
}
