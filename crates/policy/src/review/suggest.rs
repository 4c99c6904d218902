//! The narrowest rule that would allow what was denied. There is none where an allow would
//! not help, or would have to be wider than what the agent tried.

mod git;
mod llm;
mod mcp;

use std::net::IpAddr;
use std::num::NonZeroU16;

use jiff::Timestamp;
use ringfence_model::{
    Action, CredentialName, Destination, Host, HostPattern, HttpRequest, ReasonCode, RuleRef,
    Scheme,
};

use crate::compile::{Rule, Snapshot, compile_api, compile_rule};
use crate::document::{
    ApiMatch, ApiRule, Cidr, Method, NetworkMatch, NetworkRule, PathPattern, ProfileRule,
};

impl Snapshot {
    /// The narrowest rule that allows `action`, to be shown to a person. None where the
    /// action is allowed, forbidden, or not to be allowed by any rule.
    ///
    /// For a request to a host that rules of the `api` section are about, it is such a rule, with
    /// the credential of the others where they all have the same.
    #[must_use]
    pub fn suggest(&self, action: &Action, now: Timestamp) -> Option<ProfileRule> {
        if let Action::Git(request) = action {
            return self.suggest_git(request, now);
        }
        if let Action::Llm(request) = action {
            return self.suggest_llm(request, now);
        }
        if let Action::Mcp(request) = action {
            return self.suggest_mcp(request, now);
        }
        let rule = self.narrowest(action, now)?;
        let reference = RuleRef(String::new());
        let compiled = match &rule {
            ProfileRule::Network(rule) => compile_rule(reference, rule)?,
            ProfileRule::Api(rule) => compile_api(reference, rule),
            ProfileRule::Git(_)
            | ProfileRule::GitUpstream(_)
            | ProfileRule::Llm(_)
            | ProfileRule::LlmProvider(_)
            | ProfileRule::Mcp(_)
            | ProfileRule::McpServer(_) => return None,
        };
        self.would_allow(&compiled, action, now).then_some(rule)
    }

    fn narrowest(&self, action: &Action, now: Timestamp) -> Option<ProfileRule> {
        let code = self.decide(action, now).decision.code;
        if let Action::Http(request) = action
            && tells_requests_apart(code)
        {
            let is_plain = request.scheme == Scheme::Http;
            match self.about(&request.destination) {
                About::Api(credential) => return for_api(request, credential),
                About::Everything if !is_plain => {}
                About::Everything | About::Requests => return for_request(request).map(network),
            }
        }
        match code {
            ReasonCode::NoRule
            | ReasonCode::PortNotAllowed
            | ReasonCode::AddressNotNamed
            | ReasonCode::RuleExpired => at(action.destination()).map(network),
            _ => None,
        }
    }

    /// What the allows of a destination are about.
    fn about(&self, destination: &Destination) -> About {
        let rules = self.allows.covering(&destination.host);
        rules.fold(About::Everything, About::and)
    }
}

/// What the rules of one destination are about.
enum About {
    /// Whatever is sent there, read or not.
    Everything,
    /// Some requests.
    Requests,
    /// Requests to an API, with the credential that all of them have.
    Api(Option<CredentialName>),
}

impl About {
    fn and(self, rule: &Rule) -> Self {
        let is_api = rule.requests.is_some();
        let credential = rule.terms().and_then(|terms| terms.credential.clone());
        match self {
            Self::Api(known) if is_api => {
                Self::Api(known.filter(|known| Some(known) == credential.as_ref()))
            }
            Self::Api(known) => Self::Api(known),
            _ if is_api => Self::Api(credential),
            Self::Everything if !rule.is_limited() => Self::Everything,
            _ => Self::Requests,
        }
    }
}

const fn tells_requests_apart(code: ReasonCode) -> bool {
    matches!(
        code,
        ReasonCode::MethodNotAllowed
            | ReasonCode::PathNotAllowed
            | ReasonCode::ConditionNotMet
            | ReasonCode::RuleExpired
    )
}

fn network(terms: NetworkMatch) -> ProfileRule {
    ProfileRule::Network(Box::new(NetworkRule::Allow(terms)))
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
    let (methods, paths) = line(request)?;
    Some(NetworkMatch {
        methods: Some(methods),
        paths,
        ..at(&request.destination)?
    })
}

/// The same with a credential.
fn for_api(request: &HttpRequest, credential: Option<CredentialName>) -> Option<ProfileRule> {
    let (methods, paths) = line(request)?;
    let host = request.destination.host.name()?.clone();
    let terms = ApiMatch {
        scheme: (request.scheme == Scheme::Http).then_some(Scheme::Http),
        ports: Some(vec![NonZeroU16::new(request.destination.port)?]),
        methods: Some(methods),
        paths,
        credential,
        ..ApiMatch::new(HostPattern::Exact(host))
    };
    Some(ProfileRule::Api(Box::new(ApiRule::Allow(terms))))
}

fn line(request: &HttpRequest) -> Option<(Vec<Method>, Option<Vec<PathPattern>>)> {
    let method: Method = request.method.parse().ok()?;
    let paths = match request.path.as_str() {
        "*" => None,
        path => Some(vec![PathPattern::exact(path).ok()?]),
    };
    Some((vec![method], paths))
}
