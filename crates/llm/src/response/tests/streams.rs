//! Answers that come as streams.

use super::*;

fn anthropic() -> Vec<Value> {
    vec![
        json!({"type": "message_start", "message": {"id": "msg_1", "model": "claude-x", "usage": {"input_tokens": 10, "cache_read_input_tokens": 90, "output_tokens": 1}}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hmm"}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "sig"}}),
        json!({"type": "ping"}),
        json!({"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}}),
        json!({"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "I \u{e9} \n"}}),
        json!({"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "do"}}),
        json!({"type": "brand_new_event", "delta": {"x": 1}}),
        json!({"type": "content_block_start", "index": 2, "content_block": {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {}}}),
        json!({"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": ""}}),
        json!({"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": "{\"command\":"}}),
        json!({"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": "\"ls\"}"}}),
        json!({"type": "content_block_start", "index": 3, "content_block": {"type": "tool_use", "id": "toolu_2", "name": "Stop", "input": {}}}),
        json!({"type": "content_block_stop", "index": 3}),
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 55}}),
        json!({"type": "message_stop"}),
    ]
}

fn check_anthropic(seen: &Seen) {
    assert_eq!(
        (seen.id.as_deref(), seen.model.as_deref()),
        (Some("msg_1"), Some("claude-x"))
    );
    assert_eq!(answer(seen), "I \u{e9} \ndo");
    assert_eq!(
        calls(seen),
        [
            ("toolu_1", "Bash", r#"{"command":"ls"}"#),
            ("toolu_2", "Stop", "{}")
        ]
    );
    assert_eq!(
        (seen.reasoning_octets, seen.output_octets),
        (3, 3 + 6 + 2 + 16)
    );
    let usage = seen.usage.unwrap();
    assert_eq!((usage.input, usage.cache_read, usage.output), (100, 90, 55));
    assert_eq!(
        (seen.finish.as_slice(), seen.complete),
        (&["tool_use".to_owned()][..], true)
    );
}

#[test]
fn messages_are_followed() {
    let stream = named(&anthropic());
    check_anthropic(&seen(
        (Anthropic, Messages),
        EVENTS,
        stream.as_bytes(),
        Ended::Whole,
    ));
    let stream = stream.replace('\n', "\r\n").replace("\\r\\n", "\\n");
    check_anthropic(&seen(
        (Vertex, Messages),
        EVENTS,
        stream.as_bytes(),
        Ended::Whole,
    ));
}

#[test]
fn messages_in_frames_of_amazon_are_followed() {
    let headers = [
        (":event-type", "chunk"),
        (":content-type", "application/json"),
        (":message-type", "event"),
    ];
    let frame = |it: &Value| {
        let bytes = STANDARD.encode(it.to_string());
        event_stream::write(
            &headers,
            json!({"bytes": bytes, "p": "abc"}).to_string().as_bytes(),
        )
    };
    let stream: Vec<u8> = anthropic().iter().flat_map(frame).collect();
    let whole = pieces((Bedrock, Messages), AMAZON, &[&stream], Ended::Whole);
    check_anthropic(&whole);
    for size in [1, 5, 100] {
        let chunks: Vec<&[u8]> = stream.chunks(size).collect();
        assert_eq!(
            pieces((Bedrock, Messages), AMAZON, &chunks, Ended::Whole),
            whole
        );
    }
}

#[test]
fn converse_is_followed() {
    let frame = |(name, payload): (&str, Value)| {
        let headers = [(":message-type", "event"), (":event-type", name)];
        event_stream::write(&headers, payload.to_string().as_bytes())
    };
    let mut stream: Vec<u8> = [
        ("messageStart", json!({"role": "assistant"})),
        ("contentBlockDelta", json!({"contentBlockIndex": 0, "delta": {"text": "hi"}})),
        ("contentBlockStart", json!({"contentBlockIndex": 1, "start": {"toolUse": {"toolUseId": "t1", "name": "ls"}}})),
        ("contentBlockDelta", json!({"contentBlockIndex": 1, "delta": {"toolUse": {"input": "{\"a\":1}"}}})),
        ("messageStop", json!({"stopReason": "tool_use"})),
        ("metadata", json!({"usage": {"inputTokens": 5, "outputTokens": 6, "totalTokens": 11}})),
    ].into_iter().flat_map(frame).collect();
    let whole = seen((Bedrock, Converse), AMAZON, &stream, Ended::Whole);
    assert_eq!(
        (answer(&whole), calls(&whole)),
        ("hi", vec![("t1", "ls", r#"{"a":1}"#)])
    );
    assert_eq!((whole.usage.unwrap().total(), whole.complete), (11, true));
    let headers = [
        (":message-type", "exception"),
        (":exception-type", "throttlingException"),
    ];
    stream.extend(event_stream::write(&headers, br#"{"message":"slow down"}"#));
    let failed = pieces((Bedrock, Converse), AMAZON, &[&stream], Ended::Whole);
    assert_eq!(failed.failure.unwrap().kind, "throttlingException");
    assert!(!failed.complete);
}

#[test]
fn chat_completions_are_followed() {
    let chunk = |delta: Value, reason: Value| json!({"id": "c1", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": reason}], "usage": null});
    let call = |at: u64, id: &str, name: &str, arguments: &str| {
        let mut call = json!({"index": at, "function": {"arguments": arguments}});
        if !id.is_empty() {
            call["id"] = id.into();
            call["function"]["name"] = name.into();
        }
        chunk(json!({"tool_calls": [call]}), Value::Null)
    };
    let stream = unnamed(&[
        chunk(json!({"role": "assistant", "content": ""}), Value::Null),
        chunk(json!({"content": "he"}), Value::Null),
        chunk(json!({"content": "llo"}), Value::Null),
        call(0, "call_1", "ls", ""),
        call(0, "", "", "{\"a\""),
        call(0, "", "", ":1}"),
        call(1, "call_2", "cat", "{}"),
        chunk(json!({}), json!("tool_calls")),
        json!({"id": "c1", "model": "m", "choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 8}}),
    ]);
    let whole = seen(
        (Openai, ChatCompletions),
        EVENTS,
        stream.as_bytes(),
        Ended::Whole,
    );
    assert_eq!(answer(&whole), "hello");
    assert_eq!(
        calls(&whole),
        [("call_1", "ls", r#"{"a":1}"#), ("call_2", "cat", "{}")]
    );
    assert_eq!(
        (
            whole.usage.unwrap().total(),
            whole.complete,
            whole.output_octets
        ),
        (15, true, 14)
    );
    // What comes behind the end changes nothing.
    let behind = format!("{stream}garbage\n\ndata: \n\n");
    let behind = pieces(
        (AzureOpenai, ChatCompletions),
        EVENTS,
        &[behind.as_bytes()],
        Ended::Whole,
    );
    assert_eq!((behind.usage, behind.calls), (whole.usage, whole.calls));
}

#[test]
fn a_server_that_counts_every_call_as_the_first_is_understood() {
    let call = |id: &str| json!({"choices": [{"delta": {"tool_calls": [{"index": 0, "id": id, "function": {"name": "f", "arguments": "{}"}}]}}]});
    let stream = unnamed(&[call("a"), call("b")]);
    let seen = seen(
        (Openai, ChatCompletions),
        EVENTS,
        stream.as_bytes(),
        Ended::Whole,
    );
    assert_eq!(calls(&seen), [("a", "f", "{}"), ("b", "f", "{}")]);
}

#[test]
fn responses_are_followed() {
    let response = json!({"id": "resp_1", "model": "gpt-5", "status": "completed", "output": [],
        "usage": {"input_tokens": 5, "output_tokens": 6}});
    let stream = named(&[
        json!({"type": "response.created", "response": {"id": "resp_1", "model": "gpt-5", "status": "in_progress"}}),
        json!({"type": "response.reasoning_summary_text.delta", "delta": "hmm"}),
        json!({"type": "response.output_text.delta", "output_index": 1, "delta": "hel"}),
        json!({"type": "response.output_text.delta", "output_index": 1, "delta": "lo"}),
        json!({"type": "response.output_item.done", "output_index": 1, "item": {"type": "message", "content": [{"type": "output_text", "text": "hello"}]}}),
        json!({"type": "response.function_call_arguments.delta", "output_index": 2, "delta": "{}"}),
        json!({"type": "response.output_item.done", "output_index": 2, "item": {"type": "function_call", "call_id": "call_1", "name": "ls", "arguments": "{}"}}),
        json!({"type": "response.completed", "response": response}),
    ]);
    let whole = seen((Openai, Responses), EVENTS, stream.as_bytes(), Ended::Whole);
    assert_eq!(
        (answer(&whole), calls(&whole)),
        ("hello", vec![("call_1", "ls", "{}")])
    );
    assert_eq!((whole.reasoning_octets, whole.output_octets), (3, 10));
    assert_eq!((whole.usage.unwrap().total(), whole.complete), (11, true));
    let failed = named(&[
        json!({"type": "response.failed", "response": {"status": "failed", "error": {"code": "server_error", "message": "no"}}}),
    ]);
    let failed = seen((Openai, Responses), EVENTS, failed.as_bytes(), Ended::Whole);
    assert_eq!(failed.failure.as_ref().unwrap().kind, "server_error");
    assert!(!failed.complete);
}

#[test]
fn gemini_is_followed_as_events_and_as_a_list() {
    let parts = [
        json!({"candidates": [{"content": {"parts": [{"text": "he[\"{"}]}}], "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 1}}),
        json!({"candidates": [{"content": {"parts": [{"text": "llo"}, {"functionCall": {"id": "c1", "name": "ls", "args": {}}}]}, "finishReason": "STOP"}],
            "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 6}}),
    ];
    let stream: String = parts
        .iter()
        .map(|it| format!("data: {it}\r\n\r\n"))
        .collect();
    let events = seen(
        (Gemini, GenerateContent),
        EVENTS,
        stream.as_bytes(),
        Ended::Whole,
    );
    assert_eq!(
        (answer(&events), calls(&events)),
        ("he[\"{llo", vec![("c1", "ls", "{}")])
    );
    assert_eq!((events.usage.unwrap().total(), events.complete), (11, true));
    let list = format!("[{}\n,\r\n{}\n]\n", parts[0], parts[1]);
    for size in 1..list.len() {
        let mut reader = Reader::new(
            Gemini,
            GenerateContent,
            true,
            (200, Some(JSON)),
            Capture::Texts,
        );
        list.as_bytes().chunks(size).for_each(|it| reader.take(it));
        reader.finish(Ended::Whole);
        assert_eq!(reader.seen(), &events);
    }
}

#[test]
fn a_stream_that_is_cut_off_has_counted_what_came() {
    let events = anthropic();
    let stream = named(&events[..9]);
    let cut = seen((Anthropic, Messages), EVENTS, stream.as_bytes(), Ended::Cut);
    assert!(!cut.complete && cut.finish.is_empty());
    let usage = cut.usage.unwrap();
    assert_eq!((usage.input, usage.output), (100, 1));
    assert_eq!((answer(&cut), cut.output_octets), ("I \u{e9} \ndo", 11));
    // Cut off before its end, though the connection closed in good order.
    let closed = pieces(
        (Anthropic, Messages),
        EVENTS,
        &[stream.as_bytes()],
        Ended::Whole,
    );
    assert!(!closed.complete);
}

#[test]
fn an_error_in_a_stream_is_told() {
    let stream = named(&[
        json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
    ]);
    let failed = seen(
        (Anthropic, Messages),
        EVENTS,
        stream.as_bytes(),
        Ended::Whole,
    );
    assert_eq!(failed.failure.unwrap().kind, "overloaded_error");
    let stream = unnamed(&[json!({"error": {"message": "bad", "code": 502}})]);
    let failed = seen(
        (Openai, ChatCompletions),
        EVENTS,
        stream.as_bytes(),
        Ended::Whole,
    );
    assert_eq!(
        (failed.failure.unwrap().message.as_str(), failed.complete),
        ("bad", false)
    );
}

#[test]
fn an_event_that_cannot_be_read_counts_its_octets() {
    let odd = r#"{"choices":[{"delta":{"content":"x","content":"y"}}]}"#;
    let stream = format!("data: {{\"id\":\"c1\"}}\n\ndata: {odd}\n\ndata: [DONE]\n\n");
    let seen = seen(
        (Openai, ChatCompletions),
        EVENTS,
        stream.as_bytes(),
        Ended::Whole,
    );
    assert_eq!((seen.output_octets, seen.answer), (odd.len() as u64, None));
}
