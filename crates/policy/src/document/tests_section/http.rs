//! Requests in tests: with headers and a body, so that a profile can state what its conditions do.

use std::collections::BTreeMap;

use ringfence_model::{Content, GraphqlField, GraphqlOperation};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::HttpUrl;
use crate::document::rule::present;
use crate::document::{GraphqlKinds, HeaderName, Method};

/// The media type of a body that is written as JSON, where no header says otherwise.
const JSON: &str = "application/json";

/// A request that a test sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpTest {
    /// The method.
    pub method: Method,
    /// The URL.
    pub url: HttpUrl,
    /// Headers, names in lower case.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<HeaderName, String>,
    /// The body as JSON. Its type is `application/json`, unless a header says otherwise.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Value")]
    pub json: Option<Value>,
    /// The body as a GraphQL operation, in the form in which rules look at it.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "GraphqlTest")]
    pub graphql: Option<GraphqlTest>,
}

/// A GraphQL operation, fragments expanded and variables resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GraphqlTest {
    /// Its kind; `query` unless it says otherwise.
    #[serde(default)]
    pub kind: GraphqlKinds,
    /// The fields of its root.
    pub fields: Vec<GraphqlTestField>,
    /// The names of the fields below the root.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub select: Vec<String>,
    /// The deepest nesting of fields; 1, or 2 with `select`, unless it is there.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "u32")]
    pub depth: Option<u32>,
    /// How many fields it selects; as many as are named, unless it is there.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "u32")]
    pub size: Option<u32>,
}

/// A root field of a GraphQL operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GraphqlTestField {
    /// Its name in the schema.
    pub name: String,
    /// Its arguments.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub arguments: Map<String, Value>,
}

impl HttpTest {
    /// A request without headers and body.
    #[must_use]
    pub const fn new(method: Method, url: HttpUrl) -> Self {
        Self {
            method,
            url,
            headers: BTreeMap::new(),
            json: None,
            graphql: None,
        }
    }

    pub(super) fn headers(&self) -> Vec<(String, String)> {
        let headers = self.headers.iter();
        headers
            .map(|(name, value)| (name.as_str().to_owned(), value.clone()))
            .collect()
    }

    pub(super) fn content(&self) -> Content {
        let has_body = self.json.is_some() || self.graphql.is_some();
        let named = self
            .headers
            .iter()
            .find(|(name, _)| name.as_str() == "content-type");
        let media_type = named.map(|(_, value)| {
            let media_type = value.split(';').next().unwrap_or_default();
            media_type.trim().to_ascii_lowercase()
        });
        let written = self.json.as_ref().map(Value::to_string);
        Content {
            media_type: media_type.or_else(|| has_body.then(|| JSON.to_owned())),
            octets: written.map_or(0, |text| u64::try_from(text.len()).unwrap_or(u64::MAX)),
            json: self.json.clone(),
            graphql: self.graphql.as_ref().map(GraphqlTest::operation),
            fault: None,
        }
    }
}

impl GraphqlTest {
    fn operation(&self) -> GraphqlOperation {
        let fields = self.fields.iter().map(|field| GraphqlField {
            name: field.name.clone(),
            arguments: Value::Object(field.arguments.clone()),
        });
        let depth = if self.select.is_empty() { 1 } else { 2 };
        let named = self.fields.len() + self.select.len();
        GraphqlOperation {
            kind: self.kind.kind(),
            name: None,
            fields: fields.collect(),
            depth: u16::try_from(self.depth.unwrap_or(depth)).unwrap_or(u16::MAX),
            size: self
                .size
                .unwrap_or_else(|| u32::try_from(named).unwrap_or(u32::MAX)),
            selected: self.select.clone(),
        }
    }
}
