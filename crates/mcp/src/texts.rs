//! Every text of a message, whatever it is in: contents of kinds that nobody knows yet, names of
//! members, errors, and what is encoded in base64.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use ringfence_json::{Kind, Value, quoted};

use crate::frame::Frame;
use crate::limits::ENCODED_OCTETS;

/// A text of a message.
#[derive(Clone, Copy)]
pub struct Found<'a> {
    /// The text, decoded.
    pub text: &'a str,
    /// Whether it is the name of a member.
    pub is_name: bool,
    /// Whether it stands there in base64.
    pub is_encoded: bool,
    value: Value<'a>,
}

impl Found<'_> {
    /// Where it is: `result.content[0].text`.
    pub fn place(&self) -> impl fmt::Display {
        self.value.path()
    }
}

impl fmt::Debug for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A text may hold a secret.
        write!(f, "{}", self.place())
    }
}

/// Gives every text of a message to `change`, which may put another in its place, and says how many
/// it did. Not among them: the method, ids, and opaque values that the protocol itself carries.
pub fn each(frame: &mut Frame, change: &mut dyn FnMut(Found<'_>) -> Option<String>) -> u64 {
    let mut walk = Walk {
        change,
        changed: Vec::new(),
        carried: Vec::new(),
    };
    for (key, value) in frame.root().members() {
        if BODIES.iter().any(|it| key.is_text(it)) {
            walk.all(value, carried(value));
        }
    }
    let changed = walk.changed;
    let count = changed.len() as u64;
    for (at, text) in changed {
        frame.changes().replace(at, quoted(&text));
    }
    count
}

/// The members of a message that hold what it says.
const BODIES: [&str; 3] = ["params", "result", "error"];

struct Walk<'a> {
    change: &'a mut dyn FnMut(Found<'_>) -> Option<String>,
    changed: Vec<(u32, String)>,
    /// The numbers of values that are not looked at.
    carried: Vec<u32>,
}

impl Walk<'_> {
    fn all(&mut self, root: Value<'_>, carried: Vec<u32>) {
        self.carried = carried;
        let mut open = vec![root];
        while let Some(value) = open.pop() {
            match value.kind() {
                Kind::Array => open.extend(value.elements()),
                Kind::Object => {
                    for (key, member) in value.members() {
                        open.extend(self.member(key, member));
                    }
                }
                _ => self.plain(value, false),
            }
        }
    }

    /// What is to be walked through of a member.
    fn member<'v>(&mut self, key: Value<'v>, member: Value<'v>) -> Option<Value<'v>> {
        self.plain(key, true);
        let name = key.text().unwrap_or_default();
        match member.kind() {
            Kind::Array | Kind::Object => return Some(member),
            _ if self.carried.contains(&member.at()) => {}
            _ => {
                let before = self.changed.len();
                self.plain(member, false);
                if self.changed.len() == before && matches!(&*name, "data" | "blob") {
                    let encoded = encoded(member, self.change);
                    self.changed.extend(encoded.map(|text| (member.at(), text)));
                }
            }
        }
        None
    }

    fn plain(&mut self, value: Value<'_>, is_name: bool) {
        let Some(text) = value.text() else { return };
        let changed = (self.change)(Found {
            text: &text,
            is_name,
            is_encoded: false,
            value,
        });
        self.changed.extend(changed.map(|text| (value.at(), text)));
    }
}

/// What base64 stands for, where it is text.
fn encoded(
    value: Value<'_>,
    change: &mut dyn FnMut(Found<'_>) -> Option<String>,
) -> Option<String> {
    let text = value.text()?;
    if text.len() > ENCODED_OCTETS {
        return None;
    }
    let decoded = STANDARD.decode(text.as_bytes());
    let decoded = decoded
        .or_else(|_| STANDARD_NO_PAD.decode(text.as_bytes()))
        .ok()?;
    let decoded = match String::from_utf8(decoded) {
        Ok(text) => Cow::Owned::<str>(text),
        Err(_) => return None,
    };
    let changed = change(Found {
        text: &decoded,
        is_name: false,
        is_encoded: true,
        value,
    })?;
    Some(STANDARD.encode(changed))
}

/// The values of a body that belong to the protocol, mean nothing to a reader, and may look like
/// anything. They are those only where the protocol has them: the same names elsewhere are texts
/// like others.
fn carried(body: Value<'_>) -> Vec<u32> {
    let mut carried = Vec::new();
    let meta = body.get("_meta");
    let within = |around: Option<Value<'_>>, names: &[&str], carried: &mut Vec<u32>| {
        let found = names.iter().filter_map(|name| around?.get(name));
        let is_scalar = |it: &Value<'_>| matches!(it.kind(), Kind::Text | Kind::Number);
        carried.extend(found.filter(is_scalar).map(Value::at));
    };
    within(Some(body), &OPAQUE, &mut carried);
    within(body.get("task"), &["taskId"], &mut carried);
    within(meta, &OF_META, &mut carried);
    carried
}

/// Of parameters and results.
const OPAQUE: [&str; 7] = [
    "progressToken",
    "cursor",
    "nextCursor",
    "requestState",
    "taskId",
    "requestId",
    "protocolVersion",
];

/// Of their `_meta`.
const OF_META: [&str; 3] = ["progressToken", "traceparent", "tracestate"];
