//! Every dialect, by both ways in, with no key inside.

use serde_json::Value;

use super::lab::{KEY, Lab};

const MESSAGE: &str =
    r#"{"model":"claude-haiku-4-5","max_tokens":64,"messages":[{"role":"user","content":"hi"}]}"#;
const CHAT: &str = r#"{"model":"gpt-5-mini","messages":[{"role":"user","content":"hi"}]}"#;
const RESPONSE: &str = r#"{"model":"gpt-5-mini","input":"hi"}"#;
const GEMINI: &str = r#"{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}"#;

fn script(message: &str) -> String {
    format!(
        "claude '{message}'; chat '{CHAT}'; responses '{RESPONSE}'; gemini gemini-2.5-flash:generateContent '{GEMINI}'"
    )
}

#[test]
fn every_dialect_is_answered_at_the_gateways_short_name() {
    let lab = Lab::with("");
    let ended = lab.sh(&script(MESSAGE));
    assert_eq!(ended.code, 0, "{ended}");
    assert_eq!(
        ended.stdout.matches("Hello, I am no model.").count(),
        4,
        "{ended}"
    );
    let paths: Vec<String> = lab.requests().iter().map(path).collect();
    let expected = [
        "/v1/messages",
        "/v1/chat/completions",
        "/v1/responses",
        "/v1beta/models/gemini-2.5-flash:generateContent",
    ];
    assert_eq!(paths, expected);
}

#[test]
fn every_dialect_is_answered_at_the_providers_own_name() {
    let lab = Lab::with("");
    let ended = lab.sh(&format!(
        "BASE=https://api.anthropic.com claude '{MESSAGE}'
         BASE=https://api.openai.com/v1 chat '{CHAT}'
         BASE=https://api.openai.com/v1 responses '{RESPONSE}'
         BASE=https://generativelanguage.googleapis.com gemini gemini-2.5-flash:generateContent '{GEMINI}'"
    ));
    assert_eq!(ended.code, 0, "{ended}");
    assert_eq!(
        ended.stdout.matches("Hello, I am no model.").count(),
        4,
        "{ended}"
    );
    assert_eq!(lab.requests().len(), 4);
}

#[test]
fn the_key_goes_to_the_provider_and_is_nowhere_in_the_sandbox() {
    let lab = Lab::with("");
    let ended = lab.sh(&format!(
        "{}; env; grep -rqs '{}' /etc /tmp \"$HOME\" /proc/self/environ && echo leaked",
        script(MESSAGE),
        // Not whole, so that the script itself does not hold it.
        &KEY[8..]
    ));
    assert!(!ended.stdout.contains(KEY), "{ended}");
    assert!(!ended.stdout.contains("leaked"), "{ended}");
    for request in lab.requests() {
        let headers = request["headers"].to_string();
        assert!(headers.contains(KEY), "{request}");
        assert!(
            !headers.contains("rf_"),
            "a token of ours went upstream: {request}"
        );
    }
}

#[test]
fn a_redirect_takes_neither_key_nor_prompt_elsewhere() {
    let lab = Lab::with("");
    let message = r#"'{"model":"fail-elsewhere","max_tokens":20,"messages":[{"role":"user","content":"hi"}]}'"#;
    // Clients may follow it by themselves, and are met by the rules again.
    let ended = lab.sh(&format!(
        "claude {message}; ask -L $ANTHROPIC_BASE_URL/v1/messages -H \"x-api-key: $ANTHROPIC_AUTH_TOKEN\" -d {message}"
    ));
    assert!(ended.stdout.contains("not known to the gateway"), "{ended}");
    let requests = lab.requests();
    assert_eq!(requests.len(), 2, "{ended}");
    for request in &requests {
        assert_eq!(request["path"], "/v1/messages", "{request}");
    }
    for event in lab.events() {
        let usage = &event["closing"]["llm"]["usage"]["input"];
        assert!(usage.is_null() || usage == 0, "{event}");
    }
}

#[test]
fn the_body_reaches_the_provider_as_it_was_written() {
    let lab = Lab::with("");
    // Members that nobody knows, numbers that lose digits when they are read, and blanks.
    let odd = r#"{ "model":"claude-haiku-4-5", "max_tokens":64, "metadata":{"user_id":"u", "n":1.00000000000000000001e+2},  "messages":[{"role":"user","content":"h\u00efe"}] }"#;
    let ended = lab.sh(&format!(
        "claude '{odd}' >/dev/null; printf '%s' '{odd}' | wc -c"
    ));
    assert_eq!(ended.code, 0, "{ended}");
    let requests = lab.requests();
    assert_eq!(requests[0]["body"]["metadata"]["n"], 100.0);
    let length = requests[0]["headers"]["content-length"]
        .as_str()
        .or_else(|| requests[0]["headers"]["Content-Length"].as_str());
    assert_eq!(length, Some(ended.stdout.trim()), "{ended}");
}

#[test]
fn a_token_of_another_place_is_worth_nothing() {
    let lab = Lab::with("");
    let ended = lab.sh(&format!(
        "ANTHROPIC_AUTH_TOKEN=sk-own claude '{MESSAGE}'; ANTHROPIC_AUTH_TOKEN=$OPENAI_API_KEY claude '{MESSAGE}'"
    ));
    assert_eq!(
        ended.stdout.matches("\"type\":\"error\"").count(),
        2,
        "{ended}"
    );
    assert_eq!(lab.requests().len(), 0, "{ended}");
}

#[test]
fn the_event_says_what_it_took_and_what_it_cost() {
    let lab = Lab::with("");
    lab.sh(&format!("claude '{MESSAGE}'"));
    let events = lab.events();
    let closing = &events[0]["closing"]["llm"];
    assert_eq!(closing["usage"]["input"], 1200, "{events:?}");
    assert_eq!(closing["usage"]["output"], 25, "{events:?}");
    assert_eq!(closing["usage"]["cache_read"], 1000, "{events:?}");
    assert!(closing["cost"].as_u64() > Some(0), "{events:?}");
    assert_eq!(events[0]["action"]["model"], "claude-haiku-4-5");
}

#[test]
fn to_count_tokens_takes_none_and_costs_nothing() {
    let lab = Lab::with("budget: {tokens: 100, per: run}");
    let ended = lab.sh(
        r#"ask "$ANTHROPIC_BASE_URL/v1/messages/count_tokens" -H "x-api-key: $ANTHROPIC_AUTH_TOKEN" -d '{"model":"claude-haiku-4-5","messages":[{"role":"user","content":"hi"}]}'"#,
    );
    assert!(ended.stdout.contains("\"input_tokens\": 1200"), "{ended}");
    let events = lab.events();
    let facts = &events[0]["closing"]["llm"];
    assert!(
        facts["usage"].is_null() && facts["cost"].is_null(),
        "{events:?}"
    );
}

#[test]
fn a_name_that_a_rule_makes_up_is_another_models() {
    let lab = Lab::with("models: [claude-haiku-4-5, gemini-2.5-flash, gpt-5-mini]");
    let document = std::fs::read_to_string(
        lab.host
            .home()
            .join(".config/ringfence/profiles/models.yaml"),
    );
    let document = document.unwrap();
    let aliased = ["claude-haiku-4-5", "gpt-5-mini", "gemini-2.5-flash"].iter();
    let mut document = document;
    for (provider, model) in ["anthropic", "openai", "gemini"].iter().zip(aliased) {
        let rule = format!("{{id: {provider}, ");
        document = document.replace(&rule, &format!("{rule}aliases: {{fast: {model}}}, "));
    }
    lab.host.profile("models", &document);
    let ended = lab.sh(&format!(
        "claude '{}'; chat '{}'; gemini fast:generateContent '{GEMINI}'",
        MESSAGE.replace("claude-haiku-4-5", "fast"),
        CHAT.replace("gpt-5-mini", "fast"),
    ));
    assert_eq!(
        ended.stdout.matches("Hello, I am no model.").count(),
        3,
        "{ended}"
    );
    let requests = lab.requests();
    assert_eq!(requests[0]["body"]["model"], "claude-haiku-4-5");
    assert_eq!(requests[1]["body"]["model"], "gpt-5-mini");
    assert_eq!(
        path(&requests[2]),
        "/v1beta/models/gemini-2.5-flash:generateContent"
    );
    assert_eq!(lab.events()[0]["action"]["alias"], "fast");
}

#[test]
fn a_list_of_models_shows_those_that_are_allowed() {
    let lab = Lab::with("models: [\"*haiku*\", \"gpt-5-mini\"]");
    let ended = lab.sh(
        "curl -sS $ANTHROPIC_BASE_URL/v1/models -H \"x-api-key: $ANTHROPIC_AUTH_TOKEN\"
         curl -sS $OPENAI_BASE_URL/models -H \"Authorization: Bearer $OPENAI_API_KEY\"",
    );
    assert!(ended.stdout.contains("claude-haiku-4-5"), "{ended}");
    assert!(ended.stdout.contains("gpt-5-mini"), "{ended}");
    assert!(!ended.stdout.contains("opus"), "{ended}");
    assert!(!ended.stdout.contains("gemini-2.5-pro"), "{ended}");
}

fn path(request: &Value) -> String {
    request["path"].as_str().unwrap_or_default().to_owned()
}
