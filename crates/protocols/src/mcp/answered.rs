//! What a server says, message by message: which of it goes on, and how.

mod greeting;
mod opaque;
mod questions;

use std::sync::Arc;
use std::task::Context;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use ringfence_gateway::http::{ResponseBody, empty, full};
use ringfence_gateway::mcp::McpTerms;
use ringfence_gateway::{Gateway, NoteHold, PinKind, Session, Stopped};
use ringfence_inspect::ScrubSet;
use ringfence_mcp::frame::{Body, Frame, Id, code};
use ringfence_mcp::limits::ANSWERED_OCTETS;
use ringfence_mcp::list::set_text;
use ringfence_mcp::method::{self, Known as Method};
use ringfence_mcp::version::{Era, Version};
use ringfence_model::mcp::{McpServer, McpVerb};
use ringfence_model::{EventId, ReasonCode};
use tokio::time::timeout;

use super::digest::digested;
use super::entered::{Entered, SESSION};
use super::limits::{MESSAGES, WHOLE_WAIT};
use super::list::{pinned, show};
use super::memory::Memory;
use super::search;
use super::sent::Sending;
use super::service::Client;
use super::stream;
use super::told::{Saying, Told};
use super::words::Words;
use crate::llm::redact::looked_at;

/// Whoever reads what a server says.
pub(super) struct Reading {
    gateway: Arc<Gateway>,
    session: Arc<Session>,
    connection: EventId,
    server: Arc<McpServer>,
    memory: Arc<Memory>,
    terms: Arc<McpTerms>,
    own: ScrubSet,
    hold: NoteHold,
    event: EventId,
    verb: McpVerb,
    method: Option<&'static Method>,
    /// The request that is answered; none where nothing was asked.
    id: Option<Id>,
    version: Option<Version>,
    /// The session, by the id that the agent has.
    of: Option<String>,
    /// The session that the server says it began, until an agent has it.
    begun: Option<String>,
    /// The answer came.
    is_answered: bool,
    messages: u64,
    /// Whoever tells the server what is refused of what it asks.
    told: Told,
    saying: Vec<Saying>,
}

impl Reading {
    pub(super) fn of(
        client: &Client,
        server: &Arc<McpServer>,
        entered: &Entered,
        sending: &Sending,
    ) -> Self {
        Self {
            gateway: Arc::clone(&client.gateway),
            session: Arc::clone(&client.session),
            connection: client.connection,
            server: Arc::clone(server),
            memory: Arc::clone(&entered.memory),
            terms: Arc::clone(&sending.terms),
            own: sending.own.clone(),
            hold: sending.permit.git().hold(),
            event: sending.permit.event(),
            verb: entered.asked.verb,
            method: entered.asked.method,
            id: entered.id(),
            version: entered.version,
            of: entered.session.as_ref().map(|(id, _)| id.clone()),
            begun: None,
            is_answered: false,
            messages: 0,
            told: Told::of(client, server, entered),
            saying: Vec::new(),
        }
    }

    /// The answer as the agent gets it.
    pub(super) async fn answer(
        mut self,
        response: Response<ResponseBody>,
    ) -> Response<ResponseBody> {
        let (head, body) = response.into_parts();
        if head.status == StatusCode::NOT_FOUND
            && let Some(id) = &self.of
        {
            self.memory.lock().end(id);
        }
        if self.verb == McpVerb::Leave {
            if let Some(id) = &self.of {
                self.memory.lock().end(id);
            }
            return plain(head.status, empty());
        }
        let media = head.headers.get(CONTENT_TYPE);
        let media = media.and_then(|it| it.to_str().ok()).unwrap_or_default();
        let media = media
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        let upstream_session = head.headers.get(SESSION);
        let upstream_session = upstream_session
            .and_then(|it| it.to_str().ok())
            .map(str::to_owned);
        self.begun = upstream_session;
        let mut response = match media.as_str() {
            "text/event-stream" if head.status == StatusCode::OK => {
                if self.verb == McpVerb::Greet {
                    self.whole_stream(body).await
                } else {
                    let mut response = plain(head.status, stream::through(body, self));
                    let kind = HeaderValue::from_static("text/event-stream");
                    response.headers_mut().insert(CONTENT_TYPE, kind);
                    return response;
                }
            }
            "application/json" => self.whole(body, head.status).await,
            _ if head.status == StatusCode::ACCEPTED || head.status == StatusCode::NO_CONTENT => {
                return plain(StatusCode::ACCEPTED, empty());
            }
            _ => self.strange(head.status),
        };
        if self.verb == McpVerb::Greet && response.status() == StatusCode::OK {
            self.begin(&mut response);
        }
        response
    }

    /// An answer of one message.
    async fn whole(&mut self, body: ResponseBody, status: StatusCode) -> Response<ResponseBody> {
        let read = timeout(LONGEST, Limited::new(body, ANSWERED_OCTETS).collect()).await;
        let octets = match read {
            Ok(Ok(collected)) => collected.to_bytes(),
            Ok(Err(error)) => return self.failed(&format!("its answer broke off: {error}")),
            Err(_) => return self.failed("its answer did not arrive in time"),
        };
        if octets.is_empty() {
            return plain(status, empty());
        }
        self.one(&octets, status).await
    }

    async fn one(&mut self, octets: &[u8], status: StatusCode) -> Response<ResponseBody> {
        let frame = match Frame::read(octets, ANSWERED_OCTETS) {
            Ok(frame) => frame,
            Err(error) => return self.failed(&format!("its answer is not understood: {error}")),
        };
        let frame = match self.greeted(frame).await {
            Ok(frame) => frame,
            Err(words) => return words.respond(self.id.as_ref()),
        };
        let Some(octets) = self.said(frame) else {
            return self.failed("its answer is to something else");
        };
        // Who is asked to authorise itself would do so here; the credential is not the agent's.
        let status = match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => StatusCode::BAD_GATEWAY,
            other => other,
        };
        let mut response = plain(status, full(octets));
        let kind = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, kind);
        response
    }

    /// A stream whose answer is looked at before any of it goes on.
    async fn whole_stream(&mut self, body: ResponseBody) -> Response<ResponseBody> {
        let read = timeout(WHOLE_WAIT, stream::first_answer(body, self.id.as_ref())).await;
        match read {
            Ok(Some(octets)) => self.one(&octets, StatusCode::OK).await,
            Ok(None) => self.failed("its stream ended without an answer"),
            Err(_) => self.failed("its answer did not arrive in time"),
        }
    }

    /// One message of the server's as it goes on to the agent; none where it does not.
    pub(super) fn said(&mut self, frame: Frame) -> Option<Vec<u8>> {
        self.messages += 1;
        let passed = match frame.body().clone() {
            _ if self.messages > MESSAGES => None,
            Body::Result { id } => self.result(frame, &id),
            Body::Error { id, .. } => self.error(frame, id.as_ref()),
            Body::Request { id, .. } => self.question(frame, &id),
            Body::Notification { .. } => self.notification(frame),
        };
        match &passed {
            Some(_) => self
                .hold
                .note_mcp(|facts| facts.messages += u64::from(!self.is_answered)),
            None => self.hold.note_mcp(|facts| facts.dropped += 1),
        }
        passed
    }

    /// Whether this answers what was asked, and nothing did before.
    fn is_answer(&mut self, id: Option<&Id>) -> bool {
        if self.verb == McpVerb::Listen
            && let Some(method) =
                id.and_then(|id| self.memory.lock().take_unanswered(self.of.as_deref(), id))
        {
            // What was asked before its stream broke off.
            self.method = method;
            return true;
        }
        let is_it = id.is_none() || id == self.id.as_ref();
        let is_first = !self.is_answered;
        if !is_it || !is_first || self.id.is_none() {
            let why = format!("{} answered what it was not asked", self.server.name);
            self.gateway.report(&self.session, ANSWER_FINDING, why);
            return false;
        }
        self.is_answered = true;
        true
    }

    fn result(&mut self, mut frame: Frame, id: &Id) -> Option<Vec<u8>> {
        if !self.is_answer(Some(id)) {
            return None;
        }
        if self.verb == McpVerb::Greet {
            self.agreed(&frame);
        }
        if let Some(of) = self.method.and_then(|method| method.list) {
            let known = pinned(of).and_then(|kind| self.memory.lock().known(kind).cloned());
            let view = self.gateway.mcp_view(&self.server.name);
            match show(&mut frame, of, &view, (self.terms.pin, known.as_ref())) {
                Ok(shown) => self.hold.note_mcp(|facts| {
                    facts.hidden = shown.hidden;
                    facts.pins = shown.pins;
                }),
                Err(error) => return Some(self.words(&error.to_string()).message(Some(id))),
            }
        }
        if let Err(why) = self.inputs(&frame) {
            return Some(
                self.words_of(ReasonCode::ToolNotAllowed, &why)
                    .message(Some(id)),
            );
        }
        // What one agent is shown is not for others.
        set_text(&mut frame, false, "cacheScope", Some("private"));
        if !self.sealed(&mut frame) {
            let why = "its state is too long, or holds what must not reach the agent";
            return Some(self.words(why).message(Some(id)));
        }
        let is_failure = frame
            .result()?
            .get("isError")
            .and_then(ringfence_json::Value::boolean);
        self.hold
            .note_mcp(|facts| facts.tool_failed = is_failure == Some(true));
        self.written(frame, Some(id))
    }

    /// The version that a session has agreed on.
    fn agreed(&mut self, frame: &Frame) {
        let version = frame.result().and_then(|it| it.get("protocolVersion"));
        let version = version.and_then(|it| Version::read(&it.text()?));
        if let Some(version) = version.filter(|it| it.era() == Era::Sessions) {
            self.version = Some(version);
        }
    }

    fn error(&mut self, frame: Frame, id: Option<&Id>) -> Option<Vec<u8>> {
        if !self.is_answer(id) {
            return None;
        }
        let code = match frame.body() {
            Body::Error { code, .. } => Some(*code),
            _ => None,
        };
        self.hold.note_mcp(|facts| facts.error = code);
        self.written(frame, id)
    }

    fn notification(&mut self, mut frame: Frame) -> Option<Vec<u8>> {
        let method = frame.method().and_then(method::of_server)?;
        if method.is_request {
            return None;
        }
        let kind = match method.name {
            "notifications/tools/list_changed" => Some(PinKind::Tool),
            "notifications/prompts/list_changed" => Some(PinKind::Prompt),
            "notifications/resources/list_changed" => Some(PinKind::Template),
            _ => None,
        };
        if let Some(kind) = kind {
            self.memory.lock().forget(kind);
        }
        let is_of_task = matches!(
            method.name,
            "notifications/tasks/status" | "notifications/tasks"
        );
        if is_of_task && !self.of_own_task(&mut frame) {
            return None;
        }
        if method.name == "notifications/progress" {
            let token = frame.params()?.get("progressToken")?.canonical();
            if !self.memory.lock().has_progress(&token) {
                return None;
            }
        }
        if let Some(member) = method.about {
            let uri = frame.params()?.get(member)?.text()?.into_owned();
            let view = self.gateway.mcp_view(&self.server.name);
            if !view.shows(ringfence_gateway::mcp::McpEntry::Resource(&uri)) {
                return None;
            }
        }
        self.written(frame, None)
    }

    /// The message without what must not reach the agent.
    fn written(&self, mut frame: Frame, answers: Option<&Id>) -> Option<Vec<u8>> {
        let searched = search::answered(&mut frame, &self.own, self.terms.secrets);
        let capture = self.terms.capture.then_some(&self.own);
        let blocked = searched.blocked.clone();
        self.hold.note_mcp(|facts| {
            facts.redacted += searched.redacted;
            for finding in searched.findings {
                if facts.findings.len() < super::limits::FINDINGS {
                    facts.findings.push(finding);
                }
            }
        });
        if let Some(place) = blocked {
            let why = format!(
                "rule {} lets no secret come from a server, and {place} looks like one",
                self.terms.rule
            );
            let words = self.words_of(ReasonCode::ContentRefused, &why);
            return answers.map(|id| words.message(Some(id)));
        }
        let Ok(octets) = frame.write() else {
            let words = self.words("its answer cannot be written without what was taken out of it");
            return answers.map(|id| words.message(Some(id)));
        };
        if self.is_answered {
            let text = String::from_utf8_lossy(&octets);
            let result = digested(&text, capture);
            self.hold.note_mcp(|facts| facts.result = Some(result));
        }
        Some(octets)
    }

    /// The stream is over. A server of sessions may answer on another one.
    pub(super) fn over(&self) {
        let is_session = self.version.is_none_or(|it| it.era() == Era::Sessions);
        if let Some(id) = self.id.as_ref().filter(|_| is_session && !self.is_answered) {
            let mut memory = self.memory.lock();
            memory.leave_unanswered(self.of.as_deref(), id.clone(), self.method);
        }
    }

    /// Whether the agent listens to what the server says by itself, as sessions do.
    pub(super) fn is_listening(&self) -> bool {
        self.verb == McpVerb::Listen && self.id.is_none()
    }

    /// Goes on with what the server is told.
    pub(super) fn poll_saying(&mut self, cx: &mut Context<'_>) {
        self.saying
            .retain_mut(|it| it.as_mut().poll(cx).is_pending());
    }

    /// Whether a text that the protocol of streams carries may reach the agent.
    pub(super) fn may_pass(&self, text: &str) -> bool {
        looked_at(text, &self.own).redacted.is_none()
    }

    /// Whether the server says more than anybody would read.
    pub(super) const fn is_flooded(&self) -> bool {
        self.messages > MESSAGES
    }

    /// The gateway, for whoever waits for its policy.
    pub(super) const fn gateway(&self) -> &Arc<Gateway> {
        &self.gateway
    }

    /// What ends a stream that cannot go on.
    pub(super) fn broken(&mut self, why: &str) -> Option<Vec<u8>> {
        let id = self.id.clone().filter(|_| !self.is_answered)?;
        self.is_answered = true;
        Some(self.words(why).message(Some(&id)))
    }

    fn words(&self, why: &str) -> Words {
        let why = format!("{}: {why}", self.server.name);
        self.words_of(ReasonCode::ResponseRefused, &why)
            .with(code::INTERNAL, StatusCode::BAD_GATEWAY)
    }

    fn words_of(&self, code: ReasonCode, why: &str) -> Words {
        let tried = self.server.name.to_string();
        let refusal = self.gateway.refuse_within(self.event, tried, (code, why));
        Words::of(&Stopped::Refused(refusal))
    }

    fn failed(&self, why: &str) -> Response<ResponseBody> {
        self.words(why).respond(self.id.as_ref())
    }

    /// An answer that is no message: its status says what there is to say.
    fn strange(&self, status: StatusCode) -> Response<ResponseBody> {
        let words = self.words(&format!("it answered with HTTP {status} and no message"));
        let kept = [
            StatusCode::NOT_FOUND,
            StatusCode::METHOD_NOT_ALLOWED,
            StatusCode::TOO_MANY_REQUESTS,
        ];
        let status = match kept.contains(&status) {
            true => status,
            false => StatusCode::BAD_GATEWAY,
        };
        let code = match (status, &self.of) {
            (StatusCode::NOT_FOUND, Some(_)) => SESSION_NOT_FOUND,
            _ => code::INTERNAL,
        };
        words.with(code, status).respond(self.id.as_ref())
    }
}

/// A tool may work for long before it answers; the server's own silence is bounded below.
const LONGEST: std::time::Duration = std::time::Duration::from_secs(60 * 60);

const SESSION_NOT_FOUND: i64 = -32_001;

/// The finding that a server answered what it was not asked.
const ANSWER_FINDING: &str = "mcp-answer";

fn plain(status: StatusCode, body: ResponseBody) -> Response<ResponseBody> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(CACHE_CONTROL, no_store);
    response
}
