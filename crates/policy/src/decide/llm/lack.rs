//! One LLM rule against one request: what an allow lacks for it, and whether a forbid takes it.

use jiff::Timestamp;
use ringfence_model::ReasonCode;
use ringfence_model::llm::{HostedFeature, LlmEndpoint, LlmRequest};

use crate::compile::LlmRule;

/// The first thing that an allow of the right provider lacks, from the farthest to the closest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lack {
    /// What is asked of the model.
    Endpoint(LlmEndpoint),
    /// The model; none where the request names none.
    Model(Option<String>),
    /// What the provider would do by itself.
    Hosted(Vec<HostedFeature>),
    /// An answer as long as the request asks for.
    OutputTokens(u64),
    /// A request of that length.
    Octets(u64),
    Expired,
}

impl Lack {
    pub(crate) const fn code(&self) -> ReasonCode {
        match self {
            Self::Endpoint(_) => ReasonCode::ConditionNotMet,
            Self::Model(_) => ReasonCode::ModelNotAllowed,
            Self::Hosted(_) => ReasonCode::HostedNotAllowed,
            Self::OutputTokens(_) | Self::Octets(_) => ReasonCode::LimitReached,
            Self::Expired => ReasonCode::RuleExpired,
        }
    }
}

/// What an allow of the right provider lacks.
pub(crate) fn lack(rule: &LlmRule, request: &LlmRequest, now: Timestamp) -> Option<Lack> {
    let of_request = match request.endpoint {
        LlmEndpoint::Models => of_models(rule, request),
        LlmEndpoint::ResponsesSocket => of_socket(rule, request),
        _ => of_use(rule, request),
    };
    of_request.or_else(|| rule.has_expired(now).then_some(Lack::Expired))
}

/// The list of models may be asked for by whoever may ask the provider for anything; it is shown
/// without what may not be asked.
fn of_models(rule: &LlmRule, request: &LlmRequest) -> Option<Lack> {
    let model = request.model.as_ref()?;
    (!rule.is_about(model)).then(|| Lack::Model(Some(model.clone())))
}

/// A connection for requests may be opened by whoever may send one; each is decided on by itself.
fn of_socket(rule: &LlmRule, request: &LlmRequest) -> Option<Lack> {
    let requests = LlmEndpoint::Responses;
    if !rule.is_of(requests) {
        return Some(Lack::Endpoint(requests));
    }
    let is_about = match &request.model {
        Some(model) => rule.is_about(model),
        None => rule.models.as_ref().is_none_or(|it| !it.is_empty()),
    };
    (!is_about).then(|| Lack::Model(request.model.clone()))
}

fn of_use(rule: &LlmRule, request: &LlmRequest) -> Option<Lack> {
    if !rule.is_of(request.endpoint) {
        return Some(Lack::Endpoint(request.endpoint));
    }
    let is_about = match &request.model {
        Some(model) => rule.is_about(model),
        // A request that names no model may lead to any.
        None => rule.models.is_none(),
    };
    if !is_about {
        return Some(Lack::Model(request.model.clone()));
    }
    let is_let = |it: &&HostedFeature| rule.hosted.contains(it) || rule.terms.strip.contains(it);
    let others: Vec<_> = request.hosted.iter().filter(|it| !is_let(it)).collect();
    if !others.is_empty() {
        return Some(Lack::Hosted(others.into_iter().cloned().collect()));
    }
    let most = rule.terms.max_output_tokens;
    match (request.max_output_tokens, most) {
        (Some(wanted), Some(most)) if wanted > most => return Some(Lack::OutputTokens(wanted)),
        _ => {}
    }
    let is_long = rule
        .request_octets
        .is_some_and(|most| request.octets > most);
    is_long.then_some(Lack::Octets(request.octets))
}

/// Whether a forbid of the right provider takes a request. A request that names no model counts as
/// one for whichever is forbidden; the list of models is about none of them.
pub(crate) fn is_taken(rule: &LlmRule, request: &LlmRequest) -> bool {
    let asks_for = |feature: &HostedFeature| request.hosted.contains(feature);
    let is_about = match (&request.model, request.endpoint) {
        (Some(model), _) => rule.is_about(model),
        (None, LlmEndpoint::Models | LlmEndpoint::ResponsesSocket) => rule.models.is_none(),
        (None, _) => true,
    };
    is_about
        && rule.is_of(request.endpoint)
        && (rule.hosted.is_empty() || rule.hosted.iter().any(asks_for))
}
