//! A request of a WebSocket that is under way, until its answer is over or cut.

use std::sync::Arc;
use std::time::Instant;

use ringfence_gateway::Permit;
use ringfence_llm::response::{Ended, Reader};
use ringfence_model::llm::LlmEndpoint;
use ringfence_model::{Decision, Outcome};

use super::super::Ready;
use super::Bound;
use crate::llm::memory::Memory;
use crate::llm::service::Client;
use crate::llm::watched::{Circles, Owed};
use crate::llm::words::Dialect;

/// A request that is under way.
pub(super) struct Answering {
    permit: Option<Permit>,
    reader: Reader,
    owed: Option<Owed>,
    started: Instant,
    /// Microseconds until the first message came.
    first: Option<u64>,
    /// The most tokens that went in.
    octets: u64,
    generates: bool,
}

/// What a stream of a WebSocket is read as.
const STATUS: u16 = 200;

impl Answering {
    pub(super) fn begin(client: &Client, permit: Permit, ready: Ready, bound: Bound) -> Self {
        let dialect = Dialect {
            kind: bound.kind,
            endpoint: LlmEndpoint::Responses,
        };
        let media = Some("text/event-stream");
        let reader = Reader::new(
            dialect.kind,
            dialect.endpoint,
            true,
            (STATUS, media),
            bound.capture,
        );
        let started = Instant::now();
        let owed = Owed {
            bill: ready.bill,
            kept: ready.kept,
            admitted: ready.admitted,
            hold: permit.git().hold(),
            started,
            status: STATUS,
            own: ready.own,
            capture: bound.terms.capture,
            dialect,
            circles: Circles {
                gateway: Arc::clone(&client.gateway),
                session: Arc::clone(&client.session),
                memory: Memory::of(client.session.identity().sandbox),
                terms: bound.terms.loops,
            },
        };
        Self {
            permit: Some(permit),
            reader,
            owed: Some(owed),
            started,
            first: None,
            octets: bound.octets,
            generates: bound.generates,
        }
    }

    /// There until it is finished.
    pub(super) const fn permit(&self) -> Option<&Permit> {
        self.permit.as_ref()
    }

    /// The next message; false where it cannot be read.
    pub(super) fn take(&mut self, octets: &[u8]) -> bool {
        if self.first.is_none() {
            let micros = self.started.elapsed().as_micros();
            self.first = Some(u64::try_from(micros).unwrap_or(u64::MAX));
        }
        if let Some(permit) = &self.permit {
            permit.meter().add_received(octets.len() as u64);
        }
        self.reader.message(octets)
    }

    pub(super) const fn is_over(&self) -> bool {
        self.reader.is_over()
    }

    /// Settles what it took. The id of the response, where it can be gone on from, and the tokens
    /// that its context has.
    pub(super) fn finish(mut self) -> Option<(String, u64)> {
        self.settle(Ended::Whole);
        if let Some(permit) = self.permit.take() {
            permit.finish(Outcome::Status(STATUS));
        }
        let seen = self.reader.seen();
        let usage = seen.usage.filter(|usage| usage.input > 0 && self.generates);
        // What was only made ready may not be counted before it is used.
        let context = usage.map_or(self.octets, |usage| usage.total());
        let id = seen.id.clone().filter(|_| seen.complete)?;
        Some((id, context))
    }

    /// Policy does not allow it any more.
    pub(super) fn revoke(mut self, decision: Decision) {
        self.settle(Ended::Cut);
        if let Some(permit) = self.permit.take() {
            drop(permit.revoke(decision));
        }
    }

    fn settle(&mut self, ended: Ended) {
        if let Some(owed) = self.owed.take() {
            self.reader.finish(ended);
            owed.settle(&self.reader, self.first);
        }
    }
}

/// The connection is over before the answer.
impl Drop for Answering {
    fn drop(&mut self) {
        self.settle(Ended::Cut);
    }
}
