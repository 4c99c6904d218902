//! Adds a rule to a document's text and leaves the rest of the text alone: comments, order
//! and layout stay. The result is read again and must hold exactly the old rules and the new
//! one, so that an unusual layout ends in an error and never in another policy.

use std::ops::Range;

use super::outline::{self, Content, Node};
use super::{NetworkRule, Profile};
use crate::error::PolicyError;

/// The text with `rule` added at the end of the `network` list of the profile of that name.
///
/// # Errors
/// When the text or the new rule is not valid, the profile is not there, or the document is
/// laid out so that the rule cannot be added without rewriting it.
pub fn append_rule(
    yaml_text: &str,
    profile_name: &str,
    rule: &NetworkRule,
) -> Result<String, PolicyError> {
    let before = Profile::parse(profile_name, yaml_text)?;
    let index = before
        .iter()
        .position(|profile| profile.name.as_str() == profile_name)
        .ok_or_else(|| {
            let message = format!("there is no profile `{profile_name}` in it");
            PolicyError::new(profile_name, message)
        })?;
    let text = insertion(yaml_text, index, rule)
        .and_then(|insertion| insertion.apply(yaml_text))
        .ok_or_else(|| unusual_layout(profile_name, rule))?;
    let mut expected = before;
    if let Some(profile) = expected.get_mut(index) {
        profile.network.push(rule.clone());
    }
    if Profile::parse(profile_name, &text)? == expected {
        Ok(text)
    } else {
        Err(unusual_layout(profile_name, rule))
    }
}

fn unusual_layout(profile_name: &str, rule: &NetworkRule) -> PolicyError {
    PolicyError::new(
        profile_name,
        "the document is laid out so that no rule can be added to it automatically",
    )
    .with_help(format!("add this line to `network`: - {}", rule.to_line()))
}

/// Text that replaces the octets of a range.
struct Insertion {
    at: Range<usize>,
    text: String,
}

impl Insertion {
    fn apply(&self, yaml: &str) -> Option<String> {
        let before = yaml.get(..self.at.start)?;
        let after = yaml.get(self.at.end..)?;
        Some(format!("{before}{}{after}", self.text))
    }
}

fn insertion(yaml: &str, index: usize, rule: &NetworkRule) -> Option<Insertion> {
    let documents = outline::read(yaml)?;
    let document = documents.get(index)?;
    let line = rule.to_line();
    match document.value("network") {
        None => new_section(yaml, document, &line),
        Some(Node {
            content: Content::Sequence { items, flow: true },
            span,
            ..
        }) => Some(in_flow(items, span, &line)),
        Some(Node {
            content: Content::Sequence { items, .. },
            ..
        }) => after_last_item(yaml, items, &line),
        Some(_) => None,
    }
}

fn new_section(yaml: &str, document: &Node<'_>, line: &str) -> Option<Insertion> {
    if matches!(document.content, Content::Mapping { flow: true, .. }) {
        return None;
    }
    let indent = document.column.checked_sub(1)?;
    let text = format!("network:\n{:indent$}  - {line}", "");
    Some(new_line(yaml, document.content_end(), indent, &text))
}

fn in_flow(items: &[Node<'_>], span: &Range<usize>, line: &str) -> Insertion {
    let (at, text) = match items.last() {
        Some(last) => (last.content_end(), format!(", {{{line}}}")),
        None => (span.start + 1, format!("{{{line}}}")),
    };
    Insertion { at: at..at, text }
}

fn after_last_item(yaml: &str, items: &[Node<'_>], line: &str) -> Option<Insertion> {
    let before_first = yaml.get(..items.first()?.span.start)?.trim_end();
    let before_dash = before_first.strip_suffix('-')?;
    let indent = before_dash.chars().rev().take_while(|c| *c != '\n').count();
    let end = items.last()?.content_end();
    Some(new_line(yaml, end, indent, &format!("- {line}")))
}

/// A line of its own behind the line that holds the last octet before `end`.
fn new_line(yaml: &str, end: usize, indent: usize, text: &str) -> Insertion {
    let content = yaml.get(..end).unwrap_or(yaml).trim_end().len();
    let rest = yaml.get(content..).unwrap_or_default();
    let at = content + rest.find('\n').unwrap_or(rest.len());
    Insertion {
        at: at..at,
        text: format!("\n{:indent$}{text}", ""),
    }
}

#[cfg(test)]
mod tests;
