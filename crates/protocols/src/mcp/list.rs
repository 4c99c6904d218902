//! What an agent is shown: of lists what it may use, of tools the arguments that they may be called
//! with; and what a server is told that the agent's client can do.

use ringfence_gateway::mcp::{McpEntry, PinMode};
use ringfence_gateway::{McpView, PinKind, PinState};
use ringfence_json::Value;
use ringfence_mcp::definition::{self, DefinitionError};
use ringfence_mcp::frame::Frame;
use ringfence_mcp::list::{Kept, keep};
use ringfence_mcp::method::ListOf;
use ringfence_model::mcp::McpPin;

use super::memory::Known;

/// What became of a list.
#[derive(Debug, Default)]
pub(super) struct Shown {
    pub(super) hidden: u64,
    pub(super) pins: Vec<McpPin>,
}

/// The definitions that are pinned of a list; those of resources come and go.
pub(super) const fn pinned(of: ListOf) -> Option<PinKind> {
    match of {
        ListOf::Tools => Some(PinKind::Tool),
        ListOf::Prompts => Some(PinKind::Prompt),
        ListOf::Templates => Some(PinKind::Template),
        ListOf::Resources => None,
    }
}

/// Takes out of a list what the agent may not use, and what a person does not know.
///
/// # Errors
/// Where it is no list that every reader reads alike.
pub(super) fn show(
    frame: &mut Frame,
    of: ListOf,
    view: &McpView,
    (mode, known): (PinMode, Option<&Known>),
) -> Result<Shown, DefinitionError> {
    let result = frame.result();
    let seen = result.map(|result| definition::of_list(result, of));
    let seen = seen.transpose()?.unwrap_or_default();
    let mut shown = Shown::default();
    let mut unknown = std::collections::BTreeSet::new();
    if let (Some(kind), true) = (pinned(of), mode != PinMode::Off) {
        for definition in &seen {
            let state = match known.and_then(|it| it.definitions.get(&definition.name)) {
                Some((canonical, _, state)) if *canonical == definition.canonical => *state,
                Some(_) => PinState::Changed,
                None => PinState::New,
            };
            let state = match state {
                PinState::Known => continue,
                PinState::New => "new",
                PinState::Changed => "changed",
            };
            unknown.insert(definition.name.clone());
            shown.pins.push(McpPin {
                kind: kind.as_str().to_owned(),
                name: definition.name.clone(),
                state: state.to_owned(),
            });
        }
    }
    shown.hidden = keep(frame, of, &|name| {
        let entry = match of {
            ListOf::Tools => McpEntry::Tool(name),
            ListOf::Resources => McpEntry::Resource(name),
            ListOf::Templates => McpEntry::Template(name),
            ListOf::Prompts => McpEntry::Prompt(name),
        };
        if unknown.contains(name) || !view.shows(entry) {
            return Kept::Hidden;
        }
        let narrowed = match of {
            ListOf::Tools => view.narrowed(name),
            _ => None,
        };
        narrowed.map_or(Kept::As, |schema| Kept::Narrowed(schema.clone()))
    });
    Ok(shown)
}

/// What the agent's client can do, and the server is told of only where it may ask for it.
const CAPABILITIES: [(&str, McpEntry<'static>); 3] = [
    ("sampling", McpEntry::Sampling),
    ("elicitation", McpEntry::Elicitation),
    ("roots", McpEntry::Roots),
];

/// Takes out of a message what the server may not ask the client for.
pub(super) fn capabilities(frame: &mut Frame, view: &McpView) {
    let mut gone = Vec::new();
    let params = frame.params();
    let greeting = params.and_then(|it| it.get("capabilities"));
    let greeting = greeting.filter(|_| frame.method() == Some("initialize"));
    let meta = params.and_then(|it| it.get("_meta"));
    let stateless = meta.and_then(|it| it.get("io.modelcontextprotocol/clientCapabilities"));
    for capabilities in [greeting, stateless].into_iter().flatten() {
        for (key, _) in capabilities.members() {
            let is_denied =
                |(name, entry): &(&str, McpEntry<'_>)| key.is_text(name) && !view.shows(*entry);
            if CAPABILITIES.iter().any(is_denied) {
                gone.push(Value::at(key));
            }
        }
    }
    for key in gone {
        frame.changes().remove(key);
    }
}
