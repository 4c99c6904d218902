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

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use ringfence_model::{EventId, RunId, SpanId, TraceId};
    use ringfence_trace::spans::{Attributes, SpanKind};

    use super::*;

    fn span(name: String) -> Span {
        Span {
            trace: TraceId::of_run(RunId::new()),
            id: SpanId::of_event(EventId::new()),
            parent: None,
            links: Vec::new(),
            name,
            kind: SpanKind::Internal,
            start: Timestamp::now(),
            end: Timestamp::now(),
            attributes: Attributes::default(),
            events: Vec::new(),
            error: None,
        }
    }

    fn names(batch: &[Span]) -> Vec<&str> {
        batch.iter().map(|span| span.name.as_str()).collect()
    }

    #[test]
    fn the_oldest_go_where_there_are_too_many() {
        let mut queue = Queue::default();
        for number in 0..QUEUE_SPANS + 3 {
            queue.push(span(number.to_string()));
        }
        assert_eq!((queue.len(), queue.dropped()), (QUEUE_SPANS, 3));
        let batch = queue.batch();
        assert_eq!(batch.len(), BATCH_SPANS);
        assert_eq!(names(&batch)[..2], ["3", "4"]);
        // What came meanwhile has taken their place.
        for number in 0..BATCH_SPANS {
            queue.push(span(format!("new {number}")));
        }
        queue.put_back(batch);
        assert_eq!(queue.len(), QUEUE_SPANS);
        assert_eq!(queue.dropped(), 3 + BATCH_SPANS as u64);
    }

    #[test]
    fn octets_are_bounded_in_the_queue_and_in_a_request() {
        let mut queue = Queue::default();
        for _ in 0..QUEUE_OCTETS / BATCH_OCTETS + 2 {
            queue.push(span("x".repeat(BATCH_OCTETS)));
        }
        assert!(queue.octets <= QUEUE_OCTETS);
        assert!(queue.dropped() >= 2);
        assert_eq!(queue.batch().len(), 1);
        let before = queue.octets;
        let batch = queue.batch();
        queue.put_back(batch);
        assert_eq!(queue.octets, before, "what is put back is counted again");
    }
}
