//! What must hold upstream: the response that is let through, and what is asked beforehand.

use ringfence_model::HostPattern;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::rule::present;
use super::super::{MediaPattern, Pointer, Removal, Schema, StatusRange, Target};

/// What the response must be; another one does not reach the agent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ResponseConditions {
    /// Status codes and ranges of them, as texts: `"200-299"`, `"404"`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<StatusRange>")]
    pub statuses: Option<Vec<StatusRange>>,
    /// Media types, as in `application/json` or `text/*`. A response without a body passes.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<MediaPattern>")]
    pub types: Option<Vec<MediaPattern>>,
    /// Most octets of the body, decoded.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "u64")]
    pub octets: Option<u64>,
    /// What is taken out of JSON: members by name, at any depth, as in `temp_clone_token`, and
    /// parameters of the URLs in members, as in `download_url?token`. A response with a body of
    /// another type does not reach the agent.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<Removal>")]
    pub remove: Option<Vec<Removal>>,
    /// With `remove`: media types whose bodies need not be JSON. They are read as far as they are.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<MediaPattern>")]
    pub not_json: Option<Vec<MediaPattern>>,
}

/// Which redirects the gateway follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FollowTerms {
    /// The hosts that they may lead to: names, or `*.zone` for every name below the zone.
    #[schemars(with = "Vec<String>")]
    pub hosts: Vec<HostPattern>,
}

/// A `GET` that the gateway sends first, with the same credential to the same host. Its answer is
/// kept for a short time; without it the request is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PreconditionTerms {
    /// The path, and optionally a query.
    pub path: Target,
    /// JSON Schema that the answer must satisfy. Without one: any answer with status 200.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Schema")]
    pub json: Option<Schema>,
    /// Values of this request that must be equal to values of the answer.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<EqualValues>")]
    pub equal: Option<Vec<EqualValues>>,
}

/// Two values that must be equal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct EqualValues {
    /// A JSON pointer into the request, as in `/content/json/repository/id`.
    pub request: Pointer,
    /// A JSON pointer into the answer.
    pub response: Pointer,
}
