//! The conditions of an API rule against one request. What cannot be told counts against the
//! agent: an allow does not match then, and a forbid does.

mod body;
mod head;
pub(super) mod words;

use ringfence_model::HttpRequest;

use super::Query;
use crate::compile::{Requests, Rule};
pub(super) use body::value_at;

/// The first condition that a request does not meet, from the farthest to the closest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unmet {
    /// The query can be read in several ways.
    QueryForm,
    /// A parameter of the query, by its position in the rule.
    Param(usize),
    /// A parameter that the rule does not name.
    OtherParam,
    /// A header, by its position in the rule.
    Header(usize),
    MediaType,
    Octets,
    /// There is no body.
    NoBody,
    NotJson,
    Json,
    NotGraphql,
    Kind,
    Field,
    Selected,
    Depth,
    Size,
    /// A value that a precondition compares is not there, by its position in the rule.
    Value(usize),
    /// The expression is false.
    When,
    /// The expression cannot be evaluated.
    WhenUnclear,
    /// The headers are not known.
    HeadersUnknown,
    /// The body is not known.
    BodyUnknown,
}

impl Unmet {
    /// Whether it might be met after all.
    const fn is_unclear(self) -> bool {
        matches!(
            self,
            Self::QueryForm
                | Self::NotJson
                | Self::NotGraphql
                | Self::Value(_)
                | Self::WhenUnclear
                | Self::HeadersUnknown
                | Self::BodyUnknown
        )
    }
}

/// The rule's conditions and the request that they are asked about.
struct Asked<'a> {
    rule: &'a Requests,
    is_forbid: bool,
    query: &'a Query<'a>,
    request: &'a HttpRequest,
}

type Check = fn(&Asked<'_>) -> Result<(), Unmet>;

const HEAD: &[Check] = &[head::query, head::headers];

const BODY: &[Check] = &[body::content, body::graphql, body::values, body::expression];

/// The first condition that is not met; for a forbid, the first that is surely not met.
pub(super) fn unmet(rule: &Rule, query: &Query<'_>) -> Option<Unmet> {
    let asked = Asked::of(rule, query)?;
    asked.first(HEAD).or_else(|| asked.first(BODY))
}

/// Whether the conditions are met that need no body.
pub(super) fn head_is_met(rule: &Rule, query: &Query<'_>) -> bool {
    Asked::of(rule, query).is_none_or(|asked| asked.first(HEAD).is_none())
}

impl<'a> Asked<'a> {
    fn of(rule: &'a Rule, query: &'a Query<'a>) -> Option<Self> {
        Some(Self {
            rule: rule.requests.as_deref()?,
            is_forbid: rule.is_forbid,
            query,
            request: query.request?,
        })
    }

    fn first(&self, checks: &[Check]) -> Option<Unmet> {
        let counts = |unmet: &Unmet| !(self.is_forbid && unmet.is_unclear());
        let unmet = |check: &Check| check(self).err().filter(counts);
        checks.iter().find_map(unmet)
    }
}
