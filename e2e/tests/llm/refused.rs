//! What no rule allows is refused in the provider's own words, and does not reach it.

use ringfence_e2e::Ended;

use super::lab::Lab;

/// A request of each kind that must not pass, and what the answer says.
fn refused(lab: &Lab, script: &str, said: &[&str]) -> Ended {
    let before = lab.requests().len();
    let ended = lab.sh(script);
    for words in said {
        assert!(ended.stdout.contains(words), "{words}: {ended}");
    }
    assert_eq!(lab.requests().len(), before, "{ended}");
    ended
}

#[test]
fn a_model_that_no_rule_allows() {
    let lab = Lab::with("models: [\"*haiku*\", \"gpt-5-mini\", \"gemini-2.5-flash\"]");
    refused(
        &lab,
        r#"claude '{"model":"claude-opus-4-5","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}'"#,
        &[
            "\"type\":\"error\"",
            "permission_error",
            "claude-opus-4-5",
            "Ringfence refused this",
        ],
    );
    refused(
        &lab,
        r#"chat '{"model":"gpt-5","messages":[{"role":"user","content":"hi"}]}'"#,
        &["\"error\"", "gpt-5"],
    );
    refused(
        &lab,
        r#"gemini gemini-2.5-pro:generateContent '{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}'"#,
        &["PERMISSION_DENIED", "gemini-2.5-pro"],
    );
}

#[test]
fn what_the_provider_would_do_by_itself() {
    let lab = Lab::with("");
    let message = |rest: &str| {
        format!(
            r#"claude '{{"model":"claude-haiku-4-5","max_tokens":9,"messages":[{{"role":"user","content":"hi"}}],{rest}}}'"#
        )
    };
    let response =
        |rest: &str| format!(r#"responses '{{"model":"gpt-5-mini","input":"hi",{rest}}}'"#);
    let gemini = |tool: &str| {
        format!(
            r#"gemini gemini-2.5-flash:generateContent '{{"contents":[{{"role":"user","parts":[{{"text":"hi"}}]}}],"tools":[{tool}]}}'"#
        )
    };
    for (script, feature) in [
        (
            message(r#""tools":[{"type":"web_search_20250305","name":"web_search"}]"#),
            "web-search",
        ),
        (
            message(r#""tools":[{"type":"web_fetch_20250910","name":"web_fetch"}]"#),
            "web-fetch",
        ),
        (
            message(r#""tools":[{"type":"code_execution_20250825","name":"code_execution"}]"#),
            "code-execution",
        ),
        (
            message(r#""mcp_servers":[{"type":"url","url":"https://evil.test/mcp","name":"x"}]"#),
            "remote-mcp",
        ),
        (response(r#""tools":[{"type":"web_search"}]"#), "web-search"),
        (
            response(
                r#""tools":[{"type":"mcp","server_label":"x","server_url":"https://evil.test"}]"#,
            ),
            "remote-mcp",
        ),
        (
            response(r#""tools":[{"type":"code_interpreter","container":{"type":"auto"}}]"#),
            "code-execution",
        ),
        (
            response(r#""tools":[{"type":"file_search","vector_store_ids":["v"]}]"#),
            "file-search",
        ),
        (response(r#""background":true"#), "background"),
        (
            response(r#""previous_response_id":"resp_1""#),
            "stored-response",
        ),
        (gemini(r#"{"googleSearch":{}}"#), "web-search"),
        (gemini(r#"{"urlContext":{}}"#), "web-fetch"),
        (gemini(r#"{"codeExecution":{}}"#), "code-execution"),
    ] {
        refused(&lab, &script, &["Ringfence refused this", feature]);
    }
    refused(
        &lab,
        r#"chat '{"model":"gpt-5-mini","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://evil.test/?leak"}}]}]}'"#,
        &["fetched-url"],
    );
}

#[test]
fn what_a_rule_takes_out_is_taken_out_and_the_rest_goes_on() {
    let lab = Lab::with("hosted: {strip: [web-search]}");
    let ended = lab.sh(
        r#"responses '{"model":"gpt-5-mini","input":"hi","tools":[{"type":"web_search"},{"type":"function","name":"f","parameters":{"type":"object"}}]}'"#,
    );
    assert!(ended.stdout.contains("Hello"), "{ended}");
    let tools = &lab.requests()[0]["body"]["tools"];
    assert_eq!(tools.as_array().map(Vec::len), Some(1), "{tools}");
    assert_eq!(tools[0]["name"], "f");
}

#[test]
fn what_cannot_be_taken_out_is_refused() {
    // A model that searches by itself, whatever the request says.
    let lab = Lab::with("hosted: {strip: [web-search]}");
    refused(
        &lab,
        r#"chat '{"model":"gpt-4o-search-preview","messages":[{"role":"user","content":"hi"}]}'"#,
        &["cannot be taken out"],
    );
}

#[test]
fn endpoints_that_reach_further_than_a_model() {
    let lab = Lab::with("");
    for (method, path) in [
        ("POST", "files"),
        ("POST", "batches"),
        ("GET", "batches/b1"),
        ("POST", "fine_tuning/jobs"),
        ("POST", "realtime/client_secrets"),
        ("POST", "realtime/sessions"),
        ("GET", "responses/resp_1"),
        ("POST", "vector_stores"),
        ("GET", "organization/admin_api_keys"),
        ("POST", "threads"),
        ("POST", "chat/completions/../files"),
        ("POST", "chat%2fcompletions"),
        ("PUT", "chat/completions"),
    ] {
        let script = format!(
            "ask --path-as-is -X {method} \"$OPENAI_BASE_URL/{path}\" -H \"Authorization: Bearer $OPENAI_API_KEY\" -d '{{}}'"
        );
        refused(&lab, &script, &["Ringfence refused this"]);
    }
    let anthropic = "ask \"$ANTHROPIC_BASE_URL/v1/messages/batches\" -H \"x-api-key: $ANTHROPIC_AUTH_TOKEN\" -d '{}'";
    refused(&lab, anthropic, &["\"type\":\"error\""]);
}

#[test]
fn bodies_that_can_be_read_in_two_ways() {
    let lab = Lab::with("models: [gpt-5-mini]");
    for body in [
        r#"{"model":"gpt-5-mini","model":"gpt-5","messages":[]}"#,
        r#"{"model":"gpt-5-mini","messages":[{"role":"user","content":"a","content":"b"}]}"#,
        r#"{"mod\u0065l":"gpt-5","model":"gpt-5-mini","messages":[]}"#,
        r#"{"model":"gpt-5-mini","messages":[]} {}"#,
        r#"{"messages":[{"role":"user","content":"no model"}]}"#,
        r#"["model"]"#,
        "",
    ] {
        refused(&lab, &format!("chat '{body}'"), &["\"error\""]);
    }
    let encoded = "printf '{}' | gzip > b.gz; ask \"$OPENAI_BASE_URL/chat/completions\" -H \"Authorization: Bearer $OPENAI_API_KEY\" -H 'Content-Encoding: gzip' --data-binary @b.gz";
    refused(&lab, encoded, &["Content-Encoding"]);
    let form = "curl -sS \"$OPENAI_BASE_URL/chat/completions\" -H \"Authorization: Bearer $OPENAI_API_KEY\" -d 'model=gpt-5'";
    refused(&lab, form, &["JSON"]);
}

#[test]
fn a_body_that_is_too_long_is_refused_whole() {
    let lab = Lab::with("");
    let script = "python3 -c 'print(\"{\\\"model\\\":\\\"gpt-5-mini\\\",\\\"messages\\\":[{\\\"role\\\":\\\"user\\\",\\\"content\\\":\\\"\" + \"x\" * (33 << 20) + \"\\\"}]}\")' > big
        ask \"$OPENAI_BASE_URL/chat/completions\" -H \"Authorization: Bearer $OPENAI_API_KEY\" --data-binary @big";
    refused(&lab, script, &["longer than"]);
}

#[test]
fn a_websocket_that_is_not_served_is_told_to_do_without() {
    let lab = Lab::with("");
    let script = "curl -sS -o /dev/null -w '%{http_code}' --http1.1 https://api.openai.com/v1/chat/completions -H \"Authorization: Bearer $OPENAI_API_KEY\" \
        -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw=='";
    let ended = lab.sh(script);
    assert!(ended.stdout.ends_with("426"), "{ended}");
}

#[test]
fn a_provider_that_no_rule_names() {
    let lab = Lab::with("");
    let ended = lab.sh(
        "ask http://llm.ringfence.internal/mistral/v1/chat/completions -d '{}'; curl -sS --max-time 9 https://models.acme.test/v1/models; true",
    );
    assert!(
        ended.stdout.contains("no rule is about a provider"),
        "{ended}"
    );
    assert_eq!(lab.requests().len(), 0);
}

#[test]
fn what_the_provider_refuses_is_passed_on_as_it_is() {
    let lab = Lab::with("");
    for (model, status, words) in [
        ("fail-429", "429", "rate_limit_error"),
        ("fail-529", "529", "overloaded_error"),
        ("fail-500", "500", "api_error"),
    ] {
        let ended = lab.sh(&format!(
            "curl -sS -i \"$ANTHROPIC_BASE_URL/v1/messages\" -H \"x-api-key: $ANTHROPIC_AUTH_TOKEN\" -H 'Content-Type: application/json' \
             -d '{{\"model\":\"{model}\",\"max_tokens\":9,\"messages\":[{{\"role\":\"user\",\"content\":\"hi\"}}]}}'"
        ));
        assert!(ended.stdout.contains(&format!(" {status} ")), "{ended}");
        assert!(ended.stdout.contains(words), "{ended}");
        if model == "fail-429" {
            assert!(
                ended.stdout.to_lowercase().contains("retry-after: 7"),
                "{ended}"
            );
        }
    }
}
