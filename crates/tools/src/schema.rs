//! JSON Schemas of arguments and results: draft 2020-12, with references within themselves alone.
//! Nothing is ever fetched.

use std::collections::BTreeSet;
use std::sync::Arc;

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::{Map, Value};

use crate::limits::{REGEX_OCTETS, SCHEMA_DEPTH, SCHEMA_OCTETS};

/// A compiled schema of an object.
#[derive(Debug, Clone)]
pub(crate) struct Schema {
    source: Arc<Map<String, Value>>,
    validator: Arc<Validator>,
    octets: usize,
}

/// How much is asked of a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strictness {
    /// What a person wrote for this use: formats are checked, and there are no others.
    Own,
    /// What describes an API: formats are words for readers.
    Foreign,
}

impl Schema {
    /// Checks and compiles a schema.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(crate) fn new(source: Value, strictness: Strictness) -> Result<Self, String> {
        let octets = source.to_string().len();
        if octets > SCHEMA_OCTETS {
            return Err(format!("a JSON Schema has at most {SCHEMA_OCTETS} octets"));
        }
        let mut references = BTreeSet::new();
        check(&source, SCHEMA_DEPTH, &mut references)?;
        let mut done = BTreeSet::new();
        for reference in &references {
            leads_somewhere(&source, reference, &mut Vec::new(), &mut done)?;
        }
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(strictness == Strictness::Own)
            .should_ignore_unknown_formats(strictness == Strictness::Foreign)
            // Linear in the length of the text, whatever the expression.
            .with_pattern_options(PatternOptions::regex().size_limit(REGEX_OCTETS))
            .offline()
            .build(&source)
            .map_err(|error| format!("JSON Schema, at `{}`: {error}", error.instance_path()))?;
        let Value::Object(source) = source else {
            return Err("a JSON Schema is written as fields".to_owned());
        };
        Ok(Self {
            source: Arc::new(source),
            validator: Arc::new(validator),
            octets,
        })
    }

    /// Where in `value` the first thing is that it does not satisfy, and what is wrong with it.
    pub(crate) fn fault(&self, value: &Value) -> Option<String> {
        let error = self.validator.iter_errors(value).next()?;
        let place = error.instance_path().to_string();
        let place = match place.as_str() {
            "" => "the arguments".to_owned(),
            place => format!("`{place}`"),
        };
        Some(format!("{place}: {error}"))
    }

    /// As it was written.
    pub(crate) fn source(&self) -> &Arc<Map<String, Value>> {
        &self.source
    }

    pub(crate) const fn octets(&self) -> usize {
        self.octets
    }
}

/// Only references within the schema, no other names for its parts, no other draft, and bounded.
fn check(value: &Value, depth: usize, references: &mut BTreeSet<String>) -> Result<(), String> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(format!("a JSON Schema has at most {SCHEMA_DEPTH} levels"));
    };
    match value {
        Value::Array(values) => values
            .iter()
            .try_for_each(|value| check(value, depth, references)),
        Value::Object(fields) => {
            for (name, value) in fields {
                word(name, value, references)?;
                check(value, depth, references)?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn word(name: &str, value: &Value, references: &mut BTreeSet<String>) -> Result<(), String> {
    let Some(text) = value.as_str() else {
        return Ok(());
    };
    match name {
        "$ref" if text == "#" || text.starts_with("#/") => {
            references.insert(text.to_owned());
            Ok(())
        }
        "$ref" => Err(format!(
            "`$ref: {text}` leads out of the schema; nothing is fetched, so write it into `$defs` and refer to `#/$defs/…`"
        )),
        "$schema" if text.trim_end_matches('#') == DRAFT => Ok(()),
        "$schema" | "$id" | "$anchor" | "$dynamicRef" | "$dynamicAnchor" | "$recursiveRef" => {
            Err(format!("`{name}: {text}` is not supported: leave it out"))
        }
        _ => Ok(()),
    }
}

/// A reference that leads to itself without looking at a part of the value in between would be
/// followed for ever.
fn leads_somewhere(
    root: &Value,
    reference: &str,
    on_the_way: &mut Vec<String>,
    done: &mut BTreeSet<String>,
) -> Result<(), String> {
    if done.contains(reference) {
        return Ok(());
    }
    if on_the_way.iter().any(|it| it == reference) {
        return Err(format!("`$ref: {reference}` leads to itself"));
    }
    if on_the_way.len() >= SCHEMA_DEPTH {
        return Err("references lead to each other too often".to_owned());
    }
    let target =
        resolve(root, reference).ok_or_else(|| format!("`$ref: {reference}` leads nowhere"))?;
    on_the_way.push(reference.to_owned());
    let mut waiting = vec![target];
    while let Some(schema) = waiting.pop() {
        if let Some(next) = schema.get("$ref").and_then(Value::as_str) {
            leads_somewhere(root, next, on_the_way, done)?;
        }
        for name in ["allOf", "anyOf", "oneOf"] {
            waiting.extend(
                schema
                    .get(name)
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten(),
            );
        }
        waiting.extend(
            ["not", "if", "then", "else"]
                .iter()
                .filter_map(|it| schema.get(it)),
        );
        let dependent = schema.get("dependentSchemas").and_then(Value::as_object);
        waiting.extend(dependent.into_iter().flat_map(|it| it.values()));
    }
    on_the_way.pop();
    done.insert(reference.to_owned());
    Ok(())
}

/// What a reference within `root` leads to (RFC 6901, as a fragment).
pub(crate) fn resolve<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    let pointer = reference.strip_prefix('#')?;
    let pointer = percent_encoding::percent_decode_str(pointer).decode_utf8();
    root.pointer(&pointer.ok()?)
}

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

#[cfg(test)]
mod tests;
