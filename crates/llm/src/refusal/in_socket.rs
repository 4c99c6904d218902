//! How OpenAI says no in a WebSocket.

use bytes::Bytes;
use serde_json::json;

use super::{Refusal, Why, Words};

/// The event that a client gets instead of an answer.
#[must_use]
pub fn in_socket(refusal: &Refusal<'_>) -> Bytes {
    let words = Words::of(refusal);
    // Codex takes most others for something that passes, and asks five times more.
    let passes = words.may_retry && (refusal.why != Why::Rate || refusal.retry_after.is_some());
    let status = if passes { words.status } else { 400 };
    let headers = refusal.retry_after.map(|seconds| {
        let seconds = seconds.to_string();
        json!({"retry-after": seconds})
    });
    let mut event = json!({
        "type": "error",
        "status": status,
        "error": {
            "type": words.openai.0,
            "code": words.openai.1,
            "message": refusal.message,
            "param": null,
        },
    });
    if let (Some(event), Some(headers)) = (event.as_object_mut(), headers) {
        event.insert("headers".to_owned(), headers);
    }
    event.to_string().into()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn said(why: Why, retry_after: Option<u64>) -> Value {
        let refusal = Refusal {
            why,
            message: "Ringfence refused \"this\"",
            retry_after,
            event: None,
            code: "model-not-allowed",
        };
        serde_json::from_slice(&in_socket(&refusal)).unwrap()
    }

    #[test]
    fn a_refusal_that_stays_is_none_that_a_client_tries_again_for() {
        for why in [
            Why::Policy,
            Why::Model,
            Why::Hosted,
            Why::Budget,
            Why::Rate,
            Why::TooLarge,
        ] {
            let event = said(why, None);
            assert_eq!(event["type"], "error");
            assert_eq!(event["status"], 400, "{why:?}");
            assert_eq!(event["error"]["message"], "Ringfence refused \"this\"");
        }
        let event = said(Why::Rate, Some(7));
        assert_eq!(
            (&event["status"], &event["headers"]["retry-after"]),
            (&json!(429), &json!("7"))
        );
    }
}
