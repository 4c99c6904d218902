//! The answer of a language model: the same is seen of it in one piece and in many, of streams of
//! events, of Amazon's frames and of documents.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringfence_llm::Capture;
use ringfence_llm::response::{Ended, Reader, Seen};
use ringfence_model::llm::{LlmEndpoint, ProviderKind};

fuzz_target!(|input: &[u8]| {
    let [which, media_type, size, body @ ..] = input else {
        return;
    };
    let of = DIALECTS[usize::from(*which) % DIALECTS.len()];
    let media_type = MEDIA_TYPES[usize::from(*media_type) % MEDIA_TYPES.len()];
    let size = 1 + usize::from(*size);
    for ended in [Ended::Whole, Ended::Cut] {
        let whole = seen(of, media_type, body, (usize::MAX, ended));
        assert_eq!(whole, seen(of, media_type, body, (size, ended)));
        assert!(whole.failure.is_none() || !whole.complete);
    }
});

const DIALECTS: [(ProviderKind, LlmEndpoint); 6] = [
    (ProviderKind::Anthropic, LlmEndpoint::Messages),
    (ProviderKind::Openai, LlmEndpoint::ChatCompletions),
    (ProviderKind::Openai, LlmEndpoint::Responses),
    (ProviderKind::Gemini, LlmEndpoint::GenerateContent),
    (ProviderKind::Bedrock, LlmEndpoint::Converse),
    (ProviderKind::Bedrock, LlmEndpoint::Messages),
];

const MEDIA_TYPES: [&str; 3] = [
    "text/event-stream",
    "application/json",
    "application/vnd.amazon.eventstream",
];

fn seen(
    (kind, endpoint): (ProviderKind, LlmEndpoint),
    media_type: &str,
    body: &[u8],
    (size, ended): (usize, Ended),
) -> Seen {
    let mut reader = Reader::new(
        kind,
        endpoint,
        true,
        (200, Some(media_type)),
        Capture::Texts,
    );
    for piece in body.chunks(size.min(body.len().max(1))) {
        reader.take(piece);
    }
    reader.finish(ended);
    reader.seen().clone()
}
