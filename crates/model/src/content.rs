//! What policy may know about the body of a request. A body is read before the decision only
//! where a rule of its destination asks for it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The body of a request, as far as it was read for the decision.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The media type in lower case without parameters, for example `application/json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// Octets of the body.
    pub octets: u64,
    /// The body, where it is JSON. Decided on and not recorded: it is the agent's data.
    #[serde(skip)]
    pub json: Option<Value>,
    /// The operation, where the body is a GraphQL request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub graphql: Option<GraphqlOperation>,
    /// Why the body is not read as what a rule asks for, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// The one operation of a GraphQL request, fragments expanded and variables resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GraphqlOperation {
    /// Query, mutation or subscription.
    pub kind: GraphqlKind,
    /// Its name, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The fields of its root, in order, by their names and not by their aliases.
    pub fields: Vec<GraphqlField>,
    /// The deepest nesting of fields, from 1.
    pub depth: u16,
    /// How many fields it selects in all, fragments expanded.
    pub size: u32,
    /// All steps from a field to one below it, as `parent.child`, each once, in order: what the
    /// answer can reach into. A root field that may be asked can lead to objects that it may not.
    pub selected: Vec<String>,
}

/// The kinds of GraphQL operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GraphqlKind {
    /// Reads.
    Query,
    /// Writes.
    Mutation,
    /// Reads for as long as it lasts.
    Subscription,
}

/// One root field of a GraphQL operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GraphqlField {
    /// Its name in the schema.
    pub name: String,
    /// Its arguments as one JSON object, variables replaced by their values. Long texts in it are
    /// cut short in the record.
    #[serde(default, serialize_with = "cut_short")]
    pub arguments: Value,
}

/// Whether an action reads or changes what is upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// It changes nothing.
    Read,
    /// It may change something.
    Write,
}

impl Access {
    /// `read` or `write`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// A recorded argument keeps what says where it leads, not what was written there.
fn cut_short<S: serde::Serializer>(value: &Value, serializer: S) -> Result<S::Ok, S::Error> {
    shortened(value).serialize(serializer)
}

fn shortened(value: &Value) -> Value {
    match value {
        Value::String(text) if text.chars().nth(RECORDED_CHARS).is_some() => {
            let kept: String = text.chars().take(RECORDED_CHARS).collect();
            Value::String(kept + "…")
        }
        Value::Array(items) => items.iter().map(shortened).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), shortened(value)))
            .collect(),
        other => other.clone(),
    }
}

/// Characters of one text that are recorded: more than any name or id has.
const RECORDED_CHARS: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_agent_writes_is_recorded_cut_short_and_what_it_names_whole() {
        let field = GraphqlField {
            name: "createPullRequest".to_owned(),
            arguments: serde_json::json!({
                "input": {"repositoryId": "R_1", "body": "x".repeat(500)}
            }),
        };
        let recorded = serde_json::to_value(&field).unwrap();
        let input = &recorded["arguments"]["input"];
        assert_eq!(input["repositoryId"], "R_1");
        assert_eq!(input["body"].as_str().unwrap().chars().count(), 129);
    }
}
