//! Connections that lead to git requests: the gateway's own name for them, and what reads like git
//! and came another way.

use std::sync::Arc;

use jiff::Timestamp;
use ringfence_model::{Decision, Effect, ReasonCode};

use super::shape;
use crate::compile::{GitRule, Snapshot};
use crate::decide::grant::Scope;
use crate::decide::{AddressGrant, Grant, Query, Verdict};
use crate::document::HOST_NAME;

/// The name under which the gateway itself answers git requests.
const PROXY_NAME: &str = "git.ringfence.internal";

impl Snapshot {
    /// The connection to the gateway's own name for git, which nothing is dialled for. Open where
    /// some rule allows git requests.
    pub(in crate::decide) fn decide_proxy(
        &self,
        query: &Query<'_>,
        now: Timestamp,
    ) -> Option<Verdict> {
        let destination = query.destination;
        let name = destination.host.name()?;
        let is_proxy = name.as_str() == PROXY_NAME && query.is_connection();
        let (http, https) = (destination.port == 80, destination.port == 443);
        if !is_proxy || !(http || https) {
            return None;
        }
        let live = |rule: &&Arc<GitRule>| !rule.has_expired(now);
        let rule = self.git.allows.all().find(live)?;
        let expiries = self
            .git
            .allows
            .all()
            .filter(live)
            .filter_map(|it| it.expires);
        Some(Verdict {
            decision: Decision {
                effect: Effect::Allow,
                code: ReasonCode::Allowed,
                reason: format!("rule {} allows git requests", rule.reference),
                rule: Some(rule.reference.clone()),
                generation: self.generation(),
                next_step: None,
                credential: None,
                access: None,
            },
            grant: Some(Grant {
                tls: false,
                http,
                opaque: false,
                https,
                terms: Vec::new(),
                git: None,
                addresses: AddressGrant::new(Scope::of(&destination.host, HOST_NAME), None),
                valid_until: expiries.min(),
            }),
        })
    }

    /// Whether a request reads like git at a server that git rules name, and did not come as a git
    /// request: no rule of another section lets it through.
    pub(in crate::decide) fn is_stray_git(&self, query: &Query<'_>) -> bool {
        let is_git = query.request.is_some_and(|it| shape::is_git(&it.path));
        let host = &query.destination.host;
        is_git
            && self
                .git
                .named_servers()
                .any(|server| server.is_known_as(host))
    }
}
