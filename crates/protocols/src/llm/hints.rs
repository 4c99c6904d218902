//! What a client says of itself in the fields of its requests. Hints for the record alone: nothing
//! is decided on them.

use http::HeaderMap;
use ringfence_model::TraceParent;
use ringfence_model::llm::ClientTrace;
use serde_json::Value;

/// Octets of a hint that are kept.
const HINT_OCTETS: usize = 128;

/// What a client says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Hints {
    /// The session that the request belongs to.
    pub(super) session: Option<String>,
    /// The sub-agent that asks, and the one that it works for.
    pub(super) agents: Vec<String>,
    /// The span of the client that the request belongs to.
    pub(super) trace: Option<ClientTrace>,
}

/// Where clients say the session: Claude Code, Codex, opencode.
const SESSIONS: [&str; 3] = ["x-claude-code-session-id", "session-id", "x-session-id"];
/// Where Claude Code says which of its agents asks.
const AGENTS: [&str; 2] = ["x-claude-code-agent-id", "x-claude-code-parent-agent-id"];
/// Where Codex says the same, and more, as JSON.
const TURN: &str = "x-codex-turn-metadata";

impl Hints {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let text = |name: &str| plain(headers.get(name)?.to_str().ok()?);
        let turn = headers.get(TURN).and_then(|value| value.to_str().ok());
        let turn: Option<Value> = turn.and_then(|turn| serde_json::from_str(turn).ok());
        let of_turn = |name: &str| plain(turn.as_ref()?.get(name)?.as_str()?);
        let mut agents: Vec<String> = AGENTS.iter().filter_map(|name| text(name)).collect();
        agents.extend(of_turn("agent_name").filter(|_| agents.is_empty()));
        let traceparent = headers.get("traceparent");
        Self {
            session: SESSIONS.iter().find_map(|name| text(name)),
            agents,
            trace: traceparent.and_then(|value| span(value.to_str().ok()?)),
        }
    }
}

fn span(traceparent: &str) -> Option<ClientTrace> {
    let parent: TraceParent = traceparent.parse().ok()?;
    Some(ClientTrace {
        trace: parent.trace.to_string(),
        span: parent.span.to_string(),
    })
}

/// A hint as it can be shown anywhere.
fn plain(text: &str) -> Option<String> {
    let is_plain = |c: &char| c.is_ascii_graphic();
    let text: String = text.chars().filter(is_plain).take(HINT_OCTETS).collect();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hints(fields: &[(&'static str, &str)]) -> Hints {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.insert(*name, value.parse().unwrap());
        }
        Hints::of(&headers)
    }

    #[test]
    fn each_client_says_its_session_in_its_own_way() {
        for name in SESSIONS {
            assert_eq!(hints(&[(name, "abc")]).session.as_deref(), Some("abc"));
        }
        let turn = r#"{"agent_name":"/root/review","turn_id":"1"}"#;
        assert_eq!(hints(&[(TURN, turn)]).agents, ["/root/review"]);
        assert_eq!(hints(&[(TURN, "{")]), Hints::default());
    }

    #[test]
    fn a_hint_is_short_and_can_be_shown() {
        let long = "x".repeat(10_000);
        let session = hints(&[("session-id", &long)]).session.unwrap();
        assert_eq!(session.len(), HINT_OCTETS);
    }

    #[test]
    fn a_span_is_told_by_traceparent() {
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let trace = hints(&[("traceparent", trace)]).trace.unwrap();
        assert_eq!(trace.trace, "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(trace.span, "b7ad6b7169203331");
        assert_eq!(hints(&[("traceparent", "00-x-y-01")]).trace, None);
    }
}
