//! API rules: which requests to an HTTP API, with what in them, are sent with which credential.
//! The gateway reads every request to a host that such a rule names.

mod body;
mod head;
mod response;

use std::num::NonZeroU16;

use jiff::Timestamp;
use ringfence_model::{Access, CredentialName, HostPattern, Scheme};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rule::{is_false, present, read_expiry};
use super::{Cidr, Condition, Method, PathPattern, Pointer, RuleId};
pub use body::{ContentConditions, GraphqlConditions, GraphqlFieldConditions, GraphqlKinds};
pub(crate) use body::{is_selection, selects};
pub use head::{HeaderCondition, HeaderConditions, Others, ParamCondition, QueryConditions};
pub use response::{EqualValues, FollowTerms, PreconditionTerms, ResponseConditions};

/// One rule of the `api` section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ApiRule {
    /// Allows the requests that it matches.
    Allow(ApiMatch),
    /// Forbids the requests that it matches, whatever any rule of any profile allows.
    Forbid(ApiMatch),
}

impl ApiRule {
    /// What the rule matches.
    #[must_use]
    pub const fn terms(&self) -> &ApiMatch {
        match self {
            Self::Allow(terms) | Self::Forbid(terms) => terms,
        }
    }

    /// Whether it forbids.
    #[must_use]
    pub const fn is_forbid(&self) -> bool {
        matches!(self, Self::Forbid(_))
    }
}

/// What an API rule matches, and how what an allow matches is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ApiMatch {
    /// A short name for the rule, unique in its section; decisions show it. Without one, the
    /// rule is called by its position, from 1.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "RuleId")]
    pub id: Option<RuleId>,
    /// A host name, or `*.zone` for every name below the zone but not the zone itself.
    #[schemars(with = "String")]
    pub host: HostPattern,
    /// `https` (the default) or `http`. A forbid is about both.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "SchemeWord")]
    pub scheme: Option<Scheme>,
    /// TCP ports. Without the list: 443, or 80 with `scheme: http`; every port for a forbid.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<NonZeroU16>")]
    pub ports: Option<Vec<NonZeroU16>>,
    /// HTTP methods, in capitals. `GET` does not imply `HEAD`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<Method>")]
    pub methods: Option<Vec<Method>>,
    /// Paths: `*` stands for any text within one segment, `**` for any number of segments.
    /// A path with `;` is matched by a pattern that has one itself.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<PathPattern>")]
    pub paths: Option<Vec<PathPattern>>,
    /// Whether a segment of the path may be `@scope%2Fname`, as package managers write names in a
    /// scope. It is one segment. Without it, such a path is refused.
    #[serde(default, skip_serializing_if = "is_false")]
    pub scoped_names: bool,
    /// What the query may hold.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "QueryConditions")]
    pub query: Option<QueryConditions>,
    /// What the headers must say.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "HeaderConditions")]
    pub headers: Option<HeaderConditions>,
    /// What the body must be. A request without a body does not match `types` and `json`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "ContentConditions")]
    pub content: Option<ContentConditions>,
    /// The GraphQL operation that the body must be.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "GraphqlConditions")]
    pub graphql: Option<GraphqlConditions>,
    /// What the response must be; another one does not reach the agent.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "ResponseConditions")]
    pub response: Option<ResponseConditions>,
    /// The credential that requests are sent with. Without one, what the agent sent is passed on.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "String")]
    pub credential: Option<CredentialName>,
    /// How the credential gets into the request; `replace` unless it says otherwise.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "AuthWord")]
    pub auth: Option<AuthWord>,
    /// Whether a request that carries no token of this sandbox is refused.
    #[serde(default, skip_serializing_if = "is_false")]
    pub token_required: bool,
    /// Fields of a JSON or form body in which tokens are replaced as well, as JSON pointers.
    /// Belongs to `auth: placeholder`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<Pointer>")]
    pub token_fields: Option<Vec<Pointer>>,
    /// The gateway follows a redirect of a `GET` to these hosts itself, so that the agent does not
    /// see a signed URL. One to another host does not reach the agent.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "FollowTerms")]
    pub follow: Option<FollowTerms>,
    /// Whether the connection may become a WebSocket.
    #[serde(default, skip_serializing_if = "is_false")]
    pub websocket: bool,
    /// Whether the request counts as reading or writing, where its method does not say.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "AccessWord")]
    pub access: Option<Access>,
    /// A CEL expression over `request` that must be true. An error denies.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Condition")]
    pub when: Option<Condition>,
    /// What must hold upstream before the request is sent.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "PreconditionTerms")]
    pub precondition: Option<PreconditionTerms>,
    /// Networks that the host may resolve into. Without the list: public addresses only.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<Cidr>")]
    pub addresses: Option<Vec<Cidr>>,
    /// Why the rule is there.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "String")]
    pub reason: Option<String>,
    /// When the rule stops to count, as in `2030-01-31T12:00:00Z` (RFC 3339).
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "read_expiry"
    )]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub expires: Option<Timestamp>,
}

impl ApiMatch {
    /// Every request to a host, without a credential.
    #[must_use]
    pub const fn new(host: HostPattern) -> Self {
        Self {
            id: None,
            host,
            scheme: None,
            ports: None,
            methods: None,
            paths: None,
            scoped_names: false,
            query: None,
            headers: None,
            content: None,
            graphql: None,
            response: None,
            credential: None,
            auth: None,
            token_required: false,
            token_fields: None,
            follow: None,
            websocket: false,
            access: None,
            when: None,
            precondition: None,
            addresses: None,
            reason: None,
            expires: None,
        }
    }
}

/// The schemes, for the schema of the document.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
#[expect(
    dead_code,
    reason = "only its schema is used: the vocabulary's own type has none"
)]
pub(super) enum SchemeWord {
    Http,
    Https,
}

/// Reading or writing, for the schema of the document.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
#[expect(
    dead_code,
    reason = "only its schema is used: the vocabulary's own type has none"
)]
pub(super) enum AccessWord {
    Read,
    Write,
}

/// How a credential gets into a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AuthWord {
    /// What the agent sent to authenticate itself is dropped, the credential is put in its place.
    Replace,
    /// Each token is replaced where the client put it.
    Placeholder,
}
