//! What is written down of an action: all but the tokens that stand in its URL, and the secrets in
//! names of git. What is decided on and sent keeps them.

use ringfence_inspect::ScrubSet;
use ringfence_model::{Action, Decision};

use super::names::Names;
use super::tokens::{TOKEN_PREFIX, without_tokens};

/// An action and the decision on it.
pub(super) type Decided = (Action, Decision);

/// Both as they are recorded, and the action as it was, where the two differ. `own` gives the values
/// that no agent may hold.
pub(super) fn decided(
    (action, decision): Decided,
    own: impl FnOnce() -> ScrubSet,
) -> (Decided, Option<Action>) {
    if matches!(action, Action::Git(_)) {
        return of_git((action, decision), &own());
    }
    let (action, whole) = self::action(action);
    ((action, self::decision(decision)), whole)
}

fn of_git((action, mut decision): Decided, own: &ScrubSet) -> (Decided, Option<Action>) {
    let mut recorded = action.clone();
    let mut names = Names::new(own);
    if let Action::Git(request) = &mut recorded {
        names.operation(&mut request.operation);
    }
    if !names.any() {
        return ((action, self::decision(decision)), None);
    }
    names.decision(&mut decision);
    ((recorded, self::decision(decision)), Some(action))
}

fn action(action: Action) -> (Action, Option<Action>) {
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
fn decision(mut decision: Decision) -> Decision {
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
