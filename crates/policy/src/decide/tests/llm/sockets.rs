//! Connections for requests: opened by whoever may send one.

use super::*;

fn socket(snapshot: &Snapshot) -> Verdict {
    let asked = LlmAsked {
        endpoint: Some(LlmEndpoint::ResponsesSocket),
        ..LlmAsked::default()
    };
    to(snapshot, "openai", asked)
}

#[test]
fn a_connection_is_for_whoever_may_send_a_request_to_any_model() {
    for (rules, expected) in [
        ("allow: {provider: openai}", ReasonCode::Allowed),
        (
            "allow: {provider: openai, models: [gpt-5]}",
            ReasonCode::Allowed,
        ),
        (
            "allow: {provider: openai, endpoints: [responses]}",
            ReasonCode::Allowed,
        ),
        (
            "allow: {provider: openai, endpoints: [chat-completions, responses-socket]}",
            ReasonCode::ConditionNotMet,
        ),
        ("allow: {provider: anthropic}", ReasonCode::NoRule),
        (
            "allow: {provider: openai}
             forbid: {provider: openai, endpoints: [responses-socket], reason: x}",
            ReasonCode::Forbidden,
        ),
        (
            "allow: {provider: openai}
             forbid: {provider: openai, models: [gpt-5], reason: x}",
            ReasonCode::Allowed,
        ),
        (
            "allow: {provider: openai}
             forbid: {provider: openai, reason: x}",
            ReasonCode::Forbidden,
        ),
    ] {
        assert_eq!(socket(&llm(rules)).decision.code, expected, "{rules}");
    }
}

#[test]
fn the_request_that_opens_it_is_a_get_of_the_same_path() {
    let verdict = socket(&llm("allow: {provider: openai, models: [gpt-5]}"));
    let provider = verdict.grant.unwrap().llm.unwrap();
    let asked = LlmAsked {
        endpoint: Some(LlmEndpoint::ResponsesSocket),
        ..LlmAsked::default()
    };
    let snapshot = llm("allow: {provider: openai}");
    let line = request(&snapshot, "openai", asked).to_http(&provider);
    assert_eq!(
        (line.method.as_str(), line.path.as_str()),
        ("GET", "/v1/responses")
    );
}
