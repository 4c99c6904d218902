//! One value of a document.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use super::object::{Misread, Object, Spelling};
use super::{Kind, Node, decode};
use crate::limits::COUNT_DIGITS;

/// One value of a document.
#[derive(Clone, Copy)]
pub(crate) struct Value<'a> {
    nodes: &'a [Node],
    octets: &'a [u8],
    at: u32,
}

impl<'a> Value<'a> {
    pub(super) const fn new(nodes: &'a [Node], octets: &'a [u8], at: u32) -> Self {
        Self { nodes, octets, at }
    }

    fn node(self) -> Option<&'a Node> {
        self.nodes.get(self.at as usize)
    }

    /// The value with this number in the same document.
    pub(crate) const fn number(self, at: u32) -> Self {
        Self { at, ..self }
    }

    /// Its number among the values of the document.
    pub(crate) const fn at(self) -> u32 {
        self.at
    }

    /// The number behind it and all that is in it.
    pub(crate) fn next(self) -> u32 {
        self.node().map_or(self.at, |node| node.next)
    }

    pub(crate) fn kind(self) -> Kind {
        self.node().map_or(Kind::Null, |node| node.kind)
    }

    pub(crate) fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// Where it is in the text.
    pub(crate) fn span(self) -> Range<usize> {
        self.node()
            .map_or(0..0, |node| node.start as usize..node.end as usize)
    }

    /// As it is written.
    pub(crate) fn raw(self) -> &'a [u8] {
        self.octets.get(self.span()).unwrap_or_default()
    }

    /// What is between its quotes, as it is written; nothing where it is no text.
    pub(crate) fn raw_text(self) -> &'a [u8] {
        self.node()
            .map_or(b"", |node| decode::raw_inner(self.octets, node))
    }

    /// The text or key.
    pub(crate) fn text(self) -> Option<Cow<'a, str>> {
        let node = self.node()?;
        if !matches!(node.kind, Kind::Text | Kind::Key) {
            return None;
        }
        // The document is UTF-8, and escapes are whole characters.
        match decode::inner(self.octets, node) {
            Cow::Borrowed(text) => std::str::from_utf8(text).ok().map(Cow::Borrowed),
            Cow::Owned(text) => String::from_utf8(text).ok().map(Cow::Owned),
        }
    }

    /// Whether it is this text or key, which needs no escapes.
    pub(crate) fn is_text(self, text: &str) -> bool {
        self.node().is_some_and(|node| {
            matches!(node.kind, Kind::Text | Kind::Key)
                && if node.escaped {
                    *decode::inner(self.octets, node) == *text.as_bytes()
                } else {
                    decode::raw_inner(self.octets, node) == text.as_bytes()
                }
        })
    }

    /// A whole number that is not negative.
    pub(crate) fn count(self) -> Option<u64> {
        if self.kind() != Kind::Number {
            return None;
        }
        let raw = self.raw();
        if raw.len() > COUNT_DIGITS {
            return None;
        }
        std::str::from_utf8(raw).ok()?.parse().ok()
    }

    pub(crate) fn boolean(self) -> Option<bool> {
        (self.kind() == Kind::Bool).then(|| self.raw() == b"true")
    }

    /// What is in an array; nothing where it is none.
    pub(crate) fn elements(self) -> impl Iterator<Item = Self> + use<'a> {
        let is_array = self.kind() == Kind::Array;
        let end = if is_array { self.next() } else { self.at };
        self.children(end)
    }

    /// The keys and values of an object; nothing where it is none.
    pub(crate) fn members(self) -> impl Iterator<Item = (Self, Self)> + use<'a> {
        let is_object = self.kind() == Kind::Object;
        let end = if is_object { self.next() } else { self.at };
        let mut children = self.children(end);
        std::iter::from_fn(move || Some((children.next()?, children.next()?)))
    }

    fn children(self, end: u32) -> impl Iterator<Item = Self> + use<'a> {
        let mut at = self.at + 1;
        std::iter::from_fn(move || {
            if at >= end {
                return None;
            }
            let child = self.number(at);
            at = child.next().max(at + 1);
            Some(child)
        })
    }

    /// The object, its names checked.
    pub(crate) fn object(self, spelling: Spelling) -> Result<Object<'a>, Misread> {
        Object::open(self, spelling)
    }

    /// The first member of this name. For documents that are only looked at, not decided on.
    pub(crate) fn get(self, name: &str) -> Option<Self> {
        let mut members = self.members();
        let found = members.find(|(key, _)| key.is_text(name));
        found.map(|(_, value)| value).filter(|it| !it.is_null())
    }

    /// How it is reached from the root: `messages[3].content`.
    pub(crate) fn path(self) -> Path<'a> {
        Path(self)
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.raw().escape_ascii())
    }
}

/// How a value is reached from the root of its document.
#[derive(Clone, Copy)]
pub(crate) struct Path<'a>(Value<'a>);

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wanted = self.0.at;
        let mut around = self.0.number(0);
        let mut is_first = true;
        while around.at != wanted {
            let holds = |it: Value<'_>| it.at <= wanted && wanted < it.next();
            let member = around
                .members()
                .find(|(key, value)| key.at == wanted || holds(*value));
            if let Some((key, value)) = member {
                let dot = if is_first { "" } else { "." };
                write!(f, "{dot}{}", shown(key))?;
                if key.at == wanted {
                    return Ok(());
                }
                around = value;
            } else if let Some((index, value)) =
                around.elements().enumerate().find(|it| holds(it.1))
            {
                write!(f, "[{index}]")?;
                around = value;
            } else {
                return Ok(());
            }
            is_first = false;
        }
        Ok(())
    }
}

/// The key, without what could not be shown.
pub(crate) fn shown(key: Value<'_>) -> String {
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '$');
    let text = key.text().unwrap_or_default();
    text.chars()
        .filter(is_plain)
        .take(NAME_CHARACTERS)
        .collect()
}

const NAME_CHARACTERS: usize = 40;
