//! The answer to a greeting: what a server says of itself, and the session that it begins.

use std::sync::Arc;

use http::Response;
use http::header::HeaderValue;
use ringfence_gateway::http::ResponseBody;
use ringfence_gateway::mcp::PinMode;
use ringfence_gateway::{PinKind, PinState, SeenDefinition, SeenDefinitions, Stopped};
use ringfence_mcp::ask::Asked;
use ringfence_mcp::definition;
use ringfence_mcp::frame::{Frame, notification};
use ringfence_mcp::seal::Sealed;
use ringfence_model::ReasonCode;
use ringfence_model::mcp::McpVerb;

use super::Reading;
use tokio::time::timeout;

use crate::mcp::entered::{Entered, SESSION};
use crate::mcp::known;
use crate::mcp::limits::WHOLE_WAIT;
use crate::mcp::memory::Session as OfAgent;
use crate::mcp::sent::{DEFINITION_FINDING, waiting};
use crate::mcp::words::Words;

impl Reading {
    /// What a server says of itself is compared with what a person knows of it.
    pub(super) async fn greeted(&mut self, frame: Frame) -> Result<Frame, Words> {
        if self.verb != McpVerb::Greet || self.terms.pin == PinMode::Off {
            return Ok(frame);
        }
        let Some(result) = frame.result() else {
            return Ok(frame);
        };
        let seen = definition::of_server(result).map_err(|error| self.words(&error.to_string()))?;
        let seen = SeenDefinitions {
            kind: PinKind::Server,
            definitions: vec![SeenDefinition {
                name: seen.name,
                canonical: seen.canonical,
            }],
        };
        let states = self
            .pinned(seen.clone())
            .await
            .map_err(|why| self.words(&why))?;
        let what = match states.first() {
            Some(PinState::Known) => {
                self.memory.lock().greeted(None);
                return Ok(frame);
            }
            Some(PinState::Changed) => "says something else of itself than a person knows",
            _ => "is new",
        };
        self.memory.lock().greeted(Some(seen));
        self.agreed(&frame);
        Box::pin(self.look_at_all(&frame)).await;
        let name = &self.server.name;
        let why = format!("{name} {what}, and waits for a person");
        let next_step = waiting(name);
        let told = format!("{why}: {next_step}");
        self.gateway.report(&self.session, DEFINITION_FINDING, told);
        let mut refusal = self.gateway.refuse_within(
            self.event,
            name.to_string(),
            (ReasonCode::DefinitionNotKnown, &why),
        );
        refusal.decision.next_step = Some(next_step);
        Err(Words::of(&Stopped::Refused(refusal)))
    }

    /// Looks at all that a server has, while its session is there, so that a person can accept all of
    /// it at once; and ends the session, which no agent gets.
    async fn look_at_all(&mut self, frame: &Frame) {
        let begun = self.begun.take();
        let Some(version) = self.version else { return };
        let told = begun.clone().map(|it| self.told.within(it, version));
        if let Some(told) = &told {
            told.say(notification("notifications/initialized")).await;
        }
        let session = begun.map(|it| (String::new(), OfAgent::new(it, version)));
        let entered = Entered {
            frame: None,
            asked: Asked {
                method: None,
                verb: McpVerb::Talk,
                targets: Vec::new(),
                trace: None,
            },
            version: Some(version),
            session,
            memory: Arc::clone(&self.memory),
            room: None,
            authorization: self.told.authorization.clone(),
            params: Vec::new(),
            is_mismatch: false,
        };
        let capabilities = frame.result().and_then(|it| it.get("capabilities"));
        for (capability, kind) in [
            ("tools", PinKind::Tool),
            ("prompts", PinKind::Prompt),
            ("resources", PinKind::Template),
        ] {
            if capabilities.and_then(|it| it.get(capability)).is_none() {
                continue;
            }
            let looked = self
                .told
                .client
                .look(&self.server, &entered, (kind, None, &self.terms));
            // What cannot be looked at now is looked at when it is used.
            let _ = timeout(WHOLE_WAIT, Box::pin(looked)).await;
        }
        if let Some(told) = told {
            Box::pin(told.leave()).await;
        }
    }

    async fn pinned(&mut self, seen: SeenDefinitions) -> Result<Vec<PinState>, String> {
        known::check(
            &self.gateway,
            &self.session,
            &self.server,
            (self.terms.pin, seen),
        )
        .await
    }

    /// A session that the server began has an id of ours for the agent.
    pub(super) fn begin(&mut self, response: &mut Response<ResponseBody>) {
        let (Some(version), Some(upstream)) = (self.version, self.begun.take()) else {
            return;
        };
        let Some(id) = self
            .memory
            .seal()
            .and_then(|seal| seal.seal(Sealed::Session, &upstream))
        else {
            return;
        };
        if let Ok(value) = HeaderValue::from_str(&id) {
            let session = OfAgent::new(upstream, version);
            self.memory.lock().begin(id, session);
            response.headers_mut().insert(SESSION, value);
        }
    }
}
