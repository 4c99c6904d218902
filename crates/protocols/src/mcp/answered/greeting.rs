//! The answer to a greeting: what a server says of itself, and the session that it begins.

use http::Response;
use http::header::HeaderValue;
use ringfence_gateway::http::ResponseBody;
use ringfence_gateway::mcp::PinMode;
use ringfence_gateway::{PinKind, PinState, SeenDefinition, SeenDefinitions, Stopped};
use ringfence_mcp::definition;
use ringfence_mcp::frame::Frame;
use ringfence_mcp::seal::Sealed;
use ringfence_model::ReasonCode;
use ringfence_model::mcp::McpVerb;

use super::Reading;
use crate::mcp::entered::SESSION;
use crate::mcp::known;
use crate::mcp::memory::Session as OfAgent;
use crate::mcp::sent::DEFINITION_FINDING;
use crate::mcp::service::Client;
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
        let states = self.pinned(seen).await.map_err(|why| self.words(&why))?;
        let what = match states.first() {
            Some(PinState::Known) => return Ok(frame),
            Some(PinState::Changed) => "says something else of itself than a person knows",
            _ => "is new",
        };
        let name = &self.server.name;
        let why = format!(
            "{name} {what}, and waits for a person: ringfence mcp diff {name}, then ringfence mcp approve {name}"
        );
        self.gateway
            .report(&self.session, DEFINITION_FINDING, why.clone());
        Err(self.words_of(ReasonCode::DefinitionNotKnown, &why))
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
    pub(super) fn begin(
        &self,
        client: &Client,
        upstream: String,
        response: &mut Response<ResponseBody>,
    ) {
        let Some(version) = self.version else { return };
        let Some(id) = self
            .memory
            .seal()
            .and_then(|seal| seal.seal(Sealed::Session, &upstream))
        else {
            return;
        };
        let session = OfAgent { upstream, version };
        let value = HeaderValue::from_str(&id);
        let is_kept = self.memory.lock().begin(id, session);
        if let (true, Ok(value)) = (is_kept, value) {
            response.headers_mut().insert(SESSION, value);
            return;
        }
        let why = "there are too many sessions with this server";
        let refusal = client.gateway.refuse_within(
            self.event,
            self.server.name.to_string(),
            (ReasonCode::LimitReached, why),
        );
        *response = Words::of(&Stopped::Refused(refusal)).respond(self.id.as_ref());
    }
}
