//! Serves the requests of one connection that the gateway reads. Each is classified, decided on
//! and forwarded by itself, whatever came before it on the connection.

use std::sync::Arc;

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use ringfence_gateway::http::{RequestBody, ResponseBody, full};
use ringfence_gateway::intercept::{Opened, Service};
use ringfence_gateway::wire::http::HttpError;
use ringfence_gateway::{Gateway, Session, Stopped, UpstreamPool};
use ringfence_model::{Action, Destination, EventId, HttpRequest, ReasonCode, Scheme};

use super::body::{Reader, Unread};
use super::classify::classify;
use crate::egress::answer::{Answer, Asked};
use crate::{git, llm, mcp, otlp};

/// The requests of one connection to `destination`, which is decided on already.
pub(super) struct Requests {
    gateway: Arc<Gateway>,
    session: Arc<Session>,
    destination: Destination,
    scheme: Scheme,
    /// The event of the connection.
    connection: EventId,
    pool: Arc<UpstreamPool>,
}

impl Service for Requests {
    async fn call(&self, request: http::Request<RequestBody>) -> http::Response<ResponseBody> {
        let asked = Asked::of(&request);
        match self.serve(request).await {
            Ok(response) => response,
            Err(stopped) => Answer::of(&stopped).respond(&asked),
        }
    }

    /// The event of the connection records it: nothing is known of the request.
    fn refuse(&self, error: HttpError) -> http::Response<ResponseBody> {
        let tried = format!("a request to {}", self.destination);
        let reason = error.to_string();
        let refusal = self
            .gateway
            .refuse_within(self.connection, tried, (error.code(), &reason));
        Answer::of(&Stopped::Refused(refusal))
            .status(error.status())
            .respond(&Asked::default())
    }
}

impl Requests {
    /// Those of `client`, on the connection that `connection` records.
    pub(super) fn new(
        (gateway, session): (&Arc<Gateway>, &Arc<Session>),
        client: &Opened,
        connection: EventId,
        pool: Arc<UpstreamPool>,
    ) -> Self {
        Self {
            gateway: Arc::clone(gateway),
            session: Arc::clone(session),
            destination: client.destination().clone(),
            scheme: client.scheme(),
            connection,
            pool,
        }
    }

    async fn serve(
        &self,
        request: http::Request<RequestBody>,
    ) -> Result<http::Response<ResponseBody>, Stopped> {
        let target = request.uri().path_and_query();
        let target = target.map_or("/", http::uri::PathAndQuery::as_str);
        if let Some(found) = git::look_up(&self.gateway, &self.destination, target) {
            return Ok(self.serve_git(found, request).await);
        }
        if otlp::is_receiver(&self.destination) {
            return Ok(self.serve_otlp(request).await);
        }
        if let Some(found) = llm::look_up(&self.gateway, &self.destination, request.uri().path()) {
            return Ok(self.serve_llm(found, request).await);
        }
        if let Some(found) = mcp::look_up(&self.gateway, &self.destination, request.uri().path()) {
            return Ok(self.serve_mcp(found, request).await);
        }
        let (mut head, mut body) = request.into_parts();
        let mut action = classify(&head, &self.destination, self.scheme);
        let reading = self.gateway.reading(&action);
        let mut room = None;
        if reading.is_needed() {
            let read = self.reader().read(&head, body, reading).await;
            let read = read.map_err(|why| self.unread(&action, &why))?;
            action.content = Some(read.content);
            room = Some((read.room, read.working));
            head.headers.remove(TRANSFER_ENCODING);
            head.headers
                .insert(CONTENT_LENGTH, read.octets.len().into());
            body = full(read.octets);
        }
        let permit = self
            .gateway
            .decide(&self.session, Action::Http(action), Some(self.connection))
            .map_err(Stopped::Refused)?;
        if let Some((room, working)) = room {
            drop(working);
            permit.keep_room(room);
        }
        let request = http::Request::from_parts(head, body);
        self.gateway
            .forward(&self.session, &self.pool, permit, request)
            .await
    }

    async fn serve_git(
        &self,
        found: git::Found,
        request: http::Request<RequestBody>,
    ) -> http::Response<ResponseBody> {
        let (head, body) = request.into_parts();
        let action = classify(&head, &self.destination, self.scheme);
        let client = git::Client {
            gateway: Arc::clone(&self.gateway),
            session: Arc::clone(&self.session),
            pool: Arc::clone(&self.pool),
            connection: self.connection,
        };
        let request = http::Request::from_parts(head, body);
        Box::pin(client.serve(found, action, request)).await
    }

    async fn serve_llm(
        &self,
        found: llm::Found,
        request: http::Request<RequestBody>,
    ) -> http::Response<ResponseBody> {
        let (head, body) = request.into_parts();
        let action = classify(&head, &self.destination, self.scheme);
        let client = llm::Client {
            gateway: Arc::clone(&self.gateway),
            session: Arc::clone(&self.session),
            pool: Arc::clone(&self.pool),
            connection: self.connection,
        };
        let request = http::Request::from_parts(head, body);
        Box::pin(client.serve(found, action, request)).await
    }

    async fn serve_otlp(
        &self,
        request: http::Request<RequestBody>,
    ) -> http::Response<ResponseBody> {
        let (head, body) = request.into_parts();
        let action = classify(&head, &self.destination, self.scheme);
        let client = otlp::Client {
            gateway: Arc::clone(&self.gateway),
            session: Arc::clone(&self.session),
        };
        let request = http::Request::from_parts(head, body);
        Box::pin(client.serve(action, request)).await
    }

    async fn serve_mcp(
        &self,
        found: mcp::Found,
        request: http::Request<RequestBody>,
    ) -> http::Response<ResponseBody> {
        let (head, body) = request.into_parts();
        let action = classify(&head, &self.destination, self.scheme);
        let client = mcp::Client {
            gateway: Arc::clone(&self.gateway),
            session: Arc::clone(&self.session),
            pool: Arc::clone(&self.pool),
            connection: self.connection,
        };
        let request = http::Request::from_parts(head, body);
        Box::pin(client.serve(found, action, request)).await
    }

    fn reader(&self) -> Reader<'_> {
        Reader {
            gateway: &self.gateway,
            session: &self.session,
            wait: self.gateway.limits().keep_alive_timeout,
        }
    }

    /// A body that a rule has to read and that cannot be read is a denial of its own.
    fn unread(&self, action: &HttpRequest, why: &Unread) -> Stopped {
        let code = match why {
            Unread::TooLong(_) | Unread::TimedOut | Unread::NoRoom => ReasonCode::LimitReached,
            Unread::Broken(_) => ReasonCode::Malformed,
        };
        let action = Action::Http(action.clone());
        Stopped::Refused(
            self.gateway
                .deny(&self.session, action, code, &why.to_string()),
        )
    }
}
