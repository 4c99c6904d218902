//! HTTP answers of the gateway itself: what was refused or failed, why, by which rule, and what
//! to do about it, as text for people and JSON for programs.

use std::fmt::Write as _;

use ringfence_gateway::http::{ResponseBody, empty, full};
use ringfence_gateway::wire::http::{
    BodyKind, Headers, RequestHead, ResponseHead, Version, write_response,
};
use ringfence_gateway::{Failure, Refusal, Stopped};
use ringfence_model::{EventId, ReasonCode};
use serde_json::json;

/// An HTTP answer of the gateway itself.
pub(crate) struct Answer {
    status: u16,
    code: &'static str,
    event: Option<EventId>,
    title: &'static str,
    tried: String,
    reason: String,
    rule: Option<String>,
    generation: Option<u64>,
    next_step: Option<String>,
    advice: Option<&'static str>,
    keep_alive: bool,
}

/// What of a request matters to how it is answered.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Asked {
    wants_json: bool,
    without_body: bool,
}

impl Asked {
    /// Of the head of `request`.
    pub(crate) fn of<B>(request: &http::Request<B>) -> Self {
        let header = |name: &str| request.headers().get(name).map(http::HeaderValue::as_bytes);
        Self {
            wants_json: wants_json(header),
            without_body: request.method() == http::Method::HEAD,
        }
    }
}

impl Answer {
    /// What a client is told about `stopped`.
    pub(crate) fn of(stopped: &Stopped) -> Self {
        match stopped {
            Stopped::Refused(refusal) => Self::refused(refusal),
            Stopped::Failed(failure) => Self::failed(failure),
        }
    }

    /// With this status instead of the usual one.
    pub(crate) const fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The connection ends with it.
    pub(super) const fn close(mut self) -> Self {
        self.keep_alive = false;
        self
    }

    /// The octets of the answer, to `request` where its head is known.
    pub(super) fn write(&self, request: Option<&RequestHead>) -> Vec<u8> {
        let (kind, body) =
            self.content(request.is_some_and(|head| wants_json(|name| head.headers.get(name))));
        let without_body = request.is_some_and(|head| head.method == "HEAD");
        let length = body.len() as u64;
        let head = ResponseHead {
            status: self.status,
            reason: phrase(self.status).to_owned(),
            version: Version::Http11,
            headers: self.headers(kind),
            body: if without_body {
                BodyKind::None
            } else {
                BodyKind::Length(length)
            },
            content_length: without_body.then_some(length),
            keep_alive: self.keep_alive,
        };
        let mut out = Vec::with_capacity(512 + body.len());
        write_response(&head, &mut out);
        if !without_body {
            out.extend_from_slice(body.as_bytes());
        }
        out
    }

    /// The answer to a request that the gateway reads inside TLS.
    pub(crate) fn respond(&self, request: &Asked) -> http::Response<ResponseBody> {
        let (kind, body) = self.content(request.wants_json);
        let length = body.len();
        let body = if request.without_body {
            empty()
        } else {
            full(body)
        };
        let mut response = http::Response::new(body);
        *response.status_mut() = http::StatusCode::from_u16(self.status).unwrap_or_default();
        let headers = response.headers_mut();
        for (name, value) in self.headers(kind).iter() {
            let name = http::HeaderName::from_bytes(name.as_bytes());
            let value = http::HeaderValue::from_bytes(value);
            // All of them are ours and well-formed, so none is left out.
            if let (Ok(name), Ok(value)) = (name, value) {
                headers.insert(name, value);
            }
        }
        headers.insert(http::header::CONTENT_LENGTH, length.into());
        response
    }

    /// The text of the answer, a line each, without blank ones.
    pub(crate) fn lines(&self) -> Vec<String> {
        let text = self.text();
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        lines.map(str::to_owned).collect()
    }

    fn content(&self, as_json: bool) -> (&'static str, String) {
        if as_json {
            ("application/json", self.json())
        } else {
            ("text/plain; charset=utf-8", self.text())
        }
    }

    fn refused(refusal: &Refusal) -> Self {
        let decision = &refusal.decision;
        Self {
            status: status(decision.code),
            code: decision.code.as_str(),
            event: refusal.event,
            title: "Ringfence refused this",
            tried: refusal.tried.clone(),
            reason: decision.reason.clone(),
            rule: decision.rule.as_ref().map(ToString::to_string),
            generation: refusal.event.map(|_| decision.generation.0),
            next_step: decision.next_step.clone(),
            advice: Some(advice(decision.code)),
            keep_alive: true,
        }
    }

    fn failed(failure: &Failure) -> Self {
        Self {
            status: if failure.timed_out { 504 } else { 502 },
            code: if failure.timed_out {
                "timed-out"
            } else {
                "upstream-failed"
            },
            event: Some(failure.event),
            title: "Ringfence allowed this, but it failed",
            tried: failure.tried.clone(),
            reason: failure.reason.clone(),
            rule: None,
            generation: None,
            next_step: None,
            advice: None,
            keep_alive: true,
        }
    }

    fn headers(&self, kind: &str) -> Headers {
        let mut headers = Headers::default();
        let event = self.event.map(|event| event.to_string());
        let fields = [
            ("Content-Type", Some(kind)),
            ("Cache-Control", Some("no-store")),
            ("X-Ringfence-Reason", Some(self.code)),
            ("X-Ringfence-Event", event.as_deref()),
        ];
        for (name, value) in fields {
            // All of them are ours and well-formed, so none is refused.
            let _ = value.map(|value| headers.push(name, value.as_bytes()));
        }
        headers
    }

    fn text(&self) -> String {
        let mut text = String::with_capacity(512);
        let _ = writeln!(text, "{}: {}", self.title, self.tried);
        let _ = writeln!(text, "reason: {} ({})", self.reason, self.code);
        for (name, value) in [
            ("rule", self.rule.clone()),
            ("policy", self.generation.map(|number| number.to_string())),
            ("next step", self.next_step.clone()),
            ("event", self.event.map(|event| event.to_string())),
        ] {
            if let Some(value) = value {
                let _ = writeln!(text, "{name}: {value}");
            }
        }
        if let Some(advice) = self.advice {
            let _ = writeln!(text, "\n{advice}");
        }
        text
    }

    fn json(&self) -> String {
        let message = format!("{}: {}. {}", self.title, self.tried, self.reason);
        let body = json!({
            // Where many clients of APIs look for what to show.
            "message": message,
            "error": {
                "type": "ringfence",
                "message": message,
                "code": self.code,
                "tried": self.tried,
                "reason": self.reason,
                "rule": self.rule,
                "policy": self.generation,
                "next_step": self.next_step,
                "event": self.event,
                "advice": self.advice,
            }
        });
        format!("{body}\n")
    }
}

/// For an agent: a decision is final until a person changes the policy.
const fn advice(code: ReasonCode) -> &'static str {
    match code {
        ReasonCode::Malformed | ReasonCode::HostMismatch => {
            "Only requests that can be read in one way are passed on. Send it in its plain, \
             standard form; do not look for another route."
        }
        ReasonCode::ApprovalNeeded => {
            "This waits for a person, not for a retry. Ask the operator, and do not look for another \
             route."
        }
        ReasonCode::LimitReached => "Close connections that are not needed and try again later.",
        _ => {
            "This is a policy decision, not a network fault. Do not retry and do not look for \
             another route: ask the operator to allow it."
        }
    }
}

/// What a proxy client is told by status: the policy's 403 unless another one says more.
const fn status(code: ReasonCode) -> u16 {
    match code {
        ReasonCode::Malformed => 400,
        ReasonCode::LimitReached => 429,
        ReasonCode::Unavailable => 503,
        _ => 403,
    }
}

const fn phrase(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        403 => "Forbidden",
        408 => "Request Timeout",
        414 => "URI Too Long",
        417 => "Expectation Failed",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "Refused",
    }
}

/// The first of the two that `Accept` names; without either, what the client is.
fn wants_json<'a>(header: impl Fn(&str) -> Option<&'a [u8]>) -> bool {
    let value = |name| {
        let value = header(name).unwrap_or_default();
        String::from_utf8_lossy(value).to_ascii_lowercase()
    };
    let accept = value("accept");
    match (accept.find("json"), accept.find("text/")) {
        (Some(json), Some(text)) => json < text,
        (Some(_), None) => true,
        (None, Some(_)) => false,
        (None, None) => {
            let agent = value("user-agent");
            API_CLIENTS.iter().any(|client| agent.contains(client))
        }
    }
}

/// Parts of the `User-Agent` of libraries that programs call APIs with.
const API_CLIENTS: [&str; 17] = [
    "github cli",
    "boto3/",
    "aws-cli/",
    "python-requests",
    "python-httpx",
    "python-urllib",
    "aiohttp",
    "axios",
    "node-fetch",
    "undici",
    "node",
    "go-http-client",
    "okhttp",
    "reqwest",
    "hyper/",
    "openai/",
    "anthropic/",
];

#[cfg(test)]
mod tests;
