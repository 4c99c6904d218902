//! Refusals and failures in git's own words, each in the form that the client shows to people
//! where it stands: measured with git 2.47.

use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use http::{Response, StatusCode};
use ringfence_gateway::Stopped;
use ringfence_gateway::http::{ResponseBody, full};
use ringfence_git::wire::push::PushRequest;
use ringfence_git::wire::report::{Report, error_packet};
use ringfence_git::wire::target::result_type;
use ringfence_git::wire::text::one_line;
use ringfence_model::git::{GitService, RefName};
use ringfence_model::{EventId, ReasonCode};
use serde_json::json;

use crate::egress::answer::{Answer, Asked};

/// Why something was not done, as it is shown.
pub(super) struct Words {
    /// What is said of each ref of a push: one line.
    pub(super) short: String,
    /// The whole of it, a line each.
    pub(super) lines: Vec<String>,
    /// Whether a token would help.
    wants_token: bool,
    answer: Box<Answer>,
}

impl Words {
    /// Of what stopped a request.
    pub(super) fn of(stopped: &Stopped) -> Self {
        let answer = Answer::of(stopped);
        let (reason, code, event) = match stopped {
            Stopped::Refused(refusal) => {
                let decision = &refusal.decision;
                (&decision.reason, Some(decision.code), refusal.event)
            }
            Stopped::Failed(failure) => (&failure.reason, None, Some(failure.event)),
        };
        Self {
            short: one_line(&short(reason, event)),
            lines: answer.lines().iter().map(|line| one_line(line)).collect(),
            wants_token: code == Some(ReasonCode::TokenMissing),
            answer: Box::new(answer),
        }
    }

    /// With these as well, a line each.
    pub(super) fn with(mut self, name: &str, lines: &[String]) -> Self {
        let named = lines
            .iter()
            .map(|line| one_line(&format!("{name}: {line}")));
        self.lines.extend(named);
        self
    }

    /// To a request for refs, or to what is no request of git: git shows plain text line by line.
    pub(super) fn as_page(&self) -> Response<ResponseBody> {
        let mut response = self.answer.respond(&Asked::default());
        if self.wants_token {
            *response.status_mut() = StatusCode::UNAUTHORIZED;
            let basic = HeaderValue::from_static("Basic realm=\"Ringfence\", charset=\"UTF-8\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, basic);
        }
        response
    }

    /// To a request of Git LFS, which shows the message of what it reads as JSON.
    pub(super) fn as_lfs(&self, status: Option<StatusCode>) -> Response<ResponseBody> {
        let mut response = self.as_page();
        let message = json!({ "message": self.lines.join("; ") });
        *response.body_mut() = full(message.to_string());
        if let Some(status) = status {
            *response.status_mut() = status;
        }
        let headers = response.headers_mut();
        headers.remove(CONTENT_LENGTH);
        if let Some(wanted) = headers.get(WWW_AUTHENTICATE).cloned() {
            headers.insert("lfs-authenticate", wanted);
        }
        set_type(&mut response, "application/vnd.git-lfs+json");
        response
    }

    /// To a request for objects, as `fatal: remote error`. With a status of its own, git would say
    /// that a packfile was expected.
    pub(super) fn as_fetch(&self) -> Response<ResponseBody> {
        result(GitService::UploadPack, error_packet(&self.lines.join("; ")))
    }

    /// To a push, as a report in which every ref is refused. Without a report, git shows a status.
    pub(super) fn as_push(
        &self,
        request: &PushRequest,
        of: impl Fn(&RefName) -> Option<String>,
    ) -> Response<ResponseBody> {
        let reasons: Vec<(&RefName, String)> = request
            .updates
            .iter()
            .map(|update| {
                let own = of(&update.name);
                (&update.name, own.unwrap_or_else(|| self.short.clone()))
            })
            .collect();
        let reason = |name: &RefName| {
            let found = reasons.iter().find(|(known, _)| *known == name);
            found.map_or("refused", |(_, reason)| reason.as_str())
        };
        let mut message = self.lines.join("\n");
        message.push('\n');
        let report = Report::refusal(request, reason);
        match report.answer(&message, &request.capabilities) {
            Some(out) => result(GitService::ReceivePack, out),
            None => self.as_page(),
        }
    }
}

/// An answer of a service.
pub(super) fn result(service: GitService, octets: Vec<u8>) -> Response<ResponseBody> {
    let mut response = Response::new(full(octets));
    set_type(&mut response, result_type(service));
    response
}

/// What a git server says of all its answers: none may be kept.
pub(super) fn set_type(response: &mut Response<ResponseBody>, media: &'static str) {
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    let fresh = HeaderValue::from_static("no-cache, max-age=0, must-revalidate");
    headers.insert(CACHE_CONTROL, fresh);
}

fn short(reason: &str, event: Option<EventId>) -> String {
    match event {
        Some(event) => format!("refused by Ringfence: {reason} (event {event})"),
        None => format!("refused by Ringfence: {reason}"),
    }
}
