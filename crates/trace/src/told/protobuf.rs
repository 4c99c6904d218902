//! The spans of a request in protobuf. The messages around them are walked through and not built.

use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

use super::{Hearing, Unreadable};
use crate::limits::TOLD_SPAN_OCTETS;

/// `ExportTraceServiceRequest.resource_spans`, `ResourceSpans.scope_spans`, `ScopeSpans.spans`.
const RESOURCE_SPANS: u32 = 1;
const SCOPE_SPANS: u32 = 2;
const SPANS: u32 = 2;

pub(super) fn spans(request: &[u8], hearing: &mut Hearing) -> Result<(), Unreadable> {
    each(request, RESOURCE_SPANS, &mut |resource| {
        each(resource, SCOPE_SPANS, &mut |scope| {
            each(scope, SPANS, &mut |span| {
                if hearing.has_room() {
                    let is_short = span.len() <= TOLD_SPAN_OCTETS;
                    hearing.take(is_short.then(|| Span::decode(span).ok()).flatten());
                }
                Ok(())
            })
        })
    })
}

/// Each message that a field of `message` holds.
fn each<'a>(
    message: &'a [u8],
    wanted: u32,
    take: &mut dyn FnMut(&'a [u8]) -> Result<(), Unreadable>,
) -> Result<(), Unreadable> {
    let mut rest = message;
    while !rest.is_empty() {
        let (field, wire) = decode_key(&mut rest).map_err(|_| Unreadable)?;
        if field != wanted {
            skip_field(wire, field, &mut rest, DecodeContext::default()).map_err(|_| Unreadable)?;
            continue;
        }
        if wire != WireType::LengthDelimited {
            return Err(Unreadable);
        }
        let length = decode_varint(&mut rest).map_err(|_| Unreadable)?;
        let length = usize::try_from(length).map_err(|_| Unreadable)?;
        let (inner, after) = rest.split_at_checked(length).ok_or(Unreadable)?;
        take(inner)?;
        rest = after;
    }
    Ok(())
}
