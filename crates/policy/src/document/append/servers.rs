//! Git servers and providers of language models in a document's text: entries of lists, by name.

use std::ops::Range;

use ringfence_model::git::UpstreamName;
use ringfence_model::llm::ProviderName;
use ringfence_model::mcp::ServerName;

use super::super::outline::{self, Content, Node};
use super::super::{GitUpstreamTerms, LlmProviderTerms, McpServerTerms, Profile};
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
    let add = |profile: &mut Profile| profile.git_upstreams.push(terms.clone());
    append(yaml_text, profile_name, (SERVERS, &terms.to_line()), add)
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
    let missing = format!("there is no git server `{name}` in it");
    remove(yaml_text, profile_name, SERVERS, missing, |profile| {
        let mut servers = profile.git_upstreams.iter();
        let at = servers.position(|terms| terms.name == *name)?;
        profile.git_upstreams.remove(at);
        Some(at)
    })
}

/// The text with a provider of language models added to the profile of that name.
///
/// # Errors
/// As [`append_git_upstream`].
pub fn append_llm_provider(
    yaml_text: &str,
    profile_name: &str,
    terms: &LlmProviderTerms,
) -> Result<String, PolicyError> {
    let add = |profile: &mut Profile| profile.llm_providers.push(terms.clone());
    append(yaml_text, profile_name, (PROVIDERS, &terms.to_line()), add)
}

/// The text without a provider of language models of the profile of that name.
///
/// # Errors
/// As [`remove_git_upstream`].
pub fn remove_llm_provider(
    yaml_text: &str,
    profile_name: &str,
    name: &ProviderName,
) -> Result<String, PolicyError> {
    let missing = format!("there is no provider `{name}` in it");
    remove(yaml_text, profile_name, PROVIDERS, missing, |profile| {
        let mut providers = profile.llm_providers.iter();
        let at = providers.position(|terms| terms.name == *name)?;
        profile.llm_providers.remove(at);
        Some(at)
    })
}

/// The text with a server of the Model Context Protocol added to the profile of that name.
///
/// # Errors
/// As [`append_git_upstream`].
pub fn append_mcp_server(
    yaml_text: &str,
    profile_name: &str,
    terms: &McpServerTerms,
) -> Result<String, PolicyError> {
    let add = |profile: &mut Profile| profile.mcp_servers.push(terms.clone());
    append(
        yaml_text,
        profile_name,
        (MCP_SERVERS, &terms.to_line()),
        add,
    )
}

/// The text without a server of the Model Context Protocol of the profile of that name.
///
/// # Errors
/// As [`remove_git_upstream`].
pub fn remove_mcp_server(
    yaml_text: &str,
    profile_name: &str,
    name: &ServerName,
) -> Result<String, PolicyError> {
    let missing = format!("there is no server `{name}` in it");
    remove(yaml_text, profile_name, MCP_SERVERS, missing, |profile| {
        let mut servers = profile.mcp_servers.iter();
        let at = servers.position(|terms| terms.name == *name)?;
        profile.mcp_servers.remove(at);
        Some(at)
    })
}

/// Adds `line` to `section`; `add` says what the profile is then.
fn append(
    yaml_text: &str,
    profile_name: &str,
    (section, line): (&'static str, &str),
    add: impl FnOnce(&mut Profile),
) -> Result<String, PolicyError> {
    let (mut expected, index) = find(yaml_text, profile_name)?;
    let entry = Entry {
        section,
        flow: line,
        block: line,
    };
    let text = insertion(yaml_text, index, &entry).and_then(|it| it.apply(yaml_text));
    let help = format!("add this line to it: - {line}");
    let unusual = || unusual(profile_name, section, &help);
    if let Some(profile) = expected.get_mut(index) {
        add(profile);
    }
    confirmed(profile_name, text.ok_or_else(unusual)?, &expected)?.ok_or_else(unusual)
}

/// Takes the entry out of `section` that `take` takes out of the profile, and says where it was.
fn remove(
    yaml_text: &str,
    profile_name: &str,
    section: &'static str,
    missing: String,
    take: impl FnOnce(&mut Profile) -> Option<usize>,
) -> Result<String, PolicyError> {
    let (mut expected, index) = find(yaml_text, profile_name)?;
    let at = expected.get_mut(index).and_then(take);
    let at = at.ok_or_else(|| PolicyError::new(profile_name, missing))?;
    let text = removal(yaml_text, (index, section), at).and_then(|it| it.apply(yaml_text));
    let unusual = || unusual(profile_name, section, "take it out by hand");
    confirmed(profile_name, text.ok_or_else(unusual)?, &expected)?.ok_or_else(unusual)
}

fn unusual(profile_name: &str, section: &str, help: &str) -> PolicyError {
    let message = format!("`{section}` is laid out so that it cannot be changed automatically");
    PolicyError::new(profile_name, message).with_help(help)
}

fn removal(yaml: &str, (index, name): (usize, &str), at: usize) -> Option<Insertion> {
    let documents = outline::read(yaml)?;
    let document = documents.get(index)?;
    let section = document.value(name)?;
    let Content::Sequence { items, flow } = &section.content else {
        return None;
    };
    let (range, text) = match (items.as_slice(), flow) {
        ([_], true) => (section.span.clone(), "[]"),
        ([only], false) => {
            let key = yaml.get(..only.span.start)?.rfind(&format!("{name}:"))?;
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

const SERVERS: &str = "gitUpstreams";

const PROVIDERS: &str = "llmProviders";
const MCP_SERVERS: &str = "mcpServers";

#[cfg(test)]
mod tests;
