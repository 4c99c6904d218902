//! Streams pass as they come, and end in words where they cannot go on.

use ringfence_testkit::poll;

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
fn a_stream_that_is_cut_within_an_event_shows_no_part_of_it() {
    let lab = Lab::with("");
    let ended = lab.sh(
        r#"claude '{"model":"fail-within","stream":true,"max_tokens":20,"messages":[{"role":"user","content":"hi"}]}'"#,
    );
    assert!(!ended.stdout.contains("content_block_del\""), "{ended}");
    assert!(
        ended.stdout.contains("Ringfence ended this stream"),
        "{ended}"
    );
    let events = lab.events();
    assert_eq!(events[0]["closing"]["llm"]["estimated"], true, "{events:?}");
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

/// Follows an answer that never ends, until it is cut off.
fn followed(lab: &Lab, cut: impl FnOnce()) {
    let script = r#"curl -sSN --max-time 20 "$ANTHROPIC_BASE_URL/v1/messages" -H "x-api-key: $ANTHROPIC_AUTH_TOKEN" \
        -H 'Content-Type: application/json' -d '{"model":"drip","stream":true,"max_tokens":9000,"messages":[{"role":"user","content":"hi"}]}' | tee got"#;
    let running = lab
        .host
        .run()
        .profile("models")
        .spawn(&["bash", "-c", script]);
    let got = lab.host.project().join("got");
    let drips = || std::fs::read_to_string(&got).is_ok_and(|text| text.contains("drip "));
    poll::until_true("the answer", drips).unwrap();
    cut();
    let cut = std::time::Instant::now();
    let ended = running.wait();
    assert!(cut.elapsed().as_secs() < 8, "{ended}");
    assert!(ended.stdout.contains("drip "), "{ended}");
    assert!(ended.stdout.contains("event: error"), "{ended}");
    // The provider is let go as well, and what it can have written is paid for.
    let requests = lab.provider.wait_for_requests(2).unwrap();
    assert_eq!(requests[1]["aborted"], "/v1/messages", "{ended}");
    let facts = &lab.events()[0]["closing"]["llm"];
    assert_eq!(facts["usage"]["input"], 1200, "{ended}");
    assert_eq!(facts["estimated"], true, "{ended}");
}

#[test]
fn a_rule_that_is_taken_away_ends_an_answer_that_is_under_way() {
    let lab = Lab::with("");
    followed(&lab, || lab.rules("models: [gpt-5-mini]"));
}

#[test]
fn a_credential_that_is_taken_away_ends_an_answer_that_is_under_way() {
    let lab = Lab::with("");
    followed(&lab, || {
        let ended = lab.host.ringfence(&["credential", "revoke", "anthropic"]);
        assert_eq!(ended.code, 0, "{ended}");
    });
}

#[test]
fn a_token_that_is_taken_away_ends_an_answer_that_is_under_way() {
    let lab = Lab::with("");
    followed(&lab, || {
        let listed = lab.host.ringfence(&["token", "list", "--json"]).stdout;
        let tokens = listed.lines().map(|line| {
            let token: serde_json::Value = serde_json::from_str(line).unwrap();
            token
        });
        let mut of_anthropic = tokens.filter(|it| it["credentials"][0] == "anthropic");
        let id = of_anthropic.next().unwrap()["id"].clone();
        let ended = lab
            .host
            .ringfence(&["token", "revoke", id.as_str().unwrap()]);
        assert_eq!(ended.code, 0, "{ended}");
    });
}

#[test]
fn a_stream_passes_octet_by_octet_whatever_is_in_it() {
    let odd = "\u{feff}: a comment\r\nevent: of-tomorrow\r\ndata: {\"a\":\r\ndata: 1}\r\n\r\nid: 7\nretry: 1\n\n\
        event: ping\ndata: {\"type\": \"ping\"}\r\rdata: no JSON \u{20ac}\u{1f600}\n\ndata\n\nunknown: x\n\n\
        data: {\"type\":\"message_stop\",\"type\":\"twice\"}\n\ndata: [DONE]\n\ndata: behind the end\n\nno end of the line";
    for fields in ["", "budget: {tokens: 100000, per: run}"] {
        let lab = Lab::with(fields);
        lab.host.file("odd", odd);
        let ended = lab.sh(
            r#"claude "{\"model\":\"octets\",\"stream\":true,\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"$(base64 -w0 odd)\"}]}" > got"#,
        );
        let got = std::fs::read_to_string(lab.host.project().join("got")).unwrap();
        assert_eq!(got.strip_suffix('\n'), Some(odd), "{ended}");
        let facts = &lab.events()[0]["closing"]["llm"];
        assert_eq!(facts["estimated"], true, "{facts}");
    }
}
