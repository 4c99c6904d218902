//! `ringfence llm provider`: providers that rules can name, in a profile.

use std::collections::BTreeSet;

use ringfence_model::llm::{LlmProvider, ProviderKind, ProviderName};
use ringfence_policy::{LlmProviderTerms, append_llm_provider, remove_llm_provider};
use serde::Serialize;

use crate::args::llm::AddArguments;
use crate::failure::Failure;
use crate::profiles::edit::Document;
use crate::{output, profiles};

/// Describes a provider. Returns the exit code.
pub(super) fn add(arguments: &AddArguments) -> Result<i32, Failure> {
    let terms = terms(arguments);
    let document = Document::named(arguments.profile.as_deref())?;
    let text = append_llm_provider(&document.text, document.name.as_str(), &terms)?;
    document.replace(&text)?;
    output::line(&format!("added: {}", terms.to_line()));
    output::line(&format!("in {}", document.path.display()));
    output::line(&format!(
        "rules about it stand there too, as in: llm: [{{allow: {{provider: {}, models: [\"…\"]}}}}]",
        terms.name
    ));
    Ok(0)
}

fn terms(arguments: &AddArguments) -> LlmProviderTerms {
    let addresses = &arguments.addresses;
    LlmProviderTerms {
        name: arguments.name.clone(),
        kind: arguments.kind.map(|kind| kind.kind()),
        url: arguments.url.clone(),
        credential: arguments.credential.clone(),
        addresses: (!addresses.is_empty()).then(|| addresses.clone()),
    }
}

/// Takes a provider out. Returns the exit code.
pub(super) fn remove(name: &ProviderName, profile: Option<&str>) -> Result<i32, Failure> {
    let document = Document::named(profile)?;
    let text = remove_llm_provider(&document.text, document.name.as_str(), name)?;
    document.replace(&text)?;
    output::line(&format!("removed {name} from {}", document.path.display()));
    Ok(0)
}

/// A provider that rules can name. Its JSON is a promise.
#[derive(Debug, Serialize)]
struct Shown {
    name: String,
    kind: ProviderKind,
    /// What stands before the paths of the dialect.
    url: String,
    credential: Option<String>,
    /// The profile that describes it; none for one that is known from the start.
    profile: Option<String>,
}

impl Shown {
    fn of(provider: &LlmProvider, profile: Option<String>) -> Self {
        let (scheme, base) = (provider.scheme.as_str(), &provider.base_path);
        Self {
            name: provider.name.to_string(),
            kind: provider.kind,
            url: format!("{scheme}://{}{base}", provider.destination),
            credential: provider.credential.as_ref().map(ToString::to_string),
            profile,
        }
    }

    fn row(&self) -> Vec<String> {
        let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        // The word that documents have for it.
        let kind = serde_json::to_value(self.kind).unwrap_or_default();
        vec![
            self.name.clone(),
            kind.as_str().unwrap_or_default().to_owned(),
            self.url.clone(),
            or_none(&self.credential),
            or_none(&self.profile),
        ]
    }
}

/// Lists providers. Returns the exit code.
pub(super) fn list(named: &[String], json: bool) -> Result<i32, Failure> {
    let builtin = LlmProvider::builtin();
    let mut shown: Vec<Shown> = builtin.iter().map(|it| Shown::of(it, None)).collect();
    let mut found = profiles::own();
    for name in named {
        found.extend(profiles::find(name)?);
    }
    let mut known = BTreeSet::new();
    for profile in found {
        // One that is named may be the person's own.
        if !known.insert(profile.name.to_string()) {
            continue;
        }
        let name = profile.name.to_string();
        let terms = profile.llm_providers.iter();
        let described = terms.filter_map(LlmProviderTerms::provider);
        shown.extend(described.map(|it| Shown::of(&it, Some(name.clone()))));
    }
    if json {
        output::json(&shown);
    } else {
        output::table(
            &["name", "kind", "where", "credential", "profile"],
            shown.iter().map(Shown::row).collect(),
        );
    }
    Ok(0)
}
