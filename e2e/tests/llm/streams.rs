//! Streams pass as they come, and end in words where they cannot go on.

use super::lab::Lab;

#[test]
fn a_stream_comes_in_pieces_and_whole() {
    let lab = Lab::with("");
    let ended = lab.sh(
        r#"claude '{"model":"claude-haiku-4-5","stream":true,"max_tokens":20,"messages":[{"role":"user","content":"hi"}]}'
        chat '{"model":"gpt-5-mini","stream":true,"messages":[{"role":"user","content":"hi"}]}'
        responses '{"model":"gpt-5-mini","stream":true,"input":"hi"}'
        gemini 'gemini-2.5-flash:streamGenerateContent?alt=sse' '{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}'"#,
    );
    for words in [
        "event: message_stop",
        "event: ping",
        "data: [DONE]",
        "response.completed",
        "\"finishReason\": \"STOP\"",
    ] {
        assert!(ended.stdout.contains(words), "{words}: {ended}");
    }
    let events = lab.events();
    assert_eq!(events.len(), 4);
    for event in events {
        let facts = &event["closing"]["llm"];
        // A stream of chat completions that is not asked for its usage tells none.
        if event["action"]["endpoint"] != "chat-completions" {
            assert_eq!(facts["usage"]["output"], 25, "{event}");
            assert_eq!(facts["estimated"], serde_json::Value::Null, "{event}");
        }
        assert!(facts["first_octets_us"].as_u64() > Some(0), "{event}");
        assert!(
            !facts["finish"]
                .as_array()
                .cloned()
                .unwrap_or_default()
                .is_empty(),
            "{event}"
        );
    }
}

#[test]
fn a_stream_that_counts_against_a_budget_is_asked_for_its_usage() {
    let lab = Lab::with("budget: {tokens: 100000, per: run}");
    lab.sh(r#"chat '{"model":"gpt-5-mini","stream":true,"max_completion_tokens":50,"messages":[{"role":"user","content":"hi"}]}'"#);
    assert_eq!(
        lab.requests()[0]["body"]["stream_options"]["include_usage"],
        true
    );
    let events = lab.events();
    assert_eq!(
        events[0]["closing"]["llm"]["usage"]["output"], 25,
        "{events:?}"
    );
}

#[test]
fn what_goes_wrong_within_a_stream_is_passed_on_and_recorded() {
    let lab = Lab::with("");
    let ended = lab.sh(
        r#"claude '{"model":"fail-mid-stream","stream":true,"max_tokens":20,"messages":[{"role":"user","content":"hi"}]}'"#,
    );
    assert!(ended.stdout.contains("overloaded_error"), "{ended}");
    let events = lab.events();
    assert_eq!(
        events[0]["closing"]["llm"]["failure"]["kind"], "overloaded_error",
        "{events:?}"
    );
}

#[test]
fn a_stream_that_is_cut_ends_in_words_of_the_dialect() {
    let lab = Lab::with("");
    let ended = lab.sh(
        r#"claude '{"model":"fail-cut","stream":true,"max_tokens":20,"messages":[{"role":"user","content":"hi"}]}'"#,
    );
    assert!(ended.stdout.contains("event: error"), "{ended}");
    assert!(
        ended.stdout.contains("Ringfence ended this stream"),
        "{ended}"
    );
}

#[test]
fn a_client_that_goes_away_takes_its_request_with_it() {
    let lab = Lab::with("");
    lab.sh(
        r#"timeout 1 curl -sS "$ANTHROPIC_BASE_URL/v1/messages" -H "x-api-key: $ANTHROPIC_AUTH_TOKEN" -H 'Content-Type: application/json' -d '{"model":"fail-slow","max_tokens":20,"messages":[{"role":"user","content":"hi"}]}'; true"#,
    );
    let events = lab.events();
    assert_eq!(
        events[0]["closing"]["outcome"]["outcome"], "aborted",
        "{events:?}"
    );
}
