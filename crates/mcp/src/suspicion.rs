//! What is odd in the definition of a tool: texts that a person does not see, and words that are
//! meant for a model and not for a person. Nothing here decides.

#[cfg(test)]
mod tests;

use crate::ask::is_hidden;
use crate::limits::SHOWN_OCTETS;

/// Something odd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspicion {
    /// A stable code: `hidden-characters`, `instructions`, `secrets-wanted`.
    pub code: &'static str,
    /// What was found, in words that can be shown.
    pub detail: String,
}

/// What tells a model to keep something from a person, or to forget what it was told.
const INSTRUCTIONS: [&str; 22] = [
    "ignore previous",
    "ignore all previous",
    "ignore the above",
    "disregard previous",
    "disregard all",
    "do not tell the user",
    "don't tell the user",
    "do not mention",
    "don't mention this",
    "without telling the user",
    "without informing the user",
    "do not inform the user",
    "not to alarm the user",
    "hide this from",
    "keep this secret",
    "<important>",
    "<system>",
    "</system>",
    "system prompt:",
    "you must always call this tool",
    "before using any other tool",
    "instead of the other tool",
];

/// Where secrets are.
const SECRETS: [&str; 14] = [
    "~/.ssh",
    ".ssh/id_",
    "id_rsa",
    "id_ed25519",
    "~/.aws",
    ".aws/credentials",
    "~/.netrc",
    "/etc/shadow",
    "/proc/self/environ",
    ".git-credentials",
    ".kube/config",
    "mcp.json",
    "claude_desktop_config",
    "~/.config/gh",
];

/// What is odd in a definition in its canonical form.
#[must_use]
pub fn suspicions(canonical: &str) -> Vec<Suspicion> {
    let definition = serde_json::from_str(canonical).unwrap_or_default();
    let mut texts = Vec::new();
    gather(&definition, &mut texts);
    let mut found = Vec::new();
    let hidden = texts.iter().find(|text| text.contains(is_unseen));
    if let Some(text) = hidden {
        found.push(Suspicion {
            code: "hidden-characters",
            detail: format!("a text holds characters that are not seen: {}", shown(text)),
        });
    }
    for (code, words) in [
        ("instructions", &INSTRUCTIONS[..]),
        ("secrets-wanted", &SECRETS[..]),
    ] {
        let hit = texts.iter().find_map(|text| {
            let folded = folded(text);
            words.iter().find(|words| folded.contains(**words))
        });
        if let Some(words) = hit {
            found.push(Suspicion {
                code,
                detail: format!("a text says `{words}`"),
            });
        }
    }
    found
}

fn is_unseen(c: char) -> bool {
    // A variation selector follows many a harmless emoji.
    let is_emoji_style = matches!(c, '\u{fe0e}' | '\u{fe0f}' | '\u{200d}');
    (is_hidden(c) && !is_emoji_style) || (c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
}

/// Small letters, one blank between words, without what is not seen.
fn folded(text: &str) -> String {
    let seen: String = text.chars().filter(|c| !is_hidden(*c)).collect();
    let words: Vec<&str> = seen.split_whitespace().collect();
    words.join(" ").to_lowercase()
}

fn shown(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars() {
        if is_unseen(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
        if shown.len() > SHOWN_OCTETS {
            break;
        }
    }
    shown
}

/// All texts of a definition, the names of members among them. Its depth is bounded by who read it.
fn gather<'a>(value: &'a serde_json::Value, texts: &mut Vec<&'a str>) {
    match value {
        serde_json::Value::String(text) => texts.push(text),
        serde_json::Value::Array(all) => all.iter().for_each(|it| gather(it, texts)),
        serde_json::Value::Object(members) => {
            for (name, value) in members {
                texts.push(name);
                gather(value, texts);
            }
        }
        _ => {}
    }
}
