//! Which destinations the rules of the sections `api` and `git` are about.

use ringfence_model::Destination;

use crate::compile::{Rule, Snapshot};

impl Snapshot {
    /// Whether a rule of the section `api` or `git` is about `destination`: its requests then need
    /// a credential, their headers or their bodies, and none may be sent by who knows nothing of
    /// those.
    #[must_use]
    pub fn has_api_rules(&self, destination: &Destination) -> bool {
        let is_one = |rule: &Rule| {
            let reads = rule.requests.is_some() || rule.is_git();
            reads && rule.ports.contain(destination.port)
        };
        self.allows.covering(&destination.host).any(is_one)
            || self.forbids.covering(&destination.host).any(is_one)
    }
}
