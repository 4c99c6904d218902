//! What a server asks of the agent: its model, its user, its folders. It is decided on like anything
//! that the agent asks.

use ringfence_mcp::ask;
use ringfence_mcp::frame::{self, Frame, Id, code};
use ringfence_mcp::version::Era;
use ringfence_model::mcp::{McpRequest, McpVerb};
use ringfence_model::{Action, Outcome};

use super::Reading;
use crate::llm::redact::looked_at;
use crate::mcp::limits::SAYING;

impl Reading {
    /// What the server asks of the agent is decided on like anything else.
    pub(super) fn question(&mut self, frame: Frame, id: &Id) -> Option<Vec<u8>> {
        if self.version.is_some_and(|it| it.era() == Era::Stateless) {
            return None;
        }
        if let Err(code) = self.may_question(&frame) {
            // The server would wait for ever. Why it is refused is the agent's to know, not its.
            let answer = frame::error(Some(id), code, "declined", None);
            if self.saying.len() < SAYING {
                self.saying.push(self.told.say(answer));
            }
            return None;
        }
        if matches!(id, Id::Text(text) if looked_at(text, &self.own).redacted.is_some()) {
            return None;
        }
        if !self.memory.lock().ask(self.of.as_deref(), id) {
            return None;
        }
        self.written(frame, None)
    }

    /// Whether the server may ask this; the code of JSON-RPC where it may not.
    fn may_question(&self, frame: &Frame) -> Result<(), i64> {
        let asked = ask::of_server(frame).map_err(|error| error.code)?;
        if asked.verb == McpVerb::Sample && ask::wants_others(frame.params()) {
            // A server is not told what the agent has from others.
            return Err(code::INVALID_PARAMS);
        }
        if !asked.verb.is_of_server() {
            return Ok(());
        }
        let target = asked.targets.into_iter().next();
        let may = self.may_ask(asked.verb, target, frame.octets());
        may.map_err(|_| code::REFUSED)
    }

    /// Decides on what the server asks for, and records it.
    fn may_ask(&self, verb: McpVerb, target: Option<String>, octets: u64) -> Result<(), String> {
        let action = McpRequest {
            destination: self.server.destination.clone(),
            server: self.server.name.clone(),
            verb,
            method: Some(verb.as_str().to_owned()),
            target,
            arguments: None,
            reads_only: None,
            path: self.server.path.clone(),
            version: self.version.map(|it| it.to_string()),
            octets,
        };
        let action = Action::Mcp(Box::new(action));
        let decided = self
            .gateway
            .decide(&self.session, action, Some(self.connection));
        match decided {
            Ok(permit) => {
                permit.finish(Outcome::Done);
                Ok(())
            }
            Err(refusal) => Err(refusal.decision.reason),
        }
    }

    /// What the server asks for within an answer.
    pub(super) fn inputs(&self, frame: &Frame) -> Result<(), String> {
        let Some(result) = frame.result() else {
            return Ok(());
        };
        let inputs = ask::inputs(result).map_err(|error| error.why)?;
        for (_, asked) in inputs {
            self.may_ask(asked.verb, asked.targets.into_iter().next(), frame.octets())?;
        }
        Ok(())
    }
}
