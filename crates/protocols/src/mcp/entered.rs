//! What came in, before it is decided on: a message, or a wish of HTTP's own (a stream of what the
//! server says by itself, the end of a session).

use std::sync::Arc;

use http::StatusCode;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, ORIGIN};
use http::request::Parts;
use ringfence_gateway::Reserved;
use ringfence_gateway::wire::dns::MCP_SERVICE;
use ringfence_mcp::ask::{self, AskError, Asked, Headers};
use ringfence_mcp::frame::{Body, Frame, FrameError, Id, code};
use ringfence_mcp::limits::ASKED_OCTETS;
use ringfence_mcp::version::{Era, Version};
use ringfence_model::ReasonCode;
use ringfence_model::mcp::{McpServer, McpVerb};
use serde_json::{Value, json};

use super::memory::{Memory, Session};
use super::param::params;
use super::read::Unread;
use super::service::Client;

/// What came in.
pub(super) struct Entered {
    pub(super) frame: Option<Frame>,
    pub(super) asked: Asked,
    /// None before a session has agreed on one.
    pub(super) version: Option<Version>,
    /// The session, by the id that the agent has.
    pub(super) session: Option<(String, Session)>,
    pub(super) memory: Arc<Memory>,
    /// Kept until the message was sent.
    pub(super) room: Option<Reserved>,
    /// What the agent authenticates with: a token of ours.
    pub(super) authorization: Option<HeaderValue>,
    /// Headers that repeat arguments.
    pub(super) params: Vec<(HeaderName, HeaderValue)>,
    /// One of those does not say what the message says.
    pub(super) is_mismatch: bool,
}

impl Entered {
    /// The id of a request.
    pub(super) fn id(&self) -> Option<Id> {
        match self.frame.as_ref()?.body() {
            Body::Request { id, .. } => Some(id.clone()),
            _ => None,
        }
    }

    pub(super) fn era(&self) -> Era {
        self.version.map_or(Era::Sessions, Version::era)
    }
}

/// Why a request is not understood.
pub(super) struct Odd {
    pub(super) reason: ReasonCode,
    pub(super) why: String,
    pub(super) code: i64,
    pub(super) status: StatusCode,
    pub(super) id: Option<Id>,
    pub(super) data: Vec<(&'static str, Value)>,
    /// The body was not read to its end.
    pub(super) is_unread: bool,
}

impl Odd {
    fn new(reason: ReasonCode, why: impl Into<String>) -> Self {
        Self {
            reason,
            why: why.into(),
            code: code::INVALID_REQUEST,
            status: StatusCode::BAD_REQUEST,
            id: None,
            data: Vec::new(),
            is_unread: false,
        }
    }

    const fn of(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    pub(super) fn method() -> Self {
        let why = "an endpoint of the Model Context Protocol takes POST, GET and DELETE";
        Self::new(ReasonCode::MethodNotAllowed, why).of(StatusCode::METHOD_NOT_ALLOWED)
    }

    /// A header that repeats an argument and does not say what that says.
    fn param(frame: &Frame) -> Self {
        let why = "a header Mcp-Param-* does not say what the message says";
        Self {
            code: code::HEADER_MISMATCH,
            id: frame.id().cloned(),
            ..Self::new(ReasonCode::Malformed, why)
        }
    }

    fn session() -> Self {
        Self {
            code: SESSION_NOT_FOUND,
            ..Self::new(ReasonCode::Malformed, "Session not found").of(StatusCode::NOT_FOUND)
        }
    }

    fn ask(error: AskError, (frame, era): (&Frame, Era), requested: &str) -> Self {
        let is_request = matches!(frame.body(), Body::Request { .. });
        let is_missing = error.code == code::METHOD_NOT_FOUND;
        let status = match (is_missing, era) {
            (true, Era::Stateless) => StatusCode::NOT_FOUND,
            // Clients of sessions show what comes with 200.
            (_, Era::Sessions) if is_request && error.code != code::HEADER_MISMATCH => {
                StatusCode::OK
            }
            _ => StatusCode::BAD_REQUEST,
        };
        let mut odd = Self {
            code: error.code,
            id: frame.id().cloned(),
            ..Self::new(ReasonCode::Malformed, error.why).of(status)
        };
        if error.code == code::UNSUPPORTED_VERSION {
            odd.status = StatusCode::BAD_REQUEST;
            odd.data = vec![
                ("supported", json!([Version::LATEST.as_str()])),
                ("requested", json!(requested)),
            ];
        }
        odd
    }
}

/// As servers of the protocol answer for a session that is not there.
const SESSION_NOT_FOUND: i64 = -32_001;

impl From<Unread> for Odd {
    fn from(unread: Unread) -> Self {
        let (reason, status) = match unread {
            Unread::TooLong(_) => (ReasonCode::LimitReached, StatusCode::PAYLOAD_TOO_LARGE),
            Unread::NoRoom => (ReasonCode::LimitReached, StatusCode::SERVICE_UNAVAILABLE),
            Unread::TimedOut => (ReasonCode::LimitReached, StatusCode::REQUEST_TIMEOUT),
            Unread::Broken(_) => (ReasonCode::Malformed, StatusCode::BAD_REQUEST),
            Unread::Encoded | Unread::NotJson => {
                (ReasonCode::Malformed, StatusCode::UNSUPPORTED_MEDIA_TYPE)
            }
        };
        Self {
            is_unread: true,
            ..Self::new(reason, unread.to_string()).of(status)
        }
    }
}

impl From<FrameError> for Odd {
    fn from(error: FrameError) -> Self {
        Self {
            code: error.code(),
            ..Self::new(ReasonCode::Malformed, error.to_string())
        }
    }
}

/// A page of another origin asks for nothing here (2025-11-25, transports): what it sends has its
/// origin, and none but those of this machine and of the server itself are served.
pub(super) fn origin(head: &Parts, server: &McpServer) -> Result<(), Odd> {
    let mut origins = head.headers.get_all(ORIGIN).iter();
    let refused = || {
        let why = "a page of another origin may not use this server";
        Odd::new(ReasonCode::HostMismatch, why).of(StatusCode::FORBIDDEN)
    };
    let Some(origin) = origins.next() else {
        return Ok(());
    };
    let origin = origin.to_str().map_err(|_| refused())?;
    let (_, authority) = origin.split_once("://").ok_or_else(refused)?;
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    };
    let own = server.destination.host.to_string();
    let is_served = ["localhost", "127.0.0.1", "[::1]", MCP_SERVICE, &own].contains(&host);
    (is_served && origins.next().is_none())
        .then_some(())
        .ok_or_else(refused)
}

impl Client {
    fn memory(&self, server: &McpServer) -> Arc<Memory> {
        Memory::of(self.session.identity().sandbox, &server.name)
    }

    /// A message.
    pub(super) fn entered(
        &self,
        server: &McpServer,
        head: &Parts,
        (octets, room): (&[u8], Reserved),
    ) -> Result<Entered, Odd> {
        let frame = Frame::read(octets, ASKED_OCTETS)?;
        let memory = self.memory(server);
        let era = era(&head.headers);
        let is_greeting = frame.method() == Some("initialize") && era == Era::Sessions;
        let session = match is_greeting {
            true => None,
            false => session(head, &memory)?,
        };
        let requested = head.headers.get(VERSION);
        let requested = requested.and_then(|it| it.to_str().ok());
        let odd = |error| Odd::ask(error, (&frame, era), requested.unwrap_or_default());
        let version = match is_greeting {
            // It is agreed on by the answer.
            true => None,
            false => Some(version(head, &frame, session.as_ref()).map_err(odd)?),
        };
        let asked = ask::of_client(&frame, era).map_err(odd)?;
        let params = match era {
            Era::Stateless => params(&head.headers).ok_or_else(|| Odd::param(&frame))?,
            // No server of sessions knows of them.
            Era::Sessions => Vec::new(),
        };
        if !params.is_empty() && asked.verb != McpVerb::CallTool {
            return Err(Odd::param(&frame));
        }
        let is_answer = matches!(frame.body(), Body::Result { .. } | Body::Error { .. });
        let of_session = session.as_ref().map(|(id, _)| id.as_str());
        if is_answer
            && !frame
                .id()
                .is_some_and(|id| memory.lock().answer(of_session, id))
        {
            let why = "this answers a question that the server has not asked, or that was answered";
            return Err(Odd::new(ReasonCode::Malformed, why));
        }
        Ok(Entered {
            frame: Some(frame),
            asked,
            version,
            session,
            memory,
            room: Some(room),
            authorization: head.headers.get(AUTHORIZATION).cloned(),
            params,
            is_mismatch: false,
        })
    }

    /// A stream of what the server says by itself.
    pub(super) fn listening(&self, server: &McpServer, head: &Parts) -> Result<Entered, Odd> {
        self.wish(server, head, McpVerb::Listen)
    }

    /// The end of a session.
    pub(super) fn leaving(&self, server: &McpServer, head: &Parts) -> Result<Entered, Odd> {
        self.wish(server, head, McpVerb::Leave)
    }

    fn wish(&self, server: &McpServer, head: &Parts, verb: McpVerb) -> Result<Entered, Odd> {
        if era(&head.headers) == Era::Stateless {
            return Err(Odd::method());
        }
        let memory = self.memory(server);
        let session = session(head, &memory)?;
        let version = session.as_ref().map(|(_, session)| session.version);
        Ok(Entered {
            frame: None,
            asked: Asked {
                method: None,
                verb,
                targets: Vec::new(),
                trace: None,
            },
            version,
            session,
            memory,
            room: None,
            authorization: head.headers.get(AUTHORIZATION).cloned(),
            params: Vec::new(),
            is_mismatch: false,
        })
    }
}

/// The era that a request says it is of.
fn era(headers: &HeaderMap) -> Era {
    let said = headers.get(VERSION).and_then(|value| value.to_str().ok());
    let said = said.and_then(Version::read);
    said.map_or(Era::Sessions, Version::era)
}

/// The session that a request belongs to. Ids of stateless requests mean nothing.
fn session(head: &Parts, memory: &Memory) -> Result<Option<(String, Session)>, Odd> {
    if era(&head.headers) == Era::Stateless {
        return Ok(None);
    }
    let mut ids = head.headers.get_all(SESSION).iter();
    let Some(id) = ids.next() else {
        return Ok(None);
    };
    let id = id.to_str().map_err(|_| Odd::session())?;
    if ids.next().is_some() {
        return Err(Odd::session());
    }
    let session = memory.lock().session(id).cloned();
    let session = session.ok_or_else(Odd::session)?;
    Ok(Some((id.to_owned(), session)))
}

fn version(
    head: &Parts,
    frame: &Frame,
    session: Option<&(String, Session)>,
) -> Result<Version, AskError> {
    let all = |name: &'static str| -> Vec<&str> {
        let values = head.headers.get_all(name).iter();
        values
            .map(|value| value.to_str().unwrap_or("\u{0}"))
            .collect()
    };
    let (versions, methods, names) = (all(VERSION), all("mcp-method"), all("mcp-name"));
    let headers = Headers {
        versions: &versions,
        methods: &methods,
        names: &names,
    };
    ask::version(frame, headers, session.map(|(_, session)| session.version))
}

pub(super) const VERSION: &str = "mcp-protocol-version";
pub(super) const SESSION: &str = "mcp-session-id";
