//! What a server is told by the gateway itself: that something that it asked of the agent is refused.

use std::pin::Pin;
use std::sync::Arc;

use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use http_body_util::{BodyExt as _, Limited};
use ringfence_gateway::http::full;
use ringfence_mcp::frame::Frame;
use ringfence_mcp::limits::ASKED_OCTETS;
use ringfence_mcp::version::Version;
use ringfence_model::Action;
use ringfence_model::mcp::{McpRequest, McpServer, McpVerb};

use super::entered::{Entered, SESSION};
use super::sent::{carried, own, put};
use super::service::Client;

/// A message on its way.
pub(super) type Saying = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Whoever tells a server something in a session of an agent.
#[derive(Clone)]
pub(super) struct Told {
    client: Client,
    server: Arc<McpServer>,
    version: Option<Version>,
    /// The session, as the server calls it.
    session: Option<String>,
    authorization: Option<HeaderValue>,
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
        let action = McpRequest {
            destination: self.server.destination.clone(),
            server: self.server.name.clone(),
            verb: McpVerb::Talk,
            method: Some("response".to_owned()),
            target: None,
            arguments: None,
            reads_only: None,
            path: self.server.path.clone(),
            version: self.version.map(|it| it.to_string()),
            octets: octets.len() as u64,
        };
        let client = &self.client;
        let action = Action::Mcp(Box::new(action));
        let decided = client
            .gateway
            .decide(&client.session, action, Some(client.connection));
        let permit = decided.ok()?;
        let request = carried(&permit, self.headers(&frame), full(octets));
        let forwarding = client
            .gateway
            .forward(&client.session, &client.pool, permit, request);
        let response = forwarding.await.ok()?;
        Limited::new(response.into_body(), ASKED_OCTETS)
            .collect()
            .await
            .ok()?;
        Some(())
    }

    fn headers(&self, frame: &Frame) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let both = HeaderValue::from_static("application/json, text/event-stream");
        headers.insert(ACCEPT, both);
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(value) = &self.authorization {
            headers.insert(AUTHORIZATION, value.clone());
        }
        own(&mut headers, frame, self.version);
        if let Some(session) = &self.session {
            put(&mut headers, SESSION, session);
        }
        headers
    }
}
