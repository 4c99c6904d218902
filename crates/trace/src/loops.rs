//! An agent that goes round in circles, seen while it runs: the same tool with the same arguments
//! again and again, one denied action after the other, step after step that is paid in full because
//! the provider's cache no longer knows the conversation.

use std::collections::{BTreeSet, HashMap};

use ringfence_model::llm::LlmFacts;
use ringfence_model::{Action, Event};

use crate::build::is_step;
use crate::limits::{CACHE_MISSES, CONVERSATIONS, DENIALS, REPEATS, WATCHED_CALLS};

/// Watches one sandbox. Each of its conversations is watched by itself.
#[derive(Debug, Default)]
pub struct Loops {
    conversations: HashMap<Conversation, Watched>,
    /// Counts observations, to tell which conversation was quiet longest.
    turn: u64,
    denied: u32,
}

/// Something that a person should look at, or that a rule stops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The stable code: `tool-repeated`, `denied-streak` or `cache-missed`.
    pub code: &'static str,
    /// What was found, in words. It may hold the name of a tool, which an agent chose.
    pub detail: String,
    /// How often in a row.
    pub count: u32,
}

/// What the client says a request belongs to. Hints, which decide about nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Conversation {
    session: Option<String>,
    agents: Vec<String>,
}

#[derive(Debug, Default)]
struct Watched {
    seen: u64,
    /// The calls of the last step, and in how many steps in a row each was made.
    calls: HashMap<(String, String), u32>,
    had_cache: bool,
    missed: u32,
}

impl Loops {
    /// Takes what a request to a model turned out to be.
    pub fn observe(&mut self, facts: &LlmFacts) -> Option<Finding> {
        self.observe_by(facts, REPEATS)
    }

    /// The same, where so many equal calls in a row are a finding.
    pub fn observe_by(&mut self, facts: &LlmFacts, repeats: u32) -> Option<Finding> {
        if !is_step(facts) {
            return None;
        }
        self.turn += 1;
        let conversation = Conversation {
            session: facts.session.clone(),
            agents: facts.agents.clone(),
        };
        self.make_room(&conversation);
        let watched = self.conversations.entry(conversation).or_default();
        watched.seen = self.turn;
        let repeated = watched.repeated(facts, repeats.max(2));
        let missed = watched.missed(facts);
        repeated.or(missed)
    }

    /// Takes the decision about any action. A model that is asked again after a denial ends no streak.
    pub fn decided(&mut self, event: &Event) -> Option<Finding> {
        let is_asking = matches!(event.action, Action::Llm(_));
        if event.decision.is_allow() {
            if !is_asking {
                self.denied = 0;
            }
            return None;
        }
        self.denied = self.denied.saturating_add(1);
        self.denied.is_multiple_of(DENIALS).then(|| Finding {
            code: "denied-streak",
            detail: format!("{} actions in a row were denied", self.denied),
            count: self.denied,
        })
    }

    fn make_room(&mut self, conversation: &Conversation) {
        if self.conversations.len() < CONVERSATIONS || self.conversations.contains_key(conversation)
        {
            return;
        }
        let quiet = self.conversations.iter().min_by_key(|(_, it)| it.seen);
        if let Some(quiet) = quiet.map(|(conversation, _)| conversation.clone()) {
            self.conversations.remove(&quiet);
        }
    }
}

impl Watched {
    fn repeated(&mut self, facts: &LlmFacts, repeats: u32) -> Option<Finding> {
        let calls = facts.calls.iter().take(WATCHED_CALLS);
        let made: BTreeSet<(String, String)> = calls
            .map(|call| (call.name.clone(), call.arguments.digest.clone()))
            .collect();
        let before = std::mem::take(&mut self.calls);
        let count = |call: &(String, String)| before.get(call).map_or(1, |it| it.saturating_add(1));
        self.calls = made
            .into_iter()
            .map(|call| {
                let count = count(&call);
                (call, count)
            })
            .collect();
        let most = self
            .calls
            .iter()
            .max_by_key(|(call, count)| (**count, *call));
        let ((name, _), count) = most?;
        (*count >= repeats && count.is_multiple_of(repeats)).then(|| Finding {
            code: "tool-repeated",
            detail: format!("{name} was called {count} times in a row with the same arguments"),
            count: *count,
        })
    }

    /// A provider that keeps no cache, or does not say, is not missed.
    fn missed(&mut self, facts: &LlmFacts) -> Option<Finding> {
        let usage = facts.usage?;
        if usage.cache_read > 0 {
            self.had_cache = true;
            self.missed = 0;
            return None;
        }
        if !self.had_cache {
            return None;
        }
        self.missed = self.missed.saturating_add(1);
        self.missed
            .is_multiple_of(CACHE_MISSES)
            .then(|| Finding {
            code: "cache-missed",
            detail: format!(
                "{} steps in a row read nothing from the provider's cache, which knew the conversation before",
                self.missed
            ),
            count: self.missed,
        })
    }
}

#[cfg(test)]
mod tests {
    use ringfence_model::llm::{TextDigest, TokenUsage, ToolCall};

    use super::*;
    use crate::testing;

    fn step(calls: &[(&str, &str)], cache_read: u64) -> LlmFacts {
        let call = |(name, digest): &(&str, &str)| ToolCall {
            id: "x".to_owned(),
            name: (*name).to_owned(),
            arguments: TextDigest {
                octets: 1,
                digest: (*digest).to_owned(),
                text: None,
            },
        };
        LlmFacts {
            tools: 3,
            calls: calls.iter().map(call).collect(),
            usage: Some(TokenUsage {
                cache_read,
                ..TokenUsage::default()
            }),
            ..LlmFacts::default()
        }
    }

    #[test]
    fn the_same_call_again_and_again_is_found_at_each_multiple() {
        let mut loops = Loops::default();
        let mut found = Vec::new();
        for number in 1..=12 {
            let calls = [("Bash", "same"), ("Read", &*number.to_string())];
            found.extend(loops.observe(&step(&calls, 0)).map(|it| (number, it)));
        }
        let at: Vec<u32> = found.iter().map(|(number, _)| *number).collect();
        assert_eq!(at, [REPEATS, 2 * REPEATS]);
        assert_eq!(found[0].1.code, "tool-repeated");
        assert_eq!(
            found[0].1.detail,
            "Bash was called 5 times in a row with the same arguments"
        );
    }

    #[test]
    fn another_call_between_ends_the_row() {
        let mut loops = Loops::default();
        for number in 0..20 {
            let digest = if number % 4 == 3 { "other" } else { "same" };
            assert_eq!(loops.observe(&step(&[("Bash", digest)], 0)), None);
        }
    }

    #[test]
    fn conversations_do_not_add_up_and_are_bounded() {
        let mut loops = Loops::default();
        for number in 0..10 * CONVERSATIONS {
            let facts = LlmFacts {
                session: Some(number.to_string()),
                ..step(&[("Bash", "same")], 0)
            };
            assert_eq!(loops.observe(&facts), None);
        }
        assert_eq!(loops.conversations.len(), CONVERSATIONS);
    }

    #[test]
    fn a_request_beside_the_work_is_not_watched() {
        let mut loops = Loops::default();
        for _ in 0..20 {
            let facts = LlmFacts {
                tools: 0,
                ..step(&[("Bash", "same")], 0)
            };
            assert_eq!(loops.observe(&facts), None);
        }
    }

    #[test]
    fn a_cache_is_missed_by_who_had_one() {
        let mut loops = Loops::default();
        for _ in 0..20 {
            assert_eq!(loops.observe(&step(&[], 0)), None);
        }
        assert_eq!(loops.observe(&step(&[], 7)), None);
        let found: Vec<Finding> = (0..CACHE_MISSES)
            .filter_map(|_| loops.observe(&step(&[], 0)))
            .collect();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].code, found[0].count), ("cache-missed", 5));
    }

    #[test]
    fn denials_in_a_row_are_found_and_an_allowed_action_ends_the_row() {
        let mut loops = Loops::default();
        let (denied, allowed) = (testing::denied(1, 1), testing::connect(2, 2));
        for _ in 1..DENIALS {
            assert_eq!(loops.decided(&denied), None);
        }
        assert_eq!(loops.decided(&testing::asking(3, 3)), None);
        let found = loops.decided(&denied).unwrap();
        assert_eq!(found.detail, "10 actions in a row were denied");
        for _ in 0..2 {
            assert_eq!(loops.decided(&allowed), None);
            for _ in 1..DENIALS {
                assert_eq!(loops.decided(&denied), None);
            }
        }
    }
}
