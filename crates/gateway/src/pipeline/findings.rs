//! Refusals of what is no action: it names no destination, so there is nothing to decide on and no
//! event. A finding records it. An agent can send any amount of such bytes, so only some findings a
//! second are written, and the rest are counted.

use std::collections::BTreeMap;
use std::time::Instant;

use jiff::Timestamp;
use ringfence_model::{Notice, NoticeKind, ReasonCode};

use super::audit::AuditError;
use super::gateway::{Gateway, unavailable};
use super::refusal::{Refusal, denial};
use super::session::Session;
use super::tokens::{TOKEN_OCTETS, without_tokens};
use crate::limits::{FINDING_OCTETS, FINDING_PERIOD, FINDINGS_IN_PERIOD};

/// The stable code of these findings.
const MALFORMED: &str = "malformed-request";

/// How many findings of one sandbox were written lately, and how many were not. Each code has its
/// own count, so that a flood of one does not hide another.
#[derive(Debug, Default)]
pub(super) struct Findings {
    tallies: BTreeMap<&'static str, Tally>,
}

#[derive(Debug, Default)]
struct Tally {
    period: Option<Instant>,
    written: usize,
    left_out: u64,
}

impl Findings {
    fn admit(&mut self, code: &'static str, now: Instant) -> Option<u64> {
        self.tallies.entry(code).or_default().admit(now)
    }

    /// The codes of which findings were left out since the last one, with their number.
    fn take_left_out(&mut self) -> Vec<(&'static str, u64)> {
        let counted = |(code, tally): (&&'static str, &mut Tally)| (*code, tally.take_left_out());
        let left_out = self.tallies.iter_mut().map(counted);
        left_out.filter(|(_, count)| *count > 0).collect()
    }
}

impl Tally {
    /// Whether a finding may be written at `now`, with the number of those that were not since
    /// the last one.
    fn admit(&mut self, now: Instant) -> Option<u64> {
        let current = self
            .period
            .is_some_and(|begun| now.duration_since(begun) < FINDING_PERIOD);
        if !current {
            self.period = Some(now);
            self.written = 0;
        }
        if self.written == FINDINGS_IN_PERIOD {
            self.left_out = self.left_out.saturating_add(1);
            return None;
        }
        self.written += 1;
        Some(self.take_left_out())
    }

    const fn take_left_out(&mut self) -> u64 {
        std::mem::replace(&mut self.left_out, 0)
    }
}

impl Gateway {
    /// Refuses what names no destination, and records it as a finding. `said` is what came, or the
    /// part of it that may be recorded.
    pub fn refuse_formless(
        &self,
        session: &Session,
        tried: &str,
        (code, reason): (ReasonCode, &str),
        said: &[u8],
    ) -> Refusal {
        let recorded = self.record_formless(session, tried, reason, said);
        let generation = self.generation();
        match recorded {
            Ok(()) => {
                let reason = format!(
                    "{reason}; it names no destination, so it is recorded as the finding {MALFORMED}"
                );
                Refusal {
                    event: None,
                    tried: tried.to_owned(),
                    decision: Box::new(denial(code, &reason, generation)),
                }
            }
            Err(error) => unavailable(tried.to_owned(), generation, &error),
        }
    }

    /// Records something about an exchange that a person should look at.
    pub(crate) fn find(&self, session: &Session, code: &'static str, detail: String) {
        let Some(left_out) = session.findings().admit(code, Instant::now()) else {
            return;
        };
        let detail = match left_out {
            0 => detail,
            _ => format!("{detail} ({left_out} more findings before it)"),
        };
        // The exchange has its own event, and a log that cannot be written refuses the next one.
        let _ = self.note(session, code, detail);
    }

    /// Records something about a sandbox that a person should look at, for an adapter. Bounded, as
    /// all findings are.
    pub fn report(&self, session: &Session, code: &'static str, detail: String) {
        self.find(session, code, detail);
    }

    /// Records how many findings of a sandbox that is gone were not written.
    pub(crate) fn settle_findings(&self, session: &Session) {
        let left_out = session.findings().take_left_out();
        for (code, count) in left_out {
            // There is nothing left to refuse where this cannot be written.
            let _ = self.note(session, code, format!("{count} more"));
        }
    }

    fn record_formless(
        &self,
        session: &Session,
        tried: &str,
        reason: &str,
        said: &[u8],
    ) -> Result<(), AuditError> {
        let Some(left_out) = session.findings().admit(MALFORMED, Instant::now()) else {
            return Ok(());
        };
        let more = match left_out {
            0 => String::new(),
            _ => format!(" ({left_out} more before it)"),
        };
        // A token is looked for before the text is cut: a part of one would be no token.
        let said = said.get(..FINDING_OCTETS + TOKEN_OCTETS).unwrap_or(said);
        let shown = without_tokens(&said.escape_ascii().to_string());
        let shown = shown.get(..FINDING_OCTETS).unwrap_or(&shown);
        let detail = format!("{tried}: {reason}: \"{shown}\"{more}");
        self.note(session, MALFORMED, detail)
    }

    pub(super) fn note(
        &self,
        session: &Session,
        code: &str,
        detail: String,
    ) -> Result<(), AuditError> {
        let identity = session.identity();
        self.audit().notice(&Notice {
            time: Timestamp::now(),
            run: identity.run,
            sandbox: identity.sandbox,
            agent: identity.agent.clone(),
            kind: NoticeKind::Finding {
                code: code.to_owned(),
                detail,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Stack;
    use ringfence_model::Record;

    fn details(stack: &Stack) -> Vec<String> {
        let detail = |record| match record {
            Record::Notice(Notice {
                kind: NoticeKind::Finding { code, detail },
                ..
            }) if code == MALFORMED => Some(detail),
            _ => None,
        };
        let records = stack.audit.records();
        records.into_iter().filter_map(detail).collect()
    }

    fn refuse(stack: &Stack, said: &[u8]) -> Refusal {
        let why = (ReasonCode::Malformed, "no sense");
        stack
            .gateway
            .refuse_formless(&stack.session, "a request", why, said)
    }

    #[test]
    fn what_names_no_destination_is_a_finding_that_holds_little_and_prints_well() {
        let stack = Stack::new("  - allow: { host: api.test }");
        let said = [&b"\x1b[2J\0"[..], &[b'x'; 100_000]].concat();
        let refusal = refuse(&stack, &said);
        assert_eq!(refusal.code(), ReasonCode::Malformed);
        assert!(refusal.decision.reason.contains(MALFORMED), "{refusal:?}");
        let details = details(&stack);
        assert_eq!(details.len(), 1);
        assert!(
            details[0].starts_with("a request: no sense: \"\\x1b[2J\\x00xxx"),
            "{details:?}"
        );
        assert!(details[0].len() < 5 * FINDING_OCTETS);
        assert!(details[0].bytes().all(|octet| matches!(octet, b' '..=b'~')));
    }

    #[test]
    fn a_token_is_not_recorded_wherever_the_text_is_cut() {
        let stack = Stack::new("  - allow: { host: api.test }");
        let token = format!("rf_{}", "aB3-_".repeat(9).get(..43).unwrap());
        for before in [
            0,
            FINDING_OCTETS - 50,
            FINDING_OCTETS - 46,
            FINDING_OCTETS - 20,
        ] {
            refuse(
                &stack,
                format!("{} {token} x", "y".repeat(before)).as_bytes(),
            );
        }
        let details = details(&stack);
        assert_eq!(details.len(), 4);
        for detail in details {
            assert!(!detail.contains(&token[..8]), "{detail}");
        }
    }

    #[test]
    fn a_refusal_that_cannot_be_recorded_says_so() {
        let stack = Stack::new("  - allow: { host: api.test }");
        stack.audit.fail(true);
        assert_eq!(refuse(&stack, b"x").code(), ReasonCode::Unavailable);
    }

    #[test]
    fn a_flood_is_counted_and_not_written() {
        let mut findings = Tally::default();
        let start = Instant::now();
        let admitted = |findings: &mut Tally, at| {
            let admitted = (0..100).filter_map(|_| findings.admit(at));
            admitted.collect::<Vec<_>>()
        };
        let first = admitted(&mut findings, start);
        assert_eq!(first, [0; FINDINGS_IN_PERIOD]);
        let left_out = 100 - FINDINGS_IN_PERIOD as u64;
        let second = admitted(&mut findings, start + FINDING_PERIOD);
        assert_eq!(second.len(), FINDINGS_IN_PERIOD);
        assert_eq!(second[..2], [left_out, 0]);
    }

    #[test]
    fn a_flood_of_one_kind_does_not_hide_another() {
        let mut findings = Findings::default();
        let now = Instant::now();
        for _ in 0..100 {
            findings.admit("one", now);
        }
        assert_eq!(findings.admit("one", now), None);
        assert_eq!(findings.admit("other", now), Some(0));
    }

    #[test]
    fn what_was_only_counted_is_recorded_when_the_sandbox_ends() {
        let stack = Stack::new("  - allow: { host: api.test }");
        let now = Instant::now();
        for _ in 0..3 * FINDINGS_IN_PERIOD {
            stack.session.findings().admit(MALFORMED, now);
        }
        stack.gateway.settle_findings(&stack.session);
        stack.gateway.settle_findings(&stack.session);
        assert_eq!(
            details(&stack),
            [format!("{} more", 2 * FINDINGS_IN_PERIOD)]
        );
    }
}
