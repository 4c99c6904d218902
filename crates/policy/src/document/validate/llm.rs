//! What the sections `llm` and `llmProviders` must satisfy beyond their shape.

mod costs;
mod providers;

use std::collections::BTreeMap;

use ringfence_model::llm::{HostedFeature, ProviderName};

use super::super::outline::Part;
use super::super::{HostedTerms, LlmFallback, LlmMatch, LlmRule, Profile};
use super::{Fault, Ids, check_lists, check_text};
use crate::limits::MODEL_NAME_OCTETS;
use costs::check_costs;
pub(super) use providers::check_provider_set;
use providers::{Providers, check_providers};

/// Checks both sections of one profile.
pub(super) fn check_llm(profile: &Profile) -> Result<(), Fault> {
    let providers = check_providers(profile)?;
    let mut ids = Ids::default();
    for (index, rule) in profile.llm.iter().enumerate() {
        let place = place(index, rule);
        check_rule(rule, &providers)
            .and_then(|()| ids.add(rule.terms().id.as_ref()))
            .map_err(|fault| fault.below(&place))?;
    }
    Ok(())
}

fn place(index: usize, rule: &LlmRule) -> [Part; 3] {
    let effect = if rule.is_forbid() { "forbid" } else { "allow" };
    [Part::Key("llm"), Part::Item(index), Part::Key(effect)]
}

/// Checks the names that rules made up against each other: one name is one model of a provider.
pub(super) fn check_alias_set(profiles: &[Profile]) -> Result<(), Fault> {
    let mut known: BTreeMap<(&ProviderName, &str), &str> = BTreeMap::new();
    for (document, profile) in profiles.iter().enumerate() {
        for (index, rule) in profile.llm.iter().enumerate() {
            let terms = rule.terms();
            let Some(provider) = &terms.provider else {
                continue;
            };
            for (name, model) in terms.aliases.iter().flatten() {
                let first = *known.entry((provider, name)).or_insert(model);
                if first != model {
                    let message = format!(
                        "`{name}` means `{first}` in another rule about {provider}, and `{model}` here"
                    );
                    let help = "give one of them another name";
                    let fault = Fault::new(&[Part::Key("aliases")], message, help);
                    let fault = fault.below(&place(index, rule));
                    return Err(Fault { document, ..fault });
                }
            }
        }
    }
    check_chains(profiles, &known)
}

/// A name leads to a model, not to another name.
fn check_chains(
    profiles: &[Profile],
    known: &BTreeMap<(&ProviderName, &str), &str>,
) -> Result<(), Fault> {
    for (document, profile) in profiles.iter().enumerate() {
        for (index, rule) in profile.llm.iter().enumerate() {
            let terms = rule.terms();
            let Some(provider) = &terms.provider else {
                continue;
            };
            let models = terms.aliases.iter().flatten().map(|(_, model)| model);
            let mut models = models.filter(|model| known.contains_key(&(provider, model.as_str())));
            if let Some(model) = models.next() {
                let message = format!("`{model}` is itself a name that leads to another model");
                let help = "name the model as the provider does";
                let fault = Fault::new(&[Part::Key("aliases")], message, help);
                let fault = fault.below(&place(index, rule));
                return Err(Fault { document, ..fault });
            }
        }
    }
    Ok(())
}

fn check_rule(rule: &LlmRule, providers: &Providers) -> Result<(), Fault> {
    let terms = rule.terms();
    check_provider(rule, providers)?;
    // An empty list of models is not absent: an allow with it allows none.
    let models = terms.models.as_ref().map(Vec::len);
    let models = models.filter(|&length| length > 0 || rule.is_forbid());
    check_lists(&[
        ("models", models),
        ("endpoints", terms.endpoints.as_ref().map(Vec::len)),
        ("aliases", terms.aliases.as_ref().map(BTreeMap::len)),
        ("rates", terms.rates.as_ref().map(Vec::len)),
        ("budget", terms.budget.as_ref().map(Vec::len)),
        ("prices", terms.prices.as_ref().map(BTreeMap::len)),
        ("fallback", terms.fallback.as_ref().map(Vec::len)),
    ])?;
    if let Some(text) = &terms.reason {
        check_text(text).map_err(|fault| fault.below(&[Part::Key("reason")]))?;
    }
    if let Some(hosted) = &terms.hosted {
        check_hosted(hosted, rule.is_forbid()).map_err(|it| it.below(&[Part::Key("hosted")]))?;
    }
    if rule.is_forbid() {
        check_forbid(terms)
    } else {
        check_allow(terms, providers)
    }
}

fn check_provider(rule: &LlmRule, providers: &Providers) -> Result<(), Fault> {
    match &rule.terms().provider {
        Some(name) if providers.contains_key(name) => Ok(()),
        Some(name) => Err(unknown(&[Part::Key("provider")], name)),
        None if rule.is_forbid() => Ok(()),
        None => Err(Fault::new(
            &[],
            "the rule names no `provider`",
            "add `provider: NAME`, as in `anthropic` or `openai`",
        )),
    }
}

fn unknown(at: &[Part], name: &ProviderName) -> Fault {
    Fault::new(
        at,
        format!("there is no provider `{name}`"),
        "known are `anthropic`, `openai`, `gemini`, `openrouter`, `mistral`, `groq` and those of `llmProviders` in the same profile",
    )
}

fn check_hosted(hosted: &HostedTerms, is_forbid: bool) -> Result<(), Fault> {
    let length = |list: &Option<Vec<HostedFeature>>| list.as_ref().map(Vec::len);
    let [allow, strip, any] = [&hosted.allow, &hosted.strip, &hosted.any].map(length);
    if is_forbid && (allow.is_some() || strip.is_some() || any.is_none()) {
        return Err(Fault::new(
            &[],
            "a forbid says with `any` what no request may ask for",
            "as in `hosted: {any: [web-search]}`",
        ));
    }
    if !is_forbid && any.is_some() {
        return Err(Fault::new(
            &[Part::Key("any")],
            "`any` belongs to a forbid",
            "write what may be asked for as `allow`; everything else is denied",
        ));
    }
    // An empty `allow` is the default: nothing.
    let allow = allow.filter(|&length| length > 0);
    check_lists(&[("allow", allow), ("strip", strip), ("any", any)])?;
    let allowed = hosted.allow.as_deref().unwrap_or_default();
    let mut stripped = hosted.strip.iter().flatten();
    match stripped.position(|feature| allowed.contains(feature)) {
        None => Ok(()),
        Some(index) => Err(Fault::new(
            &[Part::Key("strip"), Part::Item(index)],
            "this is in `allow` as well",
            "leave it in one of them: what is stripped is never asked for",
        )),
    }
}

fn check_allow(terms: &LlmMatch, providers: &Providers) -> Result<(), Fault> {
    let provider = terms.provider.as_ref().and_then(|name| providers.get(name));
    let of_provider = provider.and_then(|it| it.credential.as_ref());
    if terms.token_required && terms.credential.as_ref().or(of_provider).is_none() {
        return Err(Fault::new(
            &[Part::Key("tokenRequired")],
            "`tokenRequired` says how a credential is used, and the rule has none",
            "add `credential: NAME`, or leave it out",
        ));
    }
    for (name, model) in terms.aliases.iter().flatten() {
        check_alias(name, model, terms).map_err(|it| it.below(&[Part::Key("aliases")]))?;
    }
    for (index, other) in terms.fallback.iter().flatten().enumerate() {
        let place = [Part::Key("fallback"), Part::Item(index)];
        check_fallback(other, terms, providers).map_err(|fault| fault.below(&place))?;
    }
    check_costs(terms)
}

fn check_alias(name: &str, model: &str, terms: &LlmMatch) -> Result<(), Fault> {
    check_model(name)?;
    check_model(model)?;
    let mut models = terms.models.iter().flatten();
    if terms.models.is_none() || models.any(|pattern| pattern.matches(model)) {
        return Ok(());
    }
    Err(Fault::new(
        &[],
        format!("`{name}` leads to `{model}`, which the rule does not allow"),
        "add it to `models`",
    ))
}

/// The name of a model as a request has it.
fn check_model(name: &str) -> Result<(), Fault> {
    let is_plain = |c: char| !c.is_control() && !c.is_whitespace() && c != '*';
    if !name.is_empty() && name.len() <= MODEL_NAME_OCTETS && name.chars().all(is_plain) {
        return Ok(());
    }
    Err(Fault::new(
        &[],
        format!(
            "the name of a model has 1 to {MODEL_NAME_OCTETS} octets, no space and no `*`: not \"{}\"",
            crate::error::quoted(name)
        ),
        "write it as the provider does",
    ))
}

fn check_fallback(
    other: &LlmFallback,
    terms: &LlmMatch,
    providers: &Providers,
) -> Result<(), Fault> {
    if let Some(model) = &other.model {
        check_model(model).map_err(|fault| fault.below(&[Part::Key("model")]))?;
    }
    let own = terms.provider.as_ref();
    let Some(name) = other.provider.as_ref().filter(|name| Some(*name) != own) else {
        return if other.model.is_some() {
            Ok(())
        } else {
            let message = "this leads where the request was sent before";
            Err(Fault::new(&[], message, "name another provider or a model"))
        };
    };
    let at = [Part::Key("provider")];
    let provider = providers.get(name).ok_or_else(|| unknown(&at, name))?;
    let own = own.and_then(|own| providers.get(own));
    if own.is_some_and(|own| own.kind != provider.kind) {
        return Err(Fault::new(
            &at,
            format!("`{name}` speaks another dialect, and requests are sent on as they are"),
            "name a provider of the same kind",
        ));
    }
    Ok(())
}

/// A forbid takes requests away; it says nothing about how they would be sent.
fn check_forbid(terms: &LlmMatch) -> Result<(), Fault> {
    let of_allows = [
        ("aliases", terms.aliases.is_some()),
        ("maxOutputTokens", terms.max_output_tokens.is_some()),
        ("credential", terms.credential.is_some()),
        ("tokenRequired", terms.token_required),
        ("secrets", terms.secrets.is_some()),
        ("capture", terms.capture),
        ("requestOctets", terms.request_octets.is_some()),
        ("concurrency", terms.concurrency.is_some()),
        ("rates", terms.rates.is_some()),
        ("budget", terms.budget.is_some()),
        ("prices", terms.prices.is_some()),
        ("unknownPrice", terms.unknown_price.is_some()),
        ("fallback", terms.fallback.is_some()),
        ("loops", terms.loops.is_some()),
    ];
    match of_allows.iter().find(|(_, is_there)| *is_there) {
        None => Ok(()),
        Some((name, _)) => Err(Fault::new(
            &[Part::Key(name)],
            format!("a forbid has no `{name}`"),
            "leave it out: a forbid is about requests, whatever becomes of them",
        )),
    }
}

#[cfg(test)]
mod tests;
