//! What a server has, as it says now and as a person knows it: looked at by the gateway itself, so
//! that a tool that became another one is not called, whether the agent looks at the list or not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use http::Response;
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use http_body_util::{BodyExt as _, Limited};
use ringfence_gateway::http::{ResponseBody, full};
use ringfence_gateway::mcp::{McpTerms, PinMode};
use ringfence_gateway::{
    Gateway, PinKind, PinState, SeenDefinition, SeenDefinitions, Session, Stopped,
};
use ringfence_mcp::definition::{self, Definition};
use ringfence_mcp::frame::{self, Body, Frame, Id, code};
use ringfence_mcp::limits::ANSWERED_OCTETS;
use ringfence_mcp::list::next_cursor;
use ringfence_mcp::method::{self, ListOf};
use ringfence_mcp::version::{Era, Version};
use ringfence_model::mcp::{McpRequest, McpServer};
use ringfence_model::{Action, EventId};
use serde_json::{Map, json};
use tokio::time::timeout;

use super::entered::{Entered, SESSION};
use super::limits::{DEFINITIONS, DEFINITIONS_OCTETS, PAGES, WHOLE_WAIT};
use super::memory::Known;
use super::sent::{carried, own, put};
use super::service::Client;
use super::stream;

type Definitions = Arc<BTreeMap<String, (String, bool, PinState)>>;

impl Client {
    /// The definitions of one kind, no older than the rule wants them.
    pub(super) async fn look(
        &self,
        server: &Arc<McpServer>,
        entered: &Entered,
        (kind, name, terms): (PinKind, Option<&str>, &McpTerms),
    ) -> Result<Definitions, String> {
        let fresh = || {
            let state = entered.memory.lock();
            let known = state.known(kind)?;
            let is_fresh = terms.recheck.is_some_and(|time| known.at.elapsed() <= time);
            // What a person did not know a moment ago, they may know now.
            let is_waiting = match name {
                Some(name) => {
                    let state = known.definitions.get(name);
                    state.is_some_and(|it| it.2 != PinState::Known)
                }
                None => known.definitions.values().any(|it| it.2 != PinState::Known),
            };
            (is_fresh && !is_waiting).then(|| Arc::clone(&known.definitions))
        };
        if let Some(definitions) = fresh() {
            return Ok(definitions);
        }
        let looking = entered.memory.looking.lock().await;
        if let Some(definitions) = fresh() {
            return Ok(definitions);
        }
        let at = Instant::now();
        let looking_at_all = self.all(server, entered, of(kind));
        let seen = timeout(WHOLE_WAIT, looking_at_all).await;
        let seen = seen.map_err(|_| "its list did not arrive in time")??;
        let shown = SeenDefinitions {
            kind,
            definitions: seen
                .iter()
                .map(|it| SeenDefinition {
                    name: it.name.clone(),
                    canonical: it.canonical.clone(),
                })
                .collect(),
        };
        let states = check(&self.gateway, &self.session, server, (terms.pin, shown)).await?;
        let all = seen.into_iter().zip(states);
        let definitions = all.map(|(it, state)| (it.name, (it.canonical, it.reads_only, state)));
        let definitions: Definitions = Arc::new(definitions.collect());
        let known = Known {
            at,
            definitions: Arc::clone(&definitions),
        };
        entered.memory.lock().learn(kind, known);
        drop(looking);
        Ok(definitions)
    }

    /// All pages of a list.
    async fn all(
        &self,
        server: &Arc<McpServer>,
        entered: &Entered,
        of: ListOf,
    ) -> Result<Vec<Definition>, String> {
        let (mut all, mut names) = (Vec::new(), BTreeSet::new());
        let mut cursor: Option<String> = None;
        let mut octets = 0;
        for _ in 0..PAGES {
            let Some(page) = self.page(server, entered, (of, cursor.as_deref())).await? else {
                return Ok(all);
            };
            let result = page.result().ok_or("it does not list them")?;
            let seen = definition::of_list(result, of).map_err(|error| error.to_string())?;
            for definition in seen {
                if !names.insert(definition.name.clone()) {
                    return Err(format!("there are two of the name {}", definition.name));
                }
                octets += definition.canonical.len();
                if all.len() >= DEFINITIONS || octets > DEFINITIONS_OCTETS {
                    return Err("there are too many".to_owned());
                }
                all.push(definition);
            }
            match next_cursor(&page) {
                None => return Ok(all),
                Some(next) if cursor.as_ref() == Some(&next) => {
                    return Err("its list does not end".to_owned());
                }
                next => cursor = next,
            }
        }
        Err("its list does not end".to_owned())
    }

    /// One page of a list; none where the server has no such list.
    async fn page(
        &self,
        server: &Arc<McpServer>,
        entered: &Entered,
        (of, cursor): (ListOf, Option<&str>),
    ) -> Result<Option<Frame>, String> {
        let id = Id::Text(format!("ringfence-{}", EventId::new()));
        let octets = question(&id, (of, cursor), entered);
        let asked = Frame::read(&octets, octets.len()).map_err(|error| error.to_string())?;
        let known = method::of_client(of.method()).ok_or("the list is not known")?;
        let action = McpRequest {
            destination: server.destination.clone(),
            server: server.name.clone(),
            verb: known.verb,
            method: Some(known.name.to_owned()),
            target: None,
            arguments: None,
            reads_only: None,
            path: server.path.clone(),
            version: entered.version.map(|it| it.to_string()),
            octets: octets.len() as u64,
        };
        let action = Action::Mcp(Box::new(action));
        let decided = self
            .gateway
            .decide(&self.session, action, Some(self.connection));
        let permit = decided.map_err(|refusal| refusal.decision.reason)?;
        let request = carried(&permit, headers(&asked, entered), full(octets));
        let forwarding = self
            .gateway
            .forward(&self.session, &self.pool, permit, request);
        let response = forwarding.await.map_err(|stopped| match stopped {
            Stopped::Refused(refusal) => refusal.decision.reason,
            Stopped::Failed(failure) => failure.reason,
        })?;
        let read = timeout(WHOLE_WAIT, answer(response, &id)).await;
        let frame = read.map_err(|_| "its list did not arrive in time")??;
        match frame.body() {
            Body::Error { code, .. } if *code == code::METHOD_NOT_FOUND => Ok(None),
            Body::Error { code, .. } => Err(format!("it answers with error {code}")),
            _ => Ok(Some(frame)),
        }
    }
}

const fn of(kind: PinKind) -> ListOf {
    match kind {
        PinKind::Prompt => ListOf::Prompts,
        PinKind::Resource => ListOf::Resources,
        PinKind::Template => ListOf::Templates,
        PinKind::Tool | PinKind::Server => ListOf::Tools,
    }
}

/// The question for a page of a list, in the era that the agent speaks.
fn question(id: &Id, (of, cursor): (ListOf, Option<&str>), entered: &Entered) -> Vec<u8> {
    let mut params = Map::new();
    if let Some(cursor) = cursor {
        params.insert("cursor".to_owned(), cursor.into());
    }
    if entered.era() == Era::Stateless {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": entered.version.map(Version::as_str),
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": {"name": "ringfence", "version": env!("CARGO_PKG_VERSION")},
        });
        params.insert("_meta".to_owned(), meta);
    }
    frame::request(id, of.method(), params.into())
}

fn headers(frame: &Frame, entered: &Entered) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let both = HeaderValue::from_static("application/json, text/event-stream");
    headers.insert(ACCEPT, both);
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(value) = &entered.authorization {
        headers.insert(AUTHORIZATION, value.clone());
    }
    own(&mut headers, frame, entered.version);
    if let Some((_, session)) = &entered.session {
        put(&mut headers, SESSION, &session.upstream);
    }
    headers
}

/// The answer to a question of our own.
async fn answer(response: Response<ResponseBody>, id: &Id) -> Result<Frame, String> {
    let status = response.status();
    let media = response.headers().get(CONTENT_TYPE);
    let media = media.and_then(|it| it.to_str().ok()).unwrap_or_default();
    let is_stream = media.starts_with("text/event-stream");
    let octets = if is_stream {
        stream::first_answer(response.into_body(), Some(id)).await
    } else {
        let read = Limited::new(response.into_body(), ANSWERED_OCTETS)
            .collect()
            .await;
        read.ok().map(|it| it.to_bytes().to_vec())
    };
    let octets = octets.ok_or("its list broke off, or is too long")?;
    let frame = Frame::read(&octets, ANSWERED_OCTETS)
        .map_err(|error| format!("it answers with HTTP {status}: {error}"))?;
    match frame.body() {
        Body::Result { id: of } if of == id => Ok(frame),
        Body::Error { id: of, .. } if of.as_ref().is_none_or(|of| of == id) => Ok(frame),
        _ => Err("it answers something else".to_owned()),
    }
}

/// How definitions stand to what a person knows.
pub(super) async fn check(
    gateway: &Arc<Gateway>,
    session: &Arc<Session>,
    server: &Arc<McpServer>,
    (mode, seen): (PinMode, SeenDefinitions),
) -> Result<Vec<PinState>, String> {
    let (pins, server) = (Arc::clone(gateway.pins()), Arc::clone(server));
    let identity = session.identity().clone();
    let checking = tokio::task::spawn_blocking(move || pins.check(&identity, &server, mode, &seen));
    let checked = checking.await.map_err(|error| error.to_string())?;
    checked.map_err(|error| error.to_string())
}
