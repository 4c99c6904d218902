//! Bodies that are made to be read in two ways, or to cost more than they should.

use super::*;

fn refused((kind, path): (ProviderKind, &str), body: &str) -> RequestError {
    match try_read(kind, path, body) {
        Err(error) => error,
        Ok(request) => panic!("{body}: {request:?}"),
    }
}

#[test]
fn what_two_readers_could_read_differently_is_refused() {
    for (of, body) in [
        (CHAT, r#"{"model":"a","model":"b"}"#),
        (CHAT, r#"{"model":"a","\u006dodel":"b"}"#),
        (CHAT, r#"{"model":"a","Model":"b"}"#),
        (CHAT, r#"{"Model":"a"}"#),
        (CHAT, r#"{"model":"a","Tools":[{"type":"mcp"}]}"#),
        (CHAT, r#"{"model":"a","max_tokens":1,"maxTokens":9}"#),
        (
            CHAT,
            r#"{"model":"a","messages":[{"role":"user","content":"x","content":"y"}]}"#,
        ),
        (
            CHAT,
            r#"{"model":"a","tools":[{"type":"function","function":{"name":"a"},"Type":"mcp"}]}"#,
        ),
        (MESSAGES, r#"{"model":"a","mcpServers":[{}]}"#),
        (GEMINI, r#"{"generationConfig":{},"generation_config":{}}"#),
        (GEMINI, r#"{"GenerationConfig":{"maxOutputTokens":1}}"#),
        (
            GEMINI,
            r#"{"tools":[{"googleSearch":{},"google_search":{}}]}"#,
        ),
    ] {
        let error = refused(of, body);
        let is_known = matches!(error, RequestError::Json(_) | RequestError::Shape { .. });
        assert!(is_known, "{body}: {error}");
    }
}

#[test]
fn a_request_without_a_model_or_with_two_is_refused() {
    assert_eq!(refused(CHAT, "{}"), RequestError::NoModel);
    assert_eq!(refused(CHAT, r#"{"model":null}"#), RequestError::NoModel);
    assert_eq!(refused(CHAT, r#"{"model":""}"#), RequestError::NoModel);
    assert_eq!(
        refused(MESSAGES, r#"{"messages":[]}"#),
        RequestError::NoModel
    );
    let body = r#"{"model":"models/gemini-2.5-flash"}"#;
    assert_eq!(refused(GEMINI, body), RequestError::TwoModels);
    let many = (ProviderKind::Gemini, "/v1beta/models/e:batchEmbedContents");
    let body = r#"{"requests":[{"model":"models/e"},{"model":"models/f"}]}"#;
    assert_eq!(refused(many, body), RequestError::TwoModels);
    let azure = (
        ProviderKind::AzureOpenai,
        "/openai/deployments/d/chat/completions",
    );
    assert_eq!(refused(azure, r#"{"model":"e"}"#), RequestError::TwoModels);
    assert!(try_read(azure.0, azure.1, r#"{"model":"d"}"#).is_ok());
}

#[test]
fn what_has_another_shape_is_refused_with_its_place() {
    for (of, body, told) in [
        (CHAT, "[]", "`the body` is no object"),
        (CHAT, r#"{"model":["a"]}"#, "`model` is no text"),
        (
            CHAT,
            r#"{"model":"a","stream":"yes"}"#,
            "`stream` is neither true nor false",
        ),
        (
            CHAT,
            r#"{"model":"a","max_tokens":-1}"#,
            "`max_tokens` is no whole number",
        ),
        (
            CHAT,
            r#"{"model":"a","max_tokens":1e9}"#,
            "`max_tokens` is no whole number",
        ),
        (
            CHAT,
            r#"{"model":"a","max_tokens":"9"}"#,
            "`max_tokens` is no whole number",
        ),
        (CHAT, r#"{"model":"a","tools":{}}"#, "`tools` is no array"),
        (
            CHAT,
            r#"{"model":"a","tools":[1]}"#,
            "`tools[0]` is no object",
        ),
        (
            CHAT,
            r#"{"model":"a","messages":[{"content":[{"Type":"x"}]}]}"#,
            "`messages[0].content[0].Type` is spelled in a way that some readers take for another name",
        ),
    ] {
        assert_eq!(refused(of, body).to_string(), told);
    }
}

#[test]
fn a_body_that_costs_too_much_to_read_is_refused() {
    let target = target_of(CHAT.0, CHAT.1);
    let long = Bytes::from(vec![b' '; BODY_OCTETS + 1]);
    assert_eq!(read(&target, long).unwrap_err(), RequestError::TooLarge);
    let deep = format!(
        r#"{{"model":"a","x":{}{}}}"#,
        "[".repeat(500),
        "]".repeat(500)
    );
    let wide = format!(
        r#"{{"model":"a","x":[{}0]}}"#,
        "0,".repeat(ringfence_json::limits::NODES)
    );
    for body in [deep, wide] {
        assert!(matches!(
            refused(CHAT, &body),
            RequestError::Json(JsonError::TooMany(_))
        ));
    }
    let names: Vec<String> = (0..20_000).map(|it| format!("\"n{it}\":0")).collect();
    let many = format!(r#"{{"model":"a","x":{{{}}}}}"#, names.join(","));
    assert!(matches!(
        refused(CHAT, &many),
        RequestError::Json(JsonError::TooMany(_))
    ));
    let looked_at = format!(r#"{{"model":"a",{}}}"#, names[..300].join(","));
    assert!(matches!(
        refused(CHAT, &looked_at),
        RequestError::Shape { .. }
    ));
}

#[test]
fn features_and_tools_are_bounded() {
    let tools: Vec<Value> = (0..2000)
        .map(|it| json!({"type": format!("t{it}")}))
        .collect();
    let asked = request(CHAT, &json!({"model": "m", "tools": tools}));
    assert!(asked.hosted.len() <= crate::limits::FEATURES + 1);
    assert!(
        asked
            .hosted
            .contains(&HostedFeature::other("too-many-features"))
    );
    let tools: Vec<Value> = (0..2000)
        .map(|it| json!({"name": format!("t{it}")}))
        .collect();
    let asked = request(MESSAGES, &json!({"model": "m", "tools": tools}));
    assert_eq!(asked.tools.len(), crate::limits::TOOLS);
}

#[test]
fn many_changes_take_no_more_time_than_few() {
    let tools: Vec<Value> = (0..4000).map(|_| json!({"type": "mcp"})).collect();
    let texts: Vec<Value> = (0..60_000).map(|_| json!("secret")).collect();
    let body = json!({"model": "m", "tools": tools, "x": [texts], "messages": []});
    let mut asked = request(CHAT, &body);
    let started = std::time::Instant::now();
    asked.strip(&[HostedFeature::RemoteMcp]);
    let mut octets = 0;
    asked.texts(&mut |place, _| {
        octets += place.to_string().len();
        Some("*".to_owned())
    });
    assert_eq!(sent(&asked)["x"][0][59_999], "*");
    assert!(octets > 60_000);
    // A walk from the beginning for each of them would take minutes.
    assert!(started.elapsed() < std::time::Duration::from_secs(10));
    let tools: Vec<Value> = (0..5000).map(|_| json!({"type": "mcp"})).collect();
    let body = json!({"model": "m", "tools": tools}).to_string();
    assert!(matches!(refused(CHAT, &body), RequestError::Shape { .. }));
}
