//! Changes touch what they are about, and nothing else.

use proptest::prelude::*;

use super::*;

fn text_of(request: &Request) -> String {
    String::from_utf8(request.octets().to_vec()).unwrap()
}

fn read((kind, path): (ProviderKind, &str), body: &str) -> Request {
    try_read(kind, path, body).unwrap()
}

#[test]
fn a_request_without_changes_is_sent_as_it_was_read() {
    let body = "{ \"model\" : \"m\\u0031\",\n\t\"max_tokens\":1.0e0, \"x\": 1e999 }";
    let error = try_read(MESSAGES.0, MESSAGES.1, body).unwrap_err();
    assert_eq!(error.to_string(), "`max_tokens` is no whole number");
    let body = "{ \"model\" : \"m\\u0031\",\n\t\"max_tokens\":1, \"x\": 1e999 }\n";
    let request = read(MESSAGES, body);
    assert_eq!(request.model.as_deref(), Some("m1"));
    assert_eq!(text_of(&request), body);
}

#[test]
fn each_change_touches_its_own_span() {
    let body = r#"{"a": [1 , 2],"model":"old", "max_tokens" : 900,"messages":[] ,"stream":true}"#;
    let mut request = read(CHAT, body);
    request.set_model("new \"one\"");
    request.cap_output(1000);
    assert_eq!(request.max_output_tokens, Some(900));
    request.cap_output(100);
    assert_eq!(request.max_output_tokens, Some(100));
    request.include_usage();
    assert_eq!(
        text_of(&request),
        r#"{"stream_options":{"include_usage":true},"a": [1 , 2],"model":"new \"one\"", "max_tokens" : 100,"messages":[] ,"stream":true}"#
    );
}

#[test]
fn a_bound_is_put_where_the_dialect_has_it() {
    for (of, body, bounded) in [
        (
            CHAT,
            r#"{"model":"gpt-5"}"#,
            r#"{"max_completion_tokens":7,"model":"gpt-5"}"#,
        ),
        (
            CHAT,
            r#"{"model":"llama"}"#,
            r#"{"max_tokens":7,"model":"llama"}"#,
        ),
        (
            CHAT,
            r#"{"model":"llama","max_tokens":null}"#,
            r#"{"model":"llama","max_tokens":7}"#,
        ),
        (
            CHAT,
            r#"{"model":"x","max_tokens":5,"max_completion_tokens":50}"#,
            r#"{"model":"x","max_tokens":5,"max_completion_tokens":7}"#,
        ),
        (
            RESPONSES,
            r#"{"model":"x"}"#,
            r#"{"max_output_tokens":7,"model":"x"}"#,
        ),
        (
            GEMINI,
            "{}",
            r#"{"generationConfig":{"maxOutputTokens":7}}"#,
        ),
        (
            GEMINI,
            r#"{"generation_config":{}}"#,
            r#"{"generation_config":{"maxOutputTokens":7}}"#,
        ),
        (
            GEMINI,
            r#"{"generationConfig":null}"#,
            r#"{"generationConfig":{"maxOutputTokens":7}}"#,
        ),
        (
            GEMINI,
            r#"{"generationConfig":{"max_output_tokens":9,"topK":1}}"#,
            r#"{"generationConfig":{"max_output_tokens":7,"topK":1}}"#,
        ),
        (CONVERSE, "{}", r#"{"inferenceConfig":{"maxTokens":7}}"#),
    ] {
        let mut request = read(of, body);
        request.cap_output(9);
        request.cap_output(7);
        assert_eq!(text_of(&request), bounded);
        assert_eq!(request.max_output_tokens, Some(7));
    }
}

#[test]
fn usage_is_asked_for_once() {
    for (body, asked) in [
        (
            r#"{"model":"x","stream":true,"stream_options":{}}"#,
            r#"{"model":"x","stream":true,"stream_options":{"include_usage":true}}"#,
        ),
        (
            r#"{"model":"x","stream":true,"stream_options":null}"#,
            r#"{"model":"x","stream":true,"stream_options":{"include_usage":true}}"#,
        ),
        (
            r#"{"model":"x","stream":true,"stream_options":{"include_usage":false}}"#,
            r#"{"model":"x","stream":true,"stream_options":{"include_usage":true}}"#,
        ),
        (
            r#"{"model":"x","stream":true,"stream_options":{"include_usage":true}}"#,
            r#"{"model":"x","stream":true,"stream_options":{"include_usage":true}}"#,
        ),
        (r#"{"model":"x"}"#, r#"{"model":"x"}"#),
    ] {
        let mut request = read(CHAT, body);
        request.include_usage();
        request.include_usage();
        assert_eq!(text_of(&request), asked);
    }
    let mut request = read(MESSAGES, r#"{"model":"x","stream":true}"#);
    request.include_usage();
    assert_eq!(text_of(&request), r#"{"model":"x","stream":true}"#);
}

#[test]
fn features_are_taken_out_and_nothing_empty_is_left() {
    use HostedFeature::*;
    for (of, body, stripped) in [
        (
            MESSAGES,
            json!({"model": "m", "tools": [{"type": "web_search_20250305", "name": "web_search"}, {"name": "a"}], "tool_choice": {"type": "auto"}}),
            json!({"model": "m", "tools": [{"name": "a"}], "tool_choice": {"type": "auto"}}),
        ),
        (
            MESSAGES,
            json!({"model": "m", "tools": [{"name": "a"}, {"type": "web_search_20250305", "name": "web_search"}], "tool_choice": {"type": "tool", "name": "web_search"}}),
            json!({"model": "m", "tools": [{"name": "a"}]}),
        ),
        (
            RESPONSES,
            json!({"model": "m", "tools": [{"type": "web_search"}], "tool_choice": "auto", "store": true}),
            json!({"model": "m", "store": false}),
        ),
        (
            GEMINI,
            json!({"tools": [{"googleSearch": {}, "functionDeclarations": []}, {"googleSearch": {}}]}),
            json!({"tools": [{"functionDeclarations": []}]}),
        ),
        (
            CHAT,
            json!({"model": "m", "web_search_options": {"a": 1}, "messages": [{"role": "user", "content": [
                {"type": "image_url", "image_url": {"url": "https://x"}}, {"type": "text", "text": "t"}]}]}),
            json!({"model": "m", "messages": [{"role": "user", "content": [
                {"type": "text", "text": "(taken out by the gateway)"}, {"type": "text", "text": "t"}]}]}),
        ),
        (
            CONVERSE,
            json!({"toolConfig": {"tools": [{"systemTool": {"name": "nova_grounding"}}]}, "messages": []}),
            json!({"messages": []}),
        ),
    ] {
        let mut request = request(of, &body);
        request.strip(&[WebSearch, StoredResponse, FetchedUrl]);
        assert_eq!(sent(&request), stripped);
        assert_eq!(request.hosted, []);
    }
}

#[test]
fn what_is_not_to_be_taken_out_stays() {
    let body = json!({"model": "m", "background": true, "tools": [{"type": "web_search"}]});
    let mut request = request(RESPONSES, &body);
    request.strip(&[HostedFeature::WebSearch]);
    assert_eq!(request.hosted, [HostedFeature::Background]);
    assert_eq!(sent(&request), json!({"model": "m", "background": true}));
}

#[test]
fn every_text_is_shown_with_its_place_and_can_be_changed() {
    let body = json!({
        "model": "m", "system": "secret 1", "max_tokens": 5,
        "messages": [
            {"role": "user", "content": "secret 2"},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "secret of the provider", "signature": "secret"},
                {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {"env": {"KEY": "secret 3"}}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "\u{e9} \"secret 4\"\n"}]},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "secret"}}]},
        ],
        "tools": [{"name": "Bash", "description": "secret 5", "input_schema": {"properties": {"x": {"description": "secret 6"}}}}],
    });
    let mut request = request(MESSAGES, &body);
    let mut places = Vec::new();
    request.texts(&mut |place, text| {
        let changed = text.replace("secret", "***");
        (changed != text).then(|| {
            places.push(place.to_string());
            changed
        })
    });
    places.sort_unstable();
    assert_eq!(
        places,
        [
            "messages[0].content",
            "messages[1].content[1].input.env.KEY (tool-call toolu_1)",
            "messages[2].content[0].content[0].text (tool-result toolu_1)",
            "system",
            "tools[0].description",
            "tools[0].input_schema.properties.x.description",
        ]
    );
    let expected = body
        .to_string()
        .replace("secret 1", "*** 1")
        .replace("secret 2", "*** 2")
        .replace("secret 3", "*** 3")
        .replace("secret 4", "*** 4")
        .replace("secret 5", "*** 5")
        .replace("secret 6", "*** 6");
    assert_eq!(text_of(&request), expected);
    let call = request
        .items
        .iter()
        .find(|it| it.kind == ContextKind::ToolCall)
        .unwrap();
    let call = request.recorded(call, crate::Capture::Texts);
    assert_eq!(
        call.text.text.as_deref(),
        Some(r#"{"env":{"KEY":"*** 3"}}"#)
    );
}

#[test]
fn a_secret_in_the_place_of_an_id_is_shown_where_it_is_no_id() {
    let long = "k".repeat(200);
    let body = json!({"model": "m(n)", "messages": [{"role": "user", "content": "x", "id": long, "type": "a b"}]});
    let mut request = request(MESSAGES, &body);
    let mut shown = Vec::new();
    request.texts(&mut |_, text| {
        shown.push(text.to_owned());
        None
    });
    assert!(shown.contains(&long) && shown.contains(&"a b".to_owned()));
    assert!(!shown.contains(&"m(n)".to_owned()));
}

proptest! {
    /// All changes at once leave a document in which each of them is, and all else as it was.
    #[test]
    fn changes_do_not_disturb_each_other(
        texts in proptest::collection::vec("[a-z\"\\\\\n\u{e9} ]{0,6}", 1..5),
        hosted in proptest::collection::vec(any::<bool>(), 0..6),
        tokens in 1..2000u64,
        pretty in any::<bool>(),
    ) {
        let tool = |(at, hosted): (usize, &bool)| match hosted {
            true => json!({"type": "web_search_20250305", "name": "web_search"}),
            false => json!({"name": format!("tool_{at}"), "description": texts[at % texts.len()]}),
        };
        let tools: Vec<Value> = hosted.iter().enumerate().map(tool).collect();
        let messages: Vec<Value> = texts.iter().map(|it| json!({"role": "user", "content": it})).collect();
        let mut body = json!({"model": "old", "max_tokens": 1000, "messages": messages, "tools": tools});
        let written = if pretty { serde_json::to_string_pretty(&body).unwrap() } else { body.to_string() };
        let mut request = read(MESSAGES, &written);
        request.strip(&[HostedFeature::WebSearch]);
        request.cap_output(tokens);
        request.set_model("new");
        request.texts(&mut |_, text| text.contains('a').then(|| text.replace('a', "A\"")));
        body["model"] = "new".into();
        body["max_tokens"] = tokens.min(1000).into();
        for (at, text) in texts.iter().enumerate() {
            body["messages"][at]["content"] = text.replace('a', "A\"").into();
        }
        let kept: Vec<Value> = tools.into_iter().filter(|it| it.get("type").is_none()).map(|mut tool| {
            tool["description"] = tool["description"].as_str().unwrap().replace('a', "A\"").into();
            tool
        }).collect();
        if kept.is_empty() && !hosted.is_empty() {
            body.as_object_mut().unwrap().remove("tools");
        } else {
            body["tools"] = kept.into();
        }
        prop_assert_eq!(sent(&request), body);
    }
}
