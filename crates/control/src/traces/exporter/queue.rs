//! Spans that wait to be sent, in bounded memory: the oldest go first, both to the collector and,
//! where there is no room, away.

use std::collections::VecDeque;

use ringfence_trace::otlp::octets_of;
use ringfence_trace::spans::Span;

use crate::traces::limits::{BATCH_OCTETS, BATCH_SPANS, QUEUE_OCTETS, QUEUE_SPANS};

#[derive(Default)]
pub(super) struct Queue {
    spans: VecDeque<(Span, usize)>,
    octets: usize,
    dropped: u64,
}

impl Queue {
    pub(super) fn push(&mut self, span: Span) {
        let octets = octets_of(&span);
        self.octets += octets;
        self.spans.push_back((span, octets));
        self.make_room();
    }

    fn make_room(&mut self) {
        while self.spans.len() > QUEUE_SPANS || self.octets > QUEUE_OCTETS {
            let Some((_, octets)) = self.spans.pop_front() else {
                return;
            };
            self.octets -= octets;
            self.dropped += 1;
        }
    }

    /// Takes the next spans for one request: at least one, where there is one.
    pub(super) fn batch(&mut self) -> Vec<Span> {
        let mut batch = Vec::new();
        let mut sum = 0;
        while batch.len() < BATCH_SPANS && sum < BATCH_OCTETS {
            let Some((span, octets)) = self.spans.pop_front() else {
                break;
            };
            self.octets -= octets;
            sum += octets;
            batch.push(span);
        }
        batch
    }

    /// Puts those back that were not taken, as the oldest.
    pub(super) fn put_back(&mut self, batch: Vec<Span>) {
        for span in batch.into_iter().rev() {
            let octets = octets_of(&span);
            self.octets += octets;
            self.spans.push_front((span, octets));
        }
        self.make_room();
    }

    pub(super) fn is_full_batch(&self) -> bool {
        self.spans.len() >= BATCH_SPANS || self.octets >= BATCH_OCTETS
    }

    pub(super) fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.spans.len()
    }

    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }
}
