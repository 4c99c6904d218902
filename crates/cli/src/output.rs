//! Printing. Results go to standard output, everything else to standard error; a reader that
//! went away is no error of ours. What came from an agent is stripped of control characters,
//! so that no event can drive the person's terminal.

use std::io::{self, IsTerminal, Write};

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
        let _ = writeln!(io::stdout().lock(), "{text}");
    }
}

/// Says something to the person on standard error.
pub(crate) fn say(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", printable(text));
}

/// Says what went wrong.
pub(crate) fn error(text: &str) {
    say(&format!("ringfence: {text}"));
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
        table.add_row(row.iter().map(|cell| printable(cell)).collect::<Vec<_>>());
    }
    let text: String = table
        .lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect();
    let _ = io::stdout().lock().write_all(text.as_bytes());
}

/// Without control characters other than line ends and tabs.
fn printable(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '\n' | '\t' => character,
            character if character.is_control() => '\u{fffd}',
            character => character,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escape_sequence_does_not_reach_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\u{9b}c"), "a\u{fffd}[2Jb\u{fffd}c");
    }
}
