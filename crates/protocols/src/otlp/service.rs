//! One request with telemetry of an agent: admitted, read, recorded, answered.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use jiff::Timestamp;
use ringfence_gateway::http::{RequestBody, ResponseBody, full};
use ringfence_gateway::{Gateway, Session, Stopped};
use ringfence_model::{Action, HttpRequest, ReasonCode, Told};
use ringfence_trace::otlp::{METRICS_PATH, TRACES_PATH};
use ringfence_trace::told::{self, Form, Heard, Unreadable, Within};

use super::limits::READ_HERE;
use super::read::{self, Shape, Unread};
use crate::egress::answer::{Answer, Asked};
use crate::llm::clean;

/// Where logs would go.
const LOGS_PATH: &str = "/v1/logs";

/// Who tells, and what is told with.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) session: Arc<Session>,
}

/// Why nothing of a request is taken.
#[derive(Debug, thiserror::Error)]
enum Odd {
    #[error("agents are not heard here: `agents` in `[traces]` is off")]
    Deaf,
    #[error("telemetry goes to {TRACES_PATH}, {LOGS_PATH} or {METRICS_PATH}")]
    Path,
    #[error("telemetry is sent with POST")]
    Method,
    #[error("telemetry comes too often")]
    Often(Duration),
    #[error(transparent)]
    Unread(#[from] Unread),
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error("it cannot be recorded: {0}")]
    Unrecorded(String),
}

impl Odd {
    /// The code of the refusal, and its status in HTTP. Clients try again after 429 and 503 alone.
    const fn codes(&self) -> (ReasonCode, StatusCode) {
        match self {
            Self::Deaf | Self::Path => (ReasonCode::PathNotAllowed, StatusCode::NOT_FOUND),
            Self::Method => (ReasonCode::MethodNotAllowed, StatusCode::METHOD_NOT_ALLOWED),
            Self::Often(_) | Self::Unread(Unread::NoRoom) => {
                (ReasonCode::LimitReached, StatusCode::TOO_MANY_REQUESTS)
            }
            Self::Unread(Unread::TooLong) => {
                (ReasonCode::LimitReached, StatusCode::PAYLOAD_TOO_LARGE)
            }
            Self::Unread(Unread::TimedOut) => {
                (ReasonCode::LimitReached, StatusCode::REQUEST_TIMEOUT)
            }
            Self::Unread(Unread::Media | Unread::Encoding) => {
                (ReasonCode::Malformed, StatusCode::UNSUPPORTED_MEDIA_TYPE)
            }
            Self::Unread(Unread::Broken(_) | Unread::Packed(_)) | Self::Unreadable(_) => {
                (ReasonCode::Malformed, StatusCode::BAD_REQUEST)
            }
            Self::Unrecorded(_) => (ReasonCode::Unavailable, StatusCode::SERVICE_UNAVAILABLE),
        }
    }
}

impl Client {
    /// Answers one request. `action` is the same as an HTTP request, for the record of one that is
    /// refused.
    pub(crate) async fn serve(
        &self,
        action: HttpRequest,
        request: Request<RequestBody>,
    ) -> Response<ResponseBody> {
        let asked = Asked::of(&request);
        let (head, body) = request.into_parts();
        match self.take(&head, body).await {
            Ok(response) => response,
            Err(odd) => self.refuse(action, &odd, &asked),
        }
    }

    async fn take(&self, head: &Parts, body: RequestBody) -> Result<Response<ResponseBody>, Odd> {
        let (is_spans, shape) = match self.admit(head) {
            Ok(admitted) => admitted,
            Err(odd) => {
                // A client that is still sending would not read the answer.
                let _ = read::away(head, body).await;
                return Err(odd);
            }
        };
        if !is_spans {
            read::away(head, body).await?;
            self.gateway.drop_told(&self.session);
            return Ok(answer(shape.form, None));
        }
        let told = self.hear(head, shape, body).await?;
        let Heard {
            mut spans,
            mut refused,
            mut why,
        } = told;
        let own = self.gateway.withheld();
        for span in &mut spans {
            withhold(&mut span.what, &|text| clean(text, &own));
        }
        let told = self.gateway.tell(&self.session, spans, refused);
        let beyond = told.map_err(|error| Odd::Unrecorded(error.to_string()))?;
        if beyond > 0 {
            refused = refused.saturating_add(beyond);
            why.get_or_insert(told::Fault::Many);
        }
        Ok(answer(
            shape.form,
            why.map(|why| (refused, why.to_string())),
        ))
    }

    /// Whether a request has spans, and how it is written.
    fn admit(&self, head: &Parts) -> Result<(bool, Shape), Odd> {
        if !self.gateway.hears() {
            return Err(Odd::Deaf);
        }
        let is_spans = match head.uri.path() {
            TRACES_PATH => true,
            LOGS_PATH | METRICS_PATH => false,
            _ => return Err(Odd::Path),
        };
        if head.method != Method::POST {
            return Err(Odd::Method);
        }
        let admitted = self.gateway.admit_telling(&self.session);
        admitted.map_err(Odd::Often)?;
        Ok((is_spans, Shape::of(head)?))
    }

    async fn hear(&self, head: &Parts, shape: Shape, body: RequestBody) -> Result<Heard, Odd> {
        let place = (&*self.gateway, &*self.session);
        let (octets, room) = read::whole(place, head, shape, body).await?;
        let within = Within::of(self.session.identity().run, Timestamp::now());
        let length = octets.len();
        let read = move || -> Result<Heard, Odd> {
            let octets = shape.unpack(octets)?;
            Ok(told::read(&octets, shape.form, within)?)
        };
        let heard = if length <= READ_HERE {
            read()
        } else {
            let read = tokio::task::spawn_blocking(read).await;
            read.unwrap_or(Err(Odd::Unreadable(Unreadable)))
        };
        drop(room);
        heard
    }

    fn refuse(&self, action: HttpRequest, odd: &Odd, asked: &Asked) -> Response<ResponseBody> {
        let (code, status) = odd.codes();
        let action = Action::Http(action);
        let refusal = self
            .gateway
            .deny(&self.session, action, code, &odd.to_string());
        let stopped = Stopped::Refused(refusal);
        let mut response = Answer::of(&stopped).status(status.as_u16()).respond(asked);
        let headers = response.headers_mut();
        match odd {
            Odd::Method => {
                headers.insert(ALLOW, HeaderValue::from_static("POST"));
            }
            Odd::Often(after) => {
                headers.insert(RETRY_AFTER, after.as_secs().max(1).into());
            }
            _ => {}
        }
        response
    }
}

/// Takes secrets out of every word.
fn withhold(told: &mut Told, clean: &dyn Fn(&str) -> Option<String>) {
    if let Some(cleaned) = clean(&told.name) {
        told.name = cleaned;
    }
    for word in [
        &mut told.tool,
        &mut told.call,
        &mut told.model,
        &mut told.decision,
    ] {
        if let Some(cleaned) = word.as_deref().and_then(clean) {
            *word = Some(cleaned);
        }
    }
}

/// That a request was taken, but for so many spans.
fn answer(form: Form, refused: Option<(u64, String)>) -> Response<ResponseBody> {
    let (media, body) = match form {
        Form::Protobuf => ("application/x-protobuf", told::taken(refused)),
        Form::Json => ("application/json", told::taken_json(refused)),
    };
    let mut response = Response::new(full(Bytes::from(body)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    response
}
