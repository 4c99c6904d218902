//! Writes a rule on one line, as `allow: {host: "example.com", ports: [443]}`: for changed
//! documents and for suggestions. Every text is quoted, so none can become another YAML type.

use std::fmt::Display;

use serde::Serialize;
use serde_json::Value;

use super::{
    ApiRule, GitRule, GitUpstreamTerms, LlmProviderTerms, LlmRule, McpRule, McpServerTerms,
    NetworkMatch, NetworkRule,
};

impl NetworkRule {
    /// The rule as one line of a document, without the `- ` of the list.
    #[must_use]
    pub fn to_line(&self) -> String {
        let word = if self.is_forbid() { "forbid" } else { "allow" };
        format!("{word}: {{{}}}", fields(self.terms()).join(", "))
    }
}

impl ApiRule {
    /// The rule as one line of a document, without the `- ` of the list.
    #[must_use]
    pub fn to_line(&self) -> String {
        let word = if self.is_forbid() { "forbid" } else { "allow" };
        format!("{word}: {}", mapping(self.terms()))
    }
}

impl GitRule {
    /// The rule as one line of a document, without the `- ` of the list.
    #[must_use]
    pub fn to_line(&self) -> String {
        let word = if self.is_forbid() { "forbid" } else { "allow" };
        format!("{word}: {}", mapping(self.terms()))
    }
}

impl GitUpstreamTerms {
    /// The server as one line of a document, without the `- ` of the list.
    #[must_use]
    pub fn to_line(&self) -> String {
        mapping(self)
    }
}

impl LlmRule {
    /// The rule as one line of a document, without the `- ` of the list.
    #[must_use]
    pub fn to_line(&self) -> String {
        let word = if self.is_forbid() { "forbid" } else { "allow" };
        format!("{word}: {}", mapping(self.terms()))
    }
}

impl LlmProviderTerms {
    /// The provider as one line of a document, without the `- ` of the list.
    #[must_use]
    pub fn to_line(&self) -> String {
        mapping(self)
    }
}

impl McpRule {
    /// The rule as one line of a document, without the `- ` of the list.
    #[must_use]
    pub fn to_line(&self) -> String {
        let word = if self.is_forbid() { "forbid" } else { "allow" };
        format!("{word}: {}", mapping(self.terms()))
    }
}

impl McpServerTerms {
    /// The server as one line of a document, without the `- ` of the list.
    #[must_use]
    pub fn to_line(&self) -> String {
        mapping(self)
    }
}

/// The terms of a rule: texts, numbers, and lists and maps of them, all of which JSON has.
fn mapping(terms: &impl Serialize) -> String {
    let terms = serde_json::to_value(terms).unwrap_or_default();
    let all = terms.as_object().into_iter().flatten();
    let mut fields: Vec<_> = all.collect();
    fields.sort_by_key(|(name, _)| place(name));
    let fields = fields.into_iter();
    let fields: Vec<_> = fields
        .map(|(name, value)| format!("{name}: {}", flow(value)))
        .collect();
    format!("{{{}}}", fields.join(", "))
}

/// What a rule is about stands in front, as people write it.
fn place(name: &str) -> usize {
    const FIRST: &[&str] = &[
        "id",
        "name",
        "kind",
        "url",
        "provider",
        "models",
        "endpoints",
        "repo",
        "repoRegex",
        "access",
        "refs",
        "host",
        "scheme",
        "ports",
        "methods",
        "paths",
        "scopedNames",
    ];
    let known = FIRST.iter().position(|first| *first == name);
    known.unwrap_or(FIRST.len())
}

/// A JSON value as YAML in flow style: JSON, but for the quotes of keys that need none.
fn flow(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields: Vec<_> = fields
                .iter()
                .map(|(name, value)| format!("{}: {}", key(name), flow(value)))
                .collect();
            format!("{{{}}}", fields.join(", "))
        }
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(flow).collect();
            format!("[{}]", items.join(", "))
        }
        other => other.to_string(),
    }
}

/// A key that YAML could take for another type, as `true` or `null`, is quoted.
fn key(name: &str) -> String {
    let is_plain = name.bytes().all(|octet| octet.is_ascii_alphabetic()) && name.len() > 1;
    let is_word = ["true", "false", "null", "yes", "no", "on", "off"]
        .contains(&name.to_ascii_lowercase().as_str());
    if is_plain && !is_word {
        name.to_owned()
    } else {
        quote(&name)
    }
}

fn fields(terms: &NetworkMatch) -> Vec<String> {
    let NetworkMatch {
        id,
        host,
        cidr,
        ports,
        protocol,
        tunnel,
        methods,
        paths,
        addresses,
        reason,
        expires,
    } = terms;
    [
        text("id", id.as_ref()),
        text("host", host.as_ref()),
        text("cidr", cidr.as_ref()),
        ports
            .as_ref()
            .map(|ports| list("ports", ports, |port| port.to_string())),
        (!protocol.is_auto()).then(|| format!("protocol: {}", protocol.as_str())),
        tunnel.then(|| "tunnel: true".to_owned()),
        methods
            .as_ref()
            .map(|methods| list("methods", methods, quote)),
        paths.as_ref().map(|paths| list("paths", paths, quote)),
        addresses
            .as_ref()
            .map(|addresses| list("addresses", addresses, quote)),
        text("reason", reason.as_ref()),
        text("expires", expires.as_ref()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn text<T: Display>(name: &str, value: Option<&T>) -> Option<String> {
    value.map(|value| format!("{name}: {}", quote(value)))
}

fn list<T>(name: &str, values: &[T], write: impl Fn(&T) -> String) -> String {
    let values: Vec<_> = values.iter().map(write).collect();
    format!("{name}: [{}]", values.join(", "))
}

/// A JSON string, which YAML reads as the same double-quoted scalar.
fn quote(value: &impl Display) -> String {
    Value::String(value.to_string()).to_string()
}
