//! Answers that come whole.

use super::*;

#[test]
fn a_chat_completion_is_seen() {
    let seen = document(
        (Openai, ChatCompletions),
        &json!({
            "id": "chatcmpl-1", "model": "gpt-4o-2024-08-06",
            "choices": [
                {"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "content": "hi", "reasoning_content": "hmm",
                    "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "ls", "arguments": "{\"a\":1}"}}]}},
                {"index": 1, "finish_reason": "stop", "message": {"content": "other"}}],
            "usage": {"prompt_tokens": 20, "completion_tokens": 9, "prompt_tokens_details": {"cached_tokens": 5},
                "completion_tokens_details": {"reasoning_tokens": 3}},
        }),
    );
    assert_eq!(seen.id.as_deref(), Some("chatcmpl-1"));
    assert_eq!(seen.model.as_deref(), Some("gpt-4o-2024-08-06"));
    assert_eq!(seen.finish, ["tool_calls", "stop"]);
    assert_eq!(answer(&seen), "hi");
    assert_eq!(calls(&seen), [("call_1", "ls", r#"{"a":1}"#)]);
    assert_eq!(
        (seen.reasoning_octets, seen.output_octets),
        (3, 2 + 3 + 7 + 5)
    );
    assert_eq!(
        seen.usage,
        Some(TokenUsage {
            input: 20,
            output: 9,
            cache_read: 5,
            reasoning: 3,
            ..TokenUsage::default()
        })
    );
    assert!(seen.complete);
}

#[test]
fn a_message_is_seen_and_its_input_counts_the_cache() {
    let of = [
        (Anthropic, Messages),
        (Bedrock, Messages),
        (Vertex, Messages),
    ];
    for of in of {
        let seen = document(
            of,
            &json!({
                "type": "message", "id": "msg_1", "model": "claude-x", "stop_reason": "tool_use",
                "content": [{"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "text", "text": "hi"},
                    {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {"q": 1}},
                    {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {"command": "ls"}}],
                "usage": {"input_tokens": 10, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 30, "output_tokens": 7,
                    "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20}},
            }),
        );
        assert_eq!(calls(&seen), [("toolu_1", "Bash", r#"{"command":"ls"}"#)]);
        assert_eq!(
            (answer(&seen), seen.finish.as_slice()),
            ("hi", &["tool_use".to_owned()][..])
        );
        assert_eq!(
            seen.usage,
            Some(TokenUsage {
                input: 140,
                output: 7,
                cache_read: 100,
                cache_write: 30,
                cache_write_long: 20,
                reasoning: 0,
            })
        );
        assert!(seen.complete);
    }
}

#[test]
fn a_response_is_seen() {
    let seen = document(
        (Openai, Responses),
        &json!({
            "id": "resp_1", "model": "gpt-5", "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}, "error": null,
            "output": [
                {"type": "reasoning", "summary": []},
                {"type": "web_search_call", "id": "ws_1"},
                {"type": "message", "content": [{"type": "output_text", "text": "hi"}]},
                {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "ls", "arguments": "{}"},
                {"type": "local_shell_call", "call_id": "call_2", "action": {"type": "exec"}}],
            "usage": {"input_tokens": 8, "input_tokens_details": {"cached_tokens": 4}, "output_tokens": 3, "output_tokens_details": {"reasoning_tokens": 2}},
        }),
    );
    assert_eq!(seen.finish, ["max_output_tokens"]);
    assert_eq!(answer(&seen), "hi");
    assert_eq!(
        calls(&seen),
        [
            ("call_1", "ls", "{}"),
            ("call_2", "local_shell", r#"{"type":"exec"}"#)
        ]
    );
    assert_eq!(seen.usage.unwrap().total(), 11);
    assert!(seen.complete && seen.output_octets > 10);
}

#[test]
fn gemini_and_converse_are_seen() {
    let seen = document(
        (Gemini, GenerateContent),
        &json!({
            "responseId": "r1", "modelVersion": "gemini-2.5-pro",
            "candidates": [{"content": {"parts": [{"text": "hm", "thought": true}, {"text": "hi"}, {"functionCall": {"name": "ls", "args": {"a": 1}}}]},
                "finishReason": "STOP", "index": 0}],
            "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 6, "thoughtsTokenCount": 7, "cachedContentTokenCount": 2,
                "toolUsePromptTokenCount": 1, "totalTokenCount": 19},
        }),
    );
    assert_eq!(
        (answer(&seen), calls(&seen)),
        ("hi", vec![("ls", "ls", r#"{"a":1}"#)])
    );
    assert_eq!(
        seen.usage,
        Some(TokenUsage {
            input: 6,
            output: 13,
            cache_read: 2,
            reasoning: 7,
            ..TokenUsage::default()
        })
    );
    let seen = document(
        (Bedrock, Converse),
        &json!({
            "output": {"message": {"role": "assistant", "content": [{"text": "hi"}, {"toolUse": {"toolUseId": "t1", "name": "ls", "input": {}}}]}},
            "stopReason": "tool_use", "usage": {"inputTokens": 5, "outputTokens": 6, "cacheReadInputTokens": 7, "cacheWriteInputTokens": 4, "totalTokens": 22,
                "cacheDetails": [{"ttl": "5m", "inputTokens": 1}, {"ttl": "1h", "inputTokens": 3}]},
        }),
    );
    assert_eq!(
        (answer(&seen), calls(&seen)),
        ("hi", vec![("t1", "ls", "{}")])
    );
    let usage = seen.usage.unwrap();
    assert_eq!(
        (usage.input, usage.cache_write_long, seen.complete),
        (16, 3, true)
    );
}

#[test]
fn embeddings_and_counts_are_seen() {
    let seen = document(
        (Openai, Embeddings),
        &json!({"data": [{"embedding": [0.1, -2e-3]}], "model": "e", "usage": {"prompt_tokens": 3, "total_tokens": 3}}),
    );
    assert_eq!((seen.usage.unwrap().input, seen.complete), (3, true));
    let seen = document((Anthropic, CountTokens), &json!({"input_tokens": 12}));
    assert_eq!(
        (seen.usage, seen.complete, seen.output_octets),
        (None, true, 0)
    );
}

#[test]
fn a_failure_is_told_in_the_words_of_the_provider() {
    for (of, body, kind, message, wait) in [
        (
            (Anthropic, Messages),
            json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
            "overloaded_error",
            "Overloaded",
            None,
        ),
        (
            (Openai, ChatCompletions),
            json!({"error": {"message": "no", "type": null, "code": "rate_limit"}}),
            "rate_limit",
            "no",
            None,
        ),
        (
            (Openai, ChatCompletions),
            json!({"error": "model not found"}),
            "error",
            "model not found",
            None,
        ),
        (
            (Gemini, GenerateContent),
            json!([{"error": {"code": 429, "message": "quota", "status": "RESOURCE_EXHAUSTED", "details": [{"retryDelay": "17.2s"}]}}]),
            "RESOURCE_EXHAUSTED",
            "quota",
            Some(18),
        ),
        (
            (Bedrock, Converse),
            json!({"message": "Too many"}),
            "error",
            "Too many",
            None,
        ),
    ] {
        let (kind_of, endpoint) = of;
        let mut reader = Reader::new(kind_of, endpoint, true, (429, Some(JSON)), Capture::Digests);
        reader.take(body.to_string().as_bytes());
        reader.finish(Ended::Whole);
        let failure = reader.seen().failure.clone().unwrap();
        assert_eq!(
            (
                failure.kind.as_str(),
                failure.message.as_str(),
                failure.retry_after
            ),
            (kind, message, wait)
        );
        assert_eq!(
            (reader.seen().complete, reader.seen().output_octets),
            (false, 0)
        );
    }
    let mut reader = Reader::new(
        Openai,
        ChatCompletions,
        true,
        (502, Some("text/html")),
        Capture::Digests,
    );
    reader.take(b"<html>");
    reader.finish(Ended::Whole);
    assert_eq!(reader.seen().failure.as_ref().unwrap().kind, "http_502");
}

#[test]
fn of_an_answer_that_is_too_long_or_cut_off_nothing_is_known() {
    let body = json!({"choices": [{"finish_reason": "stop", "message": {"content": "hi"}}], "usage": {"prompt_tokens": 1}}).to_string();
    let seen = seen((Openai, ChatCompletions), JSON, body.as_bytes(), Ended::Cut);
    assert_eq!(
        (seen.complete, seen.usage, seen.output_octets),
        (false, None, u64::MAX)
    );
    let mut reader = Reader::new(
        Openai,
        ChatCompletions,
        false,
        (200, Some(JSON)),
        Capture::Digests,
    );
    let piece = vec![b' '; 1 << 20];
    for _ in 0..20 {
        reader.take(&piece);
    }
    reader.finish(Ended::Whole);
    assert_eq!(
        (reader.seen().complete, reader.seen().output_octets),
        (false, u64::MAX)
    );
}

#[test]
fn what_an_answer_can_make_us_keep_is_bounded() {
    let call = |at: usize| json!({"index": at, "id": "i".repeat(1000), "function": {"name": "n".repeat(1000), "arguments": "a".repeat(1000)}});
    let all: Vec<Value> = (0..1000).map(call).collect();
    let body =
        json!({"choices": [{"message": {"content": "x".repeat(100_000), "tool_calls": all}}]});
    let seen = pieces(
        (Openai, ChatCompletions),
        JSON,
        &[body.to_string().as_bytes()],
        Ended::Whole,
    );
    assert_eq!(seen.calls.len(), crate::limits::CALLS);
    assert!(
        seen.calls
            .iter()
            .all(|it| it.id.len() <= 128 && it.name.len() <= 128)
    );
    assert_eq!(answer(&seen).len(), crate::limits::TEXT_OCTETS);
    assert_eq!(seen.answer.unwrap().octets, 100_000);
}
