//! What a server is told by the gateway itself: that something that it asked of the agent is refused,
//! and that a session ends that no agent gets.

use std::pin::Pin;
use std::sync::Arc;

use http::Request;
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use http_body_util::{BodyExt as _, Limited};
use ringfence_gateway::Permit;
use ringfence_gateway::http::{RequestBody, empty, full};
use ringfence_mcp::frame::Frame;
use ringfence_mcp::limits::ASKED_OCTETS;
use ringfence_mcp::version::Version;
use ringfence_model::Action;
use ringfence_model::mcp::{McpRequest, McpServer, McpVerb};

use tokio::time::timeout;

use super::entered::{Entered, SESSION, VERSION};
use super::limits::TELL_WAIT;
use super::sent::{carried, own, put};
use super::service::Client;

/// A message on its way.
pub(super) type Saying = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Whoever tells a server something in a session of an agent.
#[derive(Clone)]
pub(super) struct Told {
    pub(super) client: Client,
    server: Arc<McpServer>,
    version: Option<Version>,
    /// The session, as the server calls it.
    session: Option<String>,
    pub(super) authorization: Option<HeaderValue>,
}

impl Told {
    pub(super) fn of(client: &Client, server: &Arc<McpServer>, entered: &Entered) -> Self {
        Self {
            client: client.clone(),
            server: Arc::clone(server),
            version: entered.version,
            session: entered.session.as_ref().map(|(_, it)| it.upstream.clone()),
            authorization: entered.authorization.clone(),
        }
    }

    /// The same in a session that has just begun.
    pub(super) fn within(&self, session: String, version: Version) -> Self {
        Self {
            session: Some(session),
            version: Some(version),
            ..self.clone()
        }
    }

    /// Ends the session, where the server can be told.
    pub(super) async fn leave(&self) {
        let mut headers = self.headers(None);
        headers.remove(CONTENT_TYPE);
        let permit = self.permit(McpVerb::Leave, None, 0);
        if let Some(permit) = permit {
            let request = carried(&permit, headers, empty());
            self.forward(permit, request).await;
        }
    }

    /// Sends a message; whoever reads the stream that it is about drives it.
    pub(super) fn say(&self, octets: Vec<u8>) -> Saying {
        let told = self.clone();
        Box::pin(async move {
            // The server can do without.
            let _ = told.sent(octets).await;
        })
    }

    async fn sent(self, octets: Vec<u8>) -> Option<()> {
        let frame = Frame::read(&octets, ASKED_OCTETS).ok()?;
        let method = frame.method().unwrap_or("response").to_owned();
        let permit = self.permit(McpVerb::Talk, Some(method), octets.len() as u64)?;
        let request = carried(&permit, self.headers(Some(&frame)), full(octets));
        self.forward(permit, request).await;
        Some(())
    }

    fn permit(&self, verb: McpVerb, method: Option<String>, octets: u64) -> Option<Permit> {
        let action = McpRequest {
            destination: self.server.destination.clone(),
            server: self.server.name.clone(),
            verb,
            method,
            target: None,
            arguments: None,
            reads_only: None,
            path: self.server.path.clone(),
            version: self.version.map(|it| it.to_string()),
            octets,
        };
        let client = &self.client;
        let action = Action::Mcp(Box::new(action));
        let decided = client
            .gateway
            .decide(&client.session, action, Some(client.connection));
        decided.ok()
    }

    /// Sends a request. The server can do without, so nobody has to know of what goes wrong.
    async fn forward(&self, permit: Permit, request: Request<RequestBody>) {
        let client = &self.client;
        let forwarding = client
            .gateway
            .forward(&client.session, &client.pool, permit, request);
        let answered = async {
            let Ok(response) = forwarding.await else {
                return;
            };
            let body = Limited::new(response.into_body(), ASKED_OCTETS);
            drop(body.collect().await);
        };
        let _ = timeout(TELL_WAIT, answered).await;
    }

    fn headers(&self, frame: Option<&Frame>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let both = HeaderValue::from_static("application/json, text/event-stream");
        headers.insert(ACCEPT, both);
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(value) = &self.authorization {
            headers.insert(AUTHORIZATION, value.clone());
        }
        match (frame, self.version) {
            (Some(frame), version) => own(&mut headers, frame, version),
            (None, Some(version)) => put(&mut headers, VERSION, version.as_str()),
            (None, None) => {}
        }
        if let Some(session) = &self.session {
            put(&mut headers, SESSION, session);
        }
        headers
    }
}
