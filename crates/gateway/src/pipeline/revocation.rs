//! Live revocation: a permit is asked about again when the policy changes and when the first
//! rule that it rests on expires. What is no longer allowed is cut, however old it is.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ringfence_model::{Decision, ReasonCode};
use ringfence_policy::{Grant, RequestTerms, Snapshot};
use tokio::sync::watch;
use tokio::time::sleep;

use super::gateway::Gateway;
use super::permit::{Permit, Subject, covers};
use super::refusal::denial;

/// The least wait for an expiry, so that a clock that is set back cannot make a busy loop.
const LEAST_WAIT: Duration = Duration::from_millis(20);

impl Gateway {
    /// Waits until policy does not allow `permit` any more, and returns the new decision.
    /// Dropped with the connection; it holds no task and polls nothing.
    pub async fn revoked(&self, permit: &Permit) -> Decision {
        self.taken_back(permit.subject()).await
    }

    /// [`Gateway::revoked`], for a part of an exchange that has not the permit itself.
    pub(crate) async fn taken_back(&self, subject: &Subject) -> Decision {
        let mut policy = self.policy();
        let mut seen = subject.generation();
        let mut valid_until = subject.grant().valid_until;
        loop {
            let current = policy.borrow_and_update().generation();
            let expired = valid_until.is_some_and(|until| until <= Timestamp::now());
            if current != seen || expired {
                match self.decide_again(subject) {
                    Ok(grant) => valid_until = grant.valid_until,
                    Err(decision) => return decision,
                }
                seen = current;
            }
            tokio::select! {
                () = changed(&mut policy) => {}
                () = expiry(valid_until) => {}
            }
        }
    }

    fn decide_again(&self, subject: &Subject) -> Result<Grant, Decision> {
        let verdict = self.verdict(&subject.whole());
        let generation = verdict.decision.generation;
        let Some(grant) = verdict.grant.filter(|_| verdict.decision.is_allow()) else {
            return Err(Decision {
                code: ReasonCode::Revoked,
                ..verdict.decision
            });
        };
        let carried = subject.transport().is_none_or(|kind| covers(&grant, kind));
        let addressed = subject.address().is_none_or(|address| {
            let dialer = self.dialer();
            dialer.still_permits(subject.destination(), address, &grant.addresses)
        });
        if carried && addressed && keeps_terms(subject, &grant) {
            return Ok(grant);
        }
        let reason = "the policy changed and does not allow this connection any more";
        Err(denial(ReasonCode::Revoked, reason, generation))
    }
}

/// Whether `grant` still has the terms that the exchange of `subject` goes by. Before they are
/// chosen, the credential may be known.
fn keeps_terms(subject: &Subject, grant: &Grant) -> bool {
    if let Some(chosen) = subject.terms() {
        return grant.terms.iter().any(|terms| are_alike(terms, chosen));
    }
    let names = |terms: &&Arc<RequestTerms>| terms.credential.as_ref() == subject.credential();
    match subject.credential() {
        Some(_) => grant.terms.iter().any(|terms| names(&terms)),
        None => subject.grant().terms.is_empty() == grant.terms.is_empty(),
    }
}

/// Whether two terms say the same, whatever their rules are called.
fn are_alike(one: &RequestTerms, other: &RequestTerms) -> bool {
    let rule = other.rule.clone();
    RequestTerms {
        rule,
        ..one.clone()
    } == *other
}

/// A publisher that is gone publishes nothing: the last policy stays in force.
async fn changed(policy: &mut watch::Receiver<Arc<Snapshot>>) {
    if policy.changed().await.is_err() {
        pending::<()>().await;
    }
}

async fn expiry(valid_until: Option<Timestamp>) {
    let Some(until) = valid_until else {
        return pending().await;
    };
    let left = Timestamp::now().duration_until(until);
    sleep(Duration::try_from(left).unwrap_or_default().max(LEAST_WAIT)).await;
}
