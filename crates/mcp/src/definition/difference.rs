//! How two definitions differ, for a person who has to say whether the newer one is right.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::ask::is_hidden;
use crate::limits::{DIFFERENCES, SHOWN_OCTETS};

/// One place where two definitions differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The place, as a JSON pointer (RFC 6901).
    pub at: String,
    /// What was there; none where there was nothing.
    pub before: Option<String>,
    /// What is there now; none where there is nothing.
    pub now: Option<String>,
}

/// The places where two definitions in their canonical form differ, in order; the first of many.
#[must_use]
pub fn differences(before: &str, now: &str) -> Vec<Difference> {
    let read = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
    let (before, now): (Value, Value) = (read(before), read(now));
    let mut all = Vec::new();
    walk("", Some(&before), Some(&now), &mut all);
    all
}

fn walk(at: &str, before: Option<&Value>, now: Option<&Value>, all: &mut Vec<Difference>) {
    if before == now || all.len() >= DIFFERENCES {
        return;
    }
    match (before, now) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for name in names {
                let step = name.replace('~', "~0").replace('/', "~1");
                walk(&format!("{at}/{step}"), a.get(name), b.get(name), all);
            }
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            for index in 0..a.len().max(b.len()) {
                walk(&format!("{at}/{index}"), a.get(index), b.get(index), all);
            }
        }
        _ => all.push(Difference {
            at: visible(at),
            before: before.map(|it| visible(&it.to_string())),
            now: now.map(|it| visible(&it.to_string())),
        }),
    }
}

/// The text as a person sees it, characters that are not seen by their numbers.
fn visible(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars() {
        if shown.len() > SHOWN_OCTETS {
            shown.push('…');
            break;
        }
        if character.is_control() || is_hidden(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}
