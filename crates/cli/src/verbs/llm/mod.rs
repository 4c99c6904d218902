//! `ringfence llm`: which providers of language models rules can name, and what an agent may ask.

mod check;
mod provider;

use anyhow::anyhow;
use ringfence_model::Action;
use ringfence_model::llm::ProviderName;
use ringfence_policy::{LlmAsked, Snapshot};

use crate::args::llm::{LlmArguments, LlmVerb, ProviderVerb, WishArguments};
use crate::failure::Failure;

/// Runs the verb. Returns the exit code.
pub(crate) fn llm(arguments: LlmArguments) -> Result<i32, Failure> {
    match arguments.verb {
        LlmVerb::Check(asked) => check::check(asked),
        LlmVerb::Provider(provider) => match provider.verb {
            ProviderVerb::Add(arguments) => provider::add(&arguments),
            ProviderVerb::List { profiles, json } => provider::list(&profiles, json),
            ProviderVerb::Remove { name, profile } => provider::remove(&name, profile.as_deref()),
        },
    }
}

/// The request that asks for this, with the providers and aliases of a policy.
pub(super) fn action(
    policy: &Snapshot,
    provider: &ProviderName,
    wish: WishArguments,
) -> Result<Action, Failure> {
    let asked = LlmAsked {
        endpoint: wish.endpoint,
        model: wish.model,
        hosted: wish.hosted,
        max_output_tokens: wish.max_output_tokens,
        octets: 0,
    };
    let request = policy.llm_request(provider, asked).ok_or_else(|| {
        Failure::Usage(anyhow!(
            "there is no provider `{provider}`: not known from the start, and not in `llmProviders` of the profiles"
        ))
    })?;
    Ok(Action::Llm(Box::new(request)))
}
