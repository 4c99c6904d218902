//! One request to a provider of language models: read, decided on, sent, answered.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, UPGRADE};
use http::request::Parts;
use http::{Request, Response, Version};
use ringfence_gateway::http::{RequestBody, ResponseBody};
use ringfence_gateway::{Gateway, Session, Stopped, UpstreamPool};
use ringfence_llm::refusal::Why;
use ringfence_llm::request::{self, RequestError};
use ringfence_llm::target::{self, Target, TargetError};
use ringfence_model::llm::{LlmEndpoint, LlmProvider, ProviderKind};
use ringfence_model::{Action, EventId, HttpRequest, ReasonCode};

use super::find::Found;
use super::hints::Hints;
use super::read::{self, Unread};
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
        "the agent wants a WebSocket, which this endpoint is not served over: use plain requests and server-sent events"
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
        let (head, mut body) = request.into_parts();
        let is_http2 = head.version == Version::HTTP_2;
        match self.answer(&provider, &path, head, &mut body).await {
            Ok(response) => response,
            Err((odd, endpoint)) => {
                // A stream that is reset while its client still sends may take the answer with it.
                if is_http2 {
                    read::drain(&mut body).await;
                }
                self.odd(action, &odd, &provider, endpoint)
            }
        }
    }

    async fn answer(
        &self,
        provider: &Arc<LlmProvider>,
        path: &str,
        mut head: Parts,
        body: &mut RequestBody,
    ) -> Result<Response<ResponseBody>, (Odd, LlmEndpoint)> {
        let at = |endpoint: LlmEndpoint| move |odd: Odd| (odd, endpoint);
        let somewhere = LlmEndpoint::ChatCompletions;
        if head.headers.contains_key(UPGRADE) {
            let opened = self.open_socket(provider, path, head).await;
            return opened.ok_or((Odd::Upgrade, somewhere));
        }
        let method = head.method.as_str();
        let target = target::classify(provider, method, path, head.uri.query());
        let target = target.map_err(|error| (error.into(), somewhere))?;
        let endpoint = target.endpoint;
        if provider.kind == ProviderKind::Bedrock {
            // Bedrock takes a body for JSON where nobody says what it is, as boto3 does not.
            let json = HeaderValue::from_static("application/json");
            head.headers.entry(CONTENT_TYPE).or_insert(json);
        }
        let hints = Hints::of(&head.headers);
        let headers = headers(&head);
        if endpoint == LlmEndpoint::Models {
            return Ok(self.list(provider, &target, headers).await);
        }
        let read = self.body(&head, body).await;
        let (octets, room) = read.map_err(|why| at(endpoint)(why.into()))?;
        let request = read_request(&target, octets).await;
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
            kind: ProviderKind::Openai,
            endpoint: LlmEndpoint::ChatCompletions,
        })
    }
}

/// Long bodies are read on a thread of their own.
async fn read_request(target: &Target, octets: Bytes) -> Result<request::Request, RequestError> {
    if octets.len() <= READ_HERE {
        return request::read(target, octets);
    }
    let target = target.clone();
    let reading = tokio::task::spawn_blocking(move || request::read(&target, octets));
    reading.await.unwrap_or(Err(RequestError::TooLarge))
}

/// Octets that are read on the thread that serves others as well.
const READ_HERE: usize = 1024 * 1024;

/// The fields of a request that go on. Those that say how its octets travel are written anew, a
/// provider is not told of traces, and who pays, by which class of service and at which place of a
/// gateway's choice is not the agent's to say.
pub(super) fn headers(head: &Parts) -> HeaderMap {
    let mut headers = head.headers.clone();
    let dropped = headers.keys().filter(|it| stays_behind(it));
    let dropped: Vec<HeaderName> = dropped.cloned().collect();
    for name in dropped {
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

/// Whether a field does not go on. Some servers take `_` for `-`.
fn stays_behind(name: &HeaderName) -> bool {
    let name = name.as_str().replace('_', "-");
    DROPPED.contains(&name.as_str()) || ROUTING.iter().any(|prefix| name.starts_with(prefix))
}

const DROPPED: [&str; 12] = [
    "baggage",
    "content-encoding",
    "content-length",
    "expect",
    "openai-organization",
    "openai-project",
    "traceparent",
    "tracestate",
    "transfer-encoding",
    "x-amzn-bedrock-performanceconfig-latency",
    "x-amzn-bedrock-service-tier",
    "x-goog-user-project",
];

/// How the fields begin by which gateways in front of models are told where a request goes, with
/// which key, and for which price.
const ROUTING: [&str; 10] = [
    "cf-aig-",
    "helicone-",
    "x-ai-eg-",
    "x-bf-",
    "x-gateway-",
    "x-litellm-",
    "x-openrouter-",
    "x-portkey-",
    "x-tensorzero-",
    "x-vertex-ai-llm-",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_who_pays_or_where_it_goes_is_not_the_agents_to_say() {
        for (name, is_dropped) in [
            ("openai-organization", true),
            ("openai_organization", true),
            ("x-goog-user-project", true),
            ("x-portkey-custom-host", true),
            ("helicone-target-url", true),
            ("x-vertex-ai-llm-shared-request-type", true),
            ("x-amzn-bedrock-service-tier", true),
            ("content-encoding", true),
            ("anthropic-beta", false),
            ("anthropic-version", false),
            ("x-stainless-lang", false),
            ("user-agent", false),
        ] {
            assert_eq!(
                stays_behind(&HeaderName::from_static(name)),
                is_dropped,
                "{name}"
            );
        }
    }
}
