//! How a provider would have said no: its own form of an error, with a status that its libraries do
//! not answer by trying again in vain.

use bytes::Bytes;
use ringfence_model::llm::{LlmEndpoint, ProviderKind};
use serde_json::{Value, json};

use crate::event_stream;

mod in_socket;
pub use in_socket::in_socket;

/// Why a request is not answered by the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// No rule allows it.
    Policy,
    /// No rule allows the model.
    Model,
    /// No rule allows what the provider is asked to do by itself.
    Hosted,
    /// A budget is spent.
    Budget,
    /// It is too often, or too much at once.
    Rate,
    /// The body is too long.
    TooLarge,
    /// It cannot be read.
    Malformed,
    /// The endpoint is not known, or not served.
    NotFound,
    /// It asks for a WebSocket, and can do without.
    Upgrade,
    /// No one that is known asks.
    Unauthenticated,
    /// Something of the gateway's is not there for now.
    Unavailable,
    /// The provider cannot be reached, or does not speak well.
    Upstream,
    /// The provider takes too long.
    TimedOut,
}

/// What a client is told.
#[derive(Debug, Clone, Copy)]
pub struct Refusal<'a> {
    /// Why.
    pub why: Why,
    /// The same in words.
    pub message: &'a str,
    /// Seconds after which it is worth to try again.
    pub retry_after: Option<u64>,
    /// The id of the event in the record.
    pub event: Option<&'a str>,
    /// The stable code of the reason.
    pub code: &'a str,
}

/// A refusal as a provider would have written it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The status.
    pub status: u16,
    /// Headers of the dialect, beside the content type, which is `application/json`.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Bytes,
    /// Whether it helps to try again.
    pub may_retry: bool,
}

/// Whose form an error has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Openai,
    Anthropic,
    Google,
    Amazon,
}

const fn form(kind: ProviderKind, endpoint: LlmEndpoint) -> Form {
    match (kind, endpoint) {
        (ProviderKind::Bedrock, _) => Form::Amazon,
        (ProviderKind::Anthropic, _) | (ProviderKind::Vertex, LlmEndpoint::Messages) => {
            Form::Anthropic
        }
        (ProviderKind::Gemini | ProviderKind::Vertex, _) => Form::Google,
        (ProviderKind::Openai | ProviderKind::AzureOpenai, _) => Form::Openai,
    }
}

/// The answer to a request of which nothing was answered yet.
#[must_use]
pub fn body(kind: ProviderKind, endpoint: LlmEndpoint, refusal: &Refusal<'_>) -> Said {
    let words = Words::of(refusal);
    let form = form(kind, endpoint);
    let mut headers = Vec::new();
    if form == Form::Amazon {
        headers.push(("x-amzn-errortype", words.amazon.to_owned()));
    }
    Said {
        status: words.status,
        headers,
        body: error(form, &words, refusal).to_string().into(),
        may_retry: words.may_retry,
    }
}

/// What ends a stream that cannot go on.
#[must_use]
pub fn in_stream(kind: ProviderKind, endpoint: LlmEndpoint, refusal: &Refusal<'_>) -> Bytes {
    let words = Words::of(refusal);
    let form = form(kind, endpoint);
    let error = error(form, &words, refusal);
    match form {
        Form::Amazon => {
            let headers = [
                (":message-type", "exception"),
                (":exception-type", words.amazon_in_stream()),
                (":content-type", "application/json"),
            ];
            event_stream::write(&headers, error.to_string().as_bytes()).into()
        }
        Form::Anthropic => format!("\n\nevent: error\ndata: {error}\n\n").into(),
        Form::Openai if endpoint == LlmEndpoint::Responses => {
            let event = json!({
                "type": "error",
                "code": words.openai.1,
                "message": refusal.message,
                "param": null,
            });
            format!("\n\nevent: error\ndata: {event}\n\n").into()
        }
        Form::Google | Form::Openai => format!("\n\ndata: {error}\n\n").into(),
    }
}

/// The words that providers have for it.
struct Words {
    status: u16,
    /// Type and code.
    openai: (&'static str, &'static str),
    anthropic: &'static str,
    google: &'static str,
    amazon: &'static str,
    may_retry: bool,
}

impl Words {
    fn of(refusal: &Refusal<'_>) -> Self {
        let (openai, anthropic, google, amazon) = names(refusal.why);
        let waits = refusal.retry_after.is_some();
        let (status, may_retry) = match refusal.why {
            Why::Policy | Why::Model | Why::Hosted => (403, false),
            // Libraries take 429 for something that passes.
            Why::Budget if !waits => (403, false),
            Why::Budget | Why::Rate => (429, true),
            Why::TooLarge => (413, false),
            Why::Malformed => (400, false),
            Why::NotFound => (404, false),
            Why::Upgrade => (426, false),
            Why::Unauthenticated => (401, false),
            Why::Unavailable => (503, true),
            Why::Upstream => (502, true),
            Why::TimedOut => (504, true),
        };
        let spent = refusal.why == Why::Budget && !waits;
        Self {
            status,
            openai,
            anthropic: if spent { "permission_error" } else { anthropic },
            google: if spent { "PERMISSION_DENIED" } else { google },
            amazon: if spent {
                "AccessDeniedException"
            } else {
                amazon
            },
            may_retry,
        }
    }

    /// Bedrock's clients know these names alone in a stream.
    fn amazon_in_stream(&self) -> &'static str {
        match self.amazon {
            "ThrottlingException" => "throttlingException",
            "ServiceUnavailableException" => "serviceUnavailableException",
            "ValidationException" | "AccessDeniedException" => "validationException",
            _ => "modelStreamErrorException",
        }
    }
}

type Names = (
    (&'static str, &'static str),
    &'static str,
    &'static str,
    &'static str,
);

const fn names(why: Why) -> Names {
    const INVALID: &str = "invalid_request_error";
    match why {
        Why::Policy | Why::Hosted => (
            (INVALID, "permission_denied"),
            "permission_error",
            "PERMISSION_DENIED",
            "AccessDeniedException",
        ),
        Why::Model => (
            (INVALID, "model_not_found"),
            "permission_error",
            "PERMISSION_DENIED",
            "AccessDeniedException",
        ),
        Why::Budget => (
            ("insufficient_quota", "insufficient_quota"),
            "rate_limit_error",
            "RESOURCE_EXHAUSTED",
            "ThrottlingException",
        ),
        Why::Rate => (
            ("rate_limit_error", "rate_limit_exceeded"),
            "rate_limit_error",
            "RESOURCE_EXHAUSTED",
            "ThrottlingException",
        ),
        Why::TooLarge => (
            (INVALID, "request_too_large"),
            "request_too_large",
            "INVALID_ARGUMENT",
            "ValidationException",
        ),
        Why::Malformed => (
            (INVALID, "invalid_request"),
            INVALID,
            "INVALID_ARGUMENT",
            "ValidationException",
        ),
        Why::NotFound | Why::Upgrade => (
            (INVALID, "not_found"),
            "not_found_error",
            "NOT_FOUND",
            "ResourceNotFoundException",
        ),
        Why::Unauthenticated => (
            ("authentication_error", "invalid_api_key"),
            "authentication_error",
            "UNAUTHENTICATED",
            "UnrecognizedClientException",
        ),
        Why::Unavailable => (
            ("server_error", "service_unavailable"),
            "api_error",
            "UNAVAILABLE",
            "ServiceUnavailableException",
        ),
        Why::Upstream => (
            ("server_error", "bad_gateway"),
            "api_error",
            "INTERNAL",
            "InternalServerException",
        ),
        Why::TimedOut => (
            ("server_error", "timeout"),
            "timeout_error",
            "DEADLINE_EXCEEDED",
            "ModelTimeoutException",
        ),
    }
}

fn error(form: Form, words: &Words, refusal: &Refusal<'_>) -> Value {
    let message = refusal.message;
    match form {
        Form::Openai => json!({"error": {
            "message": message,
            "type": words.openai.0,
            "param": null,
            "code": words.openai.1,
        }}),
        Form::Anthropic => json!({
            "type": "error",
            "error": {"type": words.anthropic, "message": message},
            "request_id": refusal.event,
        }),
        Form::Google => google(words, refusal),
        Form::Amazon => json!({"message": message}),
    }
}

fn google(words: &Words, refusal: &Refusal<'_>) -> Value {
    let mut details = vec![json!({
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": refusal.code.to_ascii_uppercase().replace('-', "_"),
        "domain": "ringfence",
    })];
    if let Some(seconds) = refusal.retry_after {
        details.push(json!({
            "@type": "type.googleapis.com/google.rpc.RetryInfo",
            "retryDelay": format!("{seconds}s"),
        }));
    }
    json!({"error": {
        "code": words.status,
        "message": refusal.message,
        "status": words.google,
        "details": details,
    }})
}

#[cfg(test)]
mod tests;
