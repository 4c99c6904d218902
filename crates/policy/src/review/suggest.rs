//! The narrowest rule that would allow what was denied. There is none where an allow would
//! not help, or would have to be wider than what the agent tried.

use std::net::IpAddr;
use std::num::NonZeroU16;

use jiff::Timestamp;
use ringfence_model::{
    Action, Destination, Host, HostPattern, HttpRequest, ReasonCode, RuleRef, Scheme,
};

use crate::compile::{Snapshot, compile_rule};
use crate::document::{Cidr, Method, NetworkMatch, NetworkRule, PathPattern};

impl Snapshot {
    /// The narrowest rule that allows `action`, to be shown to a person. None where the
    /// action is allowed, forbidden, or not to be allowed by any rule.
    #[must_use]
    pub fn suggest(&self, action: &Action, now: Timestamp) -> Option<NetworkRule> {
        let rule = NetworkRule::Allow(self.narrowest(action, now)?);
        let compiled = compile_rule(RuleRef(String::new()), &rule)?;
        self.would_allow(&compiled, action, now).then_some(rule)
    }

    fn narrowest(&self, action: &Action, now: Timestamp) -> Option<NetworkMatch> {
        match (self.decide(action, now).decision.code, action) {
            (
                ReasonCode::MethodNotAllowed | ReasonCode::PathNotAllowed | ReasonCode::RuleExpired,
                Action::Http(request),
            ) if request.scheme == Scheme::Http => for_request(request),
            (
                ReasonCode::NoRule
                | ReasonCode::PortNotAllowed
                | ReasonCode::AddressNotNamed
                | ReasonCode::RuleExpired,
                _,
            ) => at(action.destination()),
            _ => None,
        }
    }
}

/// This host on this port.
fn at(destination: &Destination) -> Option<NetworkMatch> {
    let (host, cidr) = match &destination.host {
        Host::Name(name) => (Some(HostPattern::Exact(name.clone())), None),
        Host::Address(address) => (None, Some(Cidr::of(IpAddr::to_canonical(address)))),
    };
    Some(NetworkMatch {
        host,
        cidr,
        ports: Some(vec![NonZeroU16::new(destination.port)?]),
        ..NetworkMatch::default()
    })
}

/// This method on this path of this host and port: other rules already tell its requests
/// apart.
fn for_request(request: &HttpRequest) -> Option<NetworkMatch> {
    let method: Method = request.method.parse().ok()?;
    let paths = match request.path.as_str() {
        "*" => None,
        path => Some(vec![PathPattern::exact(path).ok()?]),
    };
    Some(NetworkMatch {
        methods: Some(vec![method]),
        paths,
        ..at(&request.destination)?
    })
}
