//! The self-test before every start: the very process that becomes the agent, confined for good,
//! tries the ways out that would hurt most. If one works, it does not become the agent.

use crate::attempt::{self, Outcome, Scene};
use crate::spec::Spec;

/// Runs the self-test in this process, which must be confined. Returns what got out, in words;
/// nothing is what is hoped for.
pub(super) fn run(spec: &Spec) -> Vec<String> {
    if spec.weakening.is_off("self-test") {
        return Vec::new();
    }
    let scene = Scene::startup(spec);
    attempt::all()
        .iter()
        .filter(|attempt| attempt.at_startup)
        .filter_map(|attempt| match (attempt.run)(&scene) {
            Outcome::Stopped(_) => None,
            Outcome::Escaped(evidence) => Some(format!("{}: {evidence}", attempt.name)),
        })
        .collect()
}
