//! One value of a document.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use super::object::{Misread, Object, Spelling};
use super::{Kind, Node, decode};
use crate::limits::COUNT_DIGITS;

/// One value of a document.
#[derive(Clone, Copy)]
pub struct Value<'a> {
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
    #[must_use]
    pub const fn number(self, at: u32) -> Self {
        Self { at, ..self }
    }

    /// Its number among the values of the document.
    #[must_use]
    pub const fn at(self) -> u32 {
        self.at
    }

    /// The number behind it and all that is in it.
    #[must_use]
    pub fn next(self) -> u32 {
        self.node().map_or(self.at, |node| node.next)
    }

    /// What it is.
    #[must_use]
    pub fn kind(self) -> Kind {
        self.node().map_or(Kind::Null, |node| node.kind)
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// Where it is in the text.
    #[must_use]
    pub fn span(self) -> Range<usize> {
        self.node()
            .map_or(0..0, |node| node.start as usize..node.end as usize)
    }

    /// As it is written.
    #[must_use]
    pub fn raw(self) -> &'a [u8] {
        self.octets.get(self.span()).unwrap_or_default()
    }

    /// What is between its quotes, as it is written; nothing where it is no text.
    #[must_use]
    pub fn raw_text(self) -> &'a [u8] {
        self.node()
            .map_or(b"", |node| decode::raw_inner(self.octets, node))
    }

    /// The text or key.
    #[must_use]
    pub fn text(self) -> Option<Cow<'a, str>> {
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
    #[must_use]
    pub fn is_text(self, text: &str) -> bool {
        self.node().is_some_and(|node| {
            matches!(node.kind, Kind::Text | Kind::Key)
                && if node.escaped {
                    *decode::inner(self.octets, node) == *text.as_bytes()
                } else {
                    decode::raw_inner(self.octets, node) == text.as_bytes()
                }
        })
    }

    pub(crate) fn is_escaped(self) -> bool {
        self.node().is_some_and(|node| node.escaped)
    }

    /// A whole number that is not negative.
    #[must_use]
    pub fn count(self) -> Option<u64> {
        if self.kind() != Kind::Number {
            return None;
        }
        let raw = self.raw();
        if raw.len() > COUNT_DIGITS {
            return None;
        }
        std::str::from_utf8(raw).ok()?.parse().ok()
    }

    /// `true` or `false`.
    #[must_use]
    pub fn boolean(self) -> Option<bool> {
        (self.kind() == Kind::Bool).then(|| self.raw() == b"true")
    }

    /// What is in an array; nothing where it is none.
    pub fn elements(self) -> impl Iterator<Item = Self> + use<'a> {
        let is_array = self.kind() == Kind::Array;
        let end = if is_array { self.next() } else { self.at };
        self.children(end)
    }

    /// What is in a content: nothing more in a text, the elements of an array. Nothing else is one.
    ///
    /// # Errors
    /// Where it is neither.
    pub fn parts(self) -> Result<impl Iterator<Item = Self> + use<'a>, Misread> {
        match self.kind() {
            Kind::Text | Kind::Array => Ok(self.elements()),
            _ => Err(self.misread("is neither a text nor an array")),
        }
    }

    /// The keys and values of an object; nothing where it is none.
    pub fn members(self) -> impl Iterator<Item = (Self, Self)> + use<'a> {
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
    ///
    /// # Errors
    /// Where it is none, or two of its names are one to some readers.
    pub fn object(self, spelling: Spelling) -> Result<Object<'a>, Misread> {
        Object::open(self, spelling)
    }

    /// The first member of this name. For documents that are only looked at, not decided on.
    #[must_use]
    pub fn get(self, name: &str) -> Option<Self> {
        let mut members = self.members();
        let found = members.find(|(key, _)| key.is_text(name));
        found.map(|(_, value)| value).filter(|it| !it.is_null())
    }

    /// How it is reached from the root: `messages[3].content`.
    #[must_use]
    pub fn path(self) -> Path<'a> {
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
pub struct Path<'a>(Value<'a>);

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
#[must_use]
pub fn shown(key: Value<'_>) -> String {
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '$');
    let text = key.text().unwrap_or_default();
    text.chars()
        .filter(is_plain)
        .take(NAME_CHARACTERS)
        .collect()
}

const NAME_CHARACTERS: usize = 40;
