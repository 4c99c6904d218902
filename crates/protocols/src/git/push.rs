//! `POST git-receive-pack`: a push. The refs are decided on first; then the pack lies on disk until
//! all of it was looked at; then the push goes on, written anew, whole or not at all.

mod approval;
mod look;
mod noted;
mod receive;
mod relay;
mod rests;

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use http::header::{AUTHORIZATION, CONTENT_ENCODING};
use http::request::Parts;
use http_body_util::BodyExt as _;
use ringfence_gateway::Permit;
use ringfence_gateway::git::GitTerms;
use ringfence_gateway::http::{RequestBody, ResponseBody};
use ringfence_git::wire::push::{PushReader, PushRequest, PushStart};
use ringfence_model::git::{GitOperation, GitService};
use ringfence_model::{HttpRequest, Outcome};
use tokio::time::timeout;

use super::driven::{Progress, driven};
use super::limits::{PUSH_QUIET, PUSH_START_OCTETS, REQUEST_WAIT};
use super::say::{Words, result, set_type};
use super::service::{Client, Odd, Place};
use ringfence_git::wire::target::result_type;

/// A push that may be looked at.
struct Push {
    client: Client,
    place: Place,
    head: Parts,
    request: PushRequest,
    /// The begin of the pack.
    begin: Bytes,
    body: RequestBody,
    permit: Permit,
    terms: Arc<GitTerms>,
}

impl Client {
    /// Answers `POST git-receive-pack`.
    pub(super) async fn push(
        &self,
        place: Place,
        (head, mut body): (Parts, RequestBody),
        action: HttpRequest,
    ) -> Response<ResponseBody> {
        if head.headers.contains_key(CONTENT_ENCODING) {
            return self.odd(action, &Odd::Encoding).as_page();
        }
        let Some(room) = self.room(PUSH_START_OCTETS).await else {
            return self.odd(action, &Odd::NoRoom).as_page();
        };
        let reading = timeout(REQUEST_WAIT, read_start(&mut body)).await;
        let (start, begin) = match reading.unwrap_or(Err(Odd::TimedOut)) {
            Ok(read) => read,
            Err(odd) => return self.odd(action, &odd).as_page(),
        };
        let request = match start {
            PushStart::Probe => return self.probe(&place),
            PushStart::Push(request) => request,
        };
        drop(room);
        let operation = GitOperation::Push {
            updates: request.updates.clone(),
            options: request.options.clone(),
            atomic: request.capabilities.atomic,
        };
        let (permit, terms) = match self.decide(&place, operation) {
            Ok(decided) => decided,
            Err(stopped) => {
                let words = Words::of(&stopped);
                let refused = words.as_push(&request, |_| None);
                return drained(body, refused);
            }
        };
        let push = Push {
            client: self.clone(),
            place,
            head,
            request,
            begin,
            body,
            permit,
            terms,
        };
        push.answer().await
    }

    /// Before a large push a client asks whether it may come at all. Nothing of it goes upstream.
    fn probe(&self, place: &Place) -> Response<ResponseBody> {
        match self.decide(place, GitOperation::Probe) {
            Ok((permit, _)) => {
                permit.finish(Outcome::Status(200));
                result(GitService::ReceivePack, Vec::new())
            }
            Err(stopped) => Words::of(&stopped).as_page(),
        }
    }
}

impl Push {
    /// A client that reads progress is answered while the push is looked at.
    async fn answer(self) -> Response<ResponseBody> {
        let capabilities = &self.request.capabilities;
        if !capabilities.side_band || capabilities.report.is_none() {
            let (progress, _unread) = Progress::channel(true);
            return self.run(progress).await;
        }
        let is_quiet = capabilities.quiet;
        let mut answer = Response::new(driven(is_quiet, |progress| async move {
            self.run(progress).await.into_body()
        }));
        set_type(&mut answer, result_type(GitService::ReceivePack));
        answer
    }

    async fn run(self, progress: Progress) -> Response<ResponseBody> {
        let gateway = Arc::clone(&self.client.gateway);
        let Self {
            client,
            place,
            head,
            request,
            begin,
            body,
            permit,
            terms,
        } = self;
        let noting = noted::Noting::begin(&permit, &request.updates);
        let looking = look::Looking {
            client: &client,
            request: &request,
            permit: &permit,
            terms: &terms,
            progress: &progress,
            viewer: client.viewer(&place, &permit),
            authorization: head.headers.get(AUTHORIZATION),
        };
        let looked = tokio::select! {
            biased;
            decision = gateway.revoked(&permit) => Err(look::Stop::Revoked(decision)),
            looked = looking.look(begin, body) => looked,
        };
        match looked {
            Ok(looked) => {
                let sending = relay::Sending {
                    client: &client,
                    place: &place,
                    head: &head,
                    request,
                    terms: &terms,
                    progress,
                    noting,
                };
                sending.send(looked, permit).await
            }
            Err(stop) => stop.settle(permit, &request, &noting),
        }
    }
}

/// Reads the refs and options. What follows is the pack.
async fn read_start(body: &mut RequestBody) -> Result<(PushStart, Bytes), Odd> {
    let mut reader = PushReader::default();
    loop {
        let Some(mut piece) = next_piece(body).await? else {
            return Err(Odd::Body("it ends before its refs do".to_owned()));
        };
        if let Some((start, taken)) = reader.feed(&piece)? {
            let rest = piece.split_off(taken.min(piece.len()));
            if start == PushStart::Probe && !rest.is_empty() {
                return Err(Odd::Body("octets follow its end".to_owned()));
            }
            return Ok((start, rest));
        }
    }
}

/// The next octets of a body; none where it is over.
pub(super) async fn next_piece(body: &mut RequestBody) -> Result<Option<Bytes>, Odd> {
    loop {
        let frame = timeout(PUSH_QUIET, body.frame()).await;
        let Some(frame) = frame.map_err(|_| Odd::TimedOut)? else {
            return Ok(None);
        };
        let frame = frame.map_err(|error| Odd::Body(error.to_string()))?;
        if let Ok(piece) = frame.into_data() {
            return Ok(Some(piece));
        }
    }
}

/// A refusal that is given while the client still sends: it reads an answer only when it could send
/// all of it.
fn drained(body: RequestBody, refused: Response<ResponseBody>) -> Response<ResponseBody> {
    refused.map(|answer| driven_after(body, answer))
}

fn driven_after(mut body: RequestBody, answer: ResponseBody) -> ResponseBody {
    driven(true, |_| async move {
        drain(&mut body).await;
        answer
    })
}

/// Reads what is left of a push that was refused, up to a bound.
pub(super) async fn drain(body: &mut RequestBody) {
    let mut left = super::limits::DRAINED_OCTETS;
    while let Ok(Some(piece)) = next_piece(body).await {
        match left.checked_sub(piece.len() as u64) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}
