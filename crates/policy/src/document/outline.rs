//! Where things are in a text: the places of keys, values and list entries, for errors that
//! were found after parsing and for changes that leave the rest of the text alone.

use std::borrow::Cow;
use std::ops::Range;

use serde_saphyr::granit_parser::{Event, Options, Parser, Span, StrInput, StructureStyle};

use crate::error::Located;
use crate::limits::DOCUMENT_DEPTH;

/// One step from a document to a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Key(&'static str),
    Item(usize),
}

/// A node of a document with its place in the text.
pub(super) struct Node<'a> {
    pub(super) content: Content<'a>,
    pub(super) line: usize,
    pub(super) column: usize,
    /// The octets from the first to the last of the node.
    pub(super) span: Range<usize>,
}

pub(super) enum Content<'a> {
    Scalar(Cow<'a, str>),
    Sequence {
        items: Vec<Node<'a>>,
        flow: bool,
    },
    Mapping {
        entries: Vec<(Node<'a>, Node<'a>)>,
        flow: bool,
    },
    /// Nested deeper than any document that was accepted.
    Other,
}

/// The place of the part at `path`, or of the deepest part on the way that is there.
pub(super) fn locate(yaml: &str, document: usize, path: &[Part]) -> Option<Located> {
    let documents = read(yaml)?;
    let mut node = documents.get(document)?;
    for part in path {
        let inner = match part {
            Part::Key(key) => node.value(key),
            Part::Item(index) => node.item(*index),
        };
        let Some(inner) = inner else { break };
        node = inner;
    }
    Some(Located {
        line: node.line,
        column: node.column,
        span: node.span.clone(),
    })
}

/// The documents of a text that the document parser took; none where it is not YAML.
/// Documents that hold nothing are left out, as the document parser does.
pub(super) fn read(yaml: &str) -> Option<Vec<Node<'_>>> {
    let mut options = Options::default();
    options.set_emit_comments(false);
    let mut events = Parser::new_from_str_with_options(yaml, options);
    let mut documents = Vec::new();
    loop {
        let (event, span) = events.next()?.ok()?;
        match event {
            Event::StreamEnd => return Some(documents),
            Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
            event => {
                let node = read_node(&mut events, event, span, DOCUMENT_DEPTH)?;
                if matches!(node.content, Content::Mapping { .. }) {
                    documents.push(node);
                }
            }
        }
    }
}

impl<'a> Node<'a> {
    pub(super) fn value(&self, wanted: &str) -> Option<&Node<'a>> {
        let Content::Mapping { entries, .. } = &self.content else {
            return None;
        };
        let is_wanted =
            |key: &Node<'_>| matches!(&key.content, Content::Scalar(text) if text == wanted);
        entries
            .iter()
            .find_map(|(key, value)| is_wanted(key).then_some(value))
    }

    /// The octet after the last one that holds content: a block collection's own span reaches
    /// over the comments and blank lines behind it.
    pub(super) fn content_end(&self) -> usize {
        match &self.content {
            Content::Sequence { items, flow: false } => items.last().map(Node::content_end),
            Content::Mapping {
                entries,
                flow: false,
            } => entries.last().map(|(_, value)| value.content_end()),
            _ => None,
        }
        .unwrap_or(self.span.end)
    }

    fn item(&self, index: usize) -> Option<&Node<'a>> {
        match &self.content {
            Content::Sequence { items, .. } => items.get(index),
            _ => None,
        }
    }
}

type Events<'a> = Parser<'a, StrInput<'a>>;

fn read_node<'a>(
    events: &mut Events<'a>,
    event: Event<'a>,
    start: Span,
    depth: usize,
) -> Option<Node<'a>> {
    let depth = depth.checked_sub(1)?;
    let (content, end) = match event {
        Event::Scalar(text, ..) => (Content::Scalar(text), start),
        Event::SequenceStart(style, ..) => read_sequence(events, is_flow(style), depth)?,
        Event::MappingStart(style, ..) => read_mapping(events, is_flow(style), depth)?,
        _ => (Content::Other, start),
    };
    Some(Node {
        content,
        line: start.start.line(),
        column: start.start.col() + 1,
        span: start.start.byte_offset()?..end.end.byte_offset()?,
    })
}

fn read_sequence<'a>(
    events: &mut Events<'a>,
    flow: bool,
    depth: usize,
) -> Option<(Content<'a>, Span)> {
    let mut items = Vec::new();
    loop {
        let (event, span) = events.next()?.ok()?;
        if matches!(event, Event::SequenceEnd) {
            return Some((Content::Sequence { items, flow }, span));
        }
        items.push(read_node(events, event, span, depth)?);
    }
}

fn read_mapping<'a>(
    events: &mut Events<'a>,
    flow: bool,
    depth: usize,
) -> Option<(Content<'a>, Span)> {
    let mut entries = Vec::new();
    loop {
        let (event, span) = events.next()?.ok()?;
        if matches!(event, Event::MappingEnd) {
            return Some((Content::Mapping { entries, flow }, span));
        }
        let key = read_node(events, event, span, depth)?;
        let (event, span) = events.next()?.ok()?;
        entries.push((key, read_node(events, event, span, depth)?));
    }
}

const fn is_flow(style: StructureStyle) -> bool {
    matches!(style, StructureStyle::Flow)
}
