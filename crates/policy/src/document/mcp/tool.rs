//! One entry of the tools of a rule: a name, or a name with what its calls must be.

use std::borrow::Cow;

use ringfence_model::Access;
use schemars::{JsonSchema, Schema as JsonSchemaOf, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::super::rule::present;
use super::super::{ApprovalWord, Schema};
use super::NamePattern;

/// Tools that a rule is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum McpTool {
    /// By name alone.
    Named(NamePattern),
    /// With more about them.
    With(Box<McpToolTerms>),
}

/// Tools, and what their calls must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct McpToolTerms {
    /// The name; `*` stands for any text.
    pub name: NamePattern,
    /// JSON Schema that the arguments match. The agent is shown it as part of the tool's own.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Schema")]
    pub arguments: Option<Schema>,
    /// Whether calls read or write, for the record. Without it: as the tool says of itself.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "AccessWord")]
    pub access: Option<Access>,
    /// `required`: a call of a tool waits until a person has approved exactly this call, once.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "ApprovalWord")]
    pub approval: Option<ApprovalWord>,
}

impl McpTool {
    /// The name, as it is written.
    #[must_use]
    pub fn name(&self) -> &str {
        self.pattern().as_str()
    }

    /// The name as a pattern.
    pub(crate) const fn pattern(&self) -> &NamePattern {
        match self {
            Self::Named(name) => name,
            Self::With(terms) => &terms.name,
        }
    }

    /// What the arguments must match.
    pub(crate) const fn arguments(&self) -> Option<&Schema> {
        match self {
            Self::Named(_) => None,
            Self::With(terms) => terms.arguments.as_ref(),
        }
    }

    /// Whether a person has to approve each call.
    pub(crate) const fn needs_approval(&self) -> bool {
        match self {
            Self::Named(_) => false,
            Self::With(terms) => terms.approval.is_some(),
        }
    }

    /// Whether calls read or write, where the rule says so.
    pub(crate) const fn access(&self) -> Option<Access> {
        match self {
            Self::Named(_) => None,
            Self::With(terms) => terms.access,
        }
    }
}

impl Serialize for McpTool {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Named(name) => name.serialize(serializer),
            Self::With(terms) => terms.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for McpTool {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

struct Written;

impl<'de> serde::de::Visitor<'de> for Written {
    type Value = McpTool;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the name of a tool, or fields with its `name`")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<McpTool, E> {
        text.parse().map(McpTool::Named).map_err(E::custom)
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, fields: A) -> Result<McpTool, A::Error> {
        let fields = serde::de::value::MapAccessDeserializer::new(fields);
        let terms = McpToolTerms::deserialize(fields)?;
        Ok(McpTool::With(Box::new(terms)))
    }
}

impl JsonSchema for McpTool {
    fn schema_name() -> Cow<'static, str> {
        "McpTool".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> JsonSchemaOf {
        let name = generator.subschema_for::<NamePattern>();
        let terms = generator.subschema_for::<McpToolTerms>();
        json_schema!({
            "description": "The name of a tool, or a name with what its calls must be.",
            "anyOf": [name, terms],
        })
    }
}

/// The words for reading and writing, for the schema of the document.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
#[expect(
    dead_code,
    reason = "only its schema is used: the vocabulary's own type has none"
)]
enum AccessWord {
    Read,
    Write,
}
