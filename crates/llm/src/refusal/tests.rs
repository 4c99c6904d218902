use super::*;
use crate::Capture;
use crate::response::{Ended, Reader};

const KINDS: [(ProviderKind, LlmEndpoint); 8] = [
    (ProviderKind::Openai, LlmEndpoint::ChatCompletions),
    (ProviderKind::Openai, LlmEndpoint::Responses),
    (ProviderKind::Anthropic, LlmEndpoint::Messages),
    (ProviderKind::Gemini, LlmEndpoint::GenerateContent),
    (ProviderKind::Vertex, LlmEndpoint::Messages),
    (ProviderKind::Vertex, LlmEndpoint::GenerateContent),
    (ProviderKind::Bedrock, LlmEndpoint::Converse),
    (ProviderKind::Bedrock, LlmEndpoint::Messages),
];

fn refusal(why: Why, retry_after: Option<u64>) -> Refusal<'static> {
    Refusal {
        why,
        message: "Ringfence refused \"this\"",
        retry_after,
        event: Some("event-1"),
        code: "budget-exhausted",
    }
}

#[test]
fn every_dialect_reads_its_own_refusal() {
    for (kind, endpoint) in KINDS {
        let said = body(kind, endpoint, &refusal(Why::Model, None));
        assert_eq!((said.status, said.may_retry), (403, false));
        let mut reader = Reader::new(
            kind,
            endpoint,
            true,
            (said.status, Some("application/json")),
            Capture::Digests,
        );
        reader.take(&said.body);
        reader.finish(Ended::Whole);
        let failure = reader.seen().failure.clone().unwrap();
        assert_eq!(failure.message, "Ringfence refused \"this\"", "{kind:?}");
    }
}

#[test]
fn every_dialect_reads_the_end_of_a_stream() {
    for (kind, endpoint) in KINDS {
        let octets = in_stream(kind, endpoint, &refusal(Why::Upstream, None));
        let media_type = match kind {
            ProviderKind::Bedrock => "application/vnd.amazon.eventstream",
            _ => "text/event-stream",
        };
        let head = (200, Some(media_type));
        let mut reader = Reader::new(kind, endpoint, true, head, Capture::Digests);
        // In the middle of an event of the provider's, except where events have lengths.
        if kind != ProviderKind::Bedrock {
            reader.take(b"data: {\"x\":");
        }
        reader.take(&octets);
        reader.finish(Ended::Cut);
        let failure = reader.seen().failure.clone();
        let failure = failure.unwrap_or_else(|| panic!("{kind:?} {endpoint}"));
        assert_eq!(failure.message, "Ringfence refused \"this\"");
        assert!(!reader.seen().complete);
    }
}

#[test]
fn a_budget_that_is_spent_is_not_tried_again_and_one_that_is_in_use_is() {
    let said = body(
        ProviderKind::Anthropic,
        LlmEndpoint::Messages,
        &refusal(Why::Budget, None),
    );
    assert_eq!((said.status, said.may_retry), (403, false));
    let said = body(
        ProviderKind::Gemini,
        LlmEndpoint::GenerateContent,
        &refusal(Why::Budget, Some(10)),
    );
    assert_eq!((said.status, said.may_retry), (429, true));
    let text = String::from_utf8(said.body.to_vec()).unwrap();
    assert!(text.contains(r#""retryDelay":"10s""#), "{text}");
}

#[test]
fn the_forms_are_those_of_the_providers() {
    let said = |kind, endpoint| {
        let said = body(kind, endpoint, &refusal(Why::Policy, None));
        (String::from_utf8(said.body.to_vec()).unwrap(), said.headers)
    };
    let (openai, _) = said(ProviderKind::Openai, LlmEndpoint::ChatCompletions);
    assert_eq!(
        openai,
        r#"{"error":{"code":"permission_denied","message":"Ringfence refused \"this\"","param":null,"type":"invalid_request_error"}}"#
    );
    let (anthropic, _) = said(ProviderKind::Anthropic, LlmEndpoint::Messages);
    assert_eq!(
        anthropic,
        r#"{"error":{"message":"Ringfence refused \"this\"","type":"permission_error"},"request_id":"event-1","type":"error"}"#
    );
    let (amazon, headers) = said(ProviderKind::Bedrock, LlmEndpoint::Converse);
    assert_eq!(amazon, r#"{"message":"Ringfence refused \"this\""}"#);
    assert_eq!(
        headers,
        [("x-amzn-errortype", "AccessDeniedException".to_owned())]
    );
}
