//! A question of the gateway's own within a permit: it reads, from the repository that the permit
//! is for, what the permit's own request must be checked against before it is sent.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, StatusCode};
use http_body::{Body, Frame};
use hyper::body::Incoming;
use ringfence_model::git::{GitOperation, GitRequest};
use ringfence_model::{Action, ReasonCode};

use super::draft::Draft;
use super::exchange::Exchange;
use super::fault::{Fault, in_words};
use super::lease::Lease;
use super::over_ssh::OLD_PROTOCOL;
use super::payload::Payload;
use super::pool::UpstreamPool;
use super::send::unless;
use super::watch::Watch;
use crate::http::{BodyError, ResponseBody};
use crate::pipeline::{Gateway, Permit, Session};
use crate::ssh::SshError;

/// Why a question has no answer, in words for the agent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unanswered(String);

/// A question to `git-upload-pack`, in protocol 2.
#[derive(Debug, Clone)]
pub struct GitQuestion {
    /// What the request that it is asked for is authenticated by: a rule may want a token of ours.
    /// It says whether the question may be asked, and is not sent.
    pub authorization: Option<HeaderValue>,
    /// The octets of the question.
    pub body: Bytes,
}

impl Gateway {
    /// Fetches from the repository of a git permit, with the credential of the permit. The answer is
    /// not for the agent.
    ///
    /// # Errors
    /// In words, where there is no answer with status 200.
    pub async fn ask_git(
        self: &Arc<Self>,
        session: &Arc<Session>,
        pool: &Arc<UpstreamPool>,
        permit: &Permit,
        question: GitQuestion,
    ) -> Result<ResponseBody, Unanswered> {
        let exchange = Exchange {
            gateway: self,
            session,
            pool,
            permit,
        };
        let asked = fetch(&exchange, question).await;
        asked.map_err(|fault| Unanswered(words(&fault)))
    }
}

async fn fetch(exchange: &Exchange<'_>, question: GitQuestion) -> Result<ResponseBody, Fault> {
    let mut payload = Payload::new(crate::http::full(question.body));
    let mut draft = head(exchange.permit)?;
    if let Some(presented) = question.authorization {
        // Taken out again when the credential is put in, as of every request of git.
        draft.headers.insert(AUTHORIZATION, presented);
    }
    let choosing = exchange.choose(&draft, &mut payload);
    let chosen = unless(exchange.watch(), choosing).await?;
    let answered = exchange.send(draft, payload, chosen).await?;
    let status = answered.response.status();
    if status == OLD_PROTOCOL {
        return Err(SshError::OldProtocol.into());
    }
    if status != StatusCode::OK {
        let reason = format!("the upstream answered {status} to a question about its history");
        return Err(Fault::Upstream(reason));
    }
    Ok(ResponseBody::new(Answer {
        source: answered.response.into_body(),
        lease: answered.lease,
        cut: Box::pin(cut(answered.watch)),
    }))
}

/// The head of the question. What it leads to is the repository of the permit and no other.
fn head(permit: &Permit) -> Result<Draft, Fault> {
    let unusable = || Fault::refused(ReasonCode::Malformed, "the action is not one of git");
    let Action::Git(request) = permit.action() else {
        return Err(unusable());
    };
    let upstream = permit.grant().git.as_ref().ok_or_else(unusable)?;
    let fetch = GitRequest {
        operation: GitOperation::Fetch {
            wants: 0,
            filter: None,
            shallow: false,
        },
        ..request.clone()
    };
    let http = fetch.to_http(upstream);
    let mut draft = Draft::own(&http, &http.path, None);
    draft.method = Method::POST;
    for (name, value) in [
        (CONTENT_TYPE, "application/x-git-upload-pack-request"),
        (ACCEPT, "application/x-git-upload-pack-result"),
        (ACCEPT_ENCODING, "identity"),
    ] {
        draft.headers.insert(name, HeaderValue::from_static(value));
    }
    let version = HeaderValue::from_static("version=2");
    draft.headers.insert("git-protocol", version);
    Ok(draft)
}

fn words(fault: &Fault) -> String {
    match fault {
        Fault::Dial(error) => in_words(error),
        Fault::Tls(error) => in_words(error),
        Fault::Ssh(error) => error.to_string(),
        Fault::Refused(refused) => refused.reason.clone(),
        Fault::Cut(_) => "it was cut".to_owned(),
        Fault::Upstream(reason) | Fault::Client(reason) => reason.clone(),
    }
}

async fn cut(watch: Watch) {
    let _ = watch.cut().await;
}

/// The body of an answer, and the connection that it comes by.
struct Answer {
    source: Incoming,
    lease: Option<Lease>,
    cut: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Body for Answer {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.cut.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Some(Err(BodyError::TimedOut)));
        }
        let polled = Pin::new(&mut self.source).poll_frame(cx);
        polled.map(|frame| match frame {
            Some(frame) => Some(frame.map_err(|error| BodyError::Upstream(in_words(&error)))),
            None => {
                if let Some(lease) = self.lease.take() {
                    lease.give_back();
                }
                None
            }
        })
    }
}
