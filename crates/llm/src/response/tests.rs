mod streams;
mod whole;

use ringfence_model::llm::LlmEndpoint::*;
use ringfence_model::llm::ProviderKind::*;
use serde_json::{Value, json};

use super::*;

type Of = (ProviderKind, LlmEndpoint);

const EVENTS: &str = "text/event-stream";
const JSON: &str = "application/json; charset=utf-8";
const AMAZON: &str = "application/vnd.amazon.eventstream";

/// What is seen of these pieces.
fn pieces((kind, endpoint): Of, media_type: &str, pieces: &[&[u8]], ended: Ended) -> Seen {
    let head = (200, Some(media_type));
    let mut reader = Reader::new(kind, endpoint, media_type != JSON, head, Capture::Texts);
    for piece in pieces {
        reader.take(piece);
    }
    reader.finish(ended);
    reader.seen().clone()
}

/// What is seen of a body, which is the same in whichever pieces it comes.
fn seen(of: Of, media_type: &str, body: &[u8], ended: Ended) -> Seen {
    let whole = pieces(of, media_type, &[body], ended);
    for size in [1, 2, 3, 7, 64] {
        let chunks: Vec<&[u8]> = body.chunks(size).collect();
        assert_eq!(pieces(of, media_type, &chunks, ended), whole, "{size}");
    }
    for at in 0..=body.len() {
        let (one, other) = body.split_at(at);
        assert_eq!(pieces(of, media_type, &[one, other], ended), whole, "{at}");
    }
    whole
}

fn document(of: Of, body: &Value) -> Seen {
    seen(of, JSON, body.to_string().as_bytes(), Ended::Whole)
}

/// Events with their type as name.
fn named(events: &[Value]) -> String {
    let one = |it: &Value| {
        format!(
            "event: {}\ndata: {it}\n\n",
            it["type"].as_str().unwrap_or_default()
        )
    };
    events.iter().map(one).collect()
}

/// Events without a name, and `[DONE]`.
fn unnamed(events: &[Value]) -> String {
    let one = |it: &Value| format!("data: {it}\n\n");
    events.iter().map(one).collect::<String>() + "data: [DONE]\n\n"
}

fn calls(seen: &Seen) -> Vec<(&str, &str, &str)> {
    let told = seen.calls.iter();
    told.map(|it| {
        (
            it.id.as_str(),
            it.name.as_str(),
            it.arguments.text.as_deref().unwrap(),
        )
    })
    .collect()
}

fn answer(seen: &Seen) -> &str {
    seen.answer
        .as_ref()
        .map_or("", |it| it.text.as_deref().unwrap())
}
