//! Decisions on requests to language models in words, each in one line: agents show them as what
//! the provider says.

use ringfence_model::RuleRef;
use ringfence_model::llm::{HostedFeature, LlmEndpoint, LlmRequest};

use super::lack::Lack;
use crate::compile::LlmRule;
use crate::decide::words::List;
use crate::error::quoted;

/// What was wanted: `anthropic messages claude-opus-4`.
pub(crate) fn subject(request: &LlmRequest) -> String {
    quoted(&request.to_string())
}

pub(super) fn allowed(rule: &LlmRule, request: &LlmRequest) -> String {
    format!("rule {} allows {}", rule.reference, subject(request))
}

pub(super) fn nothing_allows(request: &LlmRequest) -> String {
    format!("no rule allows requests to {}", request.provider)
}

pub(super) fn after_nothing(request: &LlmRequest) -> String {
    let provider = &request.provider;
    let models = match &request.model {
        Some(model) => format!(", models: [\"{}\"]", quoted(model)),
        None => String::new(),
    };
    format!("a person can add to `llm` of a profile: - allow: {{provider: {provider}{models}}}")
}

pub(super) fn forbidden(rule: &LlmRule, request: &LlmRequest) -> String {
    let asked: Vec<&HostedFeature> = rule
        .hosted
        .iter()
        .filter(|feature| request.hosted.contains(feature))
        .collect();
    let with = if asked.is_empty() {
        String::new()
    } else {
        format!(" with {}", List(&asked))
    };
    let start = format!("rule {} forbids {}{with}", rule.reference, subject(request));
    match &rule.reason {
        Some(reason) => format!("{start}: {}", quoted(reason)),
        None => start,
    }
}

pub(super) fn after_forbid(rule: &RuleRef) -> String {
    format!("a forbid wins over every allow: a person can change rule {rule}")
}

/// Which models a rule is about: `anthropic models claude-haiku-*`.
pub(crate) fn models(rule: &LlmRule) -> String {
    let provider = match &rule.provider {
        Some(name) => name.to_string(),
        None => "every provider's".to_owned(),
    };
    match rule.models.as_deref() {
        None => format!("all {provider} models"),
        Some([]) => format!("no {provider} models"),
        Some(models) => format!("{provider} models {}", List(models)),
    }
}

/// What a rule with a lack does allow, and what was wanted.
pub(crate) fn lacking(lack: &Lack, rule: &LlmRule) -> String {
    match lack {
        Lack::Endpoint(endpoint) => {
            let known = rule.endpoints.as_deref().unwrap_or_default();
            format!("allows {}, not {endpoint}", List(known))
        }
        Lack::Model(Some(model)) => format!("allows {}, not {}", models(rule), quoted(model)),
        Lack::Model(None) => format!("allows {}, and the request names none", models(rule)),
        Lack::Hosted(features) => format!(
            "does not allow {}, which the provider would do by itself",
            List(features)
        ),
        Lack::OutputTokens(wanted) => {
            let most = rule.terms.max_output_tokens.unwrap_or_default();
            format!("allows {most} output tokens, not {wanted}")
        }
        Lack::Octets(octets) => {
            let most = rule.request_octets.unwrap_or_default();
            format!("allows requests of {most} octets, not of {octets}")
        }
        Lack::Expired => match rule.expires {
            Some(expires) => format!("was for {} until {expires}", models(rule)),
            None => format!("is for {}", models(rule)),
        },
    }
}

pub(super) fn after_lack(lack: &Lack, rule: &LlmRule) -> String {
    let reference = &rule.reference;
    match lack {
        Lack::Endpoint(endpoint) => {
            format!("a person can add {endpoint} to `endpoints` of rule {reference}")
        }
        Lack::Model(Some(model)) => format!(
            "use a model that it allows, or a person can add \"{}\" to `models` of rule {reference}",
            quoted(model)
        ),
        Lack::Model(None) => "name a model in the request".to_owned(),
        Lack::Hosted(features) => format!(
            "leave it out of the request, or a person can add {} to `hosted` of rule {reference}",
            List(features)
        ),
        Lack::OutputTokens(_) => {
            format!("ask for fewer, or a person can set `maxOutputTokens` in rule {reference}")
        }
        Lack::Octets(_) => format!(
            "send a shorter conversation, or a person can set `requestOctets` in rule {reference}"
        ),
        Lack::Expired => format!("a person can set `expires` in rule {reference}"),
    }
}

/// Which requests a forbid is about, where it is not about this one.
pub(crate) fn others(rule: &LlmRule, request: &LlmRequest) -> String {
    let is_about = |model: &String| rule.is_about(model);
    if !request.model.as_ref().is_none_or(is_about) {
        return format!("is for {}", models(rule));
    }
    if !rule.is_of(request.endpoint) {
        let known: &[LlmEndpoint] = rule.endpoints.as_deref().unwrap_or_default();
        return format!("is for {}", List(known));
    }
    if rule.hosted.is_empty() {
        return format!("is for {}", models(rule));
    }
    format!("is for requests with {}", List(&rule.hosted))
}
