//! Which provider of language models a request is for, if it is for one at all.

use std::sync::Arc;

use ringfence_gateway::Gateway;
use ringfence_gateway::wire::dns::LLM_SERVICE;
use ringfence_model::llm::{LlmProvider, ProviderName};
use ringfence_model::{Destination, Host};

/// What a request to a place of language models leads to.
pub(crate) enum Found {
    /// A provider, and the path at its host.
    Provider {
        /// The provider.
        provider: Arc<LlmProvider>,
        /// The path, as it is at the provider.
        path: String,
    },
    /// A short name that no rule is about.
    Unknown,
}

/// Where the request for `path` at `destination` leads, if it is for a provider that a rule names.
/// All below the base path of a provider is: no other rule lets anything through there.
pub(crate) fn look_up(gateway: &Gateway, destination: &Destination, path: &str) -> Option<Found> {
    if is_service(&destination.host) {
        return Some(by_short_name(gateway, path));
    }
    let mut providers = gateway.llm_at(destination).into_iter();
    let provider = providers.find(|it| is_below(path, &it.base_path))?;
    Some(Found::Provider {
        provider,
        path: path.to_owned(),
    })
}

fn is_service(host: &Host) -> bool {
    host.name().is_some_and(|name| name.as_str() == LLM_SERVICE)
}

/// `/anthropic/v1/messages` leads where `/v1/messages` does at Anthropic.
fn by_short_name(gateway: &Gateway, path: &str) -> Found {
    let rest = path.strip_prefix('/').unwrap_or_default();
    let (name, _) = rest.split_once('/').unwrap_or((rest, ""));
    let provider = ProviderName::new(name).ok();
    let Some(provider) = provider.and_then(|name| gateway.llm_named(&name)) else {
        return Found::Unknown;
    };
    let path = rest.get(name.len()..).unwrap_or_default();
    Found::Provider {
        path: if path.is_empty() { "/" } else { path }.to_owned(),
        provider,
    }
}

fn is_below(path: &str, base: &str) -> bool {
    let rest = path.strip_prefix(base);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_path_ends_at_a_slash() {
        for (path, base, is) in [
            ("/v1/chat", "/v1", true),
            ("/v1", "/v1", true),
            ("/v1beta/x", "/v1", false),
            ("/x", "", true),
            ("/api/v1/x", "/v1", false),
        ] {
            assert_eq!(is_below(path, base), is, "{path} {base}");
        }
    }
}
