//! What ends an exchange from outside: a policy that does not allow it any more, a credential or a
//! token of it that was changed or revoked, and silence. Each part of an exchange that may last
//! watches by itself, and the answer to the agent is watched by who serves the agent as well, so that
//! no part outlives the others by not being read.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ringfence_model::{Decision, ReasonCode, TokenId};
use tokio::time::sleep;

use crate::limits::ROTATION_GRACE;
use crate::pipeline::{Gateway, Material, Session, Subject, TokenEntry, denial};
use crate::relay::quiet;

/// Why an exchange is cut.
#[derive(Debug, Clone)]
pub(super) enum Cut {
    /// It is not allowed any more.
    Revoked(Box<Decision>),
    /// Its credential was changed or revoked.
    Changed(Box<Decision>),
    /// Nothing moved for too long, or it lasted too long.
    Quiet,
}

/// What an exchange rests on.
#[derive(Clone)]
pub(super) struct Watch {
    pub(super) gateway: Arc<Gateway>,
    pub(super) session: Arc<Session>,
    pub(super) subject: Arc<Subject>,
    material: Option<Arc<Material>>,
    tokens: Arc<[Used]>,
}

/// A token that the request was admitted by.
#[derive(Debug, Clone, Copy)]
struct Used {
    id: TokenId,
    expires: Option<Timestamp>,
}

impl Watch {
    pub(super) fn new(
        gateway: &Arc<Gateway>,
        session: &Arc<Session>,
        subject: &Arc<Subject>,
    ) -> Self {
        Self {
            gateway: Arc::clone(gateway),
            session: Arc::clone(session),
            subject: Arc::clone(subject),
            material: None,
            tokens: Arc::from([]),
        }
    }

    /// Watches what the request is sent with as well.
    pub(super) fn with(mut self, material: Option<&Arc<Material>>, tokens: &[TokenEntry]) -> Self {
        self.material = material.cloned();
        let used = tokens.iter().map(|entry| Used {
            id: entry.id,
            expires: entry.expires,
        });
        self.tokens = used.collect();
        self
    }

    /// Waits until the exchange must end. Dropped with it; it holds no task.
    pub(super) async fn cut(self) -> Cut {
        let limits = self.gateway.limits();
        tokio::select! {
            decision = self.gateway.taken_back(&self.subject) => Cut::Revoked(Box::new(decision)),
            decision = self.credential_changed() => Cut::Changed(Box::new(decision)),
            decision = self.token_ended() => Cut::Revoked(Box::new(decision)),
            () = quiet(self.subject.meter(), limits.idle_timeout) => Cut::Quiet,
            () = sleep(limits.total_timeout) => Cut::Quiet,
        }
    }

    async fn credential_changed(&self) -> Decision {
        let Some(material) = &self.material else {
            return pending().await;
        };
        let credentials = self.gateway.credentials();
        let mut changes = credentials.changes();
        while credentials.is_current(material) {
            if changes.changed().await.is_err() {
                return pending().await;
            }
        }
        // What is about to end may do so: a rotation is to lose no request.
        sleep(ROTATION_GRACE).await;
        let reason = format!("the credential `{}` was changed or revoked", material.name);
        self.revoked(&reason)
    }

    async fn token_ended(&self) -> Decision {
        if self.tokens.is_empty() {
            return pending().await;
        }
        let tokens = self.session.tokens();
        let mut changes = tokens.changes();
        let expires = self.tokens.iter().filter_map(|used| used.expires).min();
        loop {
            let now = Timestamp::now();
            if !self.tokens.iter().all(|used| tokens.is_valid(used.id, now)) {
                return self.revoked("the token of the request was revoked or has expired");
            }
            tokio::select! {
                changed = changes.changed() => if changed.is_err() {
                    return pending().await;
                },
                () = until(expires) => {}
            }
        }
    }

    fn revoked(&self, reason: &str) -> Decision {
        denial(ReasonCode::Revoked, reason, self.subject.generation())
    }
}

async fn until(expires: Option<Timestamp>) {
    let Some(expires) = expires else {
        return pending().await;
    };
    let left = Timestamp::now().duration_until(expires);
    sleep(Duration::try_from(left).unwrap_or_default().max(LEAST_WAIT)).await;
}

/// The least wait for an expiry, so that a clock that is set back cannot make a busy loop.
const LEAST_WAIT: Duration = Duration::from_millis(20);
