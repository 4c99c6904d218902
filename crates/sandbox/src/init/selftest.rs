//! The self-test before every start: the very process that becomes the agent, confined for good,
//! tries the ways out that would hurt most. If one works, it does not become the agent.

use crate::attempt::{self, Category, Outcome, Scene};
use crate::spec::Spec;

/// A part of the self-test.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// What needs nobody outside.
    Alone,
    /// What tries the network: by then the gateway must serve it.
    Network,
}

/// Runs a part of the self-test in this process, which must be confined. Returns what got out, in
/// words; nothing is what is hoped for.
pub(super) fn run(spec: &Spec, part: Part) -> Vec<String> {
    if spec.weakening.is_off("self-test") {
        return Vec::new();
    }
    let scene = Scene::startup(spec);
    let is_network = part == Part::Network;
    attempt::all()
        .iter()
        .filter(|attempt| attempt.at_startup)
        .filter(|attempt| (attempt.category == Category::Network) == is_network)
        .filter_map(|attempt| match (attempt.run)(&scene) {
            Outcome::Stopped(_) => None,
            Outcome::Escaped(evidence) => Some(format!("{}: {evidence}", attempt.name)),
        })
        .collect()
}
