//! Tries a policy on actions that really happened.

use std::fmt;

use jiff::Timestamp;
use ringfence_model::{Action, Decision, Effect};
use serde::{Deserialize, Serialize};

use crate::compile::Snapshot;

/// An action that happened, with how it was decided and how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// The action.
    pub action: Action,
    /// The decision of then.
    pub effect: Effect,
    /// How often it happened.
    pub count: u64,
}

/// What a candidate policy would have changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Simulation {
    /// Was denied, would be allowed.
    pub newly_allowed: Vec<DecisionChange>,
    /// Was allowed, would be denied.
    pub newly_denied: Vec<DecisionChange>,
    /// How many actions, by their counts, would be decided as they were.
    pub unchanged: u64,
}

/// An action that a change of policy decides otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionChange {
    /// The action.
    pub action: Action,
    /// How often it happened; 1 for a sample.
    pub count: u64,
    /// The decision before.
    pub before: Effect,
    /// The decision after.
    pub after: Decision,
}

/// Decides every observed action again with `candidate`, as of `now`.
#[must_use]
pub fn simulate(candidate: &Snapshot, observed: &[Observed], now: Timestamp) -> Simulation {
    let mut simulation = Simulation::default();
    for Observed {
        action,
        effect,
        count,
    } in observed
    {
        let after = candidate.decide_recorded(action, now).decision;
        let list = match (effect, after.effect) {
            (Effect::Deny, Effect::Allow) => &mut simulation.newly_allowed,
            (Effect::Allow, Effect::Deny) => &mut simulation.newly_denied,
            _ => {
                simulation.unchanged = simulation.unchanged.saturating_add(*count);
                continue;
            }
        };
        list.push(DecisionChange {
            action: action.clone(),
            count: *count,
            before: *effect,
            after,
        });
    }
    simulation
}

impl fmt::Display for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (title, changes) in [
            ("newly allowed", &self.newly_allowed),
            ("newly denied", &self.newly_denied),
        ] {
            for change in changes {
                writeln!(f, "{title}: {change}")?;
            }
        }
        writeln!(f, "unchanged: {}", self.unchanged)
    }
}

impl fmt::Display for DecisionChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            action,
            count,
            after,
            ..
        } = self;
        write!(f, "{action} ({count} times): {}", after.reason)
    }
}
