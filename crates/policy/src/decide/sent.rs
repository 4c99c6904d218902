//! How an allowed request is sent: with which credential, and on what terms.

use std::sync::Arc;

use ringfence_model::{Access, CredentialName, GraphqlKind, HttpRequest};

use super::conditions::{Unmet, value_at};
use super::words::Cause;
use super::{Gathered, Miss, Query, RequestTerms};
use crate::compile::Rule;

/// Methods that change nothing (RFC 9110, section 9.2.1).
const SAFE_METHODS: &[&str] = &["GET", "HEAD", "OPTIONS", "TRACE"];

/// What the rules that allow an action say about how it is sent.
pub(super) struct Sent<'a> {
    /// The rule that the decision names.
    pub(super) rule: &'a Rule,
    pub(super) credential: Option<CredentialName>,
    pub(super) access: Option<Access>,
    pub(super) terms: Vec<Arc<RequestTerms>>,
    /// The rules of those terms: what they say of addresses counts, and what others say does not.
    pub(super) rules: Vec<&'a Rule>,
}

impl<'a> Sent<'a> {
    /// `rule` is the first that allows it.
    pub(super) fn of(
        rule: &'a Rule,
        gathered: &Gathered<'a>,
        query: &Query<'_>,
    ) -> Result<Self, Cause<'a>> {
        let Some(request) = query.request else {
            return Ok(Self::unread(rule));
        };
        let mut counted = counted(&gathered.covering);
        counted.sort_by(|a, b| a.reference.cmp(&b.reference));
        let Some(first) = counted.first().copied() else {
            return Ok(Self {
                access: gathered.is_read(query).then(|| access_of(request)),
                ..Self::unread(rule)
            });
        };
        if let Some(other) = counted
            .iter()
            .find(|it| credential(it) != credential(first))
        {
            return Err(Cause::Ambiguous(first, other));
        }
        // A value that is not there was a condition that is not met; were it not, the request
        // would be sent without what its rule asks for.
        let terms: Option<Vec<_>> = counted.iter().map(|rule| terms(rule, query)).collect();
        let terms = terms.ok_or(Cause::Missed(Miss::Condition(Unmet::Value(0)), first))?;
        let writes = counted
            .iter()
            .any(|rule| access(rule, request) == Access::Write);
        Ok(Self {
            rule: first,
            credential: credential(first).cloned(),
            access: Some(if writes { Access::Write } else { Access::Read }),
            terms,
            rules: counted,
        })
    }

    const fn unread(rule: &'a Rule) -> Self {
        Self {
            rule,
            credential: None,
            access: None,
            terms: Vec::new(),
            rules: Vec::new(),
        }
    }
}

/// The rules that say how a request is sent: those with a credential before those without, those
/// of the `api` section before those of `network`. None where one of those lets it pass as it is.
fn counted<'a>(covering: &[&'a Rule]) -> Vec<&'a Rule> {
    let with = |is_counted: fn(&Rule) -> bool| -> Vec<&'a Rule> {
        let rules = covering.iter().copied();
        rules.filter(|rule| is_counted(rule)).collect()
    };
    let with_credential = with(|rule| credential(rule).is_some());
    if !with_credential.is_empty() {
        return with_credential;
    }
    let of_api = with(|rule| rule.requests.is_some());
    if !of_api.is_empty() {
        return of_api;
    }
    if covering.iter().any(|rule| rule.terms().is_none()) {
        return Vec::new();
    }
    covering.to_vec()
}

fn credential(rule: &Rule) -> Option<&CredentialName> {
    rule.terms()?.credential.as_ref()
}

/// The terms of a rule, with the values of this request that its precondition compares.
fn terms(rule: &Rule, query: &Query<'_>) -> Option<Arc<RequestTerms>> {
    let terms = rule.terms()?;
    let equal = rule.requests.as_deref().map(|requests| &requests.equal);
    let (Some(equal), Some(request)) = (equal.filter(|equal| !equal.is_empty()), query.request)
    else {
        return Some(terms.clone());
    };
    let document = query.document(request);
    let pairs = equal
        .iter()
        .map(|(pointer, response)| Some((value_at(document, pointer)?.clone(), response.clone())));
    let mut terms = RequestTerms::clone(terms);
    if let Some(precondition) = &mut terms.precondition {
        precondition.equal = pairs.collect::<Option<_>>()?;
    }
    Some(Arc::new(terms))
}

fn access(rule: &Rule, request: &HttpRequest) -> Access {
    let stated = rule
        .requests
        .as_deref()
        .and_then(|requests| requests.access);
    stated.unwrap_or_else(|| access_of(request))
}

fn access_of(request: &HttpRequest) -> Access {
    let content = request.content.as_ref();
    let operation = content.and_then(|content| content.graphql.as_ref());
    let reads = match operation {
        Some(operation) => operation.kind != GraphqlKind::Mutation,
        None => SAFE_METHODS.contains(&request.method.as_str()),
    };
    if reads { Access::Read } else { Access::Write }
}
