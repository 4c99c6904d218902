//! The part of Git LFS in the paths (Git LFS API, "Batch API" and "File Locking API").

use ringfence_model::git::LfsDirection;

use super::{Tail, plain_get};
use crate::limits::{LFS_SIZE_DIGITS, LFS_VALUE_OCTETS};
use crate::wire::WireError;

/// An object at the place that our own answer to a batch named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LfsObject {
    /// Its SHA-256 in lower-case hexadecimal digits.
    pub oid: String,
    /// Its octets.
    pub octets: u64,
    /// What proves that we named the place: letters, digits, `-` and `_`.
    pub ticket: String,
}

impl LfsObject {
    /// The path of the place behind that of the repository, and the query:
    /// `/info/lfs/objects/OID/OCTETS?ticket=…`.
    #[must_use]
    pub fn target(&self) -> String {
        format!("{}?ticket={}", self.path(), self.ticket)
    }

    /// The same of the place that is told after an upload.
    #[must_use]
    pub fn verify_target(&self) -> String {
        format!("{}/verify?ticket={}", self.path(), self.ticket)
    }

    fn path(&self) -> String {
        format!("/info/lfs/objects/{}/{}", self.oid, self.octets)
    }

    fn read(oid: &str, octets: &str, query: Option<&str>) -> Result<Self, WireError> {
        let is_oid = oid.len() == 64 && oid.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
        let is_number = (1..=LFS_SIZE_DIGITS).contains(&octets.len())
            && octets.bytes().all(|c| c.is_ascii_digit())
            && (octets == "0" || !octets.starts_with('0'));
        let octets = octets.parse().ok().filter(|_| is_oid && is_number);
        let ticket = query.and_then(|query| query.strip_prefix("ticket="));
        Ok(Self {
            oid: oid.to_owned(),
            octets: octets.ok_or(WireError::Unknown)?,
            ticket: ticket
                .filter(|ticket| is_word(ticket))
                .ok_or(WireError::Query)?
                .to_owned(),
        })
    }
}

/// Reads what a request is whose path goes on behind `info/lfs/`.
pub(super) fn classify(
    method: &str,
    tail: &str,
    query: Option<&str>,
    content_type: Option<&str>,
) -> Result<Tail, WireError> {
    let parts: Vec<&str> = tail.splitn(MOST_PARTS, '/').collect();
    match (parts.as_slice(), method) {
        (["objects", "batch"], _) => post(method, query, content_type, Tail::LfsBatch),
        (["locks", "verify"], _) => post(method, query, content_type, Tail::LfsLocksVerify),
        (["locks", id, "unlock"], _) if is_word(id) => {
            let id = (*id).to_owned();
            post(method, query, content_type, Tail::LfsUnlock { id })
        }
        (["locks"], "POST") => post(method, query, content_type, Tail::LfsLock),
        (["locks"], _) => {
            // Clients state the type of a body that a GET does not have.
            plain_get(method, content_type.filter(|stated| !is_lfs(stated)))?;
            let query = query.map(canonical_query).transpose()?;
            Ok(Tail::LfsLocks { query })
        }
        (["objects", oid, octets, "verify"], _) => {
            let object = LfsObject::read(oid, octets, query)?;
            post(method, None, content_type, Tail::LfsVerify { object })
        }
        (["objects", oid, octets], _) => {
            let direction = match method {
                "GET" => LfsDirection::Download,
                "PUT" => LfsDirection::Upload,
                _ => return Err(WireError::Method("GET or PUT")),
            };
            let object = LfsObject::read(oid, octets, query)?;
            Ok(Tail::LfsObject { direction, object })
        }
        _ => Err(WireError::Unknown),
    }
}

fn post(
    method: &str,
    query: Option<&str>,
    content_type: Option<&str>,
    tail: Tail,
) -> Result<Tail, WireError> {
    if method != "POST" {
        return Err(WireError::Method("POST"));
    }
    if query.is_some() {
        return Err(WireError::Query);
    }
    if !content_type.is_some_and(is_lfs) {
        return Err(WireError::MediaType(LFS_JSON));
    }
    Ok(tail)
}

fn is_lfs(content_type: &str) -> bool {
    let rest = content_type.strip_prefix(LFS_JSON);
    matches!(rest, Some("" | "; charset=utf-8"))
}

/// The query of a list of locks: known keys, each once, in their order, written anew.
fn canonical_query(query: &str) -> Result<String, WireError> {
    let mut values: [Option<String>; LOCK_KEYS.len()] = Default::default();
    for pair in query.split('&') {
        let (key, value) = pair.split_once('=').ok_or(WireError::Query)?;
        let mut places = LOCK_KEYS.iter().zip(&mut values);
        let (_, place) = places
            .find(|(known, _)| **known == key)
            .ok_or(WireError::Query)?;
        if place.replace(decoded(value)?).is_some() {
            return Err(WireError::Query);
        }
    }
    let mut out = String::new();
    for (key, value) in LOCK_KEYS.iter().zip(values) {
        if let Some(value) = value {
            let before = if out.is_empty() { "" } else { "&" };
            out = format!("{out}{before}{key}={}", encoded(&value));
        }
    }
    Ok(out)
}

/// A value as forms write it.
fn decoded(value: &str) -> Result<String, WireError> {
    let mut octets = Vec::new();
    let mut rest = value.bytes();
    while let Some(octet) = rest.next() {
        octets.push(match octet {
            b'+' => b' ',
            b'%' => {
                let digit = |c: Option<u8>| char::from(c?).to_digit(16);
                let (high, low) = (digit(rest.next()), digit(rest.next()));
                let value = high.zip(low).map(|(high, low)| high << 4 | low);
                value
                    .and_then(|value| u8::try_from(value).ok())
                    .ok_or(WireError::Query)?
            }
            octet => octet,
        });
    }
    let text = String::from_utf8(octets).map_err(|_| WireError::Query)?;
    if text.len() > LFS_VALUE_OCTETS || text.chars().any(char::is_control) {
        return Err(WireError::Query);
    }
    Ok(text)
}

fn encoded(value: &str) -> String {
    let write = |octet: u8| match octet {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(octet).to_string()
        }
        octet => format!("%{octet:02X}"),
    };
    value.bytes().map(write).collect()
}

fn is_word(text: &str) -> bool {
    let is_word = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_');
    (1..=LFS_VALUE_OCTETS).contains(&text.len()) && text.bytes().all(is_word)
}

const LFS_JSON: &str = "application/vnd.git-lfs+json";

const LOCK_KEYS: [&str; 5] = ["path", "id", "cursor", "limit", "refspec"];

/// One more than any path of LFS has, so that a longer one matches none.
const MOST_PARTS: usize = 5;
