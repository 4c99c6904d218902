use std::sync::mpsc::{Sender, channel};
use std::thread::{self, ThreadId};

use bytes::Bytes;
use ringfence_gateway::Settle;
use ringfence_gateway::llm::{LlmSecrets, LoopTerms};
use ringfence_llm::response::{Ended, Reader};
use ringfence_llm::target::classify;
use ringfence_llm::{Capture, request};
use ringfence_model::RuleRef;
use serde_json::{Value, json};

use super::*;

fn terms() -> LlmTerms {
    LlmTerms {
        rule: RuleRef("p/llm/0".to_owned()),
        max_output_tokens: None,
        hosted: Vec::new(),
        strip: Vec::new(),
        secrets: LlmSecrets::default(),
        capture: false,
        concurrency: None,
        rates: Vec::new(),
        budgets: Vec::new(),
        prices: Vec::new(),
        unknown_price: None,
        fallback: Vec::new(),
        loops: LoopTerms::default(),
    }
}

/// A provider of the table, the path of its endpoint, and a model.
type At = (&'static str, &'static str, &'static str);
const CLAUDE: At = ("anthropic", "/v1/messages", "claude-haiku-4-5");
const CHAT: At = ("openai", "/v1/chat/completions", "gpt-5-mini");
const RESPONSES: At = ("openai", "/v1/responses", "gpt-5-mini");
const GEMINI: At = (
    "gemini",
    "/v1beta/models/gemini-2.5-flash:generateContent",
    "gemini-2.5-flash",
);

fn read((name, path, model): At, mut body: Value) -> (LlmProvider, LlmEndpoint, Request) {
    let mut providers = LlmProvider::builtin().into_iter();
    let provider = providers.find(|it| it.name.as_str() == name).unwrap();
    let target = classify(&provider, "POST", path, None).unwrap();
    if target.model.is_none() {
        body["model"] = model.into();
    }
    let octets = Bytes::from(body.to_string());
    let request = request::read(&target, octets).unwrap();
    (provider, target.endpoint, request)
}

fn bill(at: At, body: Value) -> Bill {
    let (provider, endpoint, request) = read(at, body);
    Bill::of(&request, &terms(), (&provider, endpoint, at.2))
}

/// What an answer takes: a stream of these events, or a document.
fn spent(bill: &Bill, at: At, stream: bool, events: &[Value], ended: Ended) -> Spent {
    let (provider, endpoint, _) = read(at, json!({"messages": []}));
    let media = match stream {
        true => "text/event-stream",
        false => "application/json",
    };
    let mut reader = Reader::new(
        provider.kind,
        endpoint,
        stream,
        (200, Some(media)),
        Capture::Digests,
    );
    for event in events {
        let text = match (stream, event) {
            (true, Value::String(text)) => format!("data: {text}\n\n"),
            (true, event) => format!("data: {event}\n\n"),
            (false, event) => event.to_string(),
        };
        reader.take(text.as_bytes());
    }
    reader.finish(ended);
    bill.spent(reader.seen(), 200)
}

fn hello() -> Value {
    json!({"max_tokens": 1000, "messages": [{"role": "user", "content": "hi"}]})
}

fn start(input: u64, output: u64) -> Value {
    json!({"type": "message_start", "message": {"id": "m", "model": "c", "usage": {"input_tokens": input, "output_tokens": output}}})
}

fn text(text: &str) -> Value {
    json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}})
}

#[test]
fn what_the_provider_counted_is_what_it_took() {
    let bill = bill(CLAUDE, hello());
    let end = [
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}}),
        json!({"type": "message_stop"}),
    ];
    let events = [&[start(100, 1), text("hello")][..], &end].concat();
    let spent = spent(&bill, CLAUDE, true, &events, Ended::Whole);
    assert_eq!((spent.usage.input, spent.usage.output), (100, 7));
    assert!(!spent.is_estimated);
    // 100 x 1 USD + 7 x 5 USD for a million.
    assert_eq!(spent.cost, Some(Money::from_nanos(135_000)));
}

#[test]
fn a_count_of_nothing_is_none() {
    let counts = [
        json!({"prompt_tokens": 0, "completion_tokens": 0}),
        json!({"prompt_tokens": -5, "completion_tokens": -5}),
        json!({"prompt_tokens": 1e3, "completion_tokens": "9"}),
        json!({"prompt_tokens": 10_000_000_000_000_000_u64, "completion_tokens": 10_000_000_000_000_000_u64}),
        json!({}),
        Value::Null,
    ];
    for usage in counts {
        let answer = json!({"id": "c", "choices": [{"finish_reason": "stop", "message": {"content": "hi"}}], "usage": usage});
        let bill = bill(CHAT, hello());
        let spent = spent(&bill, CHAT, false, &[answer], Ended::Whole);
        assert_eq!(spent.usage.total(), bill.most().tokens, "{usage}");
        assert_eq!(spent.cost, Some(bill.most().cost), "{usage}");
        assert!(spent.is_estimated, "{usage}");
    }
    // What went in was counted, what was written was not.
    let answer = json!({"choices": [{"finish_reason": "stop", "message": {"content": "hi"}}], "usage": {"prompt_tokens": 8}});
    let bill = bill(CHAT, hello());
    let spent = spent(&bill, CHAT, false, &[answer], Ended::Whole);
    assert_eq!((spent.usage.input, spent.usage.output), (8, 1000));
}

#[test]
fn reasoning_that_is_not_shown_counts_in_an_answer_that_is_cut_off() {
    // Nothing is shown, and yet all that was asked for may have been written.
    let thinking = |thinking: Value| {
        let mut body = hello();
        body["thinking"] = thinking;
        bill(CLAUDE, body)
    };
    for (bill, output) in [
        (bill(CLAUDE, hello()), 5),
        (thinking(json!({"type": "disabled"})), 5),
        (
            thinking(json!({"type": "enabled", "budget_tokens": 600})),
            605,
        ),
        (thinking(json!({"type": "enabled"})), 1000),
        (thinking(json!({"type": "adaptive"})), 1000),
    ] {
        let events = [start(100, 1), text("hello")];
        let spent = spent(&bill, CLAUDE, true, &events, Ended::Cut);
        assert_eq!((spent.usage.input, spent.usage.output), (100, output));
        assert!(spent.is_estimated);
    }
    let begun = json!({"type": "response.created", "response": {"id": "r", "model": "gpt-5-mini", "usage": null}});
    let bill = bill(RESPONSES, json!({"input": "hi", "max_output_tokens": 1000}));
    let cut = spent(
        &bill,
        RESPONSES,
        true,
        std::slice::from_ref(&begun),
        Ended::Cut,
    );
    assert_eq!(cut.usage.total(), bill.most().tokens);
    let failed = json!({"type": "response.failed", "response": {"id": "r", "status": "failed", "error": {"code": "server_error", "message": "x"}, "usage": null}});
    let failed = spent(&bill, RESPONSES, true, &[begun, failed], Ended::Whole);
    assert_eq!(failed.usage.total(), bill.most().tokens);
}

#[test]
fn an_answer_of_which_nothing_can_be_read_takes_all_that_was_set_aside() {
    let bill = bill(CLAUDE, hello());
    for (stream, ended) in [
        (true, Ended::Cut),
        (true, Ended::Whole),
        (false, Ended::Cut),
        (false, Ended::Whole),
    ] {
        let spent = spent(&bill, CLAUDE, stream, &[], ended);
        assert_eq!(
            spent.usage.total(),
            bill.most().tokens,
            "{stream} {ended:?}"
        );
        assert_eq!(spent.cost, Some(bill.most().cost));
    }
    // As a whole it was written before its first octet came.
    let beginning = json!({"id": "m", "content": [{"type": "text", "text": "hello"}], "usage": {"input_tokens": 9}});
    let cut = spent(&bill, CLAUDE, false, &[beginning], Ended::Cut);
    assert_eq!(cut.usage.total(), bill.most().tokens);
}

#[test]
fn an_error_and_nothing_else_takes_nothing() {
    let bill = bill(CHAT, hello());
    let error = json!({"error": {"message": "overloaded", "code": 503}});
    for stream in [true, false] {
        let spent = spent(
            &bill,
            CHAT,
            stream,
            std::slice::from_ref(&error),
            Ended::Whole,
        );
        assert_eq!(spent, Spent::default(), "{stream}");
    }
    let mut reader = Reader::new(
        ringfence_model::llm::ProviderKind::Openai,
        LlmEndpoint::ChatCompletions,
        true,
        (529, None),
        Capture::Digests,
    );
    reader.finish(Ended::Cut);
    assert_eq!(bill.spent(reader.seen(), 529), Spent::default());
}

#[test]
fn an_error_behind_a_count_is_paid_for() {
    let bill = bill(CLAUDE, hello());
    let error = json!({"type": "error", "error": {"type": "overloaded_error", "message": "x"}});
    let spent = spent(&bill, CLAUDE, true, &[start(100, 0), error], Ended::Whole);
    assert_eq!((spent.usage.input, spent.usage.output), (100, 0));
}

#[test]
fn a_document_may_take_all_that_the_model_reads() {
    let part =
        |part: Value| json!({"max_tokens": 9, "messages": [{"role": "user", "content": [part]}]});
    let source = |kind: &str, media: &str| json!({"type": kind, "source": {"type": "base64", "media_type": media, "data": "A".repeat(4000)}});
    let image = bill(CLAUDE, part(source("image", "image/png")));
    assert!(image.input > 64_000 && image.input < 70_000, "{image:?}");
    let document = bill(CLAUDE, part(source("document", "application/pdf")));
    assert_eq!(document.input, 200_000);
    let file = |data: &str| part(json!({"type": "file", "file": {"file_data": data}}));
    let url = |data: &str| part(json!({"type": "image_url", "image_url": {"url": data}}));
    assert_eq!(
        bill(CHAT, file("data:application/pdf;base64,AAAA")).input,
        400_000
    );
    assert_eq!(
        bill(CHAT, url("data:application/pdf;base64,AAAA")).input,
        400_000
    );
    assert!(bill(CHAT, url("data:image/png;base64,AAAA")).input < 70_000);
    let inline = |kind: &str| json!({"contents": [{"parts": [{"inlineData": {"mimeType": kind, "data": "AAAA"}}]}]});
    assert!(bill(GEMINI, inline("image/webp")).input < 70_000);
    for kind in ["application/pdf", "audio/mp3", "text/plain"] {
        assert!(bill(GEMINI, inline(kind)).input > 1_000_000, "{kind}");
    }
    // Of a model of which nothing is known.
    let unknown = ("openai", "/v1/chat/completions", "model-of-tomorrow");
    let most = bill(unknown, file("data:application/pdf;base64,AAAA"));
    assert_eq!(most.input, UNKNOWN_CONTEXT);
}

#[test]
fn what_the_provider_adds_by_itself_may_be_all_that_the_model_reads() {
    let mut body = hello();
    body["tools"] = json!([{"type": "web_search_20250305", "name": "web_search"}]);
    assert_eq!(bill(CLAUDE, body).input, 200_000);
    let goes_on = json!({"input": "hi", "previous_response_id": "resp_1"});
    assert_eq!(bill(RESPONSES, goes_on).input, 400_000);
}

#[test]
fn each_choice_may_be_as_long_as_the_longest() {
    let asked = |fields: Value| {
        let mut body = json!({"messages": []});
        for (name, value) in fields.as_object().unwrap() {
            body[name] = value.clone();
        }
        bill(CHAT, body).output
    };
    for (fields, output) in [
        (json!({"n": 3, "max_tokens": 10}), 30),
        (json!({"max_tokens": 10, "max_completion_tokens": 50}), 50),
        (json!({"max_tokens": 0}), 128_000),
        (json!({"n": 0, "max_tokens": 10}), 10),
        (json!({}), 128_000),
        (
            json!({"n": 999_999_999_999_999_u64, "max_tokens": 999_999_999_999_999_u64}),
            u64::MAX,
        ),
    ] {
        assert_eq!(asked(fields.clone()), output, "{fields}");
    }
    let many =
        json!({"generationConfig": {"candidateCount": 4, "maxOutputTokens": 10}, "contents": []});
    assert_eq!(bill(GEMINI, many).output, 40);
    let legacy = ("openai", "/v1/completions", "gpt-5-mini");
    let prompts = json!({"prompt": ["a", "b", [1, 2]], "best_of": 5, "n": 2, "max_tokens": 10});
    assert_eq!(bill(legacy, prompts).output, 150);
}

#[test]
fn nothing_that_is_counted_overflows() {
    let bill = bill(CHAT, json!({"n": 999_999_999_999_999_u64, "messages": []}));
    let most = 999_999_999_999_999_u64;
    let answer = json!({"id": "c", "choices": [{"finish_reason": "stop"}], "usage": {
        "prompt_tokens": most, "completion_tokens": most, "prompt_tokens_details": {"cached_tokens": most, "cache_write_tokens": most}}});
    let spent = spent(&bill, CHAT, false, &[answer], Ended::Whole);
    assert!(spent.cost > Some(Money::ZERO));
    assert_eq!(bill.most().tokens, bill.input.saturating_add(bill.output));
}

/// Tells on which thread it ended, and what was spent.
struct Told(Sender<(ThreadId, Option<Charge>)>, bool);

impl Settle for Told {
    fn settle(mut self: Box<Self>, spent: Charge) {
        self.1 = true;
        self.0.send((thread::current().id(), Some(spent))).unwrap();
    }

    fn settle_at_once(self: Box<Self>, _: Charge) -> Result<(), Box<dyn Settle>> {
        Err(self)
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        if !self.1 {
            self.0.send((thread::current().id(), None)).unwrap();
        }
    }
}

#[tokio::test]
async fn no_file_is_waited_for_on_the_thread_that_serves_requests() {
    let kept = |sender: &Sender<_>| {
        let told = Told(sender.clone(), false);
        Kept(Some(Reservation::new(Box::new(told))))
    };
    let (sender, receiver) = channel();
    let spent = Charge {
        tokens: 7,
        cost: Money::ZERO,
    };
    kept(&sender).settle(spent);
    let (on, told) = receiver.recv().unwrap();
    assert_eq!(told, Some(spent));
    assert_ne!(on, thread::current().id());
    // Who waits for it finds it done.
    kept(&sender).settled(spent).await;
    assert_eq!(receiver.try_recv().unwrap().1, Some(spent));
    drop(kept(&sender));
    let (on, told) = receiver.recv().unwrap();
    assert_eq!(told, None);
    assert_ne!(on, thread::current().id());
}
