//! One request of each dialect, in its real form.

use ContextKind::{Assistant, Media, System, ToolCall, ToolResult, User};
use HostedFeature::*;

use super::*;

#[test]
fn messages_are_read() {
    let request = request(
        MESSAGES,
        &json!({
            "model": "claude-sonnet-4-5", "max_tokens": 32000, "stream": true,
            "system": [{"type": "text", "text": "You are Claude Code", "cache_control": {"type": "ephemeral"}}],
            "metadata": {"user_id": "{\"device_id\":\"d\",\"session_id\":\"0b-1\"}"},
            "messages": [
                {"role": "user", "content": [
                    {"type": "text", "text": "look"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAAAAAA"}},
                ]},
                {"role": "assistant", "content": [
                    {"type": "thinking", "thinking": "hm", "signature": "sig"},
                    {"type": "text", "text": "I will"},
                    {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {"command": "ls"}},
                ]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "toolu_1", "is_error": true, "content": [
                        {"type": "text", "text": "no such"}, {"type": "text", "text": " file"}]},
                ]},
                {"role": "user", "content": "and now?"},
            ],
            "tools": [
                {"name": "Bash", "description": "runs", "input_schema": {"type": "object", "properties": {"a": {}, "A": {}}}},
                {"type": "bash_20250124", "name": "bash"},
                {"type": "custom", "name": "mine"},
                {"type": "web_search_20250305", "name": "web_search", "max_uses": 8},
            ],
            "thinking": {"type": "enabled", "budget_tokens": 1024},
        }),
    );
    assert_eq!(request.model.as_deref(), Some("claude-sonnet-4-5"));
    assert!(request.stream && request.includes_usage);
    assert_eq!(request.max_output_tokens, Some(32000));
    assert_eq!(request.session.as_deref(), Some("0b-1"));
    assert_eq!(request.tools, ["Bash", "bash", "mine"]);
    assert_eq!(request.hosted, [WebSearch]);
    assert_eq!(request.media, 1);
    assert_eq!(request.text_octets, request.octets().len() as u64 - 10);
    assert_eq!(
        items(&request),
        [
            item(System, "You are Claude Code"),
            item(User, "look"),
            item(Media, ""),
            item(Assistant, "I will"),
            of_tool(ToolCall, ("toolu_1", "Bash"), false, r#"{"command":"ls"}"#),
            of_tool(ToolResult, ("toolu_1", ""), true, "no such file"),
            item(User, "and now?"),
        ]
    );
}

#[test]
fn the_session_of_an_older_claude_code_is_read() {
    let user = "user_1f_account_2e_session_3d-4c";
    let request = request(
        MESSAGES,
        &json!({"model": "m", "metadata": {"user_id": user}}),
    );
    assert_eq!(request.session.as_deref(), Some("3d-4c"));
}

#[test]
fn chat_completions_are_read() {
    let request = request(
        CHAT,
        &json!({
            "model": "gpt-4o", "n": 2, "stream": true, "max_completion_tokens": 50, "max_tokens": 70,
            "stream_options": {"include_usage": true}, "service_tier": "flex",
            "messages": [
                {"role": "developer", "content": "be good"},
                {"role": "user", "content": [
                    {"type": "text", "text": "what is it?"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
                ]},
                {"role": "assistant", "content": null, "tool_calls": [
                    {"id": "call_1", "type": "function", "function": {"name": "read", "arguments": "{\"path\":\"a\"}"}}]},
                {"role": "tool", "tool_call_id": "call_1", "content": "text"},
            ],
            "tools": [{"type": "function", "function": {"name": "read", "parameters": {}}}],
        }),
    );
    assert_eq!(request.max_output_tokens, Some(70));
    assert_eq!((request.choices, request.media), (2, 1));
    assert!(request.includes_usage && request.hosted.is_empty());
    assert_eq!(request.tools, ["read"]);
    assert_eq!(request.service_tier.as_deref(), Some("flex"));
    assert_eq!(
        items(&request),
        [
            item(System, "be good"),
            item(User, "what is it?"),
            of_tool(ToolCall, ("call_1", "read"), false, r#"{"path":"a"}"#),
            of_tool(ToolResult, ("call_1", ""), false, "text"),
        ]
    );
}

#[test]
fn responses_are_read() {
    let request = request(
        RESPONSES,
        &json!({
            "model": "gpt-5.1-codex", "instructions": "You are Codex", "stream": true, "store": false,
            "prompt_cache_key": "0199-s", "include": ["reasoning.encrypted_content"],
            "reasoning": {"effort": "medium"}, "tool_choice": "auto",
            "input": [
                {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "go"}]},
                {"type": "reasoning", "summary": [], "encrypted_content": "gAAA"},
                {"type": "function_call", "call_id": "call_1", "name": "shell", "arguments": "{\"command\":[\"ls\"]}"},
                {"type": "function_call_output", "call_id": "call_1", "output": "a b"},
                {"type": "custom_tool_call", "call_id": "call_2", "name": "apply_patch", "input": "*** Begin"},
                {"type": "custom_tool_call_output", "call_id": "call_2", "output": [{"type": "input_text", "text": "ok"}]},
                {"role": "assistant", "content": [{"type": "output_text", "text": "done"}]},
            ],
            "tools": [
                {"type": "function", "name": "shell", "parameters": {}},
                {"type": "custom", "name": "apply_patch", "format": {"type": "grammar"}},
                {"type": "local_shell"},
                {"type": "shell", "environment": {"type": "local"}},
                {"type": "namespace", "name": "mcp__x", "tools": [{"type": "function", "name": "inner"}]},
                {"type": "web_search", "external_web_access": false},
            ],
        }),
    );
    assert_eq!(request.session.as_deref(), Some("0199-s"));
    assert_eq!(
        request.tools,
        ["shell", "apply_patch", "local_shell", "shell", "inner"]
    );
    assert_eq!(request.hosted, [WebSearch]);
    assert_eq!(request.max_output_tokens, None);
    assert_eq!(
        items(&request),
        [
            item(System, "You are Codex"),
            item(User, "go"),
            of_tool(
                ToolCall,
                ("call_1", "shell"),
                false,
                r#"{"command":["ls"]}"#
            ),
            of_tool(ToolResult, ("call_1", ""), false, "a b"),
            of_tool(ToolCall, ("call_2", "apply_patch"), false, "*** Begin"),
            of_tool(ToolResult, ("call_2", ""), false, "ok"),
            item(Assistant, "done"),
        ]
    );
}

#[test]
fn gemini_is_read_in_both_spellings() {
    for (configuration, tokens, system, inline) in [
        (
            "generationConfig",
            "maxOutputTokens",
            "systemInstruction",
            "inlineData",
        ),
        (
            "generation_config",
            "max_output_tokens",
            "system_instruction",
            "inline_data",
        ),
    ] {
        let request = request(
            GEMINI,
            &json!({
                system: {"parts": [{"text": "You are an agent"}]},
                "contents": [
                    {"role": "user", "parts": [{"text": "hi"}, {inline: {"mimeType": "image/png", "data": "AAAA"}}]},
                    {"role": "model", "parts": [
                        {"thought": true, "text": "hm"},
                        {"functionCall": {"name": "ls", "args": {"dir": "."}}, "thoughtSignature": "s"}]},
                    {"role": "user", "parts": [{"functionResponse": {"name": "ls", "response": {"error": "no"}}}]},
                ],
                "tools": [{"functionDeclarations": [{"name": "ls"}]}],
                configuration: {tokens: 100, "candidateCount": 3},
            }),
        );
        assert_eq!(request.model.as_deref(), Some("gemini-2.5-pro"));
        assert_eq!((request.max_output_tokens, request.choices), (Some(100), 3));
        assert_eq!(request.tools, ["ls"]);
        assert_eq!(
            items(&request),
            [
                item(System, "You are an agent"),
                item(User, "hi"),
                item(Media, ""),
                of_tool(ToolCall, ("ls", "ls"), false, r#"{"dir":"."}"#),
                of_tool(ToolResult, ("ls", "ls"), true, r#"{"error":"no"}"#),
            ]
        );
    }
}

#[test]
fn converse_is_read() {
    let request = request(
        CONVERSE,
        &json!({
            "system": [{"text": "be good"}, {"cachePoint": {"type": "default"}}],
            "messages": [
                {"role": "user", "content": [{"text": "hi"}]},
                {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t1", "name": "ls", "input": {}}}]},
                {"role": "user", "content": [{"toolResult": {"toolUseId": "t1", "status": "error", "content": [{"text": "no"}]}}]},
            ],
            "inferenceConfig": {"maxTokens": 10},
            "toolConfig": {"tools": [{"toolSpec": {"name": "ls", "inputSchema": {"json": {}}}}, {"systemTool": {"name": "nova_grounding"}}]},
        }),
    );
    assert_eq!(request.max_output_tokens, Some(10));
    assert_eq!(
        (request.hosted.as_slice(), request.tools.as_slice()),
        (&[WebSearch][..], &["ls".to_owned()][..])
    );
    assert_eq!(
        items(&request),
        [
            item(System, "be good"),
            item(User, "hi"),
            of_tool(ToolCall, ("t1", "ls"), false, "{}"),
            of_tool(ToolResult, ("t1", ""), true, "no"),
        ]
    );
}

#[test]
fn claude_in_clouds_is_read() {
    let body = json!({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 5,
        "messages": [{"role": "user", "content": "hi"}]});
    for (kind, path) in [
        (ProviderKind::Bedrock, "/model/anthropic.claude-x/invoke"),
        (
            ProviderKind::Vertex,
            "/v1/projects/p/locations/l/publishers/anthropic/models/anthropic.claude-x:rawPredict",
        ),
    ] {
        let request = request((kind, path), &body);
        assert_eq!(request.model.as_deref(), Some("anthropic.claude-x"));
        assert_eq!(items(&request), [item(User, "hi")]);
        let other = json!({"inputText": "hi", "messages": []}).to_string();
        assert!(try_read(kind, path, &other).is_err());
    }
}

#[test]
fn texts_for_vectors_and_completions_are_read() {
    let embeddings = (ProviderKind::Openai, "/embeddings");
    let read = request(embeddings, &json!({"model": "e", "input": ["a", "b"]}));
    assert_eq!(items(&read), [item(User, "a"), item(User, "b")]);
    let read = request(embeddings, &json!({"model": "e", "input": [[1, 2], [3]]}));
    assert!(read.items.is_empty());
    let gemini = (ProviderKind::Gemini, "/v1beta/models/e:batchEmbedContents");
    let read = request(
        gemini,
        &json!({"requests": [{"model": "models/e", "content": {"parts": [{"text": "a"}]}}]}),
    );
    assert_eq!(items(&read), [item(User, "a")]);
    let read = request(
        COMPLETIONS,
        &json!({"model": "m", "prompt": ["a", "b"], "n": 2, "best_of": 3}),
    );
    assert_eq!(read.choices, 6);
    let read = request(COMPLETIONS, &json!({"model": "m", "prompt": [1, 2, 3]}));
    assert_eq!(read.choices, 1);
}

#[test]
fn what_the_provider_does_by_itself_is_found() {
    let chat = |more: Value| (CHAT, more);
    let text = "text";
    for ((of, more), expected) in [
        (chat(json!({"web_search_options": null, "tools": []})), vec![]),
        (chat(json!({"web_search_options": {"search_context_size": "low"}})), vec![WebSearch]),
        (chat(json!({"plugins": [{"id": "web"}, {"id": "x"}]})), vec![WebSearch, HostedFeature::other("x")]),
        (chat(json!({"models": ["gpt-5-pro"]})), vec![HostedFeature::other("models")]),
        (chat(json!({"data_sources": [{"type": "azure_search"}]})), vec![FileSearch]),
        (chat(json!({"store": true})), vec![StoredResponse]),
        (chat(json!({"modalities": ["text", "audio"], "audio": {"voice": "x"}})), vec![Generation]),
        (chat(json!({"api_base": "http://evil", "base_url": ""})), vec![HostedFeature::other("api_base")]),
        (chat(json!({"brand_new": {"a": 1}, "brand_newer": 1})), vec![HostedFeature::other("brand_new")]),
        (chat(json!({"tools": [{"type": "browser_search"}, {"type": "new_thing"}]})), vec![WebSearch, HostedFeature::other("new_thing")]),
        (chat(json!({"service_tier": "priority"})), vec![HostedFeature::other("priority")]),
        (chat(json!({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x/?q=secret"}}]}]})), vec![FetchedUrl]),
        (chat(json!({"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "file-1"}}]}]})), vec![StoredFile]),
        (chat(json!({"messages": [{"role": "user", "content": [{"type": text, "text": "https://x"}]}]})), vec![]),
        (RESPONSES, json!({"previous_response_id": "resp_1"})).into_pair(vec![StoredResponse]),
        (RESPONSES, json!({"background": true, "store": true, "conversation": "c"})).into_pair(vec![StoredResponse, Background]),
        (RESPONSES, json!({"background": false, "store": false, "conversation": null})).into_pair(vec![]),
        (RESPONSES, json!({"prompt": {"id": "pmpt_1"}})).into_pair(vec![StoredResponse]),
        (RESPONSES, json!({"input": [{"type": "item_reference", "id": "rs_1"}]})).into_pair(vec![StoredResponse]),
        (RESPONSES, json!({"input": [{"role": "user", "content": [{"type": "input_file", "file_url": "https://x"}]}]})).into_pair(vec![FetchedUrl]),
        (RESPONSES, json!({"tools": [{"type": "shell"}, {"type": "code_interpreter"}, {"type": "mcp", "server_url": "https://x"},
            {"type": "image_generation"}, {"type": "file_search"}, {"type": "computer_use_preview"}, {"type": "namespace", "tools": [{"type": "mcp"}]}]}))
            .into_pair(vec![CodeExecution, RemoteMcp, FileSearch, Generation]),
        (MESSAGES, json!({"mcp_servers": [{"type": "url", "url": "https://x"}], "tools": [{"type": "mcp_toolset"}]})).into_pair(vec![RemoteMcp]),
        (MESSAGES, json!({"container": {"skills": [{"type": "anthropic", "skill_id": "pptx"}]}})).into_pair(vec![CodeExecution, Skills]),
        (MESSAGES, json!({"tools": [{"type": "web_fetch_20250910", "name": "f"}, {"type": "tool_search_tool_regex_20251119", "name": "s"},
            {"type": "memory_20250818", "name": "m"}, {"type": "agent_20270101", "name": "a"}]}))
            .into_pair(vec![WebFetch, ToolSearch, HostedFeature::other("agent_20270101")]),
        (MESSAGES, json!({"messages": [{"role": "user", "content": [{"type": "document", "source": {"type": "url", "url": "https://x"}}]}]})).into_pair(vec![FetchedUrl]),
        (MESSAGES, json!({"messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t",
            "content": [{"type": "image", "source": {"type": "file", "file_id": "f"}}]}]}]})).into_pair(vec![StoredFile]),
        (MESSAGES, json!({"speed": "fast"})).into_pair(vec![HostedFeature::other("speed")]),
        (GEMINI, json!({"tools": [{"google_search": {}}, {"urlContext": {}, "codeExecution": {}}, {"brandNew": {}}]}))
            .into_pair(vec![WebSearch, WebFetch, CodeExecution, HostedFeature::other("brandNew")]),
        (GEMINI, json!({"cachedContent": "cachedContents/1"})).into_pair(vec![StoredResponse]),
        (GEMINI, json!({"service_tier": "priority"})).into_pair(vec![HostedFeature::other("priority")]),
        (CONVERSE, json!({"performanceConfig": {"latency": "optimized"}})).into_pair(vec![HostedFeature::other("priority")]),
        (CONVERSE, json!({"performanceConfig": {"latency": "standard"}})).into_pair(vec![]),
        (GEMINI, json!({"generationConfig": {"responseModalities": ["TEXT", "IMAGE"]}})).into_pair(vec![Generation]),
        (GEMINI, json!({"contents": [{"parts": [{"fileData": {"fileUri": "https://www.youtube.com/watch?v=1"}},
            {"file_data": {"file_uri": "https://generativelanguage.googleapis.com/v1beta/files/1"}}]}]})).into_pair(vec![FetchedUrl, StoredFile]),
        (CONVERSE, json!({"additionalModelRequestFields": {"tools": [{"type": "web_search"}], "thinking": {}}})).into_pair(vec![HostedFeature::other("tools")]),
        (CONVERSE, json!({"messages": [{"role": "user", "content": [{"image": {"format": "png", "source": {"s3Location": {"uri": "s3://x"}}}}]}]})).into_pair(vec![FetchedUrl]),
    ] {
        let mut body = more.clone();
        body["model"] = of_model(of).into();
        if of == CONVERSE {
            body.as_object_mut().unwrap().remove("model");
        }
        assert_eq!(request(of, &body).hosted, expected, "{more}");
    }
}

fn of_model(of: (ProviderKind, &str)) -> &'static str {
    if of == GEMINI {
        "models/gemini-2.5-pro"
    } else {
        "gpt-4o"
    }
}

trait IntoPair: Sized {
    fn into_pair(self, expected: Vec<HostedFeature>) -> (Self, Vec<HostedFeature>) {
        (self, expected)
    }
}

impl IntoPair for ((ProviderKind, &str), Value) {}

#[test]
fn a_name_of_a_model_may_ask_for_a_search() {
    let asked = request(CHAT, &json!({"model": "openai/gpt-4o:online"}));
    assert_eq!(asked.hosted, [WebSearch]);
    let mut stripped = asked.clone();
    stripped.strip(&[WebSearch]);
    assert_eq!(stripped.hosted, [WebSearch]);
}
