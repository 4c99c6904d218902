//! What a person accepted of servers of the Model Context Protocol, for the gateway's port.

use std::path::Path;

use jiff::Timestamp;
use ringfence_gateway::mcp::PinMode;
use ringfence_gateway::{Identity, PinState, PinsUnavailable, SeenDefinitions};
use ringfence_model::mcp::McpServer;
use ringfence_store::{FirstSight, Pins, Standing};

/// The gateway's port to what was accepted on this machine.
#[derive(Debug, Clone)]
pub struct LocalPins(Pins);

impl LocalPins {
    /// What was accepted below the data directory `data`.
    #[must_use]
    pub fn new(data: &Path) -> Self {
        Self(Pins::new(data))
    }
}

impl ringfence_gateway::Pins for LocalPins {
    fn check(
        &self,
        _: &Identity,
        server: &McpServer,
        mode: PinMode,
        seen: &SeenDefinitions,
    ) -> Result<Vec<PinState>, PinsUnavailable> {
        let first = match mode {
            PinMode::FirstUse => FirstSight::Accept,
            PinMode::Review => FirstSight::Wait,
            PinMode::Off => return Ok(vec![PinState::Known; seen.definitions.len()]),
        };
        let named = seen.definitions.iter();
        let named: Vec<_> = named
            .map(|it| (it.name.clone(), it.canonical.clone()))
            .collect();
        let kind = seen.kind.as_str();
        let checked = self
            .0
            .check(server, kind, (&named, first), Timestamp::now());
        let standings = checked.map_err(|error| PinsUnavailable(error.to_string()))?;
        let state = |standing| match standing {
            Standing::Known => PinState::Known,
            Standing::New => PinState::New,
            Standing::Changed => PinState::Changed,
        };
        Ok(standings.into_iter().map(state).collect())
    }
}
