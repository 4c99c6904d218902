//! Conditions on what comes before the body: the query and the headers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::rule::{is_false, present};
use super::super::{HeaderName, TextPattern};

/// What the query may hold. Names and values are compared decoded (`%XX`, and `+` as a space).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct QueryConditions {
    /// Parameters with the values that they may have.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<ParamCondition>")]
    pub params: Option<Vec<ParamCondition>>,
    /// Whether other parameters may be there.
    #[serde(default, skip_serializing_if = "Others::are_allowed")]
    pub others: Others,
}

/// Whether parameters that no condition names may be there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Others {
    /// They may.
    #[default]
    Allow,
    /// They may not.
    Deny,
}

impl Others {
    /// Whether they may be there.
    #[must_use]
    pub const fn are_allowed(&self) -> bool {
        matches!(self, Self::Allow)
    }
}

/// One parameter of a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ParamCondition {
    /// Its name, decoded.
    pub name: String,
    /// The values that it may have, decoded; `*` stands for any text. Without the list: any.
    /// Where the parameter is there several times, every value must match.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<TextPattern>")]
    pub matches: Option<Vec<TextPattern>>,
    /// Whether it must be there.
    #[serde(default, skip_serializing_if = "is_false")]
    pub required: bool,
}

/// What the headers must say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct HeaderConditions {
    /// Headers with the values that they may have.
    pub params: Vec<HeaderCondition>,
}

/// One header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct HeaderCondition {
    /// Its name in lower case.
    pub name: HeaderName,
    /// The values that it may have; `*` stands for any text. Without the list: any.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<TextPattern>")]
    pub matches: Option<Vec<TextPattern>>,
    /// Whether it must be there.
    #[serde(default, skip_serializing_if = "is_false")]
    pub required: bool,
}
