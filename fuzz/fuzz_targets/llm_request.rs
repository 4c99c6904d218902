//! The body of a request to a language model, in every dialect: never a panic, never long; what is
//! not changed is sent as it was read, and what is changed can be read again and says so.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use ringfence_llm::context::{Conversations, purpose};
use ringfence_llm::request::{Request, read};
use ringfence_llm::target::{Target, classify};
use ringfence_llm::{Capture, prices};
use ringfence_model::llm::{LlmProvider, ProviderKind};

fuzz_target!(|input: &[u8]| {
    let Some((which, body)) = input.split_first() else {
        return;
    };
    let (kind, path) = ENDPOINTS[usize::from(*which) % ENDPOINTS.len()];
    let target = target(kind, path);
    let Ok(request) = read(&target, Bytes::copy_from_slice(body)) else {
        return;
    };
    assert_eq!(request.octets(), body);
    assert!(request.hosted.is_sorted());
    look(&request);
    change(&target, request);
});

const ENDPOINTS: [(ProviderKind, &str); 12] = [
    (ProviderKind::Anthropic, "/v1/messages"),
    (ProviderKind::Openai, "/chat/completions"),
    (ProviderKind::Openai, "/responses"),
    (ProviderKind::Openai, "/completions"),
    (ProviderKind::Openai, "/embeddings"),
    (ProviderKind::Gemini, "/v1beta/models/m:generateContent"),
    (ProviderKind::Gemini, "/v1beta/models/m:countTokens"),
    (ProviderKind::Gemini, "/v1beta/models/m:batchEmbedContents"),
    (ProviderKind::Bedrock, "/model/m/converse"),
    (ProviderKind::Bedrock, "/model/m/invoke"),
    (ProviderKind::Bedrock, "/model/m/count-tokens"),
    (
        ProviderKind::Vertex,
        "/v1/projects/p/locations/l/publishers/google/models/m:predict",
    ),
];

fn target(kind: ProviderKind, path: &str) -> Target {
    let mut provider = LlmProvider::builtin().remove(0);
    provider.kind = kind;
    classify(&provider, "POST", path, None).expect("a path of the list")
}

fn look(request: &Request) {
    let mut memory = Conversations::default();
    let new = memory.new_items(request, Capture::Texts);
    assert!(new.len() <= request.items.len());
    assert!(memory.new_items(request, Capture::Digests).is_empty());
    let _ = (purpose(request), request.system(Capture::Digests));
    let model = request.model.as_deref().unwrap_or_default();
    let _ = prices::matches(model, model);
}

fn change(target: &Target, mut request: Request) {
    let hosted = request.hosted.clone();
    request.strip(&hosted);
    request.cap_output(7);
    request.include_usage();
    let mut shown = 0;
    request.texts(&mut |place, text| {
        let _ = place.to_string();
        shown += text.len();
        text.contains('a').then(|| text.replace('a', "\"\\\n"))
    });
    let octets = request.octets();
    let again = read(target, octets).expect("what is sent can be read");
    assert_eq!(again.model, request.model);
    assert_eq!(again.stream, request.stream);
    assert!(again.max_output_tokens.is_none_or(|most| most <= 7));
}
