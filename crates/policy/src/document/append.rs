//! Adds a rule, a git server or a provider to a document's text, or takes one of those out, and leaves the rest
//! of the text alone: comments, order and layout stay. The result is read again and must hold
//! exactly what was meant, so that an unusual layout ends in an error and never in another policy.

mod servers;

use std::ops::Range;

use super::outline::{self, Content, Node};
use super::{NetworkRule, Profile};
use crate::error::PolicyError;
pub use servers::{
    append_git_upstream, append_llm_provider, append_mcp_server, remove_git_upstream,
    remove_llm_provider, remove_mcp_server,
};

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
    let (mut expected, index) = find(yaml_text, profile_name)?;
    let line = rule.to_line();
    let entry = Entry {
        section: "network",
        flow: &format!("{{{line}}}"),
        block: &line,
    };
    let text = insertion(yaml_text, index, &entry).and_then(|it| it.apply(yaml_text));
    let unusual = || unusual_layout(profile_name, rule);
    if let Some(profile) = expected.get_mut(index) {
        profile.network.push(rule.clone());
    }
    confirmed(profile_name, text.ok_or_else(unusual)?, &expected)?.ok_or_else(unusual)
}

/// The profiles of a text, and the position of the one of that name.
fn find(yaml_text: &str, profile_name: &str) -> Result<(Vec<Profile>, usize), PolicyError> {
    let profiles = Profile::parse(profile_name, yaml_text)?;
    let mut names = profiles.iter().map(|profile| profile.name.as_str());
    let index = names.position(|name| name == profile_name).ok_or_else(|| {
        let message = format!("there is no profile `{profile_name}` in it");
        PolicyError::new(profile_name, message)
    })?;
    Ok((profiles, index))
}

/// The changed text, if it says what was meant.
fn confirmed(
    profile_name: &str,
    text: String,
    expected: &[Profile],
) -> Result<Option<String>, PolicyError> {
    let read = Profile::parse(profile_name, &text)?;
    Ok((read == expected).then_some(text))
}

fn unusual_layout(profile_name: &str, rule: &NetworkRule) -> PolicyError {
    PolicyError::new(
        profile_name,
        "the document is laid out so that no rule can be added to it automatically",
    )
    .with_help(format!("add this line to `network`: - {}", rule.to_line()))
}

/// What is added to a list, as it stands in a list of lines and in one in brackets.
struct Entry<'a> {
    section: &'a str,
    block: &'a str,
    flow: &'a str,
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

fn insertion(yaml: &str, index: usize, entry: &Entry<'_>) -> Option<Insertion> {
    let documents = outline::read(yaml)?;
    let document = documents.get(index)?;
    match document.value(entry.section) {
        None => new_section(yaml, document, entry),
        Some(Node {
            content: Content::Sequence { items, flow: true },
            span,
            ..
        }) => Some(in_flow(items, span, entry.flow)),
        Some(Node {
            content: Content::Sequence { items, .. },
            ..
        }) => after_last_item(yaml, items, entry.block),
        Some(_) => None,
    }
}

fn new_section(yaml: &str, document: &Node<'_>, entry: &Entry<'_>) -> Option<Insertion> {
    if matches!(document.content, Content::Mapping { flow: true, .. }) {
        return None;
    }
    let indent = document.column.checked_sub(1)?;
    let text = format!("{}:\n{:indent$}  - {}", entry.section, "", entry.block);
    Some(new_line(yaml, document.content_end(), indent, &text))
}

fn in_flow(items: &[Node<'_>], span: &Range<usize>, text: &str) -> Insertion {
    let (at, text) = match items.last() {
        Some(last) => (last.content_end(), format!(", {text}")),
        None => (span.start + 1, text.to_owned()),
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
