//! Schemas of a description as JSON Schema 2020-12. What they refer to comes along as `$defs`, each
//! once, so that neither a cycle nor a fan of references makes more of it than the file has.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{Api, elsewhere, name};
use crate::error::head;
use crate::limits::{DESCRIPTION_OCTETS, SCHEMA_DEPTH, SCHEMA_NODES};
use crate::schema::resolve;

/// The schemas of one operation.
pub(super) struct Converter<'a> {
    api: &'a Api<'a>,
    /// Where a reference leads, and its name among `$defs`.
    names: BTreeMap<String, String>,
    taken: BTreeSet<String>,
    waiting: Vec<String>,
    nodes: usize,
    keeps_patterns: bool,
    /// Whether there is a regular expression.
    pub(super) has_patterns: bool,
}

impl<'a> Converter<'a> {
    /// `keeps_patterns`: whether regular expressions come along, which may be of a kind that is not
    /// supported here.
    pub(super) const fn new(api: &'a Api<'a>, keeps_patterns: bool) -> Self {
        Self {
            api,
            names: BTreeMap::new(),
            taken: BTreeSet::new(),
            waiting: Vec::new(),
            nodes: 0,
            keeps_patterns,
            has_patterns: false,
        }
    }

    /// One schema.
    ///
    /// # Errors
    /// Where it leads out of the file, or is too large.
    pub(super) fn convert(&mut self, schema: &Value) -> Result<Value, String> {
        self.schema(schema, SCHEMA_DEPTH)
    }

    /// What was referred to.
    ///
    /// # Errors
    /// As [`Converter::convert`].
    pub(super) fn finish(&mut self) -> Result<Map<String, Value>, String> {
        let mut definitions = Map::new();
        while let Some(reference) = self.waiting.pop() {
            let target = resolve(self.api.root, &reference)
                .ok_or_else(|| format!("`$ref: {}` leads nowhere", head(&reference, 200)))?;
            let converted = self.schema(target, SCHEMA_DEPTH - 2)?;
            if let Some(name) = self.names.get(&reference) {
                definitions.insert(name.clone(), converted);
            }
        }
        Ok(definitions)
    }

    fn schema(&mut self, schema: &Value, depth: usize) -> Result<Value, String> {
        self.nodes += 1;
        self.api.count()?;
        let depth = depth.checked_sub(1).filter(|_| self.nodes <= SCHEMA_NODES);
        let Some(depth) = depth else {
            return Err(
                "its schemas are larger or more deeply nested than a tool takes".to_owned(),
            );
        };
        let Value::Object(keywords) = schema else {
            return Ok(match schema {
                Value::Bool(truth) => json!(truth),
                _ => json!({}),
            });
        };
        let mut converted = Map::new();
        if let Some(reference) = keywords.get("$ref").and_then(Value::as_str) {
            converted.insert("$ref".to_owned(), json!(self.reference(reference)?));
            if self.api.is_first {
                return Ok(Value::Object(converted));
            }
        }
        for (keyword, value) in keywords {
            if let Some(value) = self.keyword(keyword, value, depth)? {
                converted.insert(keyword.clone(), value);
            }
        }
        if self.api.is_first {
            return Ok(first(converted, keywords));
        }
        Ok(Value::Object(converted))
    }

    /// What a keyword becomes; none where it constrains nothing.
    fn keyword(
        &mut self,
        keyword: &str,
        value: &Value,
        depth: usize,
    ) -> Result<Option<Value>, String> {
        let is_pattern = matches!(keyword, "pattern" | "patternProperties");
        self.has_patterns |= is_pattern;
        if is_pattern && !self.keeps_patterns {
            return Ok(None);
        }
        if NAMED.contains(&keyword) {
            let Some(fields) = value.as_object() else {
                return Ok(None);
            };
            let mut converted = Map::new();
            for (name, schema) in fields {
                converted.insert(name.clone(), self.schema(schema, depth)?);
            }
            return Ok(Some(Value::Object(converted)));
        }
        if LISTED.contains(&keyword) {
            let Some(schemas) = value.as_array().filter(|it| !it.is_empty()) else {
                return Ok(None);
            };
            let schemas = schemas.iter().map(|it| self.schema(it, depth));
            return schemas
                .collect::<Result<_, _>>()
                .map(|it| Some(Value::Array(it)));
        }
        if SINGLE.contains(&keyword) {
            return self.schema(value, depth).map(Some);
        }
        Ok(match (keyword, value) {
            ("description" | "title", Value::String(text)) => {
                Some(json!(head(text, DESCRIPTION_OCTETS)))
            }
            _ if COPIED.contains(&keyword) => Some(value.clone()),
            _ => None,
        })
    }

    fn reference(&mut self, reference: &str) -> Result<String, String> {
        if !reference.starts_with("#/") {
            return Err(elsewhere(reference));
        }
        if let Some(name) = self.names.get(reference) {
            return Ok(format!("#/$defs/{name}"));
        }
        let last = reference.rsplit('/').next().unwrap_or_default();
        let name = name::of_argument(last, "schema", &mut self.taken);
        self.names.insert(reference.to_owned(), name.clone());
        self.waiting.push(reference.to_owned());
        Ok(format!("#/$defs/{name}"))
    }
}

/// What OpenAPI 3.0 writes in its own way: null, and bounds that are left out themselves.
fn first(mut schema: Map<String, Value>, source: &Map<String, Value>) -> Value {
    for (word, bound) in [
        ("exclusiveMinimum", "minimum"),
        ("exclusiveMaximum", "maximum"),
    ] {
        if let Some(Value::Bool(is_exclusive)) = source.get(word) {
            schema.remove(word);
            if *is_exclusive && let Some(value) = schema.remove(bound) {
                schema.insert(word.to_owned(), value);
            }
        }
    }
    if source.get("nullable") != Some(&Value::Bool(true)) {
        return Value::Object(schema);
    }
    json!({ "anyOf": [Value::Object(schema), { "type": "null" }] })
}

/// Keywords whose value is schemas by name.
const NAMED: [&str; 3] = ["properties", "patternProperties", "dependentSchemas"];

/// Keywords whose value is a list of schemas.
const LISTED: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];

/// Keywords whose value is a schema.
const SINGLE: [&str; 10] = [
    "items",
    "additionalProperties",
    "not",
    "if",
    "then",
    "else",
    "contains",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
];

/// Keywords whose value is data.
const COPIED: [&str; 21] = [
    "type",
    "enum",
    "const",
    "format",
    "default",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "required",
    "minContains",
    "maxContains",
];
