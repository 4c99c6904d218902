//! Writes answers: the question as it came, at most one record, and an OPT record to a query
//! that had one (RFC 1035, section 4; RFC 6891).

use std::net::{Ipv4Addr, Ipv6Addr};

use ringfence_model::HostName;

use crate::wire::cursor::Cursor;

/// Response codes (RFC 1035, section 4.1.1; RFC 6891, section 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    Ok = 0,
    FormatError = 1,
    ServerFailure = 2,
    NoSuchName = 3,
    NotImplemented = 4,
    Refused = 5,
    BadVersion = 16,
}

/// The data of the one record of an answer.
#[derive(Debug)]
pub(super) enum Data {
    Address4(Ipv4Addr),
    Address6(Ipv6Addr),
    Name(HostName),
}

/// What of a query's header goes into the answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    id: u16,
    flags: u16,
}

impl Header {
    /// Leaves `cursor` before the counts. A message shorter than its header has no answer.
    pub(super) fn read(cursor: &mut Cursor<'_>) -> Option<Self> {
        let header = Self {
            id: cursor.u16()?,
            flags: cursor.u16()?,
        };
        (cursor.len() >= COUNTS_OCTETS).then_some(header)
    }

    pub(super) const fn is_response(self) -> bool {
        self.flags & FLAG_RESPONSE != 0
    }

    pub(super) const fn is_standard_query(self) -> bool {
        self.flags & MASK_OPCODE == 0
    }
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    pub(super) header: Header,
    pub(super) code: Code,
    /// The question, where it was understood.
    pub(super) question: Option<&'a [u8]>,
    /// The one record, of the name of the question.
    pub(super) data: Option<Data>,
    /// Whether the client speaks EDNS.
    pub(super) edns: bool,
}

impl Answer<'_> {
    pub(super) fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(ANSWER_OCTETS);
        self.write_header(&mut out);
        out.extend_from_slice(self.question.unwrap_or_default());
        if let Some(data) = &self.data {
            data.write(&mut out);
        }
        if self.edns {
            write_opt(self.code, &mut out);
        }
        out
    }

    /// Recursion is said to be available because stub resolvers insist on it.
    fn write_header(&self, out: &mut Vec<u8>) {
        let kept = MASK_OPCODE | FLAG_RECURSION_DESIRED | FLAG_CHECKING_DISABLED;
        let flags = self.header.flags & kept
            | FLAG_RESPONSE
            | FLAG_RECURSION_AVAILABLE
            | (self.code as u16 & 0xf);
        let questions = u16::from(self.question.is_some());
        let answers = u16::from(self.data.is_some());
        for field in [
            self.header.id,
            flags,
            questions,
            answers,
            0,
            u16::from(self.edns),
        ] {
            out.extend_from_slice(&field.to_be_bytes());
        }
    }
}

impl Data {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Address4(address) => write_record(TYPE_A, &address.octets(), out),
            Self::Address6(address) => write_record(TYPE_AAAA, &address.octets(), out),
            Self::Name(name) => {
                let mut data = Vec::with_capacity(name.as_str().len() + 2);
                for label in name.labels() {
                    // A label of a HostName has at most 63 octets.
                    data.push(u8::try_from(label.len()).unwrap_or_default());
                    data.extend_from_slice(label.as_bytes());
                }
                data.push(0);
                write_record(TYPE_PTR, &data, out);
            }
        }
    }
}

/// The owner is the question's name, which starts behind the header.
fn write_record(kind: u16, data: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&POINTER_TO_QUESTION.to_be_bytes());
    out.extend_from_slice(&kind.to_be_bytes());
    out.extend_from_slice(&CLASS_IN.to_be_bytes());
    out.extend_from_slice(&TIME_TO_LIVE.to_be_bytes());
    // Addresses and names are far below 65,536 octets.
    let length = u16::try_from(data.len()).unwrap_or_default();
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(data);
}

fn write_opt(code: Code, out: &mut Vec<u8>) {
    let [_, extended_code] = (code as u16 >> 4).to_be_bytes();
    out.push(0);
    out.extend_from_slice(&TYPE_OPT.to_be_bytes());
    out.extend_from_slice(&PAYLOAD_OCTETS.to_be_bytes());
    out.extend_from_slice(&[extended_code, 0, 0, 0]);
    out.extend_from_slice(&[0, 0]);
}

const FLAG_RESPONSE: u16 = 0x8000;
const MASK_OPCODE: u16 = 0x7800;
const FLAG_RECURSION_DESIRED: u16 = 0x0100;
const FLAG_RECURSION_AVAILABLE: u16 = 0x0080;
const FLAG_CHECKING_DISABLED: u16 = 0x0010;
const COUNTS_OCTETS: usize = 8;
pub(super) const CLASS_IN: u16 = 1;
pub(super) const TYPE_A: u16 = 1;
pub(super) const TYPE_PTR: u16 = 12;
pub(super) const TYPE_AAAA: u16 = 28;
pub(super) const TYPE_OPT: u16 = 41;
const POINTER_TO_QUESTION: u16 = 0xc00c;
/// An assignment lasts as long as the sandbox; a minute keeps caches small.
const TIME_TO_LIVE: u32 = 60;
/// The UDP payload that is said to be accepted (RFC 9715).
const PAYLOAD_OCTETS: u16 = 1232;
/// Room for the usual answer, to allocate once.
const ANSWER_OCTETS: usize = 128;
