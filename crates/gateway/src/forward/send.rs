//! Sends a request and waits for the head of its response, once more where that is right: on a
//! fresh connection, with a fresh credential.

use http::{Response, StatusCode};
use hyper::body::Incoming;
use ringfence_model::git::UpstreamKind;

use super::draft::Draft;
use super::exchange::{Answered, Chosen, Exchange};
use super::fault::Fault;
use super::hosted;
use super::inject::{inject, replace_by_handshake};
use super::lease::{Lease, NoResponse};
use super::of_git;
use super::open::Target;
use super::over_ssh;
use super::payload::{Broken, Payload, Progress};
use super::pool::Route;
use super::watch::{Cut, Watch};
use crate::limits::REPEATED_BODY_OCTETS;
use crate::pipeline::Injection;
use crate::tls::ClientIdentity;

impl Exchange<'_> {
    /// Sends the request. It is sent once more with a fresh credential where the upstream does not
    /// accept one that was minted, and where the credential is rotated before the response begins.
    pub(super) async fn send(
        &self,
        draft: Draft,
        mut payload: Payload,
        mut chosen: Chosen,
    ) -> Result<Answered, Fault> {
        if chosen.is_minted() && payload.announces_at_most(REPEATED_BODY_OCTETS) {
            let holding = async { payload.hold(REPEATED_BODY_OCTETS).await.map(drop) };
            unless(self.watch(), holding).await?;
        }
        let again = payload.again();
        let sent = self.send_once(draft.clone(), payload, chosen.clone()).await;
        let (Some(again), Some(terms)) = (again, chosen.terms.clone()) else {
            return sent;
        };
        match &sent {
            Ok(answered) if chosen.is_refused(answered) => {
                if let Some(used) = &chosen.credential {
                    self.gateway.credentials().rejected(&used.material);
                }
            }
            // What may have had an effect is not sent twice.
            Err(Fault::Cut(Cut::Changed(_))) if draft.is_safe() => {}
            _ => return sent,
        }
        drop(sent);
        chosen.credential = unless(self.watch(), self.credential(&terms)).await?;
        self.send_once(draft, again, chosen).await
    }

    async fn send_once(
        &self,
        mut draft: Draft,
        mut payload: Payload,
        mut chosen: Chosen,
    ) -> Result<Answered, Fault> {
        chosen.ask(&mut draft);
        let upstream = self.permit.grant().git.as_ref();
        if upstream.is_some_and(|upstream| upstream.kind == UpstreamKind::Ssh) {
            replace_by_handshake(&mut draft);
        } else {
            unless(self.watch(), inject(&mut draft, &mut payload, &chosen)).await?;
        }
        if let Some(upstream) = upstream {
            of_git::authenticate(&mut draft.headers, upstream.kind);
        }
        chosen.hide_signature(&draft)?;
        let material = chosen.credential.as_ref().map(|used| &used.material);
        let watch = self.watch().with(material, &chosen.tokens);
        let sending = self.exchange(draft, payload, (&chosen, &watch));
        let (response, lease) = unless(watch.clone(), sending).await?;
        Ok(Answered {
            response,
            lease: Some(lease),
            watch,
            chosen,
            followed: Vec::new(),
        })
    }

    /// One request and the head of its response.
    pub(super) async fn exchange(
        &self,
        draft: Draft,
        payload: Payload,
        (chosen, watch): (&Chosen, &Watch),
    ) -> Result<(Response<Incoming>, Lease), Fault> {
        let request = self.request()?;
        let identity = chosen
            .credential
            .as_ref()
            .and_then(|used| used.ready.identity.as_deref());
        let target = Target {
            route: Route {
                destination: request.destination.clone(),
                scheme: request.scheme,
                identity: identity.map(ClientIdentity::fingerprint),
            },
            identity,
            side_by_side: draft.http2,
            may_share: !draft.takes_over,
        };
        let limit = chosen.terms.as_ref().and_then(|terms| terms.request_octets);
        let mut spare = Some(draft.clone()).zip(payload.again());
        let is_safe = draft.is_safe();
        let (mut draft, mut payload) = (draft, payload);
        let mut fresh = draft.takes_over;
        loop {
            let over = over_ssh::Over::of(self.permit, &draft, chosen)?;
            let hosted = hosted::server(self.gateway, self.permit)?;
            let mut lease = match (over, hosted) {
                (Some(over), _) => self.pool.lease_ssh(self.gateway, self.permit, over).await?,
                (None, Some(server)) => self.pool.lease_hosted(self.gateway, server).await?,
                (None, None) => {
                    let leasing = self.pool.lease(self.gateway, self.permit, &target, fresh);
                    leasing.await?
                }
            };
            let head = super::head::octets(&draft.headers);
            let body = payload.send(watch.clone(), limit);
            let progress = body.progress();
            let request = draft.write(lease.is_http2(), body)?;
            watch.subject.meter().add_sent(head);
            match lease.send(request, &progress).await {
                Ok(response) => return Ok((response, lease)),
                Err(unsent) => {
                    // A kept connection may have been closed before it was used.
                    let repeatable = lease.reused && (unsent.request.is_some() || is_safe);
                    match spare.take().filter(|_| repeatable) {
                        Some(parts) => (draft, payload) = parts,
                        None => return Err(broke(&unsent.error, &progress)),
                    }
                    fresh = true;
                }
            }
        }
    }
}

impl Chosen {
    fn is_minted(&self) -> bool {
        let credential = self.credential.as_ref();
        credential.is_some_and(|used| used.material.minted)
    }

    /// Whether the upstream does not accept a credential that can be minted anew.
    fn is_refused(&self, answered: &Answered) -> bool {
        self.is_minted() && answered.response.status() == StatusCode::UNAUTHORIZED
    }

    /// Has the signature of the request searched for in the response: it is good for a repetition
    /// of the request from anywhere.
    fn hide_signature(&mut self, draft: &Draft) -> Result<(), Fault> {
        let (Some(used), Some(withholding)) = (&self.credential, &mut self.withholding) else {
            return Ok(());
        };
        let mut injections = used.material.injections.iter();
        if injections.any(|injection| matches!(injection, Injection::SigV4(_))) {
            withholding.sign(&draft.headers)?;
        }
        Ok(())
    }
}

/// Does something, unless the exchange is cut before it is done.
pub(super) async fn unless<T>(
    watch: Watch,
    doing: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    tokio::select! {
        biased;
        done = doing => done,
        cut = watch.cut() => Err(cut.into()),
    }
}

/// Why a request got no response: what stopped its body, else what the library says.
pub(super) fn broke(error: &NoResponse, progress: &Progress) -> Fault {
    match progress.broken() {
        Some(Broken::Client(reason)) => Fault::Client(reason.clone()),
        Some(Broken::TooLarge(limit)) => super::payload::too_large(*limit),
        Some(Broken::Cut(cut)) => Fault::Cut(cut.clone()),
        None => Fault::Upstream(error.to_string()),
    }
}
