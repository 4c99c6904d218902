//! An answer that comes as messages of a WebSocket, each of which is one event.

use super::Reader;
use crate::limits::ANSWER_OCTETS;

impl Reader {
    /// The next message. False where it cannot be read, so that nobody knows what it means for the
    /// answer.
    #[must_use]
    pub fn message(&mut self, octets: &[u8]) -> bool {
        let inner = &mut self.inner;
        let mut tape = std::mem::take(&mut inner.tape);
        let is_read = octets.len() <= ANSWER_OCTETS && tape.read_again(octets).is_ok();
        if is_read {
            inner.is_read = true;
            inner.value(tape.root(octets), true);
        } else {
            inner.skipped(octets.len() as u64);
        }
        inner.tape = tape;
        is_read
    }

    /// Whether the answer came to its end, well or not.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.inner.gathered.done || self.inner.seen.failure.is_some()
    }
}

#[cfg(test)]
mod tests {
    use ringfence_model::llm::{LlmEndpoint, ProviderKind};

    use super::*;
    use crate::Capture;
    use crate::response::Ended;

    fn reader() -> Reader {
        let of = (ProviderKind::Openai, LlmEndpoint::Responses);
        let media = (200, Some("text/event-stream"));
        Reader::new(of.0, of.1, true, media, Capture::Texts)
    }

    #[test]
    fn an_answer_is_over_when_its_last_event_says_so() {
        for (last, is_complete) in [
            (
                r#"{"type":"response.completed","response":{"id":"r","status":"completed"}}"#,
                true,
            ),
            (
                r#"{"type":"response.incomplete","response":{"id":"r","status":"incomplete"}}"#,
                true,
            ),
            (
                r#"{"type":"response.failed","response":{"id":"r","error":{"code":"x","message":"y"}}}"#,
                false,
            ),
            (
                r#"{"type":"error","status":429,"error":{"code":"x","message":"y"}}"#,
                false,
            ),
        ] {
            let mut reader = reader();
            for text in [
                r#"{"type":"response.created","response":{"id":"r","model":"m"}}"#,
                "{\n\"type\":\n\n\"response.output_text.delta\",\"delta\":\"data: response.completed\"}",
                r#"{"type":"codex.rate_limits","response":{"status":"completed"}}"#,
            ] {
                assert!(reader.message(text.as_bytes()), "{text}");
                assert!(!reader.is_over(), "{text}");
            }
            assert!(reader.message(last.as_bytes()));
            assert!(reader.is_over(), "{last}");
            reader.finish(Ended::Whole);
            assert_eq!(reader.seen().complete, is_complete, "{last}");
            assert_eq!(reader.seen().id.as_deref(), Some("r"));
        }
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let long = format!(r#"{{"type":"{}"}}"#, "x".repeat(ANSWER_OCTETS));
        for text in ["", "{", "{\"type\":\"a\",\"type\":\"b\"}", &long] {
            let mut reader = reader();
            assert!(!reader.message(text.as_bytes()));
            assert_eq!(reader.seen().output_octets, text.len() as u64);
        }
    }
}
