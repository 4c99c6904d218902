//! Conditions in words: what a rule is for, and what came instead.

use ringfence_model::{GraphqlField, GraphqlKind, HttpRequest};
use serde_json::Value;

use super::super::words::List;
use super::super::{Query, document};
use super::{Unmet, body};
use crate::compile::Requests;
use crate::document::{GraphqlConditions, Schema, TextPattern, selects};
use crate::error::quoted;

/// Behind "rule X …". What the agent sent is quoted, escaped and cut.
pub(in crate::decide) fn missed(unmet: Unmet, rule: &Requests, query: &Query<'_>) -> String {
    let Some(request) = query.request else {
        return "is for some requests".to_owned();
    };
    match unmet {
        Unmet::QueryForm => "looks at the query, which can be read in several ways".to_owned(),
        Unmet::Param(index) => param(rule, index),
        Unmet::OtherParam => other_param(rule, request),
        Unmet::Header(index) => header(rule, index),
        Unmet::MediaType | Unmet::Octets => content(unmet, rule, request),
        Unmet::NoBody => "is for JSON in the body, and there is no body".to_owned(),
        Unmet::NotJson => unreadable("JSON", request),
        Unmet::Json => json(rule, request),
        Unmet::NotGraphql => unreadable("GraphQL", request),
        Unmet::Kind | Unmet::Field | Unmet::Selected | Unmet::Depth | Unmet::Size => {
            graphql(unmet, rule, request)
        }
        Unmet::Value(index) => value(rule, index),
        Unmet::When => format!("is for requests where {}", expression(rule)),
        Unmet::WhenUnclear => format!(
            "is for requests where {}, which cannot be told of this one",
            expression(rule)
        ),
        Unmet::HeadersUnknown => format!("looks at headers, which are not {}", known(query)),
        Unmet::BodyUnknown => format!("looks at the body, which is not {}", known(query)),
    }
}

const fn known(query: &Query<'_>) -> &'static str {
    if query.recorded { "recorded" } else { "known" }
}

fn json(rule: &Requests, request: &HttpRequest) -> String {
    let schema = rule
        .content
        .as_ref()
        .and_then(|content| content.json.as_ref());
    let value = request
        .content
        .as_ref()
        .and_then(|content| content.json.as_ref());
    let place = place(schema.zip(value));
    format!("has a JSON Schema that the body does not satisfy{place}")
}

/// Where a value does not satisfy a schema.
fn place(checked: Option<(&Schema, &Value)>) -> String {
    match checked.and_then(|(schema, value)| schema.fault(value)) {
        Some(pointer) if !pointer.is_empty() => format!(" at `{}`", quoted(&pointer)),
        _ => String::new(),
    }
}

/// With the reason that the body was not read as such, where there is one.
fn unreadable(what: &str, request: &HttpRequest) -> String {
    let fault = request.content.as_ref().and_then(|it| it.fault.as_deref());
    match fault {
        Some(fault) => format!("is for {what} in the body: {}", quoted(fault)),
        None => format!("is for {what} in the body, which it is not"),
    }
}

fn expression(rule: &Requests) -> String {
    let condition = rule.when.as_ref();
    quoted(
        condition
            .map(|condition| condition.as_str())
            .unwrap_or_default(),
    )
}

fn param(rule: &Requests, index: usize) -> String {
    let params = rule.query.as_ref().and_then(|query| query.params.as_ref());
    match params.and_then(|params| params.get(index)) {
        Some(param) => valued("parameter", &param.name, param.matches.as_deref()),
        None => "is for some queries".to_owned(),
    }
}

fn header(rule: &Requests, index: usize) -> String {
    let headers = rule.headers.as_ref().map(|headers| &headers.params);
    match headers.and_then(|headers| headers.get(index)) {
        Some(header) => valued("header", header.name.as_str(), header.matches.as_deref()),
        None => "is for some headers".to_owned(),
    }
}

fn valued(what: &str, name: &str, patterns: Option<&[TextPattern]>) -> String {
    let name = quoted(name);
    match patterns {
        Some(patterns) => format!("is for the {what} `{name}` with {}", List(patterns)),
        None => format!("is for requests with the {what} `{name}`"),
    }
}

fn other_param(rule: &Requests, request: &HttpRequest) -> String {
    let conditions = rule.query.as_ref();
    let named = conditions.and_then(|query| query.params.as_deref());
    let names: Vec<_> = named
        .unwrap_or_default()
        .iter()
        .map(|it| &it.name)
        .collect();
    let is_named = |name: &str| names.iter().any(|known| *known == name);
    let params = document::params(request.query.as_deref()).unwrap_or_default();
    let other = params.iter().find(|(name, _)| !is_named(name));
    let other = quoted(other.map(|(name, _)| name.as_ref()).unwrap_or_default());
    if names.is_empty() {
        return format!("is for requests without parameters, not with `{other}`");
    }
    format!("is for the parameters {}, not for `{other}`", List(&names))
}

fn content(unmet: Unmet, rule: &Requests, request: &HttpRequest) -> String {
    let conditions = rule.content.clone().unwrap_or_default();
    if unmet == Unmet::Octets {
        let most = conditions.octets.unwrap_or_default();
        let octets = document::octets(request).unwrap_or_default();
        return format!("is for bodies of at most {most} octets, not of {octets}");
    }
    let types = conditions.types.unwrap_or_default();
    match document::media_type(request) {
        Some(other) => format!(
            "is for {} in the body, not for {}",
            List(&types),
            quoted(&other)
        ),
        None => format!("is for {} in the body, and no type is given", List(&types)),
    }
}

fn graphql(unmet: Unmet, rule: &Requests, request: &HttpRequest) -> String {
    let content = request.content.as_ref();
    let operation = content.and_then(|content| content.graphql.as_ref());
    let (Some(conditions), Some(operation)) = (&rule.graphql, operation) else {
        return "is for some GraphQL operations".to_owned();
    };
    match unmet {
        Unmet::Kind => {
            let all = [
                GraphqlKind::Query,
                GraphqlKind::Mutation,
                GraphqlKind::Subscription,
            ];
            let taken = |kind: &GraphqlKind| body::takes_kind(conditions, *kind, false);
            let kinds: Vec<_> = all.into_iter().filter(taken).map(kind_name).collect();
            let kind = kind_name(operation.kind);
            format!("is for GraphQL {}, not for {kind}", List(&kinds))
        }
        Unmet::Depth => format!(
            "is for GraphQL at most {} levels deep, not {}",
            conditions.depth.unwrap_or_default(),
            operation.depth
        ),
        Unmet::Size => format!(
            "is for GraphQL of at most {} fields, not {}",
            conditions.size.unwrap_or_default(),
            operation.size
        ),
        Unmet::Selected => {
            let known = conditions.select.as_deref().unwrap_or_default();
            let takes = |step: &String| known.iter().any(|entry| selects(entry, step));
            let other = operation.selected.iter().find(|step| !takes(step));
            let other = quoted(other.map(String::as_str).unwrap_or_default());
            format!("is not for the GraphQL field `{other}` below the root")
        }
        _ => {
            let other = operation.fields.iter();
            let mut other = other.filter(|field| !body::takes_field(conditions, field));
            other
                .next()
                .map_or_else(String::new, |other| field(conditions, other))
        }
    }
}

fn field(conditions: &GraphqlConditions, other: &GraphqlField) -> String {
    let known = conditions.fields.as_deref().unwrap_or_default();
    let shown = quoted(&other.name);
    let Some(named) = known.iter().find(|field| field.name == other.name) else {
        let names: Vec<_> = known.iter().map(|field| &field.name).collect();
        return format!(
            "is for the GraphQL fields {}, not for `{shown}`",
            List(&names)
        );
    };
    let place = place(
        named
            .arguments
            .as_ref()
            .map(|schema| (schema, &other.arguments)),
    );
    format!("is not for these arguments of the GraphQL field `{shown}`{place}")
}

const fn kind_name(kind: GraphqlKind) -> &'static str {
    match kind {
        GraphqlKind::Query => "query",
        GraphqlKind::Mutation => "mutation",
        GraphqlKind::Subscription => "subscription",
    }
}

fn value(rule: &Requests, index: usize) -> String {
    let pointer = rule.equal.get(index).map(|(pointer, _)| pointer.as_str());
    let pointer = pointer.unwrap_or_default();
    format!("compares `{pointer}`, which the request does not have once")
}
