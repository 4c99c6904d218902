//! Printing. Results go to standard output, everything else to standard error; a reader that
//! went away is no error of ours. What came from an agent cannot drive the person's terminal,
//! and a name or a text that an agent chose, shown by [`name`], cannot look like a line of ours.

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use comfy_table::{ContentArrangement, Table, presets};
use miette::{LabeledSpan, MietteDiagnostic, NamedSource, Report};
use ringfence_policy::PolicyError;
use serde::Serialize;

/// Prints a line of results.
pub(crate) fn line(text: &str) {
    let _ = writeln!(io::stdout().lock(), "{}", printable(text));
}

/// Prints a result as one line of JSON.
pub(crate) fn json<T: Serialize>(value: &T) {
    if let Ok(text) = serde_json::to_string(value) {
        // Inside of strings, where alone such characters are, JSON may escape any.
        let text = replace(&text, is_deceptive, |character| {
            format!("\\u{:04x}", u32::from(character))
        });
        let _ = writeln!(io::stdout().lock(), "{text}");
    }
}

/// Says something to the person on standard error.
pub(crate) fn say(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", printable(text));
}

/// Says what went wrong. Further lines are indented, so that none looks like another message.
pub(crate) fn error(text: &str) {
    say(&format!("ringfence: {}", text.replace('\n', "\n  ")));
}

/// Shows what is wrong in a policy, with the lines around the place where it came from a file.
pub(crate) fn problem(error: &PolicyError) {
    let source = std::fs::read_to_string(&error.source_name).ok();
    let (Some(located), Some(source)) = (&error.located, source) else {
        say(&format!("ringfence: {error}"));
        if let Some(help) = &error.help {
            say(&format!("  help: {help}"));
        }
        return;
    };
    let mut diagnostic = MietteDiagnostic::new(error.to_string());
    if let Some(help) = &error.help {
        diagnostic = diagnostic.with_help(help.clone());
    }
    let label = LabeledSpan::new(None, located.span.start, located.span.len());
    let report = Report::new(diagnostic.with_label(label))
        .with_source_code(NamedSource::new(&error.source_name, source));
    let _ = writeln!(io::stderr().lock(), "{report:?}");
}

/// Prints rows below a heading, as wide as the terminal.
pub(crate) fn table(heading: &[&str], rows: Vec<Vec<String>>) {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(if io::stdout().is_terminal() {
            ContentArrangement::Dynamic
        } else {
            ContentArrangement::Disabled
        })
        .set_header(heading.iter().copied());
    for row in rows {
        table.add_row(row.iter().map(|cell| name(cell)).collect::<Vec<_>>());
    }
    let text: String = table
        .lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect();
    let _ = io::stdout().lock().write_all(text.as_bytes());
}

/// A path, or any text that an agent chose, as part of one line: line ends, tabs, and characters
/// that would not be seen or would change how others are seen, are written out.
pub(crate) fn name(text: &str) -> String {
    let is_hidden = |character: char| character.is_control() || is_deceptive(character);
    replace(text, is_hidden, |character| {
        character.escape_default().to_string()
    })
}

/// A path as part of one line.
pub(crate) fn path(path: &Path) -> String {
    name(&path.to_string_lossy())
}

/// Without control characters other than line ends and tabs, and without hidden ones.
fn printable(text: &str) -> String {
    let is_hidden = |character: char| {
        !matches!(character, '\n' | '\t') && (character.is_control() || is_deceptive(character))
    };
    replace(text, is_hidden, |_| '\u{fffd}'.to_string())
}

fn replace(text: &str, is_replaced: impl Fn(char) -> bool, by: impl Fn(char) -> String) -> String {
    let mut replaced = String::with_capacity(text.len());
    for character in text.chars() {
        if is_replaced(character) {
            replaced.push_str(&by(character));
        } else {
            replaced.push(character);
        }
    }
    replaced
}

/// Characters that have no width, change the direction of text or end a line in some terminals,
/// and control characters that JSON need not escape.
const fn is_deceptive(character: char) -> bool {
    matches!(
        character,
        '\u{7f}'..='\u{9f}'
            | '\u{ad}'
            | '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}'
            | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escape_sequence_does_not_reach_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\u{9b}c"), "a\u{fffd}[2Jb\u{fffd}c");
    }

    #[test]
    fn a_name_cannot_look_like_a_line_of_its_own() {
        assert_eq!(
            name("x\nringfence: 0 denied\t\u{1b}[2J"),
            "x\\nringfence: 0 denied\\t\\u{1b}[2J"
        );
    }

    #[test]
    fn a_name_cannot_be_shown_backwards_or_hide_a_part() {
        for character in ['\u{200b}', '\u{200f}', '\u{202e}', '\u{2066}', '\u{feff}'] {
            let shown = name(&format!("a{character}b"));
            assert_eq!(shown, format!("a\\u{{{:x}}}b", u32::from(character)));
        }
    }

    #[test]
    fn ordinary_names_are_shown_as_they_are() {
        assert_eq!(
            name("straße/日本 \"a\" \\n.txt"),
            "straße/日本 \"a\" \\n.txt"
        );
    }
}
