//! What is written down of an action: all but the tokens that stand in its URL. What is decided on
//! and sent keeps them.

use ringfence_model::{Action, Decision};

use super::tokens::{TOKEN_PREFIX, without_tokens};

/// The action as it is recorded, and as it was, where the two differ.
pub(super) fn action(action: Action) -> (Action, Option<Action>) {
    let Action::Http(request) = &action else {
        return (action, None);
    };
    let path = shortened(&request.path);
    let query = request.query.as_deref().and_then(shortened);
    if path.is_none() && query.is_none() {
        return (action, None);
    }
    let mut recorded = request.clone();
    recorded.path = path.unwrap_or(recorded.path);
    recorded.query = query.or(recorded.query);
    (Action::Http(recorded), Some(action))
}

/// The decision as it is recorded: its words may repeat the path.
pub(super) fn decision(mut decision: Decision) -> Decision {
    if let Some(reason) = shortened(&decision.reason) {
        decision.reason = reason;
    }
    let next_step = decision.next_step.as_deref().and_then(shortened);
    decision.next_step = next_step.or(decision.next_step);
    decision
}

/// A text without the tokens in it, be they escaped; none where there are none.
fn shortened(text: &str) -> Option<String> {
    if !text.contains(TOKEN_PREFIX) && !text.contains('%') {
        return None;
    }
    Some(without_tokens(text)).filter(|shortened| shortened != text)
}
