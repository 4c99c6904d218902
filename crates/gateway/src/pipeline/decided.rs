//! What was decided on, in little room. An exchange may last for a day, and a document that was
//! read takes many times the room of its text; it is needed again only when policy changes.

use std::borrow::Cow;

use ringfence_model::Action;

/// An action, and the JSON of its body as text.
pub(super) struct Decided {
    action: Action,
    json: Option<Box<str>>,
}

impl Decided {
    pub(super) fn new(mut action: Action) -> Self {
        let json = match &mut action {
            Action::Http(request) => request.content.as_mut().and_then(|it| it.json.take()),
            Action::Connect(_) | Action::Git(_) | Action::Llm(_) | Action::Mcp(_) => None,
        };
        let json = json.map(|json| json.to_string().into());
        Self { action, json }
    }

    /// Without the JSON of the body.
    pub(super) const fn action(&self) -> &Action {
        &self.action
    }

    /// With the JSON of the body. Should its text not be read again, it is not there, and no rule
    /// that asks for it allows the action any more.
    pub(super) fn whole(&self) -> Cow<'_, Action> {
        let Some(json) = &self.json else {
            return Cow::Borrowed(&self.action);
        };
        let mut action = self.action.clone();
        if let Action::Http(request) = &mut action
            && let Some(content) = &mut request.content
        {
            content.json = serde_json::from_str(json).ok();
        }
        Cow::Owned(action)
    }
}
