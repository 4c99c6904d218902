//! Providers that profiles describe: each can be told from every other, and has what it takes to
//! reach it.

use std::collections::{BTreeMap, HashMap};

use ringfence_model::HostPattern;
use ringfence_model::llm::{LlmProvider, ProviderName};

use super::super::{Fault, check_host, check_lists, is_host_name};
use crate::decide::llm::is_below;
use crate::document::outline::Part;
use crate::document::{LlmProviderTerms, Profile, builtin_provider};
use crate::limits::LLM_PROVIDERS;

pub(super) type Providers = BTreeMap<ProviderName, LlmProvider>;

/// Checks providers of several profiles against each other: one name is one provider, and one place
/// has one name.
pub(in crate::document::validate) fn check_provider_set(profiles: &[Profile]) -> Result<(), Fault> {
    let mut known: HashMap<&ProviderName, &LlmProviderTerms> = HashMap::new();
    let mut places: Vec<LlmProvider> = Vec::new();
    for (document, profile) in profiles.iter().enumerate() {
        for (index, terms) in profile.llm_providers.iter().enumerate() {
            let name = &terms.name;
            let at = [Part::Key("llmProviders"), Part::Item(index)];
            let same = *known.entry(name).or_insert(terms) == terms;
            let provider = terms.provider();
            let other = provider.as_ref().and_then(|it| overlapping(it, &places));
            let message = if !same {
                format!("another profile describes the provider `{name}` otherwise")
            } else if let Some(other) = other {
                format!("another profile calls this provider `{other}`")
            } else {
                places.extend(provider);
                continue;
            };
            let help = "describe a provider alike in all profiles that name it";
            let fault = Fault::new(&at, message, help);
            return Err(Fault { document, ..fault });
        }
    }
    Ok(())
}

/// The providers that rules of a profile can name.
pub(super) fn check_providers(profile: &Profile) -> Result<Providers, Fault> {
    let section = [Part::Key("llmProviders")];
    if profile.llm_providers.len() > LLM_PROVIDERS {
        let message = format!("a profile describes at most {LLM_PROVIDERS} providers");
        return Err(Fault::new(&section, message, "split the profile"));
    }
    let builtin = LlmProvider::builtin().into_iter();
    let mut known: Providers = builtin.map(|it| (it.name.clone(), it)).collect();
    let mut described = Vec::new();
    for (index, terms) in profile.llm_providers.iter().enumerate() {
        let place = [Part::Key("llmProviders"), Part::Item(index)];
        let provider = check_terms(terms)
            .and_then(|provider| check_new(&provider, &known, &described).map(|()| provider))
            .map_err(|fault| fault.below(&place))?;
        described.push(provider.name.clone());
        known.insert(provider.name.clone(), provider);
    }
    Ok(known)
}

fn check_new(
    provider: &LlmProvider,
    known: &Providers,
    described: &[ProviderName],
) -> Result<(), Fault> {
    let name = &provider.name;
    if described.contains(name) {
        let message = format!("there is already a provider `{name}`");
        return Err(Fault::new(
            &[Part::Key("name")],
            message,
            "give it another name",
        ));
    }
    match overlapping(provider, known.values()) {
        None => Ok(()),
        Some(other) => Err(Fault::new(
            &[Part::Key("url")],
            format!("this is the provider `{other}` already, or a part of it"),
            "a provider has one name, so that what is said about it holds",
        )),
    }
}

/// The name of another provider at the same place.
fn overlapping<'a>(
    provider: &LlmProvider,
    known: impl IntoIterator<Item = &'a LlmProvider>,
) -> Option<&'a ProviderName> {
    let (base, destination) = (&provider.base_path, &provider.destination);
    let is_there = |other: &&LlmProvider| {
        let overlaps = is_below(base, &other.base_path) || is_below(&other.base_path, base);
        other.name != provider.name && other.destination == *destination && overlaps
    };
    let mut known = known.into_iter();
    known.find(is_there).map(|other| &other.name)
}

fn check_terms(terms: &LlmProviderTerms) -> Result<LlmProvider, Fault> {
    let name = &terms.name;
    check_lists(&[("addresses", terms.addresses.as_ref().map(Vec::len))])?;
    if builtin_provider(name).is_some() {
        check_known(terms)?;
    } else {
        for (key, is_there) in [("kind", terms.kind.is_some()), ("url", terms.url.is_some())] {
            if !is_there {
                return Err(Fault::new(
                    &[],
                    format!("`{key}` is missing: `{name}` is not known from the start"),
                    "as in `{name: local, kind: openai, url: \"http://host.ringfence.internal:11434/v1\"}`",
                ));
            }
        }
    }
    let described = terms.provider();
    let host = described.as_ref().and_then(|it| it.destination.host.name());
    let pattern = host.map(|host| HostPattern::Exact(host.clone()));
    let (Some(provider), Some(host)) = (described, pattern) else {
        let message = format!("`{name}` is not described in full");
        return Err(Fault::new(&[], message, "add `kind` and `url`"));
    };
    check_host(&host).map_err(|fault| Fault {
        at: vec![Part::Key("url")],
        ..fault
    })?;
    check_addresses(terms, &host)?;
    Ok(provider)
}

fn check_known(terms: &LlmProviderTerms) -> Result<(), Fault> {
    let name = &terms.name;
    for (key, is_there) in [("kind", terms.kind.is_some()), ("url", terms.url.is_some())] {
        if is_there {
            return Err(Fault::new(
                &[Part::Key(key)],
                format!("`{name}` is known from the start, with its `{key}`"),
                "leave it out, or give the provider another name",
            ));
        }
    }
    if terms.credential.is_none() && terms.addresses.is_none() {
        let message = format!("this says nothing about `{name}`");
        let help = "add `credential: NAME`, or leave it out: it is known from the start";
        return Err(Fault::new(&[], message, help));
    }
    Ok(())
}

fn check_addresses(terms: &LlmProviderTerms, host: &HostPattern) -> Result<(), Fault> {
    let at = [Part::Key("addresses")];
    if is_host_name(host) && terms.addresses.is_some() {
        let message = format!("`{host}` is always this machine's loopback address");
        return Err(Fault::new(&at, message, "leave `addresses` out"));
    }
    let mut networks = terms.addresses.iter().flatten();
    if let Some(index) = networks.position(|cidr| cidr.is_everything()) {
        return Err(Fault::new(
            &[Part::Key("addresses"), Part::Item(index)],
            "a network of every address would also open private and metadata addresses",
            "leave `addresses` out for public addresses, or name the networks",
        ));
    }
    Ok(())
}
