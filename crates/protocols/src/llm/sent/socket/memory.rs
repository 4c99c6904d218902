//! What is remembered of a WebSocket: the responses that were made on it, and how much the agent
//! sends.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use ringfence_gateway::llm::Over;
use ringfence_llm::limits::ID_OCTETS;
use ringfence_model::ReasonCode;

/// Responses that can be gone on from.
const RESPONSES: usize = 64;

/// Messages that an agent may send in a second.
const IN_A_SECOND: u32 = 20;

/// Messages of one connection that are refused before it is closed.
const REFUSALS: u32 = 32;

/// The responses that were made on a connection, and the tokens that each takes as a context.
#[derive(Debug, Clone, Default)]
pub(super) struct Made(VecDeque<(String, u64)>);

/// How much an agent sends.
#[derive(Debug, Default)]
pub(super) struct Pace {
    since: Option<Instant>,
    count: u32,
    refused: u32,
}

impl Made {
    pub(super) fn add(&mut self, id: String, context: u64) {
        if id.is_empty() || id.len() > ID_OCTETS {
            return;
        }
        self.0.retain(|(known, _)| *known != id);
        if self.0.len() >= RESPONSES {
            self.0.pop_front();
        }
        self.0.push_back((id, context));
    }

    /// The tokens of the response of this id, where it was made here.
    pub(super) fn context(&self, id: &str) -> Option<u64> {
        let known = self.0.iter().find(|(known, _)| known == id);
        known.map(|(_, context)| *context)
    }
}

impl Pace {
    /// Counts a message.
    pub(super) fn count(&mut self) -> Result<(), Over> {
        let now = Instant::now();
        let is_same = |since: Instant| now.duration_since(since) < Duration::from_secs(1);
        if !self.since.is_some_and(is_same) {
            self.since = Some(now);
            self.count = 0;
        }
        self.count += 1;
        if self.count > IN_A_SECOND {
            let reason = format!("more than {IN_A_SECOND} messages in a second");
            return Err(Over::refused(ReasonCode::LimitReached, reason));
        }
        Ok(())
    }

    /// Counts a message that was refused.
    pub(super) fn refused(&mut self) -> Result<(), Over> {
        self.refused += 1;
        if self.refused > REFUSALS {
            let reason = format!("more than {REFUSALS} messages were refused");
            return Err(Over::refused(ReasonCode::LimitReached, reason));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_known_where_it_was_made_and_the_oldest_is_forgotten() {
        let mut made = Made::default();
        assert_eq!(made.context("resp_0"), None);
        for number in 0..=RESPONSES as u64 {
            made.add(format!("resp_{number}"), number);
        }
        assert_eq!(made.context("resp_0"), None);
        assert_eq!(made.context("resp_64"), Some(64));
        made.add(String::new(), 1);
        made.add("x".repeat(ID_OCTETS + 1), 1);
        assert_eq!(made.0.len(), RESPONSES);
    }

    #[test]
    fn too_many_messages_and_too_many_refusals_end_the_connection() {
        let mut pace = Pace::default();
        assert!((0..IN_A_SECOND).all(|_| pace.count().is_ok()));
        assert!(pace.count().is_err());
        assert!((0..REFUSALS).all(|_| pace.refused().is_ok()));
        assert!(pace.refused().is_err());
    }
}
