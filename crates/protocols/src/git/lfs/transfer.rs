//! Moves one object, and tells the upstream that it is there. What is uploaded lies on disk until all
//! of it was looked at; what is downloaded streams, and ends only if it is what it should be.

use std::io;

use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use ringfence_gateway::git::{ChangedFiles, GitDenial, GitTerms, PushFacts};
use ringfence_gateway::http::{RequestBody, ResponseBody, full};
use ringfence_gateway::{Permit, Stopped};
use ringfence_git::wire::target::LfsObject;
use ringfence_model::git::{GitOperation, GitRequest, LfsDirection};
use ringfence_model::{Action, Decision, ReasonCode};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::time::timeout;

use super::super::limits::{PAGE_OCTETS, PUSH_ARRIVES};
use super::super::push::{drain, next_piece};
use super::super::say::Words;
use super::super::service::{Client, Odd, Place, headers};
use super::super::spool::{Kept, Spool, Spooled};
use super::refused::{self, Sent};
use super::searched::Searching;
use super::tickets::{self, Ticket};
use super::verified::{self, verified};
use super::{Asked, LFS_JSON, ask};

/// Why an object is not put upstream.
enum Stop {
    Revoked(Decision),
    /// The rule does not allow it; and where in the object that is.
    Denied(Box<GitDenial>, Vec<String>),
    /// It is not what its name says.
    Other(&'static str),
    Client(Odd),
    Disk(io::Error),
}

impl Client {
    /// Answers `GET` and `PUT` of an object.
    pub(super) async fn lfs_transfer(
        &self,
        asked: Asked,
        direction: LfsDirection,
        object: LfsObject,
    ) -> Response<ResponseBody> {
        let operation = GitOperation::LfsTransfer {
            direction,
            oid: object.oid.clone(),
            octets: object.octets,
        };
        let mut asked = asked;
        let began = self.lfs_begin(&asked.place, operation, &object.ticket);
        let (permit, terms, ticket) = match began {
            Ok(began) => began,
            Err(words) => {
                drain(&mut asked.body).await;
                return words.as_lfs(None);
            }
        };
        match direction {
            LfsDirection::Download => self.lfs_download(asked, (permit, ticket), object).await,
            LfsDirection::Upload => {
                self.lfs_upload(asked, (permit, &terms, ticket), object)
                    .await
            }
        }
    }

    /// Answers `POST` behind an upload.
    pub(super) async fn lfs_verify(
        &self,
        asked: Asked,
        object: LfsObject,
    ) -> Response<ResponseBody> {
        let read = self.lfs_read(&asked.head.headers, asked.body, |value| {
            let named = value.get("oid") == Some(&json!(object.oid))
                && value.get("size") == Some(&json!(object.octets));
            named.then_some(()).ok_or_else(|| ask::malformed("oid"))
        });
        if let Err(odd) = read.await {
            return self.lfs_odd(asked.action, &odd);
        }
        let operation = GitOperation::LfsVerify {
            oid: object.oid.clone(),
            octets: object.octets,
        };
        let (permit, _, ticket) = match self.lfs_begin(&asked.place, operation, &object.ticket) {
            Ok(began) => began,
            Err(words) => return words.as_lfs(None),
        };
        let body = json!({ "oid": object.oid, "size": object.octets });
        let own = [(CONTENT_TYPE, LFS_JSON), (ACCEPT, LFS_JSON)];
        let request = request(&asked.head.headers, &own, (&ticket, full(body.to_string())));
        self.lfs_put(&asked.place, permit, &ticket, request).await
    }

    /// Decides, and finds what the ticket stands for. Whose ticket it is, is not told.
    fn lfs_begin(
        &self,
        place: &Place,
        operation: GitOperation,
        name: &str,
    ) -> Result<(Permit, std::sync::Arc<GitTerms>, Ticket), Words> {
        let stopped = |stopped: Stopped| Words::of(&stopped);
        let (permit, terms) = self.decide(place, operation.clone()).map_err(stopped)?;
        let action = GitRequest {
            destination: place.upstream.destination.clone(),
            repo: place.repo.clone(),
            operation,
        };
        let sandbox = self.session.identity().sandbox;
        match tickets::take(name, sandbox, &action) {
            Some(ticket) => Ok((permit, terms, ticket)),
            None => {
                let reason = "the ticket of the address has expired, or is for something else: \
                              ask for the batch again";
                let refusal = permit.refuse(ReasonCode::TokenInvalid, reason);
                Err(stopped(Stopped::Refused(refusal)))
            }
        }
    }

    async fn lfs_download(
        &self,
        asked: Asked,
        (permit, ticket): (Permit, Ticket),
        object: LfsObject,
    ) -> Response<ResponseBody> {
        let Asked {
            place,
            head: question,
            ..
        } = asked;
        let own = [(ACCEPT, "*/*"), (ACCEPT_ENCODING, "identity")];
        let body = ringfence_gateway::http::empty();
        let request = request(&question.headers, &own, (&ticket, body));
        let event = permit.event();
        let sent =
            self.gateway
                .forward_lfs((&self.session, &self.pool), permit, &ticket.href, request);
        let response = match sent.await {
            Ok(response) => response,
            Err(stopped) => return Words::of(&stopped).as_lfs(None),
        };
        let (head, body) = response.into_parts();
        if head.status != StatusCode::OK {
            let _ = Limited::new(body, PAGE_OCTETS).collect().await;
            let (failed, status) = ask::failed(&head);
            return self.failed(&place, event, &failed).as_lfs(status);
        }
        let (gateway, session) = (self.gateway.clone(), self.session.clone());
        let action = Action::Git(ticket.action);
        let expected = verified::Expected {
            oid: object.oid,
            octets: object.octets,
        };
        let body = verified(body, expected, move |reason| {
            let _ = gateway.deny(&session, action, ReasonCode::ResponseRefused, reason);
        });
        let mut answer = Response::new(body);
        *answer.extensions_mut() = head.extensions;
        let kind = HeaderValue::from_static("application/octet-stream");
        answer.headers_mut().insert(CONTENT_TYPE, kind);
        let length = HeaderValue::from(object.octets);
        answer.headers_mut().insert(CONTENT_LENGTH, length);
        answer
    }

    async fn lfs_upload(
        &self,
        asked: Asked,
        (permit, terms, ticket): (Permit, &GitTerms, Ticket),
        object: LfsObject,
    ) -> Response<ResponseBody> {
        let Asked {
            place,
            head,
            mut body,
            ..
        } = asked;
        let looked = tokio::select! {
            biased;
            decision = self.gateway.revoked(&permit) => Err(Stop::Revoked(decision)),
            looked = timeout(PUSH_ARRIVES, self.lfs_look(&mut body, (&permit, terms), &object)) => {
                looked.unwrap_or(Err(Stop::Client(Odd::TimedOut)))
            }
        };
        let spooled = match looked {
            Ok(spooled) => spooled,
            Err(stop) => {
                drain(&mut body).await;
                let sent = Sent {
                    sandbox: self.session.identity().sandbox,
                    repo: place.repo.clone(),
                    oid: object.oid,
                };
                return stop.settle(permit, sent);
            }
        };
        permit
            .git()
            .note(|facts| facts.pack_octets = Some(object.octets));
        let own = [
            (CONTENT_TYPE, "application/octet-stream"),
            (ACCEPT, LFS_JSON),
        ];
        let body = spooled.into_body(Vec::new());
        let request = request(&head.headers, &own, (&ticket, body));
        self.lfs_put(&place, permit, &ticket, request).await
    }

    /// Reads an object that is uploaded, to the disk.
    async fn lfs_look(
        &self,
        body: &mut RequestBody,
        (permit, terms): (&Permit, &GitTerms),
        object: &LfsObject,
    ) -> Result<Spooled, Stop> {
        let sandbox = self.session.identity().sandbox;
        let opening = Spool::open(Kept::Push, sandbox);
        let mut spool = opening.await.map_err(Stop::Disk)?;
        let mut digest = Sha256::new();
        let mut search = Searching::new(self.gateway.withheld());
        while let Some(piece) = next_piece(body).await.map_err(Stop::Client)? {
            if spool.octets() + piece.len() as u64 > object.octets {
                return Err(Stop::Other("it has more octets than were announced"));
            }
            digest.update(&piece);
            search.feed(&piece);
            spool.write(&piece).await.map_err(Stop::Disk)?;
        }
        if spool.octets() != object.octets {
            return Err(Stop::Other("it has fewer octets than were announced"));
        }
        if verified::hexadecimal(&digest.finalize()) != object.oid {
            return Err(Stop::Other("its SHA-256 is not the one in its name"));
        }
        let searched = search.finish();
        let noted = &searched.places;
        permit
            .git()
            .note(|facts| facts.findings.extend(noted.iter().cloned()));
        let facts = PushFacts {
            files: ChangedFiles::Known(Vec::new()),
            commits: Some(Vec::new()),
            // What waits for a person is the push of what names the object.
            is_approved: true,
            ..searched.facts()
        };
        let judged = terms.judge(&facts);
        judged.map_err(|denial| Stop::Denied(Box::new(denial), searched.places))?;
        spool.finish().await.map_err(Stop::Disk)
    }

    /// Sends what needs no answer but its status.
    async fn lfs_put(
        &self,
        place: &Place,
        permit: Permit,
        ticket: &Ticket,
        request: Request<RequestBody>,
    ) -> Response<ResponseBody> {
        let event = permit.event();
        let sent =
            self.gateway
                .forward_lfs((&self.session, &self.pool), permit, &ticket.href, request);
        let response = match sent.await {
            Ok(response) => response,
            Err(stopped) => return Words::of(&stopped).as_lfs(None),
        };
        let (head, body) = response.into_parts();
        // Read to its end, so that the record says what it was.
        let _ = Limited::new(body, PAGE_OCTETS).collect().await;
        if !head.status.is_success() {
            let (failed, status) = ask::failed(&head);
            let is_mistaken = |status: &StatusCode| *status == StatusCode::UNPROCESSABLE_ENTITY;
            let status = match status.filter(is_mistaken) {
                Some(_) => Some(StatusCode::BAD_REQUEST),
                None => status,
            };
            return self.failed(place, event, &failed).as_lfs(status);
        }
        Response::new(ringfence_gateway::http::empty())
    }
}

fn request(
    client: &http::HeaderMap,
    own: &[(http::HeaderName, &'static str)],
    (ticket, body): (&Ticket, RequestBody),
) -> Request<RequestBody> {
    let mut headers = headers(client, own);
    if let Some(shown) = &ticket.authorization {
        headers.insert(AUTHORIZATION, shown.clone());
    }
    let mut request = Request::new(body);
    *request.headers_mut() = headers;
    request
}

impl Stop {
    /// Closes the event, and says why.
    fn settle(self, permit: Permit, sent: Sent) -> Response<ResponseBody> {
        // To 422, git-lfs says that the server takes no Content-Type, and pushes without the object.
        let bad = Some(StatusCode::BAD_REQUEST);
        let is_denied = matches!(self, Self::Denied(..));
        let mut places = Vec::new();
        let (refusal, status) = match self {
            Self::Revoked(decision) => (permit.revoke(decision), None),
            Self::Denied(denial, found) => {
                places = found;
                (permit.refuse_git(*denial), None)
            }
            Self::Other(reason) => {
                let reason = format!("the object is not what it is announced as: {reason}");
                (permit.refuse(ReasonCode::Malformed, &reason), bad)
            }
            Self::Client(odd) => (permit.refuse(odd.code(), &odd.to_string()), bad),
            Self::Disk(error) => {
                let reason = format!("the object cannot be kept while it is looked at: {error}");
                (permit.refuse(ReasonCode::Unavailable, &reason), None)
            }
        };
        let words = Words::of(&Stopped::Refused(refusal)).with("found", &places);
        if is_denied {
            refused::note(sent, words.lines.join("; "));
        }
        words.as_lfs(status)
    }
}
