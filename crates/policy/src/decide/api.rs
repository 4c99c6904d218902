//! Which destinations the rules of the sections `api`, `git`, `llm` and `mcp` are about.

use ringfence_model::Destination;

use crate::compile::{Rule, Service, Snapshot};

impl Snapshot {
    /// Whether a rule of the section `api`, `git`, `llm` or `mcp` is about `destination`, or it is a
    /// name of the gateway's own for what those are about: its requests then need a credential, their headers
    /// or their bodies, and none may be sent by who knows nothing of those.
    #[must_use]
    pub fn has_api_rules(&self, destination: &Destination) -> bool {
        let own = destination.host.name();
        if own.is_some_and(|name| Service::of_name(name.as_str()).is_some()) {
            return true;
        }
        let is_one = |rule: &Rule| {
            let reads = rule.requests.is_some() || rule.service().is_some();
            reads && rule.ports.contain(destination.port)
        };
        self.allows.covering(&destination.host).any(is_one)
            || self.forbids.covering(&destination.host).any(is_one)
    }
}
