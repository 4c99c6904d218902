//! What a client is told when something is refused or fails: in the provider's own form of an
//! error, which the provider's libraries and the agents that use them show.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use ringfence_gateway::http::{ResponseBody, full};
use ringfence_gateway::{Refusal, Stopped};
use ringfence_llm::refusal::{self, Why};
use ringfence_model::llm::{LlmEndpoint, ProviderKind};
use ringfence_model::{EventId, ReasonCode};

/// The dialect that a client is answered in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialect {
    pub(super) kind: ProviderKind,
    pub(super) endpoint: LlmEndpoint,
}

/// Why a request got no answer of the provider's.
#[derive(Debug, Clone)]
pub(super) struct Words {
    why: Why,
    message: String,
    retry_after: Option<u64>,
    event: Option<EventId>,
    code: &'static str,
}

impl Words {
    /// What there is to say about `stopped`.
    pub(super) fn of(stopped: &Stopped) -> Self {
        match stopped {
            Stopped::Refused(refusal) => Self::refused(refusal),
            Stopped::Failed(failure) => Self {
                why: if failure.timed_out {
                    Why::TimedOut
                } else {
                    Why::Upstream
                },
                message: format!(
                    "Ringfence allowed this, but it failed: {}. {} (event {})",
                    failure.tried, failure.reason, failure.event
                ),
                retry_after: None,
                event: Some(failure.event),
                code: "upstream-failed",
            },
        }
    }

    fn refused(refusal: &Refusal) -> Self {
        let decision = &refusal.decision;
        let mut message = format!("Ringfence refused this: {}", decision.reason);
        if let Some(next_step) = &decision.next_step {
            message.push_str(&format!(". Next step: {next_step}"));
        }
        if let Some(event) = &refusal.event {
            message.push_str(&format!(" (event {event})"));
        }
        Self {
            why: why(refusal.code()),
            message,
            retry_after: None,
            event: refusal.event,
            code: refusal.code().as_str(),
        }
    }

    /// The same as something of another kind.
    pub(super) const fn because(mut self, why: Why) -> Self {
        self.why = why;
        self
    }

    /// With the seconds after which it is worth to try again.
    pub(super) const fn after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    fn refusal<'a>(&'a self, event: Option<&'a str>) -> refusal::Refusal<'a> {
        refusal::Refusal {
            why: self.why,
            message: &self.message,
            retry_after: self.retry_after,
            event,
            code: self.code,
        }
    }

    /// The answer to a request that came as a message of a WebSocket.
    pub(super) fn message(&self) -> bytes::Bytes {
        let event = self.event.map(|event| event.to_string());
        refusal::in_socket(&self.refusal(event.as_deref()))
    }

    /// The answer to a request of which nothing was answered yet.
    pub(super) fn respond(&self, dialect: Dialect) -> Response<ResponseBody> {
        let event = self.event.map(|event| event.to_string());
        let refusal = self.refusal(event.as_deref());
        let said = refusal::body(dialect.kind, dialect.endpoint, &refusal);
        let mut response = Response::new(full(said.body));
        *response.status_mut() = StatusCode::from_u16(said.status).unwrap_or(StatusCode::FORBIDDEN);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(REASON, HeaderValue::from_static(self.code));
        if let Some(value) = event.and_then(|event| HeaderValue::from_str(&event).ok()) {
            headers.insert(EVENT, value);
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if !said.may_retry {
            // What the libraries of OpenAI and Anthropic ask before they try again.
            headers.insert(SHOULD_RETRY, HeaderValue::from_static("false"));
        }
        for (name, value) in said.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
        response
    }
}

/// That an answer of the provider's could not be passed on.
pub(super) fn failed(reason: String) -> Words {
    Words {
        why: Why::Upstream,
        message: format!("Ringfence allowed this, but it failed: {reason}"),
        retry_after: None,
        event: None,
        code: "upstream-failed",
    }
}

/// What ends a stream that cannot go on, in the form that its reader expects.
pub(super) fn in_stream(dialect: Dialect, message: &str) -> bytes::Bytes {
    let refusal = refusal::Refusal {
        why: Why::Upstream,
        message,
        retry_after: None,
        event: None,
        code: "response-refused",
    };
    refusal::in_stream(dialect.kind, dialect.endpoint, &refusal)
}

const REASON: HeaderName = HeaderName::from_static("x-ringfence-reason");
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");
const EVENT: HeaderName = HeaderName::from_static("x-ringfence-event");

const fn why(code: ReasonCode) -> Why {
    match code {
        ReasonCode::Malformed => Why::Malformed,
        ReasonCode::ModelNotAllowed => Why::Model,
        ReasonCode::HostedNotAllowed => Why::Hosted,
        ReasonCode::BudgetExhausted => Why::Budget,
        ReasonCode::LimitReached => Why::Rate,
        ReasonCode::TokenMissing | ReasonCode::TokenInvalid => Why::Unauthenticated,
        ReasonCode::CredentialUnavailable | ReasonCode::Unavailable => Why::Unavailable,
        _ => Why::Policy,
    }
}
