//! Answers DNS queries of a sandbox without ever asking anyone (RFC 1035, RFC 6891).
//!
//! Every name that could be a host gets a synthetic address from the sandbox's [`NameMap`];
//! whether it may be reached is decided when a connection to that address comes. Nothing of a
//! query is looked up or forwarded, so a query carries nothing out. Answers for other record
//! types are empty, which makes clients fall back to addresses.

mod answer;
mod name_map;
mod query;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ringfence_model::HostName;
pub use ringfence_model::OTEL_SERVICE;

use super::limits::DNS_QUERY_OCTETS;
use answer::{Answer, Code, Data};
pub use name_map::{NameMap, is_synthetic};
use query::{Kind, Query, QueryError};

/// The gateway's own IPv4 address inside every sandbox.
pub const GATEWAY_V4: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);
/// The gateway's own IPv6 address inside every sandbox.
pub const GATEWAY_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x5afe, 0, 0, 0, 0, 0, 1);
/// This name and those below it are the gateway, but for [`HOST_SERVICE`], [`GIT_SERVICE`],
/// [`LLM_SERVICE`], [`MCP_SERVICE`] and [`OTEL_SERVICE`].
pub const INTERNAL_ZONE: &str = "ringfence.internal";
/// The machine that the sandbox runs on; mapped and decided on like any name.
pub const HOST_SERVICE: &str = "host.ringfence.internal";
/// Where git repositories can be had by the short names of their servers: served by the gateway
/// itself, where a rule is about git.
pub const GIT_SERVICE: &str = "git.ringfence.internal";
/// Where language models can be had by the short names of their providers: served by the gateway
/// itself, where a rule is about them.
pub const LLM_SERVICE: &str = "llm.ringfence.internal";
/// Where servers of the Model Context Protocol can be had by their short names: served by the
/// gateway itself, where a rule is about them.
pub const MCP_SERVICE: &str = "mcp.ringfence.internal";

/// Whether a name is the gateway's own and serves nothing.
#[must_use]
pub fn is_gateway_name(name: &HostName) -> bool {
    let served = [
        HOST_SERVICE,
        GIT_SERVICE,
        LLM_SERVICE,
        MCP_SERVICE,
        OTEL_SERVICE,
    ];
    let is_served = served.contains(&name.as_str());
    name.is_within(INTERNAL_ZONE) && !is_served
}

/// Whether this is the gateway's own address.
#[must_use]
pub fn is_gateway(address: IpAddr) -> bool {
    matches!(address.to_canonical(), IpAddr::V4(v4) if v4 == GATEWAY_V4)
        || matches!(address, IpAddr::V6(v6) if v6 == GATEWAY_V6)
}

/// The answer to one query, `None` where none is due: to what is no query at all. The answer
/// has less than 512 octets, so UDP and TCP get the same and nothing is ever truncated.
#[must_use]
pub fn respond(query: &[u8], names: &mut NameMap) -> Option<Vec<u8>> {
    let answer = match Query::read(query) {
        Ok(query) => {
            let (code, data) = answer(&query, names);
            Answer {
                header: query.header,
                code,
                question: Some(query.question),
                data,
                edns: query.edns.is_some(),
            }
        }
        Err(QueryError::Answer(header, code)) => Answer {
            header,
            code,
            question: None,
            data: None,
            edns: false,
        },
        Err(QueryError::Silent) => return None,
    };
    Some(answer.write())
}

/// Why a DNS message over TCP is refused: the connection is to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a DNS message over TCP is empty or longer than {DNS_QUERY_OCTETS} octets")]
pub struct FrameError;

/// Reads a message behind its length, as over TCP (RFC 1035, section 4.2.2); `None` when more
/// octets are needed. The second value is the number of octets that the frame took.
pub fn read_frame(prefix: &[u8]) -> Result<Option<(&[u8], usize)>, FrameError> {
    let Some((length, rest)) = prefix.split_first_chunk::<2>() else {
        return Ok(None);
    };
    let length = usize::from(u16::from_be_bytes(*length));
    if length == 0 || length > DNS_QUERY_OCTETS {
        return Err(FrameError);
    }
    Ok(rest.get(..length).map(|message| (message, 2 + length)))
}

/// Appends an answer of [`respond`] behind its length.
pub fn write_frame(message: &[u8], out: &mut Vec<u8>) {
    if let Ok(length) = u16::try_from(message.len()) {
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(message);
    }
}

/// What a question gets: a code and at most one record.
fn answer(query: &Query<'_>, names: &mut NameMap) -> (Code, Option<Data>) {
    if query.edns.is_some_and(|version| version != 0) {
        return (Code::BadVersion, None);
    }
    if !query.internet {
        return (Code::Refused, None);
    }
    match query.kind {
        Kind::Unsupported => (Code::NotImplemented, None),
        Kind::Pointer => pointer(query, names),
        Kind::Address4 | Kind::Address6 | Kind::Other => by_name(query, names),
    }
}

fn by_name(query: &Query<'_>, names: &mut NameMap) -> (Code, Option<Data>) {
    let Some(name) = query.host_name().filter(could_be_a_host) else {
        return (Code::NoSuchName, None);
    };
    // Other types take no place in the map.
    if query.kind == Kind::Other {
        return (Code::Ok, None);
    }
    let Some((v4, v6)) = addresses(&name, names) else {
        return (Code::ServerFailure, None);
    };
    let data = match query.kind {
        Kind::Address4 => Data::Address4(v4),
        _ => Data::Address6(v6),
    };
    (Code::Ok, Some(data))
}

fn addresses(name: &HostName, names: &mut NameMap) -> Option<(Ipv4Addr, Ipv6Addr)> {
    if name.is_within("localhost") {
        return Some((Ipv4Addr::LOCALHOST, Ipv6Addr::LOCALHOST));
    }
    if is_gateway_name(name) {
        return Some((GATEWAY_V4, GATEWAY_V6));
    }
    names.assign(name)
}

/// RFC 6761 and RFC 7686 keep `invalid` and `onion` out of DNS. Under `arpa` are no hosts, and
/// an answer for `ipv4only.arpa` would be taken for a NAT64 prefix (RFC 7050).
fn could_be_a_host(name: &HostName) -> bool {
    ["arpa", "invalid", "onion"]
        .iter()
        .all(|zone| !name.is_within(zone))
}

/// Only synthetic addresses have a name.
fn pointer(query: &Query<'_>, names: &NameMap) -> (Code, Option<Data>) {
    let name = query
        .reverse_address()
        .and_then(|address| names.name_of(address));
    match name {
        Some(name) => (Code::Ok, Some(Data::Name(name.clone()))),
        None => (Code::NoSuchName, None),
    }
}

#[cfg(test)]
mod tests;
