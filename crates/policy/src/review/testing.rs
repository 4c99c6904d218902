//! Runs the `tests` sections of profiles.

use std::fmt;

use jiff::Timestamp;
use ringfence_model::{Action, Decision, Effect, Generation, ProfileName};
use serde::{Deserialize, Serialize};

use crate::compile::Snapshot;
use crate::document::Profile;
use crate::error::PolicyError;

/// How one test of a profile went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestOutcome {
    /// The profile.
    pub profile: ProfileName,
    /// The position in its `tests`, from 1.
    pub number: usize,
    /// What was tried.
    pub action: Action,
    /// The decision that the test wants.
    pub expected: Effect,
    /// The decision that the profile gives.
    pub decision: Decision,
    /// Whether they agree.
    pub passed: bool,
}

/// Runs the tests of every profile against that profile alone, so that what a profile
/// promises does not depend on what it is combined with.
///
/// # Errors
/// When a profile is not valid.
pub fn run_tests(profiles: &[Profile], now: Timestamp) -> Result<Vec<TestOutcome>, PolicyError> {
    let mut outcomes = Vec::new();
    for profile in profiles {
        let snapshot = Snapshot::compile(Generation(1), std::slice::from_ref(profile))?;
        for (index, test) in profile.tests.iter().enumerate() {
            let tried = test.tried().action_in(profile);
            let action = tried
                .map_err(|error| PolicyError::new(profile.name.as_str(), error.to_string()))?;
            let decision = snapshot.decide(&action, now).decision;
            outcomes.push(TestOutcome {
                profile: profile.name.clone(),
                number: index + 1,
                expected: test.expected(),
                passed: decision.effect == test.expected(),
                action,
                decision,
            });
        }
    }
    Ok(outcomes)
}

impl fmt::Display for TestOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            profile,
            number,
            action,
            expected,
            decision,
            passed,
        } = self;
        let mark = if *passed { "ok" } else { "FAILED" };
        write!(f, "{mark} {profile}/tests/{number}: {expected} {action}")?;
        if *passed {
            return Ok(());
        }
        write!(
            f,
            ", but the decision is {} ({}): {}",
            decision.effect, decision.code, decision.reason
        )
    }
}
