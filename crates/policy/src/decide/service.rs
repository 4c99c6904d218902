//! Services that sections of their own decide on: the gateway's own names for them, and what reads
//! like a request to one and came another way.

use jiff::Timestamp;
use ringfence_model::{Decision, Effect, ReasonCode, RuleRef};

use super::grant::Scope;
use super::{AddressGrant, Grant, Query, Verdict};
use crate::compile::{Service, Snapshot};
use crate::document::HOST_NAME;

/// The name under which the gateway itself answers git requests.
const GIT_NAME: &str = "git.ringfence.internal";

/// The name under which it answers requests to language models.
const LLM_NAME: &str = "llm.ringfence.internal";

/// The name under which it hears what agents tell of themselves. Nothing leads on from there, so that
/// it is open to whoever may ask a model: an agent.
const OTEL_NAME: &str = ringfence_model::OTEL_SERVICE;

/// The name under which it answers messages to servers of the Model Context Protocol.
const MCP_NAME: &str = "mcp.ringfence.internal";

impl Service {
    pub(super) fn of_name(name: &str) -> Option<Self> {
        match name {
            GIT_NAME => Some(Self::Git),
            LLM_NAME | OTEL_NAME => Some(Self::Llm),
            MCP_NAME => Some(Self::Mcp),
            _ => None,
        }
    }
}

impl Snapshot {
    /// The connection to the gateway's own name for a service, which nothing is dialled for. Open
    /// where some rule allows requests to the service.
    pub(super) fn decide_proxy(&self, query: &Query<'_>, now: Timestamp) -> Option<Verdict> {
        let destination = query.destination;
        let (http, https) = (destination.port == 80, destination.port == 443);
        if !query.is_connection() || !(http || https) {
            return None;
        }
        let service = Service::of_name(destination.host.name()?.as_str())?;
        let allows = self.live_allows(service, now);
        let (rule, _) = *allows.first()?;
        Some(Verdict {
            decision: Decision {
                effect: Effect::Allow,
                code: ReasonCode::Allowed,
                reason: format!("rule {rule} allows {service}"),
                rule: Some(rule.clone()),
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
                llm: None,
                mcp: None,
                addresses: AddressGrant::new(Scope::of(&destination.host, HOST_NAME), None),
                valid_until: allows.iter().filter_map(|(_, expires)| *expires).min(),
            }),
        })
    }

    /// The allows of a service that have not expired, by their names, and when they do.
    fn live_allows(&self, service: Service, now: Timestamp) -> Vec<(&RuleRef, Option<Timestamp>)> {
        let is_live = |(_, expires): &(&RuleRef, Option<Timestamp>)| {
            expires.is_none_or(|expires| expires > now)
        };
        match service {
            Service::Git => self.git.allows.all().filter(is_live).collect(),
            Service::Llm => self.llm.allows.all().filter(is_live).collect(),
            Service::Mcp => self.mcp.allows.all().filter(is_live).collect(),
        }
    }

    /// The service that a request reads like a request to, which did not come as one: no rule of
    /// another section lets it through.
    pub(super) fn strayed(&self, query: &Query<'_>) -> Option<Service> {
        if self.is_stray_git(query) {
            return Some(Service::Git);
        }
        if self.is_stray_llm(query) {
            return Some(Service::Llm);
        }
        self.is_stray_mcp(query).then_some(Service::Mcp)
    }
}
