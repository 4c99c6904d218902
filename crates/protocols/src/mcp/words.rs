//! What an agent is told when something is refused or fails: an error of JSON-RPC, which clients
//! show, with the status of HTTP that belongs to it.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use ringfence_gateway::http::{ResponseBody, full};
use ringfence_gateway::{Refusal, Stopped};
use ringfence_mcp::frame::{self, Id, code};
use ringfence_model::{EventId, ReasonCode};
use serde_json::{Value, json};

/// Why a message got no answer of the server's.
#[derive(Debug, Clone)]
pub(super) struct Words {
    pub(super) code: i64,
    pub(super) status: StatusCode,
    message: String,
    data: Value,
    event: Option<EventId>,
    reason: &'static str,
}

impl Words {
    /// What there is to say about `stopped`. What is not allowed is answered like what is not
    /// there: both are told by their names alone.
    pub(super) fn of(stopped: &Stopped) -> Self {
        match stopped {
            Stopped::Refused(refusal) => {
                let decision = &refusal.decision;
                let mut message = format!("Ringfence refused this: {}", decision.reason);
                if let Some(next_step) = &decision.next_step {
                    message.push_str(&format!(". Next step: {next_step}"));
                }
                if let Some(event) = &refusal.event {
                    message.push_str(&format!(" (event {event})"));
                }
                let (code, status) = code_of(refusal.code());
                Self {
                    code,
                    status,
                    message,
                    data: json!({
                        "reason": refusal.code().as_str(),
                        "rule": decision.rule,
                        "nextStep": decision.next_step,
                        "event": refusal.event,
                    }),
                    event: refusal.event,
                    reason: refusal.code().as_str(),
                }
            }
            Stopped::Failed(failure) => Self {
                code: code::INTERNAL,
                status: match failure.timed_out {
                    true => StatusCode::GATEWAY_TIMEOUT,
                    false => StatusCode::BAD_GATEWAY,
                },
                message: format!(
                    "Ringfence allowed this, but it failed: {}. {} (event {})",
                    failure.tried, failure.reason, failure.event
                ),
                data: json!({"reason": "upstream-failed", "event": failure.event}),
                event: Some(failure.event),
                reason: "upstream-failed",
            },
        }
    }

    /// That there is none of this name for this agent, whether it is not there or not allowed.
    pub(super) fn not_there(refusal: &Refusal, what: &str, name: &str) -> Self {
        let mut message = format!(
            "Unknown {what}: {name}. Ringfence knows none of this name that this agent may use; {what}s/list shows those that it may. Next step: a person can look at `ringfence denied`"
        );
        if let Some(event) = &refusal.event {
            message.push_str(&format!(" (event {event})"));
        }
        let reason = ReasonCode::ToolNotAllowed.as_str();
        Self {
            code: code::INVALID_PARAMS,
            status: StatusCode::OK,
            message,
            data: json!({"reason": reason, "event": refusal.event}),
            event: refusal.event,
            reason,
        }
    }

    /// The same with what clients of the protocol look for.
    pub(super) fn with(mut self, code: i64, status: StatusCode) -> Self {
        self.code = code;
        self.status = status;
        self
    }

    /// The same with more to read.
    pub(super) fn also(mut self, name: &str, value: Value) -> Self {
        if let Some(data) = self.data.as_object_mut() {
            data.insert(name.to_owned(), value);
        }
        self
    }

    /// As a message.
    pub(super) fn message(&self, id: Option<&Id>) -> Vec<u8> {
        frame::error(id, self.code, &self.message, Some(self.data.clone()))
    }

    /// As the answer to a message. Where that wants none, the status says it.
    pub(super) fn respond(&self, id: Option<&Id>) -> Response<ResponseBody> {
        let mut response = Response::new(full(self.message(id)));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(REASON, HeaderValue::from_static(self.reason));
        let event = self.event.map(|event| event.to_string());
        if let Some(value) = event.and_then(|event| HeaderValue::from_str(&event).ok()) {
            headers.insert(EVENT, value);
        }
        response
    }
}

const REASON: HeaderName = HeaderName::from_static("x-ringfence-reason");
const EVENT: HeaderName = HeaderName::from_static("x-ringfence-event");

/// An answer to a request comes with 200, as that of a server that does not know a tool would;
/// clients take other statuses for a fault of the transport, and do not show what is said.
const fn code_of(reason: ReasonCode) -> (i64, StatusCode) {
    match reason {
        ReasonCode::ToolNotAllowed
        | ReasonCode::ArgumentsNotAllowed
        | ReasonCode::DefinitionNotKnown
        | ReasonCode::Forbidden
        | ReasonCode::NoRule
        | ReasonCode::RuleExpired => (code::INVALID_PARAMS, StatusCode::OK),
        ReasonCode::Malformed => (code::INVALID_REQUEST, StatusCode::BAD_REQUEST),
        ReasonCode::HostMismatch => (code::INVALID_REQUEST, StatusCode::FORBIDDEN),
        ReasonCode::TokenMissing | ReasonCode::TokenInvalid => {
            (code::REFUSED, StatusCode::UNAUTHORIZED)
        }
        ReasonCode::CredentialUnavailable | ReasonCode::Unavailable => {
            (code::INTERNAL, StatusCode::SERVICE_UNAVAILABLE)
        }
        ReasonCode::LimitReached => (code::REFUSED, StatusCode::TOO_MANY_REQUESTS),
        _ => (code::REFUSED, StatusCode::OK),
    }
}
