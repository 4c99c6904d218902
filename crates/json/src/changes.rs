//! Changes to a document, made on spans of its text. All else stays as it was written.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::{Kind, Value};

/// What is to be changed.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// What values become, as JSON.
    replaced: BTreeMap<u32, String>,
    /// Values of arrays and keys of objects that are to go, with what belongs to them.
    removed: BTreeSet<u32>,
    /// Members that come first in an object, as JSON.
    added: BTreeMap<u32, Vec<String>>,
}

/// Octets `start..end` of the text become `text`.
struct Edit<'a> {
    start: usize,
    end: usize,
    text: &'a str,
}

impl Changes {
    /// Whether nothing is to be changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.replaced.is_empty() && self.removed.is_empty() && self.added.is_empty()
    }

    /// Puts JSON in the place of a value.
    pub fn replace(&mut self, value: u32, json: String) {
        self.replaced.insert(value, json);
    }

    /// What stands in the place of a value.
    #[must_use]
    pub fn replacement(&self, value: u32) -> Option<&str> {
        self.replaced.get(&value).map(String::as_str)
    }

    /// Takes an element, or a member by its key, out of what it is in.
    pub fn remove(&mut self, element_or_key: u32) {
        self.removed.insert(element_or_key);
    }

    /// Whether it goes.
    #[must_use]
    pub fn is_removed(&self, element_or_key: u32) -> bool {
        self.removed.contains(&element_or_key)
    }

    /// Adds a member to an object that has none of this name.
    pub fn add(&mut self, object: u32, name: &str, json: &str) {
        let members = self.added.entry(object).or_default();
        let member = format!("{}:{json}", quoted(name));
        let of_name = format!("{}:", quoted(name));
        members.retain(|it| !it.starts_with(&of_name));
        members.push(member);
    }

    /// The text of a value with the changes in it.
    #[must_use]
    pub fn write(&self, value: Value<'_>) -> Vec<u8> {
        let inserts = self.inserts(value);
        let mut edits: Vec<Edit<'_>> = Vec::new();
        for (&at, json) in self.replaced.range(value.at()..value.next()) {
            let span = value.number(at).span();
            edits.push(Edit {
                start: span.start,
                end: span.end,
                text: json,
            });
        }
        self.removals(value, &mut edits);
        for (start, text) in &inserts {
            edits.push(Edit {
                start: *start,
                end: *start,
                text,
            });
        }
        // What is added comes first. Where one begins with another, the longer one holds the other.
        edits.sort_by_key(|edit| (edit.start, edit.end > edit.start, Reverse(edit.end)));
        apply(value, &edits)
    }

    fn inserts(&self, value: Value<'_>) -> Vec<(usize, String)> {
        let added = self.added.range(value.at()..value.next());
        added
            .map(|(&at, members)| {
                let object = value.number(at);
                let mut text = members.join(",");
                if object.members().any(|(key, _)| !self.is_removed(key.at())) {
                    text.push(',');
                }
                (object.span().start + 1, text)
            })
            .collect()
    }

    /// A run of removed parts goes with the comma behind it, or before it where it is the last.
    fn removals(&self, value: Value<'_>, edits: &mut Vec<Edit<'_>>) {
        let mut removed = self.removed.range(value.at()..value.next()).peekable();
        let mut around: Vec<Value<'_>> = Vec::new();
        let mut done = BTreeSet::new();
        // One pass: what a part is in, is what was opened last and is not over.
        for at in value.at()..value.next() {
            let Some(next) = removed.peek() else {
                break;
            };
            while around.last().is_some_and(|it| it.next() <= at) {
                around.pop();
            }
            if **next == at {
                removed.next();
                if let Some(around) = around.last()
                    && done.insert(around.at())
                {
                    self.removals_in(*around, edits);
                }
            }
            let part = value.number(at);
            if matches!(part.kind(), Kind::Array | Kind::Object) {
                around.push(part);
            }
        }
    }

    fn removals_in(&self, around: Value<'_>, edits: &mut Vec<Edit<'_>>) {
        let parts = parts(around);
        let mut kept_end = None;
        let mut run: Option<usize> = None;
        let mut last_end = 0;
        for (at, start, end) in parts {
            last_end = end;
            if self.is_removed(at) {
                run.get_or_insert(start);
                continue;
            }
            if let Some(from) = run.take() {
                edits.push(gone(from, start));
            }
            kept_end = Some(end);
        }
        if let Some(from) = run {
            edits.push(gone(kept_end.unwrap_or(from), last_end));
        }
    }
}

const fn gone<'a>(start: usize, end: usize) -> Edit<'a> {
    Edit {
        start,
        end,
        text: "",
    }
}

fn apply(value: Value<'_>, edits: &[Edit<'_>]) -> Vec<u8> {
    let (raw, first) = (value.raw(), value.span().start);
    let mut out = Vec::with_capacity(raw.len());
    let mut done = first;
    for edit in edits {
        if edit.start < done {
            continue;
        }
        let kept = raw.get(done - first..edit.start.saturating_sub(first));
        out.extend_from_slice(kept.unwrap_or_default());
        out.extend_from_slice(edit.text.as_bytes());
        done = edit.end;
    }
    out.extend_from_slice(raw.get(done - first..).unwrap_or_default());
    out
}

/// The parts of an array or object: the number that a part is removed by, and where it is.
fn parts(around: Value<'_>) -> Vec<(u32, usize, usize)> {
    if around.kind() == Kind::Object {
        let part =
            |(key, value): (Value<'_>, Value<'_>)| (key.at(), key.span().start, value.span().end);
        return around.members().map(part).collect();
    }
    let part = |it: Value<'_>| (it.at(), it.span().start, it.span().end);
    around.elements().map(part).collect()
}

/// The text as JSON.
#[must_use]
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
