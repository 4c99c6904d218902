//! What asks a provider to do something by itself in places and spellings where it is easily
//! overlooked: each of these went, or would have gone, through a reader that looks at types alone.

use HostedFeature::*;

use super::*;

const EMBEDDINGS: (ProviderKind, &str) = (ProviderKind::Openai, "/embeddings");
const AZURE: (ProviderKind, &str) = (ProviderKind::AzureOpenai, "/openai/v1/responses");
const VERTEX: (ProviderKind, &str) = (
    ProviderKind::Vertex,
    "/v1/publishers/google/models/gemini-2.5-pro:generateContent",
);
const URL: &str = "https://evil.test/?leak";

fn hosted(of: (ProviderKind, &str), mut body: Value) -> Vec<HostedFeature> {
    let takes_model = !matches!(of.0, ProviderKind::Bedrock)
        && !of.1.ends_with(":generateContent")
        && body.get("model").is_none();
    if takes_model {
        body["model"] = "m".into();
    }
    request(of, &body).hosted
}

fn other(name: &str) -> Vec<HostedFeature> {
    vec![HostedFeature::other(name)]
}

fn content(part: &Value) -> Value {
    json!({"messages": [{"role": "user", "content": [part]}]})
}

#[test]
fn an_empty_object_switches_on_what_it_names() {
    for (of, body, expected) in [
        (CHAT, json!({"web_search_options": {}}), vec![WebSearch]),
        (CHAT, json!({"search_parameters": {}}), vec![WebSearch]),
        (CHAT, json!({"brand_new": {}}), other("brand_new")),
        (RESPONSES, json!({"brand_new": {}}), other("brand_new")),
        (MESSAGES, json!({"container": {}}), vec![CodeExecution]),
        (
            CHAT,
            json!({"metadata": {}, "plugins": [], "tools": []}),
            vec![],
        ),
    ] {
        assert_eq!(hosted(of, body.clone()), expected, "{body}");
    }
}

#[test]
fn a_word_can_switch_on_a_search_or_lead_elsewhere() {
    for (name, value) in [
        ("search_mode", json!("web")),
        ("enable_search", json!(true)),
        ("provider", json!("evil")),
        ("apiBase", json!(URL)),
        ("aws_bedrock_runtime_endpoint", json!(URL)),
        ("vertex_credentials", json!("{}")),
        ("region_name", json!("x")),
        ("image_url", json!(URL)),
        ("webhook", json!(URL)),
        ("prompt_embeds", json!("AAAA")),
    ] {
        let body = json!({name: value});
        for of in [CHAT, RESPONSES, MESSAGES] {
            assert_eq!(hosted(of, body.clone()), other(name), "{body}");
        }
    }
    for name in ["use_beam_search", "enable_thinking", "echo", "suffix"] {
        assert_eq!(hosted(CHAT, json!({name: true})), vec![], "{name}");
    }
}

#[test]
fn a_name_of_a_model_can_be_more_than_a_model() {
    for (of, model, expected) in [
        (CHAT, "openai/gpt-4o:ONLINE", vec![WebSearch]),
        (CHAT, "openai/gpt-4o:online:free", vec![WebSearch]),
        (CHAT, "groq/compound", vec![WebSearch, CodeExecution]),
        (CHAT, "compound-beta-mini", vec![WebSearch, CodeExecution]),
        (CHAT, "@preset/mine", vec![StoredResponse]),
        (
            CHAT,
            "google/gemini-2.5-flash@preset/mine",
            vec![StoredResponse],
        ),
        (AZURE, "o3-deep-research", vec![WebSearch]),
        (CHAT, "gpt-5-mini", vec![]),
    ] {
        assert_eq!(hosted(of, json!({"model": model})), expected, "{model}");
    }
    let prompt = (
        ProviderKind::Bedrock,
        "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Aprompt%2FP1%3A1/converse",
    );
    assert_eq!(hosted(prompt, json!({})), vec![StoredResponse]);
}

#[test]
fn a_tool_is_the_clients_where_the_whole_of_its_type_says_so() {
    for (kind, expected) in [
        ("bash_20250124", vec![]),
        ("computer_20271231", vec![]),
        (
            "bash_code_execution_20260101",
            other("bash_code_execution_20260101"),
        ),
        (
            "computer_hosted_20260101",
            other("computer_hosted_20260101"),
        ),
        ("memory_", other("memory_")),
        ("web_search_99999999", vec![WebSearch]),
    ] {
        let body = json!({"tools": [{"type": kind, "name": "x"}]});
        assert_eq!(hosted(MESSAGES, body), expected, "{kind}");
    }
}

#[test]
fn what_is_fetched_is_found_wherever_it_is_named() {
    let image = json!({"type": "image", "source": {"type": "url", "url": URL}});
    for (of, body) in [
        (MESSAGES, json!({"system": [image]})),
        (
            MESSAGES,
            content(
                &json!({"type": "document", "source": {"type": "content", "content": [image]}}),
            ),
        ),
        (
            GEMINI,
            json!({"contents": [{"parts": [{"thought": true, "fileData": {"fileUri": URL}}]}]}),
        ),
        (
            GEMINI,
            json!({"contents": [{"parts": {"file_data": {"file_uri": URL}}}]}),
        ),
        (
            GEMINI,
            json!({"systemInstruction": {"parts": [{"fileData": {"fileUri": URL}}]}}),
        ),
        (
            GEMINI,
            json!({"contents": [{"parts": [{"functionResponse": {"name": "f", "response": {}, "parts": [{"fileData": {"fileUri": URL}}]}}]}]}),
        ),
        (
            RESPONSES,
            json!({"input": [{"type": "function_call_output", "call_id": "c", "output": [{"image_url": URL}]}]}),
        ),
        (
            RESPONSES,
            json!({"input": [{"type": "computer_call_output", "call_id": "c", "output": {"type": "computer_screenshot", "image_url": URL}}]}),
        ),
        (
            RESPONSES,
            json!({"instructions": [{"role": "user", "content": [{"type": "input_image", "image_url": URL}]}]}),
        ),
        (
            RESPONSES,
            json!({"input": [{"role": "user", "content": [{"type": "input_image", "image_url": {"url": URL}}]}]}),
        ),
        (
            CHAT,
            content(&json!({"type": "image_url", "image_url": "file:///etc/passwd"})),
        ),
        (
            CHAT,
            content(&json!({"type": "image_url", "image_url": {"url": " data:,x"}})),
        ),
        (
            CHAT,
            content(&json!({"type": "file", "file": {"file_data": URL}})),
        ),
        (
            CHAT,
            json!({"messages": [{"role": "tool", "content": [{"type": "image_url", "image_url": {"url": URL}}]}]}),
        ),
        (
            CONVERSE,
            content(&json!({"document": {"name": "d", "source": {"uri": URL}}})),
        ),
    ] {
        assert_eq!(hosted(of, body.clone()), vec![FetchedUrl], "{body}");
    }
}

#[test]
fn members_of_messages_and_settings_are_looked_at_too() {
    for (of, body, expected) in [
        (
            CHAT,
            json!({"messages": [{"role": "assistant", "audio": {"id": "audio_1"}}]}),
            other("audio"),
        ),
        (
            CHAT,
            json!({"messages": [{"role": "user", "content": "x", "images": [URL]}]}),
            other("images"),
        ),
        (
            CHAT,
            json!({"messages": [{"role": "assistant", "content": "x", "annotations": [{}], "reasoning_details": [{}]}]}),
            vec![],
        ),
        (
            VERTEX,
            json!({"generationConfig": {"routingConfig": {"manualMode": {"modelName": "gemini-3-ultra"}}}}),
            other("routingConfig"),
        ),
        (
            GEMINI,
            json!({"generationConfig": {"thinkingConfig": {"thinkingBudget": 1}, "responseSchema": {"type": "OBJECT"}, "imageConfig": {}}}),
            vec![],
        ),
        (
            GEMINI,
            json!({"serviceTier": "PRIORITY"}),
            other("priority"),
        ),
    ] {
        assert_eq!(hosted(of, body.clone()), expected, "{body}");
    }
}

#[test]
fn what_has_a_shape_that_is_not_read_is_refused() {
    let part = json!({"type": "image_url", "image_url": {"url": URL}});
    for (of, body) in [
        (
            CHAT,
            json!({"model": "m", "messages": [{"role": "user", "content": part}]}),
        ),
        (
            CHAT,
            json!({"model": "m", "messages": [{"role": "user", "content": 1}]}),
        ),
        (
            MESSAGES,
            json!({"model": "m", "messages": [{"role": "user", "content": {"type": "text", "text": "x"}}]}),
        ),
        (
            MESSAGES,
            json!({"model": "m", "system": {"type": "text", "text": "x"}}),
        ),
        (RESPONSES, json!({"model": "m", "input": part})),
        (RESPONSES, json!({"model": "m", "instructions": part})),
        (EMBEDDINGS, json!({"model": "m", "input": [[part]]})),
        (
            COMPLETIONS,
            json!({"model": "m", "prompt": [{"prompt_embeds": "x"}]}),
        ),
        (COMPLETIONS, json!({"model": "m", "prompt": [[part]]})),
        (GEMINI, json!({"contents": [{"parts": "x"}]})),
    ] {
        let read = try_read(of.0, of.1, &body.to_string());
        assert!(
            matches!(read, Err(RequestError::Shape { .. })),
            "{body}: {read:?}"
        );
    }
}

#[test]
fn a_model_has_one_spelling() {
    for model in [
        "gpt-5 ",
        " gpt-5",
        "gpt-5\n",
        "gpt\u{200b}-5",
        "ｇpt-5",
        "gpt-5\u{0}",
    ] {
        let body = json!({"model": model}).to_string();
        let read = try_read(CHAT.0, CHAT.1, &body);
        assert!(
            matches!(read, Err(RequestError::OddModel)),
            "{model:?}: {read:?}"
        );
    }
    let mut asked = request(CHAT, &json!({"model": "models/gemini-2.5-pro"}));
    assert_eq!(asked.model.as_deref(), Some("gemini-2.5-pro"));
    asked.set_model("gemini-2.5-flash");
    assert_eq!(sent(&asked)["model"], "models/gemini-2.5-flash");
}

#[test]
fn names_of_members_are_shown_as_texts_are() {
    let body = json!({"model": "m", "messages": [{"role": "assistant", "content": [
        {"type": "tool_use", "id": "t", "name": "n", "input": {"a secret in a name": {"a name with a secret": "secret"}}}]}]});
    let mut asked = request(MESSAGES, &body);
    let mut places = Vec::new();
    asked.texts(&mut |place, text| {
        places.push(place.to_string());
        text.contains("secret").then(|| text.replace("secret", "*"))
    });
    let input = &sent(&asked)["messages"][0]["content"][0]["input"];
    assert_eq!(*input, json!({"a * in a name": {"a name with a *": "*"}}));
    assert!(places.iter().all(|it| !it.contains("secret")), "{places:?}");
}

#[test]
fn a_response_is_not_kept_unless_the_request_says_so() {
    for (body, expected) in [
        (json!({"model": "m", "input": "x"}), json!(false)),
        (
            json!({"model": "m", "input": "x", "store": null}),
            json!(false),
        ),
        (
            json!({"model": "m", "input": "x", "store": true}),
            json!(true),
        ),
    ] {
        let mut asked = request(RESPONSES, &body);
        asked.keep_nothing();
        assert_eq!(sent(&asked)["store"], expected, "{body}");
    }
    let count = (ProviderKind::Openai, "/responses/input_tokens");
    for of in [CHAT, count, MESSAGES] {
        let mut asked = request(of, &json!({"model": "m"}));
        asked.keep_nothing();
        assert_eq!(sent(&asked), json!({"model": "m"}));
    }
}

#[test]
fn what_stands_behind_another_name_is_judged_as_itself() {
    let mut asked = request(CHAT, &json!({"model": "fast"}));
    assert_eq!(asked.hosted_with(Some("o3-deep-research")), [WebSearch]);
    asked.set_model("gpt-4o-search-preview");
    assert_eq!(asked.hosted, [WebSearch]);
    asked.set_model("gpt-4o");
    assert_eq!(asked.hosted, []);
}

#[test]
fn what_a_conversation_goes_on_from_is_not_taken_out_in_silence() {
    for (of, body) in [
        (
            RESPONSES,
            json!({"model": "m", "previous_response_id": "r"}),
        ),
        (RESPONSES, json!({"model": "m", "conversation": "c"})),
        (
            RESPONSES,
            json!({"model": "m", "input": [{"type": "item_reference", "id": "i"}]}),
        ),
        (GEMINI, json!({"cachedContent": "cachedContents/1"})),
    ] {
        let mut asked = request(of, &body);
        asked.strip(&[StoredResponse]);
        assert_eq!(asked.hosted, [StoredResponse], "{body}");
    }
    let mut asked = request(RESPONSES, &json!({"model": "m", "store": true}));
    asked.strip(&[StoredResponse]);
    assert_eq!(asked.hosted, []);
}

#[test]
fn a_secret_is_shown_under_whatever_name_it_stands() {
    let secret = "ghp_0123456789abcdefghij";
    for (of, body) in [
        (
            MESSAGES,
            json!({"model": "m", "messages": [{"role": "assistant", "content": [
            {"type": "tool_use", "id": "t", "name": "n", "input": {"id": secret}}]}]}),
        ),
        (
            MESSAGES,
            json!({"model": "m", "messages": [{"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": secret, "content": "x"}]}]}),
        ),
        (
            GEMINI,
            json!({"contents": [{"parts": [
            {"functionResponse": {"name": "f", "response": {"type": secret}}}]}]}),
        ),
        (
            CHAT,
            json!({"model": "m", "messages": [{"role": secret, "content": "x"}]}),
        ),
    ] {
        let mut asked = request(of, &body);
        asked.texts(&mut |_, text| (text == secret).then(|| "*".to_owned()));
        assert!(!sent(&asked).to_string().contains(secret), "{body}");
    }
}
