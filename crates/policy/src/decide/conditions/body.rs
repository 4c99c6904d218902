//! What is in the body, and what is asked about the request as a whole.

use ringfence_model::{Content, GraphqlField, GraphqlKind, GraphqlOperation};
use serde_json::Value;

use super::super::document;
use super::{Asked, Unmet};
use crate::document::{ContentConditions, GraphqlConditions, GraphqlKinds, Schema, selects};

pub(super) fn content(asked: &Asked<'_>) -> Result<(), Unmet> {
    let Some(conditions) = &asked.rule.content else {
        return Ok(());
    };
    media_type(asked, conditions)?;
    let is_long = |most: u64| document::octets(asked.request).is_some_and(|octets| octets > most);
    if conditions.octets.is_some_and(is_long) {
        return Err(Unmet::Octets);
    }
    match &conditions.json {
        Some(schema) => json(asked, schema),
        None => Ok(()),
    }
}

fn media_type(asked: &Asked<'_>, conditions: &ContentConditions) -> Result<(), Unmet> {
    let Some(types) = &conditions.types else {
        return Ok(());
    };
    let is_named = |name: &str| types.iter().any(|pattern| pattern.matches(name));
    match document::media_type(asked.request) {
        Some(media_type) if is_named(&media_type) => Ok(()),
        Some(_) => Err(Unmet::MediaType),
        None if asked.query.recorded && asked.request.content.is_none() => {
            Err(Unmet::HeadersUnknown)
        }
        // Two types of one body are as good as any.
        None if has_header(asked, "content-type") => Err(Unmet::BodyUnknown),
        None => Err(Unmet::MediaType),
    }
}

fn has_header(asked: &Asked<'_>, wanted: &str) -> bool {
    let mut headers = asked.request.headers.iter();
    headers.any(|(name, _)| name == wanted)
}

fn json(asked: &Asked<'_>, schema: &Schema) -> Result<(), Unmet> {
    let content = read(asked)?;
    let Some(value) = &content.json else {
        return Err(match content.octets {
            0 => Unmet::NoBody,
            _ if asked.query.recorded => Unmet::BodyUnknown,
            _ => Unmet::NotJson,
        });
    };
    if schema.accepts(value) {
        Ok(())
    } else {
        Err(Unmet::Json)
    }
}

fn read<'a>(asked: &Asked<'a>) -> Result<&'a Content, Unmet> {
    asked.request.content.as_ref().ok_or(Unmet::BodyUnknown)
}

pub(super) fn graphql(asked: &Asked<'_>) -> Result<(), Unmet> {
    let Some(conditions) = &asked.rule.graphql else {
        return Ok(());
    };
    let operation = read(asked)?.graphql.as_ref();
    let operation = operation.ok_or(Unmet::NotGraphql)?;
    if !takes_kind(conditions, operation.kind, asked.is_forbid) {
        return Err(Unmet::Kind);
    }
    let takes = |field| takes_field(conditions, field);
    let selected = conditions.select.as_ref();
    let is_selected =
        |step: &String| selected.is_none_or(|known| known.iter().any(|entry| selects(entry, step)));
    let (fields, names) = (&operation.fields, &operation.selected);
    let (has_fields, has_names) = if asked.is_forbid {
        (
            fields.iter().any(takes),
            selected.is_none() || names.iter().any(is_selected),
        )
    } else {
        // An operation without root fields is not one that somebody meant to allow.
        (
            !fields.is_empty() && fields.iter().all(takes),
            names.iter().all(is_selected),
        )
    };
    if !has_fields {
        return Err(Unmet::Field);
    }
    if !has_names {
        return Err(Unmet::Selected);
    }
    bounds(conditions, operation)
}

pub(super) fn takes_kind(
    conditions: &GraphqlConditions,
    kind: GraphqlKind,
    is_forbid: bool,
) -> bool {
    let is_kind = |known: &GraphqlKinds| known.kind() == kind;
    match &conditions.kinds {
        Some(kinds) => kinds.iter().any(is_kind),
        None => is_forbid || kind == GraphqlKind::Query,
    }
}

pub(super) fn takes_field(conditions: &GraphqlConditions, field: &GraphqlField) -> bool {
    let Some(known) = &conditions.fields else {
        return true;
    };
    known.iter().any(|known| {
        let accepts = |schema: &Schema| schema.accepts(&field.arguments);
        known.name == field.name && known.arguments.as_ref().is_none_or(accepts)
    })
}

fn bounds(conditions: &GraphqlConditions, operation: &GraphqlOperation) -> Result<(), Unmet> {
    if conditions
        .depth
        .is_some_and(|most| u32::from(operation.depth) > most)
    {
        return Err(Unmet::Depth);
    }
    if conditions.size.is_some_and(|most| operation.size > most) {
        return Err(Unmet::Size);
    }
    Ok(())
}

/// The values that a precondition compares must be there.
pub(super) fn values(asked: &Asked<'_>) -> Result<(), Unmet> {
    let equal = &asked.rule.equal;
    if equal.is_empty() {
        return Ok(());
    }
    all_known(asked)?;
    let document = asked.query.document(asked.request);
    let is_missing = |(pointer, _): &(_, _)| value_at(document, pointer).is_none();
    match equal.iter().position(is_missing) {
        Some(index) => Err(Unmet::Value(index)),
        None => Ok(()),
    }
}

pub(in crate::decide) fn value_at<'a>(
    document: &'a Value,
    pointer: &crate::document::Pointer,
) -> Option<&'a Value> {
    document.pointer(pointer.as_str())
}

pub(super) fn expression(asked: &Asked<'_>) -> Result<(), Unmet> {
    let Some(condition) = &asked.rule.when else {
        return Ok(());
    };
    all_known(asked)?;
    match condition.holds(asked.query.document(asked.request)) {
        Some(true) => Ok(()),
        Some(false) => Err(Unmet::When),
        None => Err(Unmet::WhenUnclear),
    }
}

/// What was not read or recorded must not look like something that the agent did not send.
fn all_known(asked: &Asked<'_>) -> Result<(), Unmet> {
    let needs = asked.rule.needs;
    if needs.headers && asked.query.recorded {
        return Err(Unmet::HeadersUnknown);
    }
    if !(needs.json || needs.graphql || needs.octets) {
        return Ok(());
    }
    let content = read(asked)?;
    if needs.json && asked.query.recorded {
        return Err(Unmet::BodyUnknown);
    }
    let has_body = content.octets > 0;
    if needs.json && has_body && content.json.is_none() {
        return Err(Unmet::NotJson);
    }
    if needs.graphql && has_body && content.graphql.is_none() {
        return Err(Unmet::NotGraphql);
    }
    Ok(())
}
