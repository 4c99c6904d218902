//! One request to a provider of language models: read, decided on, sent, answered.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue, UPGRADE};
use http::request::Parts;
use http::{Request, Response};
use ringfence_gateway::http::{RequestBody, ResponseBody};
use ringfence_gateway::{Gateway, Session, Stopped, UpstreamPool};
use ringfence_llm::refusal::Why;
use ringfence_llm::request::{self, RequestError};
use ringfence_llm::target::{self, Target, TargetError};
use ringfence_model::llm::{LlmEndpoint, LlmProvider};
use ringfence_model::{Action, EventId, HttpRequest, ReasonCode};

use super::find::Found;
use super::hints::Hints;
use super::read::Unread;
use super::sent::Asked;
use super::words::{Dialect, Words};

/// Who asks, and what it is served with.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) session: Arc<Session>,
    pub(crate) pool: Arc<UpstreamPool>,
    /// The event of the connection.
    pub(crate) connection: EventId,
}

/// Why a request is not understood.
#[derive(Debug, thiserror::Error)]
enum Odd {
    #[error("{0}")]
    Target(#[from] TargetError),
    #[error("{0}")]
    Body(#[from] Unread),
    #[error("{0}")]
    Request(#[from] RequestError),
    #[error(
        "the agent wants a WebSocket, which is not served here: use plain requests and server-sent events"
    )]
    Upgrade,
}

impl Odd {
    const fn code(&self) -> ReasonCode {
        match self {
            Self::Target(TargetError::Unknown | TargetError::Refused { .. }) => {
                ReasonCode::PathNotAllowed
            }
            Self::Target(TargetError::Upgrade) | Self::Upgrade => ReasonCode::UpgradeRefused,
            Self::Body(Unread::TooLong(_) | Unread::NoRoom | Unread::TimedOut)
            | Self::Request(RequestError::TooLarge) => ReasonCode::LimitReached,
            Self::Target(TargetError::Malformed(_)) | Self::Body(_) | Self::Request(_) => {
                ReasonCode::Malformed
            }
        }
    }

    const fn why(&self) -> Option<Why> {
        match self {
            Self::Target(TargetError::Upgrade) | Self::Upgrade => Some(Why::Upgrade),
            Self::Body(Unread::TooLong(_)) | Self::Request(RequestError::TooLarge) => {
                Some(Why::TooLarge)
            }
            Self::Target(TargetError::Unknown | TargetError::Refused { .. }) => Some(Why::NotFound),
            _ => None,
        }
    }
}

impl Client {
    /// Answers one request. `action` is the same as an HTTP request, for the record of one that is
    /// not understood as more.
    pub(crate) async fn serve(
        &self,
        found: Found,
        action: HttpRequest,
        request: Request<RequestBody>,
    ) -> Response<ResponseBody> {
        let Found::Provider { provider, path } = found else {
            return self.unknown(action);
        };
        let (head, body) = request.into_parts();
        match self.answer(&provider, &path, head, body).await {
            Ok(response) => response,
            Err((odd, endpoint)) => self.odd(action, &odd, &provider, endpoint),
        }
    }

    async fn answer(
        &self,
        provider: &Arc<LlmProvider>,
        path: &str,
        head: Parts,
        body: RequestBody,
    ) -> Result<Response<ResponseBody>, (Odd, LlmEndpoint)> {
        let at = |endpoint: LlmEndpoint| move |odd: Odd| (odd, endpoint);
        let somewhere = LlmEndpoint::ChatCompletions;
        if head.headers.contains_key(UPGRADE) {
            return Err((Odd::Upgrade, somewhere));
        }
        let method = head.method.as_str();
        let target = target::classify(provider, method, path, head.uri.query());
        let target = target.map_err(|error| (error.into(), somewhere))?;
        let endpoint = target.endpoint;
        let hints = Hints::of(&head.headers);
        let headers = headers(&head);
        if endpoint == LlmEndpoint::Models {
            return Ok(self.list(provider, &target, headers).await);
        }
        let read = self.body(&head, body).await;
        let (octets, room) = read.map_err(|why| at(endpoint)(why.into()))?;
        let request = read_request(provider, &target, octets).await;
        let request = request.map_err(|error| at(endpoint)(error.into()))?;
        let asked = Asked {
            provider: Arc::clone(provider),
            target,
            headers,
            hints,
            request,
        };
        let answered = self.send(asked).await;
        drop(room);
        Ok(answered)
    }

    fn odd(
        &self,
        action: HttpRequest,
        odd: &Odd,
        provider: &LlmProvider,
        endpoint: LlmEndpoint,
    ) -> Response<ResponseBody> {
        let action = Action::Http(action);
        let refusal = self
            .gateway
            .deny(&self.session, action, odd.code(), &odd.to_string());
        let words = Words::of(&Stopped::Refused(refusal));
        let words = match odd.why() {
            Some(why) => words.because(why),
            None => words,
        };
        words.respond(Dialect {
            kind: provider.kind,
            endpoint,
        })
    }

    fn unknown(&self, action: HttpRequest) -> Response<ResponseBody> {
        let reason = "no rule is about a provider of language models of this name";
        let action = Action::Http(action);
        let refusal = self
            .gateway
            .deny(&self.session, action, ReasonCode::NoRule, reason);
        Words::of(&Stopped::Refused(refusal)).respond(Dialect {
            kind: ringfence_model::llm::ProviderKind::Openai,
            endpoint: LlmEndpoint::ChatCompletions,
        })
    }
}

/// Long bodies are read on a thread of their own.
async fn read_request(
    provider: &LlmProvider,
    target: &Target,
    octets: Bytes,
) -> Result<request::Request, RequestError> {
    let kind = provider.kind;
    if octets.len() <= READ_HERE {
        return request::read(kind, target, octets);
    }
    let target = target.clone();
    let reading = tokio::task::spawn_blocking(move || request::read(kind, &target, octets));
    reading.await.unwrap_or(Err(RequestError::TooLarge))
}

/// Octets that are read on the thread that serves others as well.
const READ_HERE: usize = 1024 * 1024;

/// The fields of a request that go on. Those that say how its octets travel are written anew, and
/// a provider is not told of traces.
fn headers(head: &Parts) -> HeaderMap {
    let mut headers = head.headers.clone();
    for name in DROPPED {
        headers.remove(name);
    }
    // Google's clients may put the key into the query; it would stand in logs, so it goes on as a field.
    let query = head.uri.query().unwrap_or_default();
    let key = query.split('&').find_map(|it| it.strip_prefix("key="));
    if let Some(key) = key.and_then(|it| HeaderValue::from_str(it).ok())
        && !headers.contains_key(&GOOGLE_KEY)
    {
        headers.insert(GOOGLE_KEY, key);
    }
    headers.insert(
        http::header::ACCEPT_ENCODING,
        HeaderValue::from_static("identity"),
    );
    headers
}

const GOOGLE_KEY: HeaderName = HeaderName::from_static("x-goog-api-key");

const DROPPED: [&str; 7] = [
    "content-length",
    "content-encoding",
    "transfer-encoding",
    "expect",
    "traceparent",
    "tracestate",
    "baggage",
];
