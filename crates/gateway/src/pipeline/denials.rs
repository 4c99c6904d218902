//! What was denied to one sandbox lately, and what its agent asked a person for. Asking allows
//! nothing: it is a record that a person reads.

use std::collections::VecDeque;

use jiff::Timestamp;
use ringfence_model::{Action, Decision, Event, EventId, ReasonCode};
use serde::{Deserialize, Serialize};

use super::gateway::Gateway;
use super::session::Session;
use super::tokens::without_tokens;
use crate::limits::{ASKED_OF_SESSION, DENIALS_OF_SESSION, WORDS_OCTETS};

/// One denial.
#[derive(Debug, Clone)]
pub struct Denied {
    /// Its event.
    pub event: EventId,
    /// When it was.
    pub time: Timestamp,
    /// What was tried, in words.
    pub tried: String,
    /// Why it was denied.
    pub decision: Decision,
    action: Action,
}

/// What an agent asks a person for, as the finding says it. Its JSON is a promise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// The event of the denial.
    pub event: EventId,
    /// What was tried, in words.
    pub tried: String,
    /// Why it was denied.
    pub reason: String,
    /// The narrowest rule that would allow it, as a line of a profile, where one would.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// What a person can do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_step: Option<String>,
    /// Why the agent wants it, in its own words.
    pub words: String,
}

impl Proposal {
    /// The code of the findings that are proposals.
    pub const FINDING: &str = "access-requested";
}

/// Why nothing was put before a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAsked {
    /// There is no such denial of this sandbox, or it was too long ago.
    #[error("no denial of this agent has this event id: ringfence_why_denied lists the latest")]
    Unknown,
    /// No rule would allow it.
    #[error("no new rule would allow this: {0}")]
    Hopeless(String),
    /// It waits for a person already.
    #[error("this was asked for already, and waits for a person")]
    Again,
    /// The agent has asked too often.
    #[error("this run has asked for {ASKED_OF_SESSION} things, and may ask for no more")]
    TooMany,
    /// The reason is too long.
    #[error("a reason has at most {WORDS_OCTETS} octets")]
    TooLong,
    /// It could not be recorded.
    #[error("it could not be recorded, so no person will see it")]
    Unrecorded,
}

/// The latest denials of one sandbox, and the events that it asked for.
#[derive(Debug, Default)]
pub(super) struct Denials {
    latest: VecDeque<Denied>,
    asked: Vec<EventId>,
}

impl Denials {
    /// Keeps a denial, and forgets the oldest where there are too many.
    pub(super) fn keep(&mut self, event: &Event) {
        let mut action = event.action.clone();
        if let Action::Mcp(request) = &mut action
            && let Some(arguments) = &mut request.arguments
        {
            // They can be long, and no rule that is proposed is about them.
            arguments.value = None;
        }
        if self.latest.len() == DENIALS_OF_SESSION {
            self.latest.pop_front();
        }
        self.latest.push_back(Denied {
            event: event.id,
            time: event.time,
            tried: action.to_string(),
            decision: event.decision.clone(),
            action,
        });
    }

    fn find(&self, event: EventId) -> Option<&Denied> {
        self.latest.iter().find(|it| it.event == event)
    }

    /// Notes that something is asked for.
    fn ask(&mut self, event: EventId) -> Result<(), NotAsked> {
        if self.asked.contains(&event) {
            return Err(NotAsked::Again);
        }
        if self.asked.len() == ASKED_OF_SESSION {
            return Err(NotAsked::TooMany);
        }
        self.asked.push(event);
        Ok(())
    }
}

impl Gateway {
    /// The latest denials of a sandbox, the newest first.
    #[must_use]
    pub fn denied(&self, session: &Session) -> Vec<Denied> {
        session.denials().latest.iter().rev().cloned().collect()
    }

    /// Puts what was denied before a person, with the narrowest rule that would allow it. Nothing
    /// is allowed by it.
    ///
    /// # Errors
    /// Where no rule would help, or this was asked for already, or too much was.
    pub fn ask_for(
        &self,
        session: &Session,
        (event, words): (EventId, &str),
    ) -> Result<Proposal, NotAsked> {
        if words.len() > WORDS_OCTETS {
            return Err(NotAsked::TooLong);
        }
        let denied = session.denials().find(event).cloned();
        let denied = denied.ok_or(NotAsked::Unknown)?;
        let proposal = self.proposal(denied, words)?;
        session.denials().ask(event)?;
        let detail = serde_json::to_string(&proposal).map_err(|_| NotAsked::Unrecorded)?;
        let recorded = self.note(session, Proposal::FINDING, detail);
        recorded.map_err(|_| NotAsked::Unrecorded)?;
        Ok(proposal)
    }

    fn proposal(&self, denied: Denied, words: &str) -> Result<Proposal, NotAsked> {
        let Denied {
            event,
            tried,
            decision,
            action,
            ..
        } = denied;
        // A rule without conditions on the arguments would be wider than what was tried.
        let is_narrow = decision.code != ReasonCode::ArgumentsNotAllowed;
        let rule = is_narrow.then(|| self.suggest(&action)).flatten();
        let is_hopeless = rule.is_none() && is_narrow;
        if is_hopeless {
            return Err(NotAsked::Hopeless(decision.reason));
        }
        Ok(Proposal {
            event,
            tried,
            reason: decision.reason,
            rule,
            next_step: decision.next_step,
            words: without_tokens(words),
        })
    }
}

#[cfg(test)]
mod tests {
    use ringfence_model::{NoticeKind, Record};

    use super::*;
    use crate::testing::Stack;

    fn deny(stack: &Stack, host: &str) -> EventId {
        let action = Action::Connect(ringfence_model::Connect {
            destination: format!("{host}:443").parse().unwrap(),
            entry: ringfence_model::Entry::Transparent,
        });
        let refusal = stack.gateway.decide(&stack.session, action, None);
        refusal.err().unwrap().event.unwrap()
    }

    #[test]
    fn the_oldest_denial_is_forgotten_and_cannot_be_asked_for() {
        let stack = Stack::new("  - allow: { host: api.test }");
        let first = deny(&stack, "first.test");
        for number in 0..DENIALS_OF_SESSION {
            deny(&stack, &format!("host-{number}.test"));
        }
        let denied = stack.gateway.denied(&stack.session);
        assert_eq!(denied.len(), DENIALS_OF_SESSION);
        assert!(denied[0].tried.contains("host-31.test"), "{denied:?}");
        let asked = stack.gateway.ask_for(&stack.session, (first, "please"));
        assert_eq!(asked, Err(NotAsked::Unknown));
    }

    #[test]
    fn what_an_agent_says_is_recorded_without_tokens() {
        let stack = Stack::new("  - allow: { host: api.test }");
        let token = format!("rf_{}", "aB3-_".repeat(9).get(..43).unwrap());
        let event = deny(&stack, "evil.test");
        let words = format!("with {token}");
        let asked = stack.gateway.ask_for(&stack.session, (event, &words));
        let rule = asked.unwrap().rule;
        assert_eq!(
            rule.as_deref(),
            Some("allow: {host: \"evil.test\", ports: [443]}")
        );
        let records = stack.audit.records();
        let detail = records.iter().find_map(|record| match record {
            Record::Notice(notice) => match &notice.kind {
                NoticeKind::Finding { detail, .. } => Some(detail),
                _ => None,
            },
            _ => None,
        });
        let detail = detail.unwrap();
        assert!(!detail.contains(&token[..8]), "{detail}");
        let proposal: Proposal = serde_json::from_str(detail).unwrap();
        assert_eq!(proposal.event, event);
    }

    #[test]
    fn what_is_forbidden_is_not_put_before_a_person() {
        let stack = Stack::new("  - forbid: { host: evil.test }");
        let event = deny(&stack, "evil.test");
        let asked = stack.gateway.ask_for(&stack.session, (event, "please"));
        assert!(matches!(asked, Err(NotAsked::Hopeless(_))), "{asked:?}");
        assert!(
            !stack
                .audit
                .records()
                .iter()
                .any(|it| matches!(it, Record::Notice(_)))
        );
    }
}
