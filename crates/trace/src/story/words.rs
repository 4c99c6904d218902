//! Numbers, times and texts as a person reads them.

use jiff::Timestamp;
use ringfence_model::llm::{TextDigest, TokenUsage};

use crate::totals::Totals;

/// Text that somebody else chose, as part of one line: what would not be seen, end the line or
/// change how others are seen is written out.
#[must_use]
pub fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || is_deceptive(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Characters that have no width, change the direction of text or end a line in some terminals.
const fn is_deceptive(character: char) -> bool {
    matches!(
        character,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// The start of such a text.
pub(super) fn excerpt(text: &str) -> String {
    let mut excerpt = shown(text.chars().take(EXCERPT).collect::<String>().trim());
    if text.chars().nth(EXCERPT).is_some() {
        excerpt.push('…');
    }
    excerpt
}

/// A text as far as it is known.
pub(super) fn text(text: &TextDigest) -> String {
    let octets = octets(text.octets);
    match &text.text {
        Some(text) => format!("{octets}: {}", excerpt(text)),
        None => octets,
    }
}

pub(super) fn octets(count: u64) -> String {
    match count {
        1 => "1 octet".to_owned(),
        _ => format!("{} octets", number(count)),
    }
}

/// How long it is from one time to another, in two parts at most.
#[must_use]
pub fn duration(from: Timestamp, to: Timestamp) -> String {
    let took = to.duration_since(from);
    let (seconds, millis) = (took.as_secs().max(0), took.subsec_millis().max(0));
    match seconds {
        0 => format!("{millis} ms"),
        1..60 => format!("{seconds}.{} s", millis / 100),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// A number with commas.
#[must_use]
pub fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

pub(super) fn count(count: u64, one: &str, many: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        _ => format!("{} {many}", number(count)),
    }
}

pub(super) fn tokens(usage: &TokenUsage) -> String {
    let cached = match usage.cache_read {
        0 => String::new(),
        read => format!(" ({} from cache)", number(read)),
    };
    let reasoning = match usage.reasoning {
        0 => String::new(),
        reasoning => format!(" ({} of reasoning)", number(reasoning)),
    };
    let (input, output) = (number(usage.input), number(usage.output));
    format!("{input} in{cached}, {output} out{reasoning}")
}

/// What a run took.
pub(super) fn totals(totals: &Totals) -> String {
    let mut parts = Vec::new();
    if totals.calls > 0 {
        parts.push(count(totals.calls, "call of a model", "calls of models"));
        parts.push(format!("tokens {}", tokens(&totals.tokens)));
        let most = if totals.estimated > 0 { "at most " } else { "" };
        parts.push(format!("{most}${}", totals.cost));
        if totals.unpriced > 0 {
            parts.push(format!("{} without a price", number(totals.unpriced)));
        }
    }
    if totals.tools > 0 {
        let failed = match totals.failed_tools {
            0 => String::new(),
            failed => format!(" ({} failed)", number(failed)),
        };
        parts.push(format!("{}{failed}", count(totals.tools, "tool", "tools")));
    }
    parts.push(format!("{} denied", number(totals.denied)));
    if totals.findings > 0 {
        parts.push(count(totals.findings, "finding", "findings"));
    }
    parts.join("; ")
}

/// Characters of a text that are shown.
const EXCERPT: usize = 100;
