//! Reads queries: a header, one question without compression, and at most an OPT record
//! (RFC 1035, section 4; RFC 6891).
//!
//! Own code and not a DNS library's decoder, because a query is so little: nothing is
//! allocated for what a count field claims, and records that are never used are not parsed.

use std::net::{IpAddr, Ipv6Addr};

use ringfence_model::HostName;

use super::answer::{CLASS_IN, Code, Header, TYPE_A, TYPE_AAAA, TYPE_OPT, TYPE_PTR};
use crate::wire::cursor::Cursor;
use crate::wire::limits::DNS_QUERY_OCTETS;

/// The record types that are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Address4,
    Address6,
    Pointer,
    /// Transfers, `ANY`, and what is no record at all.
    Unsupported,
    Other,
}

/// A well-formed query.
#[derive(Debug)]
pub(super) struct Query<'a> {
    pub(super) header: Header,
    /// The question as received, so that the answer repeats its spelling.
    pub(super) question: &'a [u8],
    labels: Vec<&'a [u8]>,
    pub(super) kind: Kind,
    /// Whether the class is IN.
    pub(super) internet: bool,
    /// The version of EDNS, if the client speaks it.
    pub(super) edns: Option<u8>,
}

/// What to do about a message that is not a well-formed query.
#[derive(Debug)]
pub(super) enum QueryError {
    /// Not even a query: an answer could start a loop.
    Silent,
    /// Say so.
    Answer(Header, Code),
}

impl<'a> Query<'a> {
    pub(super) fn read(message: &'a [u8]) -> Result<Self, QueryError> {
        let mut cursor = Cursor::new(message);
        let header = Header::read(&mut cursor)
            .filter(|header| !header.is_response())
            .ok_or(QueryError::Silent)?;
        if !header.is_standard_query() {
            return Err(QueryError::Answer(header, Code::NotImplemented));
        }
        Self::read_sections(header, cursor)
            .filter(|_| message.len() <= DNS_QUERY_OCTETS)
            .ok_or(QueryError::Answer(header, Code::FormatError))
    }

    fn read_sections(header: Header, mut cursor: Cursor<'a>) -> Option<Self> {
        let counts = [cursor.u16()?, cursor.u16()?, cursor.u16()?, cursor.u16()?];
        let [1, 0, 0, additionals] = counts else {
            return None;
        };
        let start = cursor.rest();
        let labels = read_labels(&mut cursor)?;
        let kind = read_kind(cursor.u16()?);
        let internet = cursor.u16()? == CLASS_IN;
        Some(Self {
            header,
            question: start.get(..start.len() - cursor.len())?,
            labels,
            kind,
            internet,
            edns: read_additionals(&mut cursor, additionals)?,
        })
    }

    /// The name asked for, if it could be a host's.
    pub(super) fn host_name(&self) -> Option<HostName> {
        let mut text = String::with_capacity(self.question.len());
        for label in &self.labels {
            // A dot inside a label would make two labels of one.
            let label = std::str::from_utf8(label).ok()?;
            if !label.is_ascii() || label.contains('.') {
                return None;
            }
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(label);
        }
        text.parse().ok()
    }

    /// The address that a name below `in-addr.arpa` or `ip6.arpa` stands for.
    pub(super) fn reverse_address(&self) -> Option<IpAddr> {
        let (numbers, zone) = self
            .labels
            .split_at_checked(self.labels.len().checked_sub(2)?)?;
        let [family, arpa] = zone else {
            return None;
        };
        if !arpa.eq_ignore_ascii_case(b"arpa") {
            return None;
        }
        if family.eq_ignore_ascii_case(b"in-addr") {
            return reverse(numbers, 10).map(|octets: [u8; 4]| octets.into());
        }
        if family.eq_ignore_ascii_case(b"ip6") {
            let nibbles: [u8; 32] = reverse(numbers, 16)?;
            let address = nibbles
                .iter()
                .fold(0u128, |sum, nibble| sum << 4 | u128::from(*nibble & 0xf));
            return Some(Ipv6Addr::from(address).into());
        }
        None
    }
}

/// An uncompressed name of at most 255 octets; in a question there is nothing to point to.
fn read_labels<'a>(cursor: &mut Cursor<'a>) -> Option<Vec<&'a [u8]>> {
    let mut labels = Vec::with_capacity(8);
    let mut octets = 1;
    loop {
        let length = cursor.u8()?;
        if length == 0 {
            return Some(labels);
        }
        octets += 1 + usize::from(length);
        if length > LABEL_OCTETS || octets > NAME_OCTETS {
            return None;
        }
        labels.push(cursor.take(usize::from(length))?);
    }
}

/// Nothing, or one OPT record: then its version. Its options are not looked at. Anything else
/// is malformed, also octets behind the end.
fn read_additionals(cursor: &mut Cursor<'_>, count: u16) -> Option<Option<u8>> {
    let version = match count {
        0 => None,
        1 => Some(read_opt(cursor)?),
        _ => return None,
    };
    cursor.is_empty().then_some(version)
}

fn read_opt(cursor: &mut Cursor<'_>) -> Option<u8> {
    let [0] = cursor.array()? else {
        return None;
    };
    if cursor.u16()? != TYPE_OPT {
        return None;
    }
    let _payload_size = cursor.u16()?;
    let [_extended_code, version, _, _] = cursor.array()?;
    cursor.vector16()?;
    Some(version)
}

/// Labels are least significant first, each one digit group without leading zeros.
fn reverse<const N: usize>(labels: &[&[u8]], radix: u32) -> Option<[u8; N]> {
    let mut numbers = [0; N];
    if labels.len() != N {
        return None;
    }
    for (number, label) in numbers.iter_mut().zip(labels.iter().rev()) {
        let text = std::str::from_utf8(label).ok()?;
        let sound = text.chars().all(|c| c.is_digit(radix))
            && (text.len() == 1 || (radix == 10 && !text.starts_with('0')));
        *number = u8::from_str_radix(text, radix).ok().filter(|_| sound)?;
    }
    Some(numbers)
}

const fn read_kind(kind: u16) -> Kind {
    match kind {
        TYPE_A => Kind::Address4,
        TYPE_AAAA => Kind::Address6,
        TYPE_PTR => Kind::Pointer,
        TYPE_OPT | TYPE_IXFR..=TYPE_ANY => Kind::Unsupported,
        _ => Kind::Other,
    }
}

const LABEL_OCTETS: u8 = 63;
const NAME_OCTETS: usize = 255;
/// From here IXFR, AXFR, MAILB, MAILA and ANY (RFC 1035, section 3.2.3; RFC 1995).
const TYPE_IXFR: u16 = 251;
const TYPE_ANY: u16 = 255;
