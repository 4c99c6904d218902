//! OpenAI's Responses over a WebSocket. The handshake is decided on by itself; then each message of
//! the agent's is read, decided on, changed, paid for and recorded as a request that comes by HTTP
//! is. One is under way at a time, as with the provider; the next waits.

mod answering;
mod memory;

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http::Response;
use http::request::Parts;
use ringfence_gateway::http::{ResponseBody, empty};
use ringfence_gateway::llm::{Conversation, Heard, Over, Socket, Text};
use ringfence_gateway::{Gateway, Permit, Stopped};
use ringfence_llm::limits::{ANSWER_OCTETS, BODY_OCTETS};
use ringfence_llm::refusal::Why;
use ringfence_llm::request::{Message, MessageError, RequestError, read_message};
use ringfence_llm::target::{self, Target};
use ringfence_model::llm::{LlmEndpoint, LlmProvider, LlmRequest, ProviderKind};
use ringfence_model::{Action, CredentialName, Decision, ReasonCode};

use super::{Asked, Ready, carried, said};
use crate::llm::hints::Hints;
use crate::llm::read::weight;
use crate::llm::service::{Client, headers};
use crate::llm::taken::Stop;
use crate::llm::words::{Dialect, Words};
use answering::Answering;
use memory::{Made, Pace};

/// A WebSocket of an agent's to a provider.
struct Talk {
    client: Client,
    provider: Arc<LlmProvider>,
    target: Target,
    headers: http::HeaderMap,
    hints: Hints,
    /// What the provider was authenticated to with the handshake.
    credential: Option<CredentialName>,
    token_required: bool,
    made: Made,
    pace: Pace,
    open: Option<Answering>,
}

/// Why a message does not go on: what the agent is told, and the connection goes on.
type Refused = Words;

impl Client {
    /// Opens a WebSocket, where the path is that of Responses. None where it is another.
    pub(in crate::llm) async fn open_socket(
        &self,
        provider: &Arc<LlmProvider>,
        path: &str,
        head: Parts,
    ) -> Option<Response<ResponseBody>> {
        let mut target = target::classify(provider, "POST", path, head.uri.query()).ok()?;
        let is_openai = matches!(
            provider.kind,
            ProviderKind::Openai | ProviderKind::AzureOpenai
        );
        // What is compacted, too, goes by the name of Responses, and never streams.
        if !is_openai || target.endpoint != LlmEndpoint::Responses || target.stream.is_some() {
            return None;
        }
        target.stream = Some(true);
        let dialect = Dialect {
            kind: provider.kind,
            endpoint: LlmEndpoint::Responses,
        };
        let action = Action::Llm(Box::new(handshake(provider, &target)));
        let decided = self
            .gateway
            .decide(&self.session, action, Some(self.connection));
        let permit = match decided {
            Ok(permit) => permit,
            // A client that is told so asks by HTTP, and is told there what it may not.
            Err(refusal) => {
                let words = Words::of(&Stopped::Refused(refusal)).because(Why::Upgrade);
                return Some(words.respond(dialect));
            }
        };
        let sent = headers(&head);
        let mut request = carried(&permit, sent.clone(), empty());
        *request.extensions_mut() = head.extensions;
        *request.version_mut() = head.version;
        let terms = permit.grant().terms.first();
        let talk = Talk {
            client: Self {
                connection: permit.event(),
                ..self.clone()
            },
            provider: Arc::clone(provider),
            target,
            hints: Hints::of(&head.headers),
            headers: sent,
            credential: terms.and_then(|terms| terms.credential.clone()),
            token_required: terms.is_some_and(|terms| terms.token_required),
            made: Made::default(),
            pace: Pace::default(),
            open: None,
        };
        Some(self.converse(permit, request, (talk, dialect)).await)
    }

    async fn converse(
        &self,
        permit: Permit,
        request: Request<ringfence_gateway::http::RequestBody>,
        (talk, dialect): (Talk, Dialect),
    ) -> Response<ResponseBody> {
        let with = (&self.session, &self.pool);
        let opening = self.gateway.converse(with, permit, request, Box::new(talk));
        match opening.await {
            Ok(response) => response,
            Err(stopped) => said(&stopped, dialect),
        }
    }
}

impl Conversation for Talk {
    fn hold<'a>(
        &'a mut self,
        socket: &'a mut Socket,
    ) -> Pin<Box<dyn Future<Output = Over> + Send + 'a>> {
        Box::pin(async move {
            match self.messages(socket).await {
                Ok(never) => match never {},
                Err(over) => over,
            }
        })
    }

    fn longest(&self) -> (u64, u64) {
        (BODY_OCTETS as u64, ANSWER_OCTETS as u64)
    }

    fn room(&self) -> fn(u64) -> u64 {
        weight
    }
}

impl Talk {
    async fn messages(&mut self, socket: &mut Socket) -> Result<std::convert::Infallible, Over> {
        let mut waiting: Option<Text> = None;
        loop {
            if self.open.is_none()
                && let Some(text) = waiting.take()
            {
                self.pace.count()?;
                if let Err(words) = self.ask(text, socket).await? {
                    self.pace.refused()?;
                    socket.tell_client(&words.message()).await?;
                }
                continue;
            }
            let permit = self.open.as_ref().and_then(Answering::permit);
            let heard = tokio::select! {
                biased;
                decision = taken_back(&self.client.gateway, permit) => {
                    let reason = decision.reason.clone();
                    if let Some(open) = self.open.take() {
                        open.revoke(decision);
                    }
                    return Err(Over::refused(ReasonCode::Revoked, reason));
                }
                heard = socket.hear(waiting.is_none()) => heard?,
            };
            match heard {
                Heard::Client(text) => waiting = Some(text),
                Heard::Upstream(text) => self.answered(&text.octets, socket).await?,
            }
        }
    }

    /// Decides on a message and sends it on, or says why not.
    async fn ask(
        &mut self,
        mut text: Text,
        socket: &mut Socket,
    ) -> Result<Result<(), Refused>, Over> {
        let octets = Bytes::from(std::mem::take(&mut text.octets));
        let length = octets.len() as u64;
        let message = match self.read(octets).await {
            Ok(message) => message,
            Err(error) => return Ok(Err(self.unread(&error, length))),
        };
        let (permit, ready, bound) = match self.decide(message).await {
            Ok(ready) => ready,
            Err(words) => return Ok(Err(words)),
        };
        let body = ready.body.clone();
        permit.meter().add_sent(body.len() as u64);
        // It counts as under way before its first octet is on its way.
        self.open = Some(Answering::begin(&self.client, permit, ready, bound));
        socket.tell_upstream(&body).await?;
        drop(text);
        Ok(Ok(()))
    }

    async fn read(&mut self, octets: Bytes) -> Result<Message, MessageError> {
        let (target, made) = (self.target.clone(), self.made.clone());
        let reading = move || read_message(&target, octets, &|id| made.context(id).is_some());
        let reading = tokio::task::spawn_blocking(reading);
        reading.await.unwrap_or(Err(RequestError::TooLarge.into()))
    }

    /// Decides on a request, changes it as its rule says, and takes what it may need.
    async fn decide(&mut self, message: Message) -> Result<(Permit, Ready, Bound), Refused> {
        let Message {
            mut request,
            previous,
            generates,
        } = message;
        // What the provider adds from before is paid for once more.
        let before = previous.and_then(|id| self.made.context(&id)).unwrap_or(0);
        request.text_octets = request.text_octets.saturating_add(before);
        let asked = Asked {
            provider: Arc::clone(&self.provider),
            target: self.target.clone(),
            headers: self.headers.clone(),
            hints: self.hints.clone(),
            request,
        };
        let client = &self.client;
        let action = client.action(&asked, &self.provider, None);
        let decided = client.gateway.decide(
            &client.session,
            Action::Llm(Box::new(action.clone())),
            Some(client.connection),
        );
        let permit = decided.map_err(|refusal| Words::of(&Stopped::Refused(refusal)))?;
        let found = permit.grant().terms.iter().find(|it| it.llm.is_some());
        let Some((terms, of_request)) = found.and_then(|it| Some((it.llm.clone()?, it.clone())))
        else {
            let reason = "no rule about models allows this".to_owned();
            return Err(Stop::refused(ReasonCode::Unavailable, reason).words(permit));
        };
        let needs_more = of_request.token_required && !self.token_required;
        if of_request.credential != self.credential || needs_more {
            let reason = format!(
                "the connection was opened with another credential or token than rule {} has: use plain requests, or a connection of its own",
                terms.rule
            );
            return Err(Stop::refused(ReasonCode::CredentialAmbiguous, reason).words(permit));
        }
        let bound = Bound {
            octets: asked.request.text_octets,
            generates,
            kind: self.provider.kind,
            capture: terms.capture.into(),
            terms: Arc::clone(&terms),
        };
        let preparing = client.prepare(&asked, (&self.provider, &action, &terms), &permit);
        match preparing.await {
            Ok(ready) => Ok((permit, ready, bound)),
            Err(stop) => Err(stop.words(permit)),
        }
    }

    /// A message that is not understood is a denial of its own.
    fn unread(&self, error: &MessageError, octets: u64) -> Refused {
        let action = LlmRequest {
            octets,
            ..handshake(&self.provider, &self.target)
        };
        let is_long = matches!(error, MessageError::Request(RequestError::TooLarge));
        let code = if is_long {
            ReasonCode::LimitReached
        } else {
            ReasonCode::Malformed
        };
        let client = &self.client;
        let action = Action::Llm(Box::new(action));
        let refusal = client
            .gateway
            .deny(&client.session, action, code, &error.to_string());
        let words = Words::of(&Stopped::Refused(refusal));
        match is_long {
            true => words.because(Why::TooLarge),
            false => words,
        }
    }

    /// A message of the provider's: to the agent as it is, and read beside that.
    async fn answered(&mut self, octets: &[u8], socket: &mut Socket) -> Result<(), Over> {
        if let Some(open) = &mut self.open {
            if !open.take(octets) {
                let reason = "the provider sent a message that cannot be read".to_owned();
                return Err(Over::Upstream(reason));
            }
            if open.is_over()
                && let Some(open) = self.open.take()
                && let Some((id, context)) = open.finish()
            {
                self.made.add(id, context);
            }
        }
        socket.tell_client(octets).await
    }
}

async fn taken_back(gateway: &Gateway, permit: Option<&Permit>) -> Decision {
    match permit {
        Some(permit) => gateway.revoked(permit).await,
        None => std::future::pending().await,
    }
}

/// What is kept of a request until it is answered, beside what it took.
struct Bound {
    /// The most tokens that went in.
    octets: u64,
    generates: bool,
    kind: ProviderKind,
    capture: ringfence_llm::Capture,
    terms: Arc<ringfence_gateway::llm::LlmTerms>,
}

/// The opening of a WebSocket in the terms of policy.
fn handshake(provider: &LlmProvider, target: &Target) -> LlmRequest {
    LlmRequest {
        destination: provider.destination.clone(),
        provider: provider.name.clone(),
        endpoint: LlmEndpoint::ResponsesSocket,
        path: target.path(provider, None),
        query: target.query(),
        model: None,
        alias: None,
        stream: true,
        max_output_tokens: None,
        hosted: Vec::new(),
        octets: 0,
    }
}
