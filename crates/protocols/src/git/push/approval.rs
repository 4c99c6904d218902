//! A push that only lacks a person's word: it is refused, with what the person can do about it, or
//! goes on where the person has approved exactly this push.

use std::sync::Arc;

use ringfence_gateway::Approval;
use ringfence_gateway::git::{GitDenial, PushFacts};
use ringfence_model::{EventId, ReasonCode};
use tokio::task::spawn_blocking;

use super::look::Looking;

impl Looking<'_> {
    /// Judges a push of which all is known. Nobody is asked about one that would not pass anyway,
    /// and what was approved is judged like any other.
    pub(super) async fn judge(&self, mut facts: PushFacts) -> Result<(), GitDenial> {
        facts.is_approved = false;
        let denial = match self.terms.judge(&facts) {
            Err(denial) if denial.code == ReasonCode::ApprovalNeeded => denial,
            judged => return judged,
        };
        match self.approval().await {
            Approval::Approved => {
                facts.is_approved = true;
                self.terms.judge(&facts)?;
                self.permit.git().note(|noted| noted.approved = true);
                Ok(())
            }
            Approval::Waiting => Err(waiting(denial, self.permit.event())),
            Approval::Rejected => Err(rejected(denial)),
        }
    }

    async fn approval(&self) -> Approval {
        let gateway = Arc::clone(&self.client.gateway);
        let session = Arc::clone(&self.client.session);
        let action = self.permit.action().clone();
        let asked = spawn_blocking(move || gateway.approval(&session, &action));
        asked.await.unwrap_or(Approval::Waiting)
    }
}

fn waiting(denial: GitDenial, event: EventId) -> GitDenial {
    let next_step = format!(
        "a person has to approve this push: ringfence git approve {event}; then push the same again"
    );
    GitDenial {
        next_step,
        ..denial
    }
}

fn rejected(denial: GitDenial) -> GitDenial {
    GitDenial {
        reason: "a person has rejected this push".to_owned(),
        next_step: "push something else, or ask the person why".to_owned(),
        ..denial
    }
}
