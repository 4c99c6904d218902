//! Writes a rule on one line, as `allow: {host: "example.com", ports: [443]}`: for changed
//! documents and for suggestions. Every text is quoted, so none can become another YAML type.

use std::fmt::Display;

use super::{NetworkMatch, NetworkRule};

impl NetworkRule {
    /// The rule as one line of a document, without the `- ` of the list.
    #[must_use]
    pub fn to_line(&self) -> String {
        let word = if self.is_forbid() { "forbid" } else { "allow" };
        format!("{word}: {{{}}}", fields(self.terms()).join(", "))
    }
}

fn fields(terms: &NetworkMatch) -> Vec<String> {
    let NetworkMatch {
        id,
        host,
        cidr,
        ports,
        protocol,
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
    serde_json::Value::String(value.to_string()).to_string()
}
