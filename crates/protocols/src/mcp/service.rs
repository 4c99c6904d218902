//! One request to the endpoint of a server: read, decided on, sent, answered.

use std::sync::Arc;

use http::header::{ALLOW, CONNECTION, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use ringfence_gateway::http::{RequestBody, ResponseBody};
use ringfence_gateway::{Gateway, Session, Stopped, UpstreamPool};
use ringfence_mcp::frame::code;
use ringfence_model::mcp::McpServer;
use ringfence_model::{Action, EventId, HttpRequest, ReasonCode};

use super::entered::{Entered, Odd};
use super::find::Found;
use super::words::Words;

/// Who asks, and what it is served with.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) session: Arc<Session>,
    pub(crate) pool: Arc<UpstreamPool>,
    /// The event of the connection.
    pub(crate) connection: EventId,
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
        let Found::Server(server) = found else {
            return self.unknown(action);
        };
        let (head, body) = request.into_parts();
        match self.enter(&server, &head, body).await {
            Ok(entered) => Box::pin(self.send(&server, &head, entered)).await,
            Err(odd) => self.odd(action, odd),
        }
    }

    async fn enter(
        &self,
        server: &McpServer,
        head: &Parts,
        body: RequestBody,
    ) -> Result<Entered, Odd> {
        super::entered::origin(head, server)?;
        match head.method {
            Method::POST => {
                let (octets, room) = self.body(head, body).await?;
                self.entered(server, head, (&octets, room))
            }
            Method::GET => self.listening(server, head),
            Method::DELETE => self.leaving(server, head),
            _ => Err(Odd::method()),
        }
    }

    /// A request that is not understood is a denial of its own.
    fn odd(&self, action: HttpRequest, odd: Odd) -> Response<ResponseBody> {
        let action = Action::Http(action);
        let refusal = self
            .gateway
            .deny(&self.session, action, odd.reason, &odd.why);
        let mut words = Words::of(&Stopped::Refused(refusal)).with(odd.code, odd.status);
        for (name, value) in odd.data {
            words = words.also(name, value);
        }
        let mut response = words.respond(odd.id.as_ref());
        if odd.is_unread {
            // What is left of the message would be read as the next request.
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
        }
        if odd.status == StatusCode::METHOD_NOT_ALLOWED {
            let allowed = HeaderValue::from_static("POST, GET, DELETE");
            response.headers_mut().insert(ALLOW, allowed);
        }
        response
    }

    fn unknown(&self, action: HttpRequest) -> Response<ResponseBody> {
        let why = "no rule is about a server of this name";
        let action = Action::Http(action);
        let refusal = self
            .gateway
            .deny(&self.session, action, ReasonCode::NoRule, why);
        Words::of(&Stopped::Refused(refusal))
            .with(code::REFUSED, StatusCode::NOT_FOUND)
            .respond(None)
    }
}
