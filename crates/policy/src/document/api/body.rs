//! Conditions on the body of a request: its type and size, JSON, GraphQL.

use ringfence_model::GraphqlKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::rule::present;
use super::super::{MediaPattern, Schema};

/// What the body must be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ContentConditions {
    /// Media types, as in `application/json` or `text/*`. A request without one does not match.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<MediaPattern>")]
    pub types: Option<Vec<MediaPattern>>,
    /// Most octets of the body.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "u64")]
    pub octets: Option<u64>,
    /// JSON Schema (draft 2020-12, without references) that the body must satisfy.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Schema")]
    pub json: Option<Schema>,
}

/// The GraphQL operation that the body must be. Fragments are expanded and variables resolved
/// before it is looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct GraphqlConditions {
    /// Kinds of operations. Without the list: `query` for an allow, every kind for a forbid.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<GraphqlKinds>")]
    pub kinds: Option<Vec<GraphqlKinds>>,
    /// Root fields. An allow matches an operation all of whose root fields are among them, a forbid
    /// one that has any of them. Without the list: any.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<GraphqlFieldConditions>")]
    pub fields: Option<Vec<GraphqlFieldConditions>>,
    /// Fields below the root: `parent.child`, `parent.{child, other}`, or `child` below whatever
    /// field. An allow matches an operation that selects no others, a forbid one that selects any
    /// of them. Without the list: any.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<String>")]
    pub select: Option<Vec<String>>,
    /// The deepest nesting of fields, from 1.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "u32")]
    pub depth: Option<u32>,
    /// Most fields that are selected in all.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "u32")]
    pub size: Option<u32>,
}

/// Whether an entry of `select` is about a step, which is `parent.child` (or `child` alone, where
/// the parent is not known).
pub(crate) fn selects(entry: &str, step: &str) -> bool {
    let (parent, child) = step.rsplit_once('.').unwrap_or(("", step));
    let Some((wanted, children)) = entry.split_once('.') else {
        return entry == child;
    };
    wanted == parent && children_of(children).any(|known| known == child)
}

/// Whether an entry of `select` is well-formed.
pub(crate) fn is_selection(entry: &str) -> bool {
    let is_name = |name: &str| {
        let allowed = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'_';
        !name.is_empty() && name.bytes().all(allowed)
    };
    match entry.split_once('.') {
        None => is_name(entry),
        Some((parent, children)) => is_name(parent) && children_of(children).all(is_name),
    }
}

fn children_of(children: &str) -> impl Iterator<Item = &str> {
    let group = children
        .strip_prefix('{')
        .and_then(|inner| inner.strip_suffix('}'));
    group.unwrap_or(children).split(',').map(str::trim)
}

/// The kinds of GraphQL operations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GraphqlKinds {
    /// Reads.
    #[default]
    Query,
    /// Writes.
    Mutation,
    /// Reads for as long as it lasts.
    Subscription,
}

impl GraphqlKinds {
    /// In the words of the vocabulary.
    #[must_use]
    pub const fn kind(self) -> GraphqlKind {
        match self {
            Self::Query => GraphqlKind::Query,
            Self::Mutation => GraphqlKind::Mutation,
            Self::Subscription => GraphqlKind::Subscription,
        }
    }
}

/// One root field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct GraphqlFieldConditions {
    /// Its name in the schema, not its alias.
    pub name: String,
    /// JSON Schema that its arguments, as one object, must satisfy.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Schema")]
    pub arguments: Option<Schema>,
}
