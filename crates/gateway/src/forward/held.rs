//! A response that is encoded though it was asked not to be, and that is searched for values: it is
//! read whole before any of it goes on. How far an encoding shortens a text tells how far it agrees
//! with a value beside it, so nothing that depends on the encoded octets may be seen: neither how
//! many come out at a time, nor how many there are.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Method};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use ringfence_inspect::{DecodeError, Decoder};
use ringfence_model::{Action, ReasonCode};

use super::exchange::{Answered, Exchange};
use super::fault::{Fault, in_words};
use super::respond::{self, Passed};
use super::scrubbing::Scrubbing;
use super::send::unless;
use crate::limits::ENCODED_RESPONSE_OCTETS;
use crate::pipeline::Reserved;

/// A body that was decoded whole.
pub(super) struct Held {
    body: Option<Bytes>,
    trailers: Option<HeaderMap>,
    _room: Reserved,
}

/// Where the body of a response comes from.
pub(super) enum Source {
    /// As the upstream sends it.
    Incoming(Incoming),
    Held(Held),
}

/// Checks a response, and reads its body to the end where it must be whole.
pub(super) async fn pass(
    exchange: &Exchange<'_>,
    answered: &mut Answered,
    method: &Method,
) -> Result<Passed, Fault> {
    let mut passed = respond::pass(answered, method)?;
    if matches!(exchange.permit.action(), Action::Git(_)) {
        // Its packets say how long they are.
        passed.scrubbing = passed.scrubbing.map(Scrubbing::in_place);
    }
    if let Some(decoder) = passed.encoded.take() {
        passed.held = Some(whole(exchange, answered, decoder).await?);
    }
    Ok(passed)
}

async fn whole(
    exchange: &Exchange<'_>,
    answered: &mut Answered,
    decoder: Decoder,
) -> Result<Held, Fault> {
    let room = exchange
        .gateway
        .reserve(exchange.session, ENCODED_RESPONSE_OCTETS as u64);
    let Some(mut room) = room.await else {
        let reason = "there is no room for an encoded response: too many are read at once";
        return Err(Fault::refused(ReasonCode::LimitReached, reason));
    };
    let watch = answered.watch.clone();
    let reading = read(exchange, answered.response.body_mut(), decoder);
    let (body, trailers) = unless(watch, reading).await?;
    room.shrink(body.len() as u64);
    Ok(Held {
        body: Some(body.into()),
        trailers,
        _room: room,
    })
}

async fn read(
    exchange: &Exchange<'_>,
    source: &mut Incoming,
    decoder: Decoder,
) -> Result<(Vec<u8>, Option<HeaderMap>), Fault> {
    let mut decoder = decoder.at_most(ENCODED_RESPONSE_OCTETS as u64);
    let (mut plain, mut trailers) = (Vec::new(), None);
    while let Some(frame) = source.frame().await {
        let frame = frame.map_err(|error| Fault::Upstream(in_words(&error)))?;
        match frame.into_data() {
            Ok(data) => {
                let meter = exchange.permit.meter();
                meter.add_received(data.len() as u64);
                decoder.feed(&data, &mut plain).map_err(refused)?;
            }
            Err(frame) => trailers = frame.into_trailers().ok().or(trailers),
        }
    }
    decoder.finish().map_err(refused)?;
    Ok((plain, trailers))
}

fn refused(error: DecodeError) -> Fault {
    let reason = match error {
        DecodeError::TooLong => format!(
            "the upstream encoded its response though it was asked not to, and of such a one no \
             more than {ENCODED_RESPONSE_OCTETS} octets can be searched for credentials"
        ),
        error => format!("the response cannot be read: {error}"),
    };
    Fault::refused(ReasonCode::ResponseRefused, reason)
}

impl Source {
    /// Whether its octets were counted before.
    pub(super) const fn is_counted(&self) -> bool {
        matches!(self, Self::Held(_))
    }
}

impl Body for Source {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut *self {
            Self::Incoming(incoming) => Pin::new(incoming).poll_frame(cx),
            Self::Held(held) => {
                let body = held.body.take().filter(|body| !body.is_empty());
                let frame = body.map(Frame::data);
                let frame = frame.or_else(|| held.trailers.take().map(Frame::trailers));
                Poll::Ready(frame.map(Ok))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Incoming(incoming) => incoming.is_end_stream(),
            Self::Held(held) => held.body.is_none() && held.trailers.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Incoming(incoming) => incoming.size_hint(),
            Self::Held(_) => SizeHint::default(),
        }
    }
}
