//! The texts of a request: searched, changed, recorded.

use std::borrow::Cow;
use std::fmt;

use ringfence_model::llm::{ContextItem, ContextKind, TextDigest};

use super::{Item, Request};
use crate::Capture;
use crate::text::Digester;
use ringfence_json::{Kind, Value, quoted, shown};

/// Where a text is: `messages[3].content[0].content (tool-result toolu_1)`.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    levels: &'a [Level<'a>],
    item: Option<&'a Item>,
}

/// An array or object around a text.
#[derive(Clone, Copy)]
struct Level<'a> {
    /// The number behind all that is in it.
    end: u32,
    /// The key that came last; none in an array, none where the key itself is meant or was changed.
    key: Option<Value<'a>>,
    /// How many values came before in an array.
    index: u64,
    is_array: bool,
}

impl fmt::Debug for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, level) in self.levels.iter().enumerate() {
            match level.key {
                Some(key) if depth == 0 => f.write_str(&shown(key))?,
                Some(key) => write!(f, ".{}", shown(key))?,
                None if level.is_array => write!(f, "[{}]", level.index)?,
                None => {}
            }
        }
        let Some(item) = self.item else {
            return Ok(());
        };
        let kind = match item.kind {
            ContextKind::ToolCall => "tool-call",
            _ => "tool-result",
        };
        match &item.call {
            Some(call) => write!(f, " ({kind} {})", plain(call)),
            None => write!(f, " ({kind})"),
        }
    }
}

/// Follows where in the document a walk from value to value is.
struct Walk<'a> {
    levels: Vec<Level<'a>>,
    /// Calls of tools and their results, in the order of the document; the next comes last.
    tools: Vec<&'a Item>,
    tool: Option<&'a Item>,
}

impl<'a> Walk<'a> {
    fn new(items: &'a [Item]) -> Self {
        let is_tool =
            |it: &&Item| matches!(it.kind, ContextKind::ToolCall | ContextKind::ToolResult);
        let mut tools: Vec<&Item> = items.iter().filter(is_tool).collect();
        tools.sort_by_key(|it| std::cmp::Reverse(it.within.0));
        Self {
            levels: Vec::new(),
            tools,
            tool: None,
        }
    }

    /// The walk comes to this value. Returns the key that it has. A key has none, and counts for what
    /// comes behind it once it is [named](Self::named).
    fn step(&mut self, value: Value<'a>) -> Option<Value<'a>> {
        let at = value.at();
        while self.levels.last().is_some_and(|level| level.end <= at) {
            self.levels.pop();
        }
        while let Some(tool) = self.tools.pop_if(|it| it.within.0 <= at) {
            self.tool = Some(tool);
        }
        self.tool = self.tool.filter(|it| at < it.within.1);
        let around = self.levels.last_mut();
        let key = around.as_ref().and_then(|level| level.key);
        if let Some(level) = around {
            if value.kind() == Kind::Key {
                level.key = None;
            } else if level.is_array {
                level.index = level.index.wrapping_add(1);
            }
        }
        if matches!(value.kind(), Kind::Array | Kind::Object) {
            self.levels.push(Level {
                end: value.next(),
                key: None,
                // The first value in it makes it nought.
                index: u64::MAX,
                is_array: value.kind() == Kind::Array,
            });
        }
        key
    }

    /// What comes behind this key has it as its name.
    fn named(&mut self, key: Value<'a>) {
        if let Some(level) = self.levels.last_mut() {
            level.key = Some(key);
        }
    }

    fn place(&self) -> Place<'_> {
        Place {
            levels: &self.levels,
            item: self.tool,
        }
    }
}

/// An id, without what could not be shown.
fn plain(id: &str) -> String {
    id.chars().filter(char::is_ascii_graphic).collect()
}

impl Request {
    /// Shows every text of the request, decoded: of messages, results of tools, instructions,
    /// descriptions and arguments of tools, and names of members that may hold more than a name. Where `change` returns another text, that is put in its place. Media, ids, and
    /// what the provider has sealed before are not shown.
    pub fn texts(&mut self, change: &mut dyn FnMut(Place<'_>, &str) -> Option<String>) {
        let mut opaque = self.found.opaque.clone();
        // What was decided on stays.
        opaque.extend(self.found.models.iter().map(|(at, _)| (*at, at + 1)));
        opaque.sort_unstable();
        let mut opaque = opaque.into_iter().peekable();
        let mut changed = Vec::new();
        let root = self.root();
        let mut walk = Walk::new(&self.items);
        let mut at = 0;
        while at < self.tape.len() {
            let value = root.number(at);
            let key = walk.step(value);
            at += 1;
            while opaque.next_if(|(_, end)| *end <= value.at()).is_some() {}
            if let Some((_, end)) = opaque.peek().filter(|(start, _)| *start <= value.at()) {
                at = *end;
                continue;
            }
            let other = is_text(key, value).then(|| {
                let text = value.text().unwrap_or_default();
                change(walk.place(), &text)
            });
            match other.flatten() {
                Some(other) => changed.push((value.at(), other)),
                None if value.kind() == Kind::Key => walk.named(value),
                None => {}
            }
        }
        for (at, text) in changed {
            self.changes.replace(at, quoted(&text));
        }
    }

    /// The instructions of the program, with the changes.
    #[must_use]
    pub fn system(&self, capture: Capture) -> Option<TextDigest> {
        let mut items = self
            .items
            .iter()
            .filter(|it| it.kind == ContextKind::System);
        let first = items.next()?;
        let mut digester = Digester::new(capture);
        for item in std::iter::once(first).chain(items) {
            self.add(item, &mut digester);
        }
        Some(digester.finish())
    }

    /// An item as it is recorded, with the changes.
    #[must_use]
    pub fn recorded(&self, item: &Item, capture: Capture) -> ContextItem {
        let capture = match item.kind {
            ContextKind::Media => Capture::Digests,
            _ => capture,
        };
        let mut digester = Digester::new(capture);
        self.add(item, &mut digester);
        ContextItem {
            kind: item.kind,
            call: item.call.clone(),
            name: item.name.clone(),
            is_error: item.is_error,
            text: digester.finish(),
        }
    }

    fn add(&self, item: &Item, digester: &mut Digester) {
        for &at in &item.content {
            digester.add(&self.content(at));
        }
    }

    /// A content as it is sent: a text decoded, anything else as it is written.
    pub(crate) fn content(&self, at: u32) -> Cow<'_, str> {
        let value = self.root().number(at);
        let is_text = value.kind() == Kind::Text;
        if is_text && self.changes.replacement(at).is_none() {
            return value.text().unwrap_or_default();
        }
        if is_text {
            let json = self.changes.replacement(at).unwrap_or_default();
            return serde_json::from_str::<String>(json)
                .unwrap_or_default()
                .into();
        }
        if self.changes.is_empty() {
            return String::from_utf8_lossy(value.raw());
        }
        let written = self.changes.write(value);
        String::from_utf8_lossy(&written).into_owned().into()
    }

    /// The content of an item as it is written in the body that was read.
    pub(crate) fn written<'a>(&'a self, item: &'a Item) -> impl Iterator<Item = &'a [u8]> {
        let root = self.root();
        item.content.iter().map(move |at| root.number(*at).raw())
    }
}

/// Whether a value is a text that somebody wrote.
fn is_text(key: Option<Value<'_>>, value: Value<'_>) -> bool {
    match value.kind() {
        Kind::Text => !is_word(key, value),
        Kind::Key => may_hold_more(value.raw_text()),
        _ => false,
    }
}

/// No secret that is known is shorter.
const SECRET_OCTETS: usize = 16;

/// Whether the name of a member may hold more than a name: no secret is made of letters alone.
fn may_hold_more(name: &[u8]) -> bool {
    let is_of_name = |b: &u8| b.is_ascii_alphabetic() || *b == b'_';
    name.len() >= SECRET_OCTETS && !name.iter().all(is_of_name)
}

/// Whether a text is a word of the dialect, or so short an id that it can be nothing else. (What
/// stands in the place of a longer one is the same wherever it occurs.)
fn is_word(key: Option<Value<'_>>, value: Value<'_>) -> bool {
    let Some(key) = key else {
        return false;
    };
    let is_plain = |b: &u8| b.is_ascii_alphanumeric() || b"_-.:/@|+".contains(b);
    WORDS.iter().any(|word| key.is_text(word))
        && value.raw_text().len() < SECRET_OCTETS
        && value.raw_text().iter().all(is_plain)
}

const WORDS: [&str; 14] = [
    "type",
    "role",
    "model",
    "id",
    "tool_use_id",
    "toolUseId",
    "tool_call_id",
    "call_id",
    "item_id",
    "media_type",
    "mimeType",
    "mime_type",
    "format",
    "service_tier",
];
