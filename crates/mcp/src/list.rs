//! Lists as an agent is shown them: with fewer entries, and with tools that take fewer arguments.

#[cfg(test)]
mod tests;

use ringfence_json::{Kind, quoted};
use serde_json::Value as Json;

use crate::frame::Frame;
use crate::method::ListOf;
use crate::narrow::narrowed;

/// What becomes of an entry.
#[derive(Debug, Clone, PartialEq)]
pub enum Kept {
    /// It is not shown.
    Hidden,
    /// It is shown as it is.
    As,
    /// It is shown with arguments that match this schema as well.
    Narrowed(Json),
}

/// Takes what is not to be shown out of a list that was read before, and says how many entries
/// went. An entry whose name is not read is not shown.
pub fn keep(frame: &mut Frame, of: ListOf, keep: &dyn Fn(&str) -> Kept) -> u64 {
    let (mut hidden, mut changed) = (Vec::new(), Vec::new());
    if let Some(list) = frame.result().and_then(|it| it.get(of.member())) {
        for entry in list.elements() {
            let name = entry.get(of.key()).filter(|it| it.kind() == Kind::Text);
            let name = name.and_then(ringfence_json::Value::text);
            match name.map_or(Kept::Hidden, |name| keep(&name)) {
                Kept::Hidden => hidden.push(entry.at()),
                Kept::As => {}
                Kept::Narrowed(schema) => {
                    let own = entry.get("inputSchema");
                    match own.and_then(|own| Some((own.at(), own.to_json()?))) {
                        Some((at, own)) => changed.push((at, narrowed(&own, &schema).to_string())),
                        None => hidden.push(entry.at()),
                    }
                }
            }
        }
    }
    let count = hidden.len() as u64;
    let changes = frame.changes();
    for at in hidden {
        changes.remove(at);
    }
    for (at, schema) in changed {
        changes.replace(at, schema);
    }
    count
}

/// Where the list goes on, as the server calls it.
#[must_use]
pub fn next_cursor(frame: &Frame) -> Option<String> {
    let cursor = frame.result()?.get("nextCursor")?;
    cursor.text().map(std::borrow::Cow::into_owned)
}

/// Puts texts in the place of members of the result or the parameters that are there, and texts: an
/// opaque value in its sealed form, or the other way round.
pub fn set_text(frame: &mut Frame, in_params: bool, member: &str, text: Option<&str>) {
    let around = if in_params {
        frame.params()
    } else {
        frame.result()
    };
    let Some((key, value)) =
        around.and_then(|it| it.members().find(|(key, _)| key.is_text(member)))
    else {
        return;
    };
    let (key, value) = (key.at(), value.at());
    match text {
        Some(text) => frame.changes().replace(value, quoted(text)),
        None => frame.changes().remove(key),
    }
}
