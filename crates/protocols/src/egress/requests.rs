//! Plain HTTP: one request after another, each decided on by itself, whatever came before on
//! the same connection.

use ringfence_gateway::http::{Interrupted, UpstreamSlot, drain_body, next_request};
use ringfence_gateway::intercept;
use ringfence_gateway::wire::http::{HttpError, RequestHead, Target};
use ringfence_gateway::{Buffered, Failure, Permit, Refusal, Stopped, Transport};
use ringfence_model::{
    Action, Destination, Entry, EventId, HttpRequest, Outcome, ReasonCode, Scheme,
};

use super::Flow;
use super::answer::Answer;
use super::carry::MISMATCH;
use super::refuse::{malformed, say_and_close};
use crate::api;

/// Serves a connection whose destination is decided on: captured, or a tunnel of the proxy.
pub(super) async fn serve_fixed(flow: Flow<'_>, client: Buffered, permit: Permit) {
    if !permit.carry(Transport::Http) {
        let refusal = permit.refuse(ReasonCode::ProtocolMismatch, MISMATCH);
        let answer = Answer::of(&Stopped::Refused(refusal)).close().write(None);
        return say_and_close(client, &answer).await;
    }
    if flow.gateway.has_api_rules(permit.destination()) {
        let opened = intercept::plain(client, permit.destination());
        return api::serve(flow.gateway, flow.session, opened, permit).await;
    }
    let requests = Requests {
        flow,
        client,
        fixed: true,
        connection: Some(permit),
        upstream: UpstreamSlot::default(),
    };
    requests.serve(None).await;
}

/// Serves a client of the explicit proxy that sends absolute-form requests, from `first` on.
/// Each destination is a connection of its own.
pub(super) async fn serve_forward(flow: Flow<'_>, client: Buffered, first: RequestHead) {
    let requests = Requests {
        flow,
        client,
        fixed: false,
        connection: None,
        upstream: UpstreamSlot::default(),
    };
    requests.serve(Some(first)).await;
}

struct Requests<'a> {
    flow: Flow<'a>,
    client: Buffered,
    fixed: bool,
    /// The permit of the connection that requests go to now.
    connection: Option<Permit>,
    upstream: UpstreamSlot,
}

/// How a request left the client's connection.
enum Next {
    Another,
    /// To be cut: the client is gone, or must not take what it got for the whole answer.
    Cut,
    /// To be closed after these octets.
    Say(Vec<u8>),
    /// To be served by the rules of the `api` section, from this request on.
    Api(Box<RequestHead>),
}

impl Requests<'_> {
    async fn serve(mut self, first: Option<RequestHead>) {
        let mut pending = first;
        let last_words = loop {
            let head = match pending.take() {
                Some(head) => head,
                None => match self.next_head().await {
                    Ok(head) => head,
                    Err(words) => break words,
                },
            };
            match self.request(head).await {
                Next::Another => {}
                Next::Cut => break None,
                Next::Say(words) => break Some(words),
                Next::Api(head) => return self.hand_over(*head).await,
            }
        };
        if let Some(permit) = self.connection.take() {
            permit.finish(Outcome::Done);
        }
        if let Some(words) = last_words {
            drop(self.upstream);
            say_and_close(self.client, &words).await;
        }
    }

    /// The next head; else what to say, if anything, before the connection is closed.
    async fn next_head(&mut self) -> Result<RequestHead, Option<Vec<u8>>> {
        let limits = self.flow.gateway.limits();
        let next = next_request(
            &mut self.client,
            limits.keep_alive_timeout,
            limits.head_timeout,
        );
        let next = match &self.connection {
            None => next.await,
            Some(permit) => tokio::select! {
                biased;
                decision = self.flow.gateway.revoked(permit) => {
                    return Err(self.revoke(decision));
                }
                next = next => next,
            },
        };
        next.map_err(|interrupted| self.interrupted(&interrupted))
    }

    fn revoke(&mut self, decision: ringfence_model::Decision) -> Option<Vec<u8>> {
        let _ = self.connection.take()?.revoke(decision);
        None
    }

    fn interrupted(&mut self, why: &Interrupted) -> Option<Vec<u8>> {
        match why {
            Interrupted::Malformed(error) => {
                // A request of a proxy client need not be one for the connection before it.
                let connection = self.connection.take_if(|_| self.fixed);
                let head = self.client.ahead();
                Some(malformed(self.flow, connection, head, *error))
            }
            Interrupted::TimedOut(true) => {
                let permit = self.connection.take()?;
                let reason = "the request did not arrive in time".to_owned();
                let stopped = Failure::close(permit, Outcome::TimedOut, reason);
                Some(Answer::of(&stopped).status(408).close().write(None))
            }
            Interrupted::Broken(error) => {
                let permit = self.connection.take()?;
                permit.finish_with(Outcome::Aborted, error.to_string());
                None
            }
            Interrupted::Closed | Interrupted::TimedOut(false) => None,
        }
    }

    async fn request(&mut self, head: RequestHead) -> Next {
        let connection = match self.connection_for(&head) {
            Ok(connection) => connection,
            Err(refusal) => return self.refuse(&head, refusal).await,
        };
        let (destination, event) = connection;
        if self.flow.gateway.has_api_rules(&destination) {
            return Next::Api(Box::new(head));
        }
        if head.websocket {
            return self.no_websocket(&head);
        }
        let action = match classify(&head, destination) {
            Ok(action) => action,
            Err((code, reason)) => return self.unfit(code, reason),
        };
        let decided = self
            .flow
            .gateway
            .decide(self.flow.session, action, Some(event));
        match decided {
            Ok(permit) if self.flow.gateway.has_api_rules(permit.destination()) => {
                let reason = "the policy changed while the request was decided on";
                let refusal = permit.refuse(ReasonCode::Revoked, reason);
                self.refuse(&head, refusal).await
            }
            Ok(permit) => self.exchange(&head, permit).await,
            Err(refusal) => self.refuse(&head, refusal).await,
        }
    }

    /// Only where requests are read by rules can what comes behind the handshake be read as well.
    fn no_websocket(&mut self, head: &RequestHead) -> Next {
        let error = HttpError::Upgrade;
        let reason = error.to_string();
        let connection = self.connection.take_if(|_| self.fixed);
        let refusal = match connection {
            Some(permit) => permit.refuse(error.code(), &reason),
            None => self.flow.refuse_request(head, (error.code(), &reason)),
        };
        Next::Say(
            Answer::of(&Stopped::Refused(refusal))
                .close()
                .write(Some(head)),
        )
    }

    /// Where the request goes and the event of the connection that leads there. A new
    /// destination of a proxy client is a new connection, decided on as such.
    fn connection_for(&mut self, head: &RequestHead) -> Result<(Destination, EventId), Refusal> {
        if let (true, Some(permit)) = (self.fixed, &self.connection) {
            return Ok((permit.destination().clone(), permit.event()));
        }
        let Target::Absolute {
            scheme: Scheme::Http,
            authority,
            ..
        } = &head.target
        else {
            let reason = "an HTTP proxy takes requests for http://HOST/; for HTTPS use CONNECT";
            let why = (ReasonCode::Malformed, reason);
            return Err(self.flow.refuse_request(head, why));
        };
        if let Some(permit) = &self.connection
            && *permit.destination() == *authority
        {
            return Ok((authority.clone(), permit.event()));
        }
        if let Some(permit) = self.connection.take() {
            permit.finish(Outcome::Done);
        }
        let permit = self.flow.connect(authority.clone(), Entry::HttpForward)?;
        if !permit.carry(Transport::Http) {
            return Err(permit.refuse(ReasonCode::ProtocolMismatch, MISMATCH));
        }
        let found = (permit.destination().clone(), permit.event());
        self.connection = Some(permit);
        Ok(found)
    }

    async fn exchange(&mut self, head: &RequestHead, permit: Permit) -> Next {
        let done = self
            .flow
            .gateway
            .exchange(&permit, &mut self.client, &mut self.upstream, head)
            .await;
        if let Some(connection) = &self.connection {
            connection.account(&permit);
        }
        match done {
            Ok(exchange) => {
                permit.finish(Outcome::Status(exchange.status));
                if exchange.keep_alive {
                    Next::Another
                } else {
                    // The client may still be sending the body.
                    Next::Say(Vec::new())
                }
            }
            Err(fault) => {
                let begun = fault.begun;
                let stopped = fault.settle(permit);
                if begun {
                    return Next::Cut;
                }
                Next::Say(Answer::of(&stopped).close().write(Some(head)))
            }
        }
    }

    /// Serves this request, and those behind it where they are for the same place, by the rules
    /// of the `api` section.
    async fn hand_over(self, mut head: RequestHead) {
        let Some(permit) = self.connection else {
            return;
        };
        head.keep_alive &= self.fixed;
        drop(self.upstream);
        let opened = intercept::plain(self.client, permit.destination()).resume(head);
        Box::pin(api::serve(
            self.flow.gateway,
            self.flow.session,
            opened,
            permit,
        ))
        .await;
    }

    /// A refused request leaves the connection usable if its body can be read away.
    async fn refuse(&mut self, head: &RequestHead, refusal: Refusal) -> Next {
        let answer = Answer::of(&Stopped::Refused(refusal));
        if !head.keep_alive || !drain_body(&mut self.client, head).await {
            return Next::Say(answer.close().write(Some(head)));
        }
        match self.client.write_all(&answer.write(Some(head))).await {
            Ok(()) => Next::Another,
            Err(_) => Next::Cut,
        }
    }

    /// The request cannot belong to this connection, so the connection is not what it said.
    fn unfit(&mut self, code: ReasonCode, reason: &str) -> Next {
        let Some(permit) = self.connection.take() else {
            return Next::Cut;
        };
        let refusal = permit.refuse(code, reason);
        Next::Say(Answer::of(&Stopped::Refused(refusal)).close().write(None))
    }
}

/// The action of a request on a connection to `destination`.
fn classify(
    head: &RequestHead,
    destination: Destination,
) -> Result<Action, (ReasonCode, &'static str)> {
    if head.authority.destination(destination.port).as_ref() != Some(&destination) {
        let reason = "the Host header field is not the destination of the connection";
        return Err((ReasonCode::HostMismatch, reason));
    }
    let path = match &head.target {
        Target::Origin { path, .. }
        | Target::Absolute {
            scheme: Scheme::Http,
            path,
            ..
        } => path.clone(),
        Target::Asterisk => "*".to_owned(),
        Target::Absolute { .. } | Target::Authority(_) => {
            let reason = "CONNECT and https:// targets are for a proxy";
            return Err((ReasonCode::Malformed, reason));
        }
    };
    Ok(Action::Http(HttpRequest {
        destination,
        scheme: Scheme::Http,
        method: head.method.clone(),
        path,
        query: head.target.query().map(str::to_owned),
        headers: Vec::new(),
        content: None,
    }))
}
