//! The scan of a document, without recursion.

use super::{JsonError, Kind, Node, decode};
use crate::limits::{DEPTH, DOCUMENT_OCTETS, MEMBERS, NODES};

/// Appends the values of the document to `nodes`. `octets` are UTF-8.
pub(super) fn scan(octets: &[u8], nodes: &mut Vec<Node>) -> Result<(), JsonError> {
    if octets.len() > DOCUMENT_OCTETS {
        return Err(JsonError::TooMany("octets"));
    }
    let mut scan = Scan {
        octets,
        at: 0,
        nodes,
        open: Vec::new(),
    };
    scan.document()
}

struct Scan<'a> {
    octets: &'a [u8],
    at: usize,
    nodes: &'a mut Vec<Node>,
    /// The arrays and objects around `at`.
    open: Vec<usize>,
}

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Value,
    /// A value, or the end of the array that was just opened.
    ValueOrEnd,
    Key,
    /// A key, or the end of the object that was just opened.
    KeyOrEnd,
    /// A comma, or the end of what is open.
    Rest,
}

impl Scan<'_> {
    fn document(&mut self) -> Result<(), JsonError> {
        let mut next = Next::Value;
        loop {
            self.skip_blanks();
            next = match next {
                Next::Value | Next::ValueOrEnd => self.value(next)?,
                Next::Key | Next::KeyOrEnd => self.key(next)?,
                Next::Rest if self.open.is_empty() => return self.end(),
                Next::Rest => self.rest()?,
            };
        }
    }

    fn end(&self) -> Result<(), JsonError> {
        if self.at == self.octets.len() {
            Ok(())
        } else {
            Err(self.wrong())
        }
    }

    const fn wrong(&self) -> JsonError {
        JsonError::Syntax(self.at)
    }

    fn peek(&self) -> Option<u8> {
        self.octets.get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn value(&mut self, next: Next) -> Result<Next, JsonError> {
        let start = self.at;
        match self.peek() {
            Some(b'"') => self.text(Kind::Text)?,
            Some(b'{') => {
                self.open(Kind::Object)?;
                return Ok(Next::KeyOrEnd);
            }
            Some(b'[') => {
                self.open(Kind::Array)?;
                return Ok(Next::ValueOrEnd);
            }
            Some(b']') if next == Next::ValueOrEnd => return self.close(),
            Some(b't') => self.word(b"true", Kind::Bool)?,
            Some(b'f') => self.word(b"false", Kind::Bool)?,
            Some(b'n') => self.word(b"null", Kind::Null)?,
            _ => {
                self.number()?;
                self.push(Kind::Number, start, false)?;
            }
        }
        Ok(Next::Rest)
    }

    fn key(&mut self, next: Next) -> Result<Next, JsonError> {
        match self.peek() {
            Some(b'"') => self.text(Kind::Key)?,
            Some(b'}') if next == Next::KeyOrEnd => return self.close(),
            _ => return Err(self.wrong()),
        }
        self.skip_blanks();
        if self.peek() != Some(b':') {
            return Err(self.wrong());
        }
        self.at += 1;
        Ok(Next::Value)
    }

    fn rest(&mut self) -> Result<Next, JsonError> {
        let opened = self.open.last().and_then(|at| self.nodes.get(*at));
        let is_object = opened.is_some_and(|node| node.kind == Kind::Object);
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(if is_object { Next::Key } else { Next::Value })
            }
            Some(b'}') if is_object => self.close(),
            Some(b']') if !is_object => self.close(),
            _ => Err(self.wrong()),
        }
    }

    fn open(&mut self, kind: Kind) -> Result<(), JsonError> {
        if self.open.len() >= DEPTH {
            return Err(JsonError::TooMany("levels"));
        }
        self.open.push(self.nodes.len());
        let start = self.at;
        self.at += 1;
        self.push(kind, start, false)
    }

    fn close(&mut self) -> Result<Next, JsonError> {
        self.at += 1;
        let (end, next) = (offset(self.at), offset(self.nodes.len()));
        let Some(opened) = self.open.pop() else {
            return Err(self.wrong());
        };
        if let Some(node) = self.nodes.get_mut(opened) {
            node.end = end;
            node.next = next;
        }
        let inside = self.nodes.get(opened..).unwrap_or_default();
        if inside.first().is_some_and(|node| node.kind == Kind::Object) {
            names_differ(self.octets, inside, opened)?;
        }
        Ok(Next::Rest)
    }

    fn push(&mut self, kind: Kind, start: usize, escaped: bool) -> Result<(), JsonError> {
        if self.nodes.len() >= NODES {
            return Err(JsonError::TooMany("values"));
        }
        self.nodes.push(Node {
            start: offset(start),
            end: offset(self.at),
            next: offset(self.nodes.len() + 1),
            kind,
            escaped,
        });
        Ok(())
    }

    fn word(&mut self, word: &[u8], kind: Kind) -> Result<(), JsonError> {
        let start = self.at;
        let rest = self.octets.get(start..).unwrap_or_default();
        if !rest.starts_with(word) {
            return Err(self.wrong());
        }
        self.at += word.len();
        self.push(kind, start, false)
    }

    fn text(&mut self, kind: Kind) -> Result<(), JsonError> {
        let start = self.at;
        self.at += 1;
        let mut escaped = false;
        loop {
            self.at += plain(self.octets.get(self.at..).unwrap_or_default());
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    let rest = self.octets.get(self.at..).unwrap_or_default();
                    self.at += decode::escape(rest).ok_or_else(|| self.wrong())?.1;
                }
                _ => return Err(self.wrong()),
            }
        }
        self.at += 1;
        self.push(kind, start, escaped)
    }

    fn number(&mut self) -> Result<(), JsonError> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        while self.peek().is_some_and(|octet| octet.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start {
            return Err(self.wrong());
        }
        Ok(())
    }
}

fn offset(at: usize) -> u32 {
    // A document is no longer than `DOCUMENT_OCTETS`.
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// How many octets come before a quote, a backslash or a control character: eight at a time.
fn plain(octets: &[u8]) -> usize {
    let mut at = 0;
    while let Some(chunk) = octets.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let found = specials(u64::from_le_bytes(*chunk));
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let rest = octets.get(at..).unwrap_or_default();
    let end = rest
        .iter()
        .position(|octet| matches!(octet, b'"' | b'\\' | 0..0x20));
    at + end.unwrap_or(rest.len())
}

/// The high bit of each octet that ends a run of plain text, exact for the lowest of them.
const fn specials(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let quote = word ^ (ONES * b'"' as u64);
    let slash = word ^ (ONES * b'\\' as u64);
    let has = quote.wrapping_sub(ONES) & !quote
        | slash.wrapping_sub(ONES) & !slash
        | word.wrapping_sub(ONES * 0x20) & !word;
    has & HIGHS
}

/// Whether all names of an object differ. `nodes` begins with it.
fn names_differ(octets: &[u8], nodes: &[Node], first: usize) -> Result<(), JsonError> {
    let Some(object) = nodes.first() else {
        return Ok(());
    };
    let mut at = 1;
    let names = std::iter::from_fn(|| {
        let key = nodes.get(at)?;
        at = (nodes.get(at + 1)?.next as usize).checked_sub(first)?;
        Some(decode::inner(octets, key))
    });
    let mut few: [Option<&[u8]>; FEW] = [None; FEW];
    let mut many = Vec::new();
    for (count, name) in names.enumerate() {
        let name = match name {
            std::borrow::Cow::Borrowed(name) if count < FEW => name,
            name => {
                many.push(name);
                continue;
            }
        };
        if few
            .get(..count)
            .is_some_and(|before| before.contains(&Some(name)))
        {
            return Err(JsonError::Twice(object.start as usize));
        }
        if let Some(slot) = few.get_mut(count) {
            *slot = Some(name);
        }
    }
    if many.len() > MEMBERS {
        return Err(JsonError::TooMany("names in one object"));
    }
    let is_known = |name: &[u8]| few.contains(&Some(name));
    if many.iter().any(|name| is_known(name)) || has_equal(&mut many) {
        return Err(JsonError::Twice(object.start as usize));
    }
    Ok(())
}

/// Objects with so many names are compared without memory of their own.
const FEW: usize = 12;

fn has_equal<T: Ord>(names: &mut [T]) -> bool {
    names.sort_unstable();
    names.windows(2).any(|pair| match pair {
        [one, other] => one == other,
        _ => false,
    })
}
