//! A call that a rule wants a person to approve: it is refused, with what the person can do about
//! it, or goes on where the person has approved exactly this call, once.

use std::fmt::Write as _;
use std::sync::Arc;

use ringfence_gateway::{HeldCall, Stopped, Taken};
use ringfence_json::quoted;
use ringfence_mcp::frame::Frame;
use ringfence_mcp::meta;
use ringfence_model::mcp::McpHeld;
use ringfence_model::{Action, ReasonCode, RuleRef};
use sha2::{Digest as _, Sha256};
use tokio::task::spawn_blocking;

use super::entered::Entered;
use super::limits::TEXT_OCTETS;
use super::sent::{Sending, refused};
use super::service::Client;
use crate::llm::redact::clean;

impl Client {
    /// Takes the approval of a call that needs one. Nobody is asked about one that would not pass
    /// anyway, so this comes last.
    pub(super) async fn approved(
        &self,
        entered: &mut Entered,
        sending: Sending,
    ) -> Result<Sending, Stopped> {
        let (Some(rule), Some(frame)) = (sending.terms.approval.clone(), &mut entered.frame) else {
            return Ok(sending);
        };
        let call = parameters(frame);
        if call.len() > TEXT_OCTETS {
            let why = format!(
                "rule {rule} wants a person to approve this call, which is longer than a person is shown: {TEXT_OCTETS} octets"
            );
            return Err(refused(sending.permit, ReasonCode::LimitReached, &why));
        }
        // What a person is not shown does not go on.
        meta::keep_known(frame);
        let digest = hex(&Sha256::digest(&call));
        let shown = clean(&call, &sending.own).unwrap_or_else(|| call.clone());
        let held = McpHeld {
            digest: digest.clone(),
            call: shown,
        };
        sending
            .permit
            .git()
            .note_mcp(|facts| facts.held = Some(held));
        match self.taken(&sending, digest).await {
            Taken::Approved(approved) => {
                let noted = Some(approved);
                sending
                    .permit
                    .git()
                    .note_mcp(|facts| facts.approved = noted);
                Ok(sending)
            }
            other => Err(waiting(sending, rule, &other)),
        }
    }

    async fn taken(&self, sending: &Sending, digest: String) -> Taken {
        let Action::Mcp(request) = sending.permit.action().clone() else {
            return Taken::Waiting;
        };
        let gateway = Arc::clone(&self.gateway);
        let session = Arc::clone(&self.session);
        let (event, generation) = (sending.permit.event(), sending.permit.generation());
        let taking = spawn_blocking(move || {
            gateway.take_approval(HeldCall {
                identity: session.identity(),
                request: &request,
                digest: &digest,
                generation,
                event,
            })
        });
        taking.await.unwrap_or(Taken::Waiting)
    }
}

fn waiting(sending: Sending, rule: RuleRef, said: &Taken) -> Stopped {
    let permit = sending.permit;
    let event = permit.event();
    let tool = match permit.action() {
        Action::Mcp(request) => request.target.clone().unwrap_or_default(),
        _ => String::new(),
    };
    let reason = match said {
        Taken::Rejected => format!("a person has rejected this call of {tool}"),
        Taken::Used => format!(
            "rule {rule} wants a person to approve each call of {tool}, and the approval of this one was used"
        ),
        Taken::Waiting | Taken::Approved(_) => {
            format!("rule {rule} wants a person to approve this call of {tool}")
        }
    };
    let next_step = match said {
        Taken::Rejected => "do something else, or ask the person why".to_owned(),
        _ => format!(
            "a person has to approve this call: ringfence approve {event}; then make the same call again, in this run"
        ),
    };
    let code = ReasonCode::ApprovalNeeded;
    Stopped::Refused(permit.refuse_by(rule, code, (&reason, &next_step)))
}

/// All that the server gets of a call, in one form: what is not of the call itself but of its way
/// (`_meta`) is left out.
fn parameters(frame: &Frame) -> String {
    let members = frame.params().into_iter().flat_map(|it| it.members());
    let mut members: Vec<(String, String)> = members
        .filter(|(key, _)| !key.is_text("_meta"))
        .map(|(key, value)| {
            let name = key.text().unwrap_or_default().into_owned();
            (name, value.canonical())
        })
        .collect();
    members.sort();
    let members: Vec<String> = members
        .into_iter()
        .map(|(name, value)| format!("{}:{value}", quoted(&name)))
        .collect();
    format!("{{{}}}", members.join(","))
}

fn hex(octets: &[u8]) -> String {
    let mut text = String::with_capacity(2 * octets.len());
    for octet in octets {
        let _ = write!(text, "{octet:02x}");
    }
    text
}
