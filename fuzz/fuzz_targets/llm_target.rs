//! What a path asks of a provider of language models: what is written for it asks for the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringfence_llm::target::classify;
use ringfence_model::llm::{LlmProvider, ProviderKind};

fuzz_target!(|input: &str| {
    let Some((which, rest)) = input.split_at_checked(1) else {
        return;
    };
    let which = usize::from(which.as_bytes()[0]);
    let mut provider = LlmProvider::builtin().remove(0);
    provider.kind = KINDS[which % KINDS.len()];
    let method = if which < 64 { "POST" } else { "GET" };
    let (path, query) = match rest.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (rest, None),
    };
    let Ok(target) = classify(&provider, method, path, query) else {
        return;
    };
    let written = target.path(&provider, None);
    assert!(written.is_ascii() && !written.contains("/../") && !written.contains("//"));
    let again = classify(&provider, method, &written, target.query().as_deref());
    assert_eq!(again.as_ref(), Ok(&target));
    if target.model.is_some() {
        let other = target.path(&provider, Some("a/../b?c#d"));
        assert!(!other.contains(['?', '#']) && !other.contains("/../"));
    }
});

const KINDS: [ProviderKind; 6] = [
    ProviderKind::Openai,
    ProviderKind::Anthropic,
    ProviderKind::Gemini,
    ProviderKind::AzureOpenai,
    ProviderKind::Bedrock,
    ProviderKind::Vertex,
];
