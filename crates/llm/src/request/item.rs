//! One item of a conversation.

use ringfence_model::llm::ContextKind;

use crate::limits::ID_OCTETS;
use crate::text::shortened;
use ringfence_json::Value;

/// One item of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What it is.
    pub kind: ContextKind,
    /// The call of a tool that it is, or is the result of.
    pub call: Option<String>,
    /// The name of the tool.
    pub name: Option<String>,
    /// Whether it is the result of a tool that failed.
    pub is_error: bool,
    /// The numbers of the values that it is in: from the first, to behind the last.
    pub(super) within: (u32, u32),
    /// The numbers of the values that are its content: texts, or JSON as it is written.
    pub(crate) content: Vec<u32>,
}

impl Item {
    /// What `value` holds, its content being itself.
    pub(super) fn of(kind: ContextKind, value: Value<'_>) -> Self {
        Self::with(kind, value, vec![value.at()])
    }

    /// What `value` holds, with this content.
    pub(super) fn with(kind: ContextKind, value: Value<'_>, content: Vec<u32>) -> Self {
        Self {
            kind,
            call: None,
            name: None,
            is_error: false,
            within: (value.at(), value.next()),
            content,
        }
    }

    pub(super) fn call(mut self, id: Option<&str>) -> Self {
        self.call = id.map(|id| shortened(id, ID_OCTETS).to_owned());
        self
    }

    pub(super) fn name(mut self, name: Option<&str>) -> Self {
        self.name = name.map(|name| shortened(name, ID_OCTETS).to_owned());
        self
    }

    pub(super) const fn failed(mut self, is_error: bool) -> Self {
        self.is_error = is_error;
        self
    }
}
