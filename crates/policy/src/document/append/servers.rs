//! Git servers in a document's text.

use std::ops::Range;

use ringfence_model::git::UpstreamName;

use super::super::GitUpstreamTerms;
use super::super::outline::{self, Content, Node};
use super::{Entry, Insertion, confirmed, find, insertion};
use crate::error::PolicyError;

/// The text with a git server added to the profile of that name.
///
/// # Errors
/// When the text or the server is not valid, the profile is not there or has such a server, or
/// the document is laid out so that it cannot be added without rewriting it.
pub fn append_git_upstream(
    yaml_text: &str,
    profile_name: &str,
    terms: &GitUpstreamTerms,
) -> Result<String, PolicyError> {
    let (mut expected, index) = find(yaml_text, profile_name)?;
    let line = terms.to_line();
    let entry = Entry {
        section: SECTION,
        flow: &line,
        block: &line,
    };
    let text = insertion(yaml_text, index, &entry).and_then(|it| it.apply(yaml_text));
    let unusual = || unusual(profile_name, &format!("add this line to it: - {line}"));
    if let Some(profile) = expected.get_mut(index) {
        profile.git_upstreams.push(terms.clone());
    }
    confirmed(profile_name, text.ok_or_else(unusual)?, &expected)?.ok_or_else(unusual)
}

/// The text without a git server of the profile of that name.
///
/// # Errors
/// When the text is not valid or would not be without it, because rules name it; when profile or
/// server are not there, or the document is laid out so that it cannot be taken out.
pub fn remove_git_upstream(
    yaml_text: &str,
    profile_name: &str,
    name: &UpstreamName,
) -> Result<String, PolicyError> {
    let (mut expected, index) = find(yaml_text, profile_name)?;
    let profile = expected.get_mut(index);
    let at = profile.and_then(|profile| {
        let mut servers = profile.git_upstreams.iter();
        let at = servers.position(|terms| terms.name == *name)?;
        profile.git_upstreams.remove(at);
        Some(at)
    });
    let at = at.ok_or_else(|| {
        let message = format!("there is no git server `{name}` in it");
        PolicyError::new(profile_name, message)
    })?;
    let text = removal(yaml_text, index, at).and_then(|it| it.apply(yaml_text));
    let unusual = || unusual(profile_name, "take it out by hand");
    confirmed(profile_name, text.ok_or_else(unusual)?, &expected)?.ok_or_else(unusual)
}

fn unusual(profile_name: &str, help: &str) -> PolicyError {
    let message = format!("`{SECTION}` is laid out so that it cannot be changed automatically");
    PolicyError::new(profile_name, message).with_help(help)
}

fn removal(yaml: &str, index: usize, at: usize) -> Option<Insertion> {
    let documents = outline::read(yaml)?;
    let document = documents.get(index)?;
    let section = document.value(SECTION)?;
    let Content::Sequence { items, flow } = &section.content else {
        return None;
    };
    let (range, text) = match (items.as_slice(), flow) {
        ([_], true) => (section.span.clone(), "[]"),
        ([only], false) => {
            let key = yaml.get(..only.span.start)?.rfind(&format!("{SECTION}:"))?;
            (
                line_start(yaml, key)..line_end(yaml, only.content_end()),
                "",
            )
        }
        (items, true) => (in_brackets(items, at)?, ""),
        (items, false) => {
            let item = items.get(at)?;
            let dash = yaml.get(..item.span.start)?.rfind('-')?;
            (
                line_start(yaml, dash)..line_end(yaml, item.content_end()),
                "",
            )
        }
    };
    Some(Insertion {
        at: range,
        text: text.to_owned(),
    })
}

/// An entry between brackets, with the comma before or after it.
fn in_brackets(items: &[Node<'_>], at: usize) -> Option<Range<usize>> {
    let item = items.get(at)?;
    let before = at.checked_sub(1).and_then(|at| items.get(at));
    match (before, items.get(at + 1)) {
        (Some(before), _) => Some(before.content_end()..item.content_end()),
        (None, after) => Some(item.span.start..after?.span.start),
    }
}

fn line_start(yaml: &str, at: usize) -> usize {
    let before = yaml.get(..at).unwrap_or_default();
    before.rfind('\n').map_or(0, |end| end + 1)
}

/// Behind the line that holds the last octet before `end`.
fn line_end(yaml: &str, end: usize) -> usize {
    let content = yaml.get(..end).unwrap_or(yaml).trim_end().len();
    let rest = yaml.get(content..).unwrap_or_default();
    content + rest.find('\n').map_or(rest.len(), |at| at + 1)
}

const SECTION: &str = "gitUpstreams";

#[cfg(test)]
mod tests;
