//! What a sandbox tells of itself: how much of it is taken, and that it is recorded as its word.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use ringfence_model::{Notice, NoticeKind, ToldSpan};

use super::audit::AuditError;
use super::gateway::Gateway;
use super::session::Session;
use crate::limits::{TOLD_BURST, TOLD_EVERY, TOLD_OF_NOTICE, TOLD_OF_SESSION};

/// What a sandbox told so far.
#[derive(Debug, Default)]
pub(super) struct Telling {
    spans: usize,
    /// When its requests are all paid for again.
    paid: Option<Instant>,
    /// What no notice says yet.
    refused: u64,
    dropped: u64,
}

impl Telling {
    /// Whether one more request may come now: so many at once, and then one in each span of time.
    fn admit(&mut self, now: Instant) -> bool {
        let paid = self.paid.map_or(now, |paid| paid.max(now));
        let is_admitted = paid.duration_since(now) < TOLD_EVERY.saturating_mul(TOLD_BURST);
        if is_admitted {
            self.paid = paid.checked_add(TOLD_EVERY);
        }
        is_admitted
    }

    /// The room that is left in the record for spans of this sandbox.
    const fn room(&self) -> usize {
        TOLD_OF_SESSION.saturating_sub(self.spans)
    }
}

impl Gateway {
    /// Whether a sandbox may tell something now; else how long it should wait.
    ///
    /// # Errors
    /// How long it should wait.
    pub fn admit_telling(&self, session: &Session) -> Result<(), Duration> {
        let is_admitted = session.telling().admit(Instant::now());
        if is_admitted { Ok(()) } else { Err(TOLD_EVERY) }
    }

    /// Records what a sandbox tells. Returns how many of the spans there is no room for: beyond what
    /// one sandbox may tell, they are counted.
    ///
    /// # Errors
    /// Where the record cannot be written.
    pub fn tell(
        &self,
        session: &Session,
        mut spans: Vec<ToldSpan>,
        refused: u64,
    ) -> Result<u64, AuditError> {
        let beyond = {
            let mut telling = session.telling();
            let beyond = spans.len().saturating_sub(telling.room());
            spans.truncate(spans.len() - beyond);
            telling.spans += spans.len();
            telling.refused = telling.refused.saturating_add(refused + beyond as u64);
            beyond as u64
        };
        for some in spans.chunks(TOLD_OF_NOTICE) {
            self.note_told(session, some.to_vec())?;
        }
        Ok(beyond)
    }

    /// Counts a request of a sandbox that is taken and not kept.
    pub fn drop_told(&self, session: &Session) {
        let mut telling = session.telling();
        telling.dropped = telling.dropped.saturating_add(1);
    }

    /// Records what was counted since the last notice, of a sandbox that is gone.
    pub(crate) fn settle_told(&self, session: &Session) {
        let is_owed = {
            let telling = session.telling();
            telling.refused > 0 || telling.dropped > 0
        };
        if is_owed {
            // There is nothing left to refuse where this cannot be written.
            let _ = self.note_told(session, Vec::new());
        }
    }

    fn note_told(&self, session: &Session, spans: Vec<ToldSpan>) -> Result<(), AuditError> {
        let identity = session.identity();
        let (refused, dropped) = {
            let mut telling = session.telling();
            let refused = std::mem::take(&mut telling.refused);
            (refused, std::mem::take(&mut telling.dropped))
        };
        self.audit().notice(&Notice {
            time: Timestamp::now(),
            run: identity.run,
            sandbox: identity.sandbox,
            agent: identity.agent.clone(),
            kind: NoticeKind::Told {
                spans,
                refused,
                dropped,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use ringfence_model::{Record, SpanId, Told};

    use super::*;
    use crate::testing::Stack;

    fn span(number: u64) -> ToldSpan {
        ToldSpan {
            id: SpanId::from_octets((number + 1).to_be_bytes()).unwrap(),
            parent: None,
            start: Timestamp::UNIX_EPOCH,
            end: Timestamp::UNIX_EPOCH,
            what: Told::default(),
        }
    }

    /// Spans, refused and dropped ones of each notice.
    fn told(stack: &Stack) -> Vec<(usize, u64, u64)> {
        let records = stack.audit.records().into_iter();
        let told = records.filter_map(|record| match record {
            Record::Notice(Notice {
                kind:
                    NoticeKind::Told {
                        spans,
                        refused,
                        dropped,
                    },
                ..
            }) => Some((spans.len(), refused, dropped)),
            _ => None,
        });
        told.collect()
    }

    #[test]
    fn requests_come_in_a_burst_and_then_at_a_rate() {
        let mut telling = Telling::default();
        let now = Instant::now();
        let admitted = (0..1_000).filter(|_| telling.admit(now)).count();
        assert_eq!(admitted, usize::try_from(TOLD_BURST).unwrap());
        assert!(telling.admit(now + TOLD_EVERY));
        assert!(!telling.admit(now + TOLD_EVERY));
        let later = now + TOLD_EVERY * (TOLD_BURST * 2);
        let admitted = (0..1_000).filter(|_| telling.admit(later)).count();
        assert_eq!(admitted, usize::try_from(TOLD_BURST).unwrap());
    }

    #[test]
    fn what_a_sandbox_tells_is_recorded_in_short_notices() {
        let stack = Stack::new("  - allow: { host: api.test }");
        let spans: Vec<ToldSpan> = (0..TOLD_OF_NOTICE as u64 + 1).map(span).collect();
        stack.gateway.drop_told(&stack.session);
        assert_eq!(stack.gateway.tell(&stack.session, spans, 3).unwrap(), 0);
        assert_eq!(told(&stack), [(TOLD_OF_NOTICE, 3, 1), (1, 0, 0)]);
    }

    #[test]
    fn what_a_sandbox_tells_has_an_end() {
        let stack = Stack::new("  - allow: { host: api.test }");
        let spans: Vec<ToldSpan> = (0..TOLD_OF_SESSION as u64 - 1).map(span).collect();
        assert_eq!(stack.gateway.tell(&stack.session, spans, 0).unwrap(), 0);
        let more = vec![span(1), span(2), span(3)];
        assert_eq!(stack.gateway.tell(&stack.session, more, 0).unwrap(), 2);
        let written: usize = told(&stack).iter().map(|(spans, ..)| spans).sum();
        assert_eq!(written, TOLD_OF_SESSION);
        assert_eq!(
            stack
                .gateway
                .tell(&stack.session, vec![span(9)], 0)
                .unwrap(),
            1
        );
        stack.gateway.settle_told(&stack.session);
        stack.gateway.settle_told(&stack.session);
        assert_eq!(told(&stack).last(), Some(&(0, 1, 0)));
    }

    #[test]
    fn a_record_that_cannot_be_written_takes_no_span() {
        let stack = Stack::new("  - allow: { host: api.test }");
        stack.audit.fail(true);
        assert!(
            stack
                .gateway
                .tell(&stack.session, vec![span(1)], 0)
                .is_err()
        );
    }
}
