//! A message that was understood: decided on, looked at, written anew, sent.

use std::sync::Arc;
use std::time::Instant;

use http::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    USER_AGENT,
};
use http::request::Parts;
use http::{Request, Response, StatusCode};
use ringfence_gateway::http::{RequestBody, ResponseBody, empty, full};
use ringfence_gateway::llm::RateTerms;
use ringfence_gateway::mcp::{McpTerms, PinMode};
use ringfence_gateway::{Permit, PinKind, PinState, Refusal, Stopped};
use ringfence_inspect::ScrubSet;
use ringfence_mcp::ask;
use ringfence_mcp::frame::{Frame, code};
use ringfence_mcp::list::set_text;
use ringfence_mcp::meta;
use ringfence_mcp::seal::Sealed;
use ringfence_mcp::version::Version;
use ringfence_model::mcp::{McpArguments, McpFacts, McpRequest, McpServer, McpVerb, ServerName};
use ringfence_model::{Action, ReasonCode, SpanId, TraceId, TraceParent};

use super::answered::Reading;
use super::digest::{digested, traced};
use super::entered::{Entered, SESSION};
use super::known::check;
use super::limits::TOKEN_OCTETS;
use super::list::capabilities;
use super::param::agree;
use super::search::{self, Searched};
use super::service::Client;
use super::words::Words;
use crate::llm::throttle::{Admitted, THROTTLE};

/// A message that may be sent, and what it is sent with.
pub(super) struct Sending {
    pub(super) permit: Permit,
    pub(super) terms: Arc<McpTerms>,
    pub(super) own: ScrubSet,
}

impl Client {
    /// Sends what came in, and gives back the answer.
    pub(super) async fn send(
        &self,
        server: &Arc<McpServer>,
        head: &Parts,
        mut entered: Entered,
    ) -> Response<ResponseBody> {
        let id = entered.id();
        let sent = self.sent(server, head, &mut entered).await;
        sent.unwrap_or_else(|stopped| words(&stopped, &entered).respond(id.as_ref()))
    }

    async fn sent(
        &self,
        server: &Arc<McpServer>,
        head: &Parts,
        entered: &mut Entered,
    ) -> Result<Response<ResponseBody>, Stopped> {
        let sending = self.decided(server, entered).await?;
        let (sending, admitted) = self.admitted(sending)?;
        let sending = self.prepared(server, entered, sending)?;
        if server.name.is_own() {
            let sending = self.approved(entered, sending).await?;
            return Ok(self.own(server, entered, sending));
        }
        let sending = self.of_known(server, entered, sending).await?;
        let sending = self.approved(entered, sending).await?;
        let headers = headers(head, entered);
        let body = match &entered.frame {
            None => empty(),
            Some(frame) => match frame.write() {
                Ok(octets) => full(octets),
                Err(error) => {
                    let why = error.to_string();
                    return Err(refused(sending.permit, ReasonCode::Malformed, &why));
                }
            },
        };
        let reading = Reading::of(self, server, entered, &sending);
        let request = carried(&sending.permit, headers, body);
        let forwarding = self
            .gateway
            .forward(&self.session, &self.pool, sending.permit, request);
        let response = forwarding.await?;
        drop(entered.room.take());
        let answered = reading.answer(response).await;
        drop(admitted);
        Ok(answered)
    }

    /// Decides on all that a message is about.
    async fn decided(&self, server: &McpServer, entered: &Entered) -> Result<Sending, Stopped> {
        let mut targets: Vec<Option<String>> =
            entered.asked.targets.iter().cloned().map(Some).collect();
        if targets.is_empty() {
            targets.push(None);
        }
        let mut last: Option<Permit> = None;
        for target in targets {
            let action = action(server, entered, target);
            let action = Action::Mcp(Box::new(action));
            let decided = self
                .gateway
                .decide(&self.session, action, Some(self.connection));
            let permit = decided.map_err(Stopped::Refused)?;
            if let Some(before) = last.replace(permit) {
                before.finish(ringfence_model::Outcome::Done);
            }
        }
        let Some(permit) = last else {
            return Err(Stopped::Refused(self.nothing()));
        };
        let terms = permit.grant().terms.iter().find_map(|it| it.mcp.clone());
        let Some(terms) = terms else {
            let why = "no rule about servers allows this";
            return Err(refused(permit, ReasonCode::Unavailable, why));
        };
        self.gateway
            .ready_credentials(&self.session, &self.pool, &permit)
            .await;
        Ok(Sending {
            permit,
            terms,
            own: self.gateway.withheld(),
        })
    }

    fn nothing(&self) -> Refusal {
        self.gateway.refuse_within(
            self.connection,
            "mcp".to_owned(),
            (ReasonCode::Unavailable, "there was nothing to decide on"),
        )
    }

    /// Counts a message by the rate of its rule.
    fn admitted(&self, sending: Sending) -> Result<(Sending, Option<Admitted>), Stopped> {
        let Some(rate) = sending.terms.rate else {
            return Ok((sending, None));
        };
        let rates = [RateTerms {
            requests: Some(rate.requests),
            tokens: None,
            per: rate.per,
        }];
        let sandbox = self.session.identity().sandbox;
        let rule = (&sending.terms.rule, None, &rates[..]);
        match THROTTLE.admit_by(sandbox, rule, Instant::now(), 0) {
            Ok(admitted) => Ok((sending, Some(admitted))),
            Err(busy) => {
                let seconds = busy.retry_after.as_secs().max(1);
                let why = format!(
                    "rule {} allows no more messages now: try again in {seconds} s",
                    sending.terms.rule
                );
                Err(refused(sending.permit, ReasonCode::LimitReached, &why))
            }
        }
    }

    /// Changes a message as it has to be, and looks at what is in it.
    fn prepared(
        &self,
        server: &McpServer,
        entered: &mut Entered,
        sending: Sending,
    ) -> Result<Sending, Stopped> {
        let Some(mut frame) = entered.frame.take() else {
            return Ok(sending);
        };
        if !opened(&mut frame, entered) {
            let why = "this is a place in a list, a state or a task of somebody else, or of an earlier run";
            return Err(refused(sending.permit, ReasonCode::Malformed, why));
        }
        let token = frame
            .params()
            .and_then(|it| it.get("_meta")?.get("progressToken"));
        if let Some(token) = token {
            if token.raw().len() > TOKEN_OCTETS {
                let why = "the token of its progress is too long: use a shorter one";
                return Err(refused(sending.permit, ReasonCode::Malformed, why));
            }
            entered.memory.lock().want_progress(token.canonical());
        }
        meta::set_trace(&mut frame, self.span(server, &sending));
        capabilities(&mut frame, &self.gateway.mcp_view(&server.name));
        let searched = search::asked(&mut frame, &sending.own, sending.terms.secrets);
        note(&sending, (&frame, entered), &searched);
        entered.frame = Some(frame);
        match searched.blocked {
            None => Ok(sending),
            Some(place) => {
                let why = format!(
                    "rule {} lets no secret go to a server, and {place} looks like one",
                    sending.terms.rule
                );
                Err(refused(sending.permit, ReasonCode::ContentRefused, &why))
            }
        }
    }

    /// The span that a server is told of, if any.
    fn span(&self, server: &McpServer, sending: &Sending) -> Option<TraceParent> {
        server.trace.then(|| TraceParent {
            trace: TraceId::of_run(self.session.identity().run),
            span: SpanId::of_event(sending.permit.event()),
            sampled: true,
        })
    }

    /// Makes sure that a server that has said something else of itself than a person knows is not used,
    /// by who does not greet it either.
    async fn of_known_server(
        &self,
        server: &Arc<McpServer>,
        entered: &Entered,
        sending: Sending,
    ) -> Result<Sending, Stopped> {
        let is_about_it = matches!(
            entered.asked.verb,
            McpVerb::Greet | McpVerb::Talk | McpVerb::Leave
        );
        let unknown = entered.memory.lock().unknown();
        let Some(seen) = unknown.filter(|_| !is_about_it) else {
            return Ok(sending);
        };
        let mode = sending.terms.pin;
        let states = check(&self.gateway, &self.session, server, (mode, seen)).await;
        if states.is_ok_and(|states| states.first() == Some(&PinState::Known)) {
            entered.memory.lock().greeted(None);
            return Ok(sending);
        }
        let name = &server.name;
        let why = format!("{name} is not what a person knows of it, and waits for a person");
        let code = ReasonCode::DefinitionNotKnown;
        let refusal = sending.permit.refuse_with(code, &why, waiting(name));
        Err(Stopped::Refused(refusal))
    }

    /// Makes sure that what is called or listed is what a person knows of it.
    async fn of_known(
        &self,
        server: &Arc<McpServer>,
        entered: &mut Entered,
        sending: Sending,
    ) -> Result<Sending, Stopped> {
        let sending = self.of_known_server(server, entered, sending).await?;
        let (verb, terms) = (entered.asked.verb, &sending.terms);
        let kind = match verb {
            McpVerb::CallTool | McpVerb::ListTools => PinKind::Tool,
            McpVerb::GetPrompt | McpVerb::ListPrompts => PinKind::Prompt,
            McpVerb::ListTemplates => PinKind::Template,
            _ => return Ok(sending),
        };
        if terms.pin == PinMode::Off && entered.params.is_empty() {
            return Ok(sending);
        }
        let name = entered.asked.targets.first().map(String::as_str);
        let looked = self.look(server, entered, (kind, name, terms)).await;
        let definitions = match looked {
            Ok(definitions) => definitions,
            Err(why) => {
                let why = format!(
                    "the definitions of {} cannot be checked: {why}",
                    server.name
                );
                return Err(refused(sending.permit, ReasonCode::Unavailable, &why));
            }
        };
        let name = entered.asked.targets.first();
        let definition = name.and_then(|name| definitions.get(name));
        let state = definition.map(|it| it.2);
        let canonical = definition.map_or("", |it| it.0.as_str());
        let frame = entered.frame.as_ref();
        if frame.is_some_and(|frame| !agree(&entered.params, canonical, frame)) {
            entered.is_mismatch = true;
            let why =
                "a header Mcp-Param-* is none of the tool's, or does not say what the message says";
            return Err(refused(sending.permit, ReasonCode::Malformed, why));
        }
        let what = match (verb, state) {
            (McpVerb::CallTool | McpVerb::GetPrompt, Some(PinState::New)) => "is new",
            (McpVerb::CallTool | McpVerb::GetPrompt, Some(PinState::Changed)) => "has changed",
            (McpVerb::CallTool | McpVerb::GetPrompt, None) => {
                let why = "the server does not list it";
                return Err(refused(sending.permit, ReasonCode::ToolNotAllowed, why));
            }
            _ => return Ok(sending),
        };
        let name = name.map_or("", String::as_str);
        let why = format!(
            "the definition of `{name}` of {} {what}, and waits for a person",
            server.name
        );
        let next_step = waiting(&server.name);
        self.gateway.report(
            &self.session,
            DEFINITION_FINDING,
            format!("{why}: {next_step}"),
        );
        let code = ReasonCode::DefinitionNotKnown;
        let refusal = sending.permit.refuse_with(code, &why, next_step);
        Err(Stopped::Refused(refusal))
    }
}

/// What a person can do about a definition that waits.
pub(super) fn waiting(server: &ServerName) -> String {
    format!(
        "a person can look at it with `ringfence mcp diff {server}`, which says how to accept it"
    )
}

/// What the agent is told. Of what it may not use it learns no more than of what is not there.
fn words(stopped: &Stopped, entered: &Entered) -> Words {
    let what = match entered.asked.verb {
        McpVerb::CallTool => "tool",
        McpVerb::GetPrompt => "prompt",
        _ => return Words::of(stopped),
    };
    if entered.is_mismatch {
        return Words::of(stopped).with(code::HEADER_MISMATCH, StatusCode::BAD_REQUEST);
    }
    match (stopped, entered.asked.targets.first()) {
        (Stopped::Refused(refusal), Some(name)) if is_not_there(refusal.code()) => {
            Words::not_there(refusal, what, name)
        }
        _ => Words::of(stopped),
    }
}

const fn is_not_there(code: ReasonCode) -> bool {
    matches!(
        code,
        ReasonCode::ToolNotAllowed
            | ReasonCode::Forbidden
            | ReasonCode::NoRule
            | ReasonCode::RuleExpired
    )
}

/// The finding that a definition is not what a person knows.
pub(super) const DEFINITION_FINDING: &str = "mcp-definition";

pub(super) fn refused(permit: Permit, code: ReasonCode, why: &str) -> Stopped {
    Stopped::Refused(permit.refuse(code, why))
}

/// The message in the terms of policy.
fn action(server: &McpServer, entered: &Entered, target: Option<String>) -> McpRequest {
    let verb = entered.asked.verb;
    let frame = entered.frame.as_ref();
    let arguments = frame.filter(|_| verb == McpVerb::CallTool).map(arguments);
    let known = entered.memory.lock().known(PinKind::Tool).cloned();
    let of_tool = target.as_ref().filter(|_| verb == McpVerb::CallTool);
    let reads_only = of_tool.and_then(|tool| Some(known?.definitions.get(tool)?.1));
    McpRequest {
        destination: server.destination.clone(),
        server: server.name.clone(),
        verb,
        method: entered
            .asked
            .method
            .map(|it| it.name.to_owned())
            .or_else(|| {
                // An answer is a message too, and is carried like one.
                frame.map(|_| "response".to_owned())
            }),
        target,
        arguments,
        reads_only,
        path: server.path.clone(),
        version: entered.version.map(|it| it.to_string()),
        octets: frame.map_or(0, Frame::octets),
    }
}

/// The arguments of a call; no arguments are an empty object.
fn arguments(frame: &Frame) -> McpArguments {
    let value = frame.params().and_then(|it| it.get("arguments"));
    let (octets, digest) = match value {
        Some(value) => {
            let digest = digested(&value.canonical(), None);
            (value.compact().len() as u64, digest.digest)
        }
        None => (0, digested("{}", None).digest),
    };
    // What readers differ about, no rule with conditions allows.
    let value = match value {
        Some(value) => value.to_json(),
        None => Some(serde_json::json!({})),
    };
    McpArguments {
        octets,
        digest,
        value,
    }
}

/// Puts opaque values of the server's in the place of what the agent has of them. False where one is
/// not the agent's own.
fn opened(frame: &mut Frame, entered: &Entered) -> bool {
    for (member, kind) in [
        ("cursor", Sealed::Cursor),
        ("requestState", Sealed::State),
        ("taskId", Sealed::Task),
    ] {
        let value = frame.params().and_then(|it| it.get(member));
        let Some(value) = value else { continue };
        let opened = value.text().and_then(|text| {
            let seal = entered.memory.seal()?;
            seal.open(kind, &text)
        });
        match opened {
            Some(text) => set_text(frame, true, member, Some(&text)),
            None => return false,
        }
    }
    true
}

/// Notes what the message says, for the record.
fn note(sending: &Sending, (frame, entered): (&Frame, &Entered), searched: &Searched) {
    let capture = sending.terms.capture && searched.blocked.is_none();
    let arguments = frame.params().and_then(|it| it.get("arguments"));
    let arguments = arguments.map(|it| {
        let text = String::from_utf8(it.compact()).unwrap_or_default();
        digested(&text, capture.then_some(&sending.own))
    });
    let trace = entered.asked.trace.as_deref().and_then(traced);
    let session = entered.session.as_ref();
    sending.permit.git().note_mcp(|facts: &mut McpFacts| {
        facts.id = frame.id().map(ToString::to_string);
        facts.session = session.map(|(id, _)| digested(id, None).digest);
        facts.arguments = arguments;
        facts.findings = searched.findings.clone();
        facts.trace = trace;
    });
}

/// The fields that a message goes on with.
fn headers(head: &Parts, entered: &Entered) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for name in [AUTHORIZATION, USER_AGENT] {
        if let Some(value) = head.headers.get(&name) {
            headers.insert(name, value.clone());
        }
    }
    if entered.asked.verb == McpVerb::Listen && entered.frame.is_none() {
        headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        if let Some(last) = head.headers.get(LAST_EVENT) {
            headers.insert(LAST_EVENT, last.clone());
        }
    } else {
        let both = HeaderValue::from_static("application/json, text/event-stream");
        headers.insert(ACCEPT, both);
    }
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if let Some(frame) = &entered.frame {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.extend(entered.params.iter().cloned());
        own(&mut headers, frame, entered.version);
    } else if let Some(version) = entered.version {
        put(&mut headers, super::entered::VERSION, version.as_str());
    }
    if let Some((_, session)) = &entered.session {
        put(&mut headers, SESSION, &session.upstream);
    }
    headers
}

/// Fields that are written from the message.
pub(super) fn own(headers: &mut HeaderMap, frame: &Frame, version: Option<Version>) {
    for (name, value) in ask::headers(frame, version) {
        put(headers, name, &value);
    }
}

pub(super) fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

const LAST_EVENT: HeaderName = HeaderName::from_static("last-event-id");

/// The request that carries what `permit` allows.
pub(super) fn carried(
    permit: &Permit,
    headers: HeaderMap,
    body: RequestBody,
) -> Request<RequestBody> {
    let mut request = Request::new(body);
    *request.headers_mut() = headers;
    if let Some(carrier) = permit.request() {
        *request.method_mut() = carrier.method.parse().unwrap_or_default();
        *request.uri_mut() = carrier.path.parse().unwrap_or_default();
    }
    request
}
