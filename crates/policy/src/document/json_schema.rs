//! JSON Schemas in rules: draft 2020-12 without references, compiled when the rule is read. A word
//! that the draft does not know is refused, because a validator would pass over it.

mod names;

use std::fmt;
use std::sync::Arc;

use jsonschema::{Draft, PatternOptions, Validator};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use self::names::Names;
use crate::error::quoted;
use crate::limits::{REGEX_OCTETS, SCHEMA_DEPTH, SCHEMA_OCTETS};

/// A compiled JSON Schema, compared by its source.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Value", into = "Value")]
#[schemars(with = "Map<String, Value>")]
pub struct Schema {
    source: Arc<Value>,
    validator: Arc<Validator>,
    names: Arc<Names>,
}

/// Why a JSON Schema was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// Not an object.
    #[error("a JSON Schema is written as fields, as in `{{type: object, required: [title]}}`")]
    Shape,
    /// Longer than is supported.
    #[error("a JSON Schema has at most {SCHEMA_OCTETS} octets and {SCHEMA_DEPTH} levels")]
    Size,
    /// A reference to another schema.
    #[error("JSON Schemas in rules have no references: write the schema out instead of `{0}`")]
    Reference(String),
    /// Not a keyword of the draft that constrains anything.
    #[error("`{0}` is no keyword of JSON Schema that a rule can check (draft 2020-12)")]
    Keyword(String),
    /// A keyword with a wrong value.
    #[error("{0}")]
    Invalid(String),
}

impl Schema {
    /// Checks and compiles a schema.
    ///
    /// # Errors
    /// When it is not a schema, is larger than a rule may have, has references or words that
    /// draft 2020-12 does not know.
    pub fn new(source: Value) -> Result<Self, SchemaError> {
        let Value::Object(keywords) = &source else {
            return Err(SchemaError::Shape);
        };
        check(keywords, SCHEMA_DEPTH)?;
        if source.to_string().len() > SCHEMA_OCTETS {
            return Err(SchemaError::Size);
        }
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .should_ignore_unknown_formats(false)
            // Linear in the length of the text, whatever the expression.
            .with_pattern_options(PatternOptions::regex().size_limit(REGEX_OCTETS))
            .offline()
            .build(&source)
            .map_err(|error| {
                let place = error.instance_path();
                SchemaError::Invalid(quoted(&format!("JSON Schema, at `{place}`: {error}")))
            })?;
        Ok(Self {
            names: Arc::new(Names::of(&source)),
            source: Arc::new(source),
            validator: Arc::new(validator),
        })
    }

    /// Whether `value` satisfies it.
    #[must_use]
    pub fn accepts(&self, value: &Value) -> bool {
        self.validator.is_valid(value)
    }

    /// Where in `value` the first thing is that it does not satisfy, as a JSON pointer; empty for
    /// the value as a whole. None where it accepts the value.
    #[must_use]
    pub fn fault(&self, value: &Value) -> Option<String> {
        let first = self.validator.iter_errors(value).next()?;
        Some(first.instance_path().to_string())
    }

    /// Where in `value` a member is whose name some readers take for another one that the schema
    /// speaks of, as a JSON pointer: what the schema says of that one was not asked of it.
    #[must_use]
    pub fn misspelled(&self, value: &Value) -> Option<String> {
        self.names.misspelled(value)
    }

    /// As it was written.
    #[must_use]
    pub fn source(&self) -> &Value {
        &self.source
    }
}

impl PartialEq for Schema {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Schema {}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schema({})", self.source)
    }
}

impl TryFrom<Value> for Schema {
    type Error = SchemaError;

    fn try_from(source: Value) -> Result<Self, SchemaError> {
        Self::new(source)
    }
}

impl From<Schema> for Value {
    fn from(schema: Schema) -> Self {
        Arc::unwrap_or_clone(schema.source)
    }
}

/// Keywords with one schema below.
const ONE_BELOW: &[&str] = &[
    "additionalProperties",
    "contains",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];

/// Keywords with a list of schemas below.
const LIST_BELOW: &[&str] = &["allOf", "anyOf", "oneOf", "prefixItems"];

/// Keywords with schemas below names.
const NAMED_BELOW: &[&str] = &["dependentSchemas", "patternProperties", "properties"];

/// Keywords with nothing below.
const PLAIN: &[&str] = &[
    "$comment",
    "const",
    "dependentRequired",
    "description",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "required",
    "title",
    "type",
    "uniqueItems",
];

fn check(keywords: &Map<String, Value>, depth: usize) -> Result<(), SchemaError> {
    let depth = depth.checked_sub(1).ok_or(SchemaError::Size)?;
    for (keyword, value) in keywords {
        let word = keyword.as_str();
        if PLAIN.contains(&word) {
            continue;
        }
        if ONE_BELOW.contains(&word) {
            check_value(value, depth)?;
        } else if LIST_BELOW.contains(&word) {
            let below = value.as_array().into_iter().flatten();
            below
                .into_iter()
                .try_for_each(|value| check_value(value, depth))?;
        } else if NAMED_BELOW.contains(&word) {
            let mut below = value.as_object().into_iter().flat_map(Map::values);
            below.try_for_each(|value| check_value(value, depth))?;
        } else if word.starts_with('$') || word == "definitions" {
            return Err(SchemaError::Reference(quoted(word)));
        } else {
            return Err(SchemaError::Keyword(quoted(word)));
        }
    }
    Ok(())
}

/// A schema below another one may be `true` or `false` as well; what else it is, the compiler says.
fn check_value(value: &Value, depth: usize) -> Result<(), SchemaError> {
    match value {
        Value::Object(keywords) => check(keywords, depth),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
