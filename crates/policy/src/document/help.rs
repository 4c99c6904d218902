//! What the YAML parser's errors mean to a person who writes a profile, and what to do.

use ringfence_model::HostError;
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::{DefaultMessageFormatter, Error, MessageFormatter};

use super::condition::NO_FIELD;
use crate::error::quoted;

/// The sections of the language that later versions may know.
const PLANNED_SECTIONS: &[&str] = &["credentials", "limits", "mounts", "ssh", "web"];

/// The message and the help for a parse error.
pub(super) fn explain(error: &Error) -> (String, Option<String>) {
    match error.without_snippet() {
        Error::SerdeUnknownField {
            field, expected, ..
        } => unknown_field(field, expected),
        Error::SerdeUnknownVariant {
            variant, expected, ..
        } => unknown_word(variant, expected),
        Error::SerdeMissingField { field, .. } => {
            (format!("`{field}` is missing"), missing_field(field))
        }
        Error::Message { msg, .. } => (
            quoted_lines(msg),
            field_help(msg).or_else(|| host_help(msg)),
        ),
        known => match fixed(known) {
            Some((message, help)) => (message.to_owned(), Some(help.to_owned())),
            None => plain(known),
        },
    }
}

/// Messages and help that need nothing from the error but its kind.
fn fixed(error: &Error) -> Option<(&'static str, &'static str)> {
    match error {
        Error::DuplicateMappingKey { .. } => Some((
            "this key is there twice",
            "merge the two; neither of them would win silently",
        )),
        Error::Budget {
            breach: BudgetBreach::Anchors { .. } | BudgetBreach::Aliases { .. },
            ..
        } => Some((
            "policy documents have no anchors and aliases",
            "write the value itself; a text that starts with `*` or `&` needs quotes",
        )),
        Error::Budget { .. } => Some((
            "the document is larger or more deeply nested than any policy",
            "split it",
        )),
        Error::Unexpected {
            expected: "sequence start",
            ..
        } => Some((
            "a list is expected here",
            "write a list also for a single entry, as in `ports: [443]`; an empty one is `[]`",
        )),
        Error::Unexpected {
            expected: "mapping start",
            ..
        } => Some((
            "fields are expected here",
            "write fields with their names, as in `{host: example.com}`",
        )),
        Error::ExpectedMappingEndAfterEnumVariantValue { .. } => Some((
            "there are two rules in one list entry",
            "start every rule with its own `- `",
        )),
        // Ports are the only small numbers of the language.
        Error::SerdeInvalidValue { .. } | Error::InvalidScalar { ty: "u16", .. } => Some((
            "a port is a number from 1 to 65535",
            "write ports as in `ports: [443, 8443]`",
        )),
        Error::InvalidScalar {
            ty: "u32" | "u64", ..
        } => Some((
            "a whole number is expected here",
            "write it without a unit, as in `octets: 65536`",
        )),
        _ => None,
    }
}

fn plain(error: &Error) -> (String, Option<String>) {
    let message = DefaultMessageFormatter.format_message(error);
    let help = message.contains("anchor or alias").then(|| {
        "a text that starts with `*` needs quotes, as in `host: \"*.example.com\"`".to_owned()
    });
    (quoted_lines(&message), help)
}

fn quoted_lines(text: &str) -> String {
    text.lines().map(quoted).collect::<Vec<_>>().join("\n")
}

fn unknown_field(field: &str, expected: &[&'static str]) -> (String, Option<String>) {
    let is_root = expected.contains(&"apiVersion");
    if is_root && PLANNED_SECTIONS.contains(&field) {
        let help = "this version knows the sections `network`, `api`, `git`, `gitUpstreams`, `llm`, `llmProviders`, `mcp`, `mcpServers`, `tokens`, `environment` and `tests`";
        return (
            format!("this version of Ringfence has no section `{field}`"),
            Some(help.to_owned()),
        );
    }
    let what = if is_root { "section" } else { "field" };
    (
        format!("unknown {what} `{}`", quoted(field)),
        Some(suggestion(field, expected)),
    )
}

fn unknown_word(word: &str, expected: &[&'static str]) -> (String, Option<String>) {
    let help = match word {
        "deny" | "block" if expected.contains(&"forbid") => {
            "a rule is `allow` or `forbid`; what no rule allows is denied anyway".to_owned()
        }
        "forbid" if expected.contains(&"deny") => "a test expects `allow` or `deny`".to_owned(),
        "host" | "cidr" | "id" | "repo" | "provider" if expected.contains(&"forbid") => {
            format!("a rule starts with its effect, as in `- allow: {{{word}: …}}`")
        }
        _ => suggestion(word, expected),
    };
    (format!("unknown word `{}`", quoted(word)), Some(help))
}

fn missing_field(field: &str) -> Option<String> {
    let help = match field {
        "apiVersion" => "add `apiVersion: ringfence/v1`",
        "kind" => "add `kind: Profile`",
        "host" => "add `host: NAME`; no rule matches every destination",
        "name" => "add `name: NAME`; rules are shown as NAME/network/ID",
        _ => return None,
    };
    Some(help.to_owned())
}

/// Help for a condition that looks at what is not there.
fn field_help(message: &str) -> Option<String> {
    let help = "it has method, scheme, host, port, path, query, headers, content (type, octets, json) and graphql";
    message.starts_with(NO_FIELD).then(|| help.to_owned())
}

/// Help for a host pattern that the vocabulary refused.
fn host_help(message: &str) -> Option<String> {
    let is = |error: HostError| message.contains(&error.to_string());
    let help = if is(HostError::PublicSuffix) {
        "name the zone of one owner, as in `*.example.com`"
    } else if is(HostError::Wildcard) {
        "`*.example.com` matches every name below example.com; nothing matches every host"
    } else if is(HostError::Address) {
        "write an address as `cidr: 192.0.2.1/32`"
    } else if is(HostError::Character) {
        "a host is a name without scheme, port or path; ports go to `ports: [443]`"
    } else {
        return None;
    };
    Some(help.to_owned())
}

fn suggestion(word: &str, expected: &[&'static str]) -> String {
    let close = expected
        .iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .min()
        .filter(|(distance, candidate)| *distance <= candidate.len().div_ceil(3));
    if let Some((_, candidate)) = close {
        return format!("did you mean `{candidate}`?");
    }
    let known: Vec<_> = expected.iter().map(|name| format!("`{name}`")).collect();
    format!("known here: {}", known.join(", "))
}

/// The Levenshtein distance, on the first characters only: enough for typing mistakes.
fn distance(from: &str, to: &str) -> usize {
    const COMPARED: usize = 32;
    let to: Vec<char> = to.chars().take(COMPARED).collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().take(COMPARED).enumerate() {
        let mut left = i + 1;
        let mut next = vec![left];
        for (pair, b) in row.windows(2).zip(&to) {
            let [diagonal, above] = pair else { continue };
            left = (diagonal + usize::from(a != *b))
                .min(above + 1)
                .min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_mistake_gets_a_suggestion_and_a_strange_word_the_list() {
        let known = ["host", "ports", "paths"];
        assert_eq!(suggestion("port", &known), "did you mean `ports`?");
        assert_eq!(suggestion("hsot", &known), "did you mean `host`?");
        assert_eq!(
            suggestion("destination", &known),
            "known here: `host`, `ports`, `paths`"
        );
    }

    #[test]
    fn distance_counts_edits() {
        for (from, to, edits) in [
            ("", "abc", 3),
            ("abc", "abc", 0),
            ("abc", "axc", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(from, to), edits, "{from} {to}");
        }
    }
}
