//! One request of git: read, decided on, sent, answered.

use std::sync::Arc;

use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use http::{Method, Request, Response, StatusCode};
use ringfence_gateway::git::GitTerms;
use ringfence_gateway::http::{RequestBody, ResponseBody, empty};
use ringfence_gateway::{Gateway, Permit, Reserved, Session, Stopped, UpstreamPool};
use ringfence_git::wire::WireError;
use ringfence_git::wire::target::{Tail, classify};
use ringfence_model::git::{
    GitOperation, GitRequest, GitUpstream, RepoError, RepoId, UpstreamKind,
};
use ringfence_model::{Action, EventId, HttpRequest, ReasonCode};

use super::find::Found;
use super::lfs::Asked;
use super::say::Words;
use super::shown::Viewer;

/// Who asks, and what it is served with.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) session: Arc<Session>,
    pub(crate) pool: Arc<UpstreamPool>,
    /// The event of the connection.
    pub(crate) connection: EventId,
}

/// The repository that a request is about.
pub(super) struct Place {
    pub(super) upstream: Arc<GitUpstream>,
    pub(super) repo: RepoId,
}

/// Why a request is not understood.
#[derive(Debug, thiserror::Error)]
pub(super) enum Odd {
    #[error(transparent)]
    Path(#[from] RepoError),
    #[error(transparent)]
    Wire(#[from] WireError),
    #[error("git requests with this content encoding are not read")]
    Encoding,
    #[error("the body is not whole: {0}")]
    Body(String),
    #[error("it did not arrive in time")]
    TimedOut,
    #[error("there is no room left to read it in: too many other requests are under way")]
    NoRoom,
}

impl Odd {
    pub(super) const fn code(&self) -> ReasonCode {
        match self {
            Self::Wire(WireError::TooLarge(_)) | Self::TimedOut | Self::NoRoom => {
                ReasonCode::LimitReached
            }
            _ => ReasonCode::Malformed,
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
        let is_head = request.method() == Method::HEAD;
        let answer = self.answer(found, action, request).await;
        if is_head {
            return answer.map(|_| empty());
        }
        answer
    }

    async fn answer(
        &self,
        found: Found,
        action: HttpRequest,
        request: Request<RequestBody>,
    ) -> Response<ResponseBody> {
        let (upstream, repo, tail) = match found {
            Found::Repository {
                upstream,
                repo,
                tail,
            } => (upstream, repo, tail),
            Found::Odd(error) => return self.odd(action, &error.into()).as_page(),
            Found::Unknown => return self.unknown(action).as_page(),
        };
        let place = Place { upstream, repo };
        let (head, body) = request.into_parts();
        let media = head.headers.get(CONTENT_TYPE);
        let media = media.map(|value| value.to_str().unwrap_or("?"));
        let asked = classify(head.method.as_str(), &tail, head.uri.query(), media);
        let rest = tail;
        let tail = match asked {
            Ok(tail) => tail,
            Err(error) => return self.odd(action, &error.into()).as_page(),
        };
        match tail {
            Tail::InfoRefs(service) => self.discover(&place, service, &head, action).await,
            Tail::UploadPack => self.fetch(&place, (&head, body), action).await,
            Tail::ReceivePack => self.push(place, (head, body), action).await,
            _ if place.upstream.kind == UpstreamKind::Ssh => self.no_lfs(action),
            tail => {
                let asked = Asked {
                    place,
                    head,
                    body,
                    action: action.clone(),
                    tail: rest,
                };
                let answered = self.lfs(tail, asked).await;
                answered.unwrap_or_else(|| self.odd(action, &WireError::Unknown.into()).as_page())
            }
        }
    }

    /// Decides on an operation.
    pub(super) fn decide(
        &self,
        place: &Place,
        operation: GitOperation,
    ) -> Result<(Permit, Arc<GitTerms>), Stopped> {
        let action = Action::Git(GitRequest {
            destination: place.upstream.destination.clone(),
            repo: place.repo.clone(),
            operation,
        });
        let permit = self
            .gateway
            .decide(&self.session, action, Some(self.connection))
            .map_err(Stopped::Refused)?;
        let terms = permit.grant().terms.iter();
        let Some(terms) = terms.filter_map(|terms| terms.git.clone()).next() else {
            let reason = "no rule about git allows this";
            return Err(Stopped::Refused(
                permit.refuse(ReasonCode::Unavailable, reason),
            ));
        };
        Ok((permit, terms))
    }

    /// Room for what is read of a request before it is decided on.
    pub(super) async fn room(&self, octets: u64) -> Option<Reserved> {
        self.gateway.reserve(&self.session, octets).await
    }

    /// Whom the refs of a repository are shown to.
    pub(super) fn viewer(&self, place: &Place, permit: &Permit) -> Viewer {
        Viewer {
            sandbox: self.session.identity().sandbox,
            generation: permit.generation(),
            repo: place.repo.clone(),
        }
    }

    /// Sends what `permit` allows.
    pub(super) async fn send(
        &self,
        permit: Permit,
        headers: HeaderMap,
        body: RequestBody,
    ) -> Result<Response<ResponseBody>, Stopped> {
        let mut request = Request::new(body);
        if let Some(carrier) = permit.request() {
            *request.method_mut() = carrier.method.parse().unwrap_or_default();
            let target = match &carrier.query {
                Some(query) => format!("{}?{query}", carrier.path),
                None => carrier.path.clone(),
            };
            *request.uri_mut() = target.parse().unwrap_or_default();
        }
        *request.headers_mut() = headers;
        self.gateway
            .forward(&self.session, &self.pool, permit, request)
            .await
    }

    /// The refusal of what is not understood.
    pub(super) fn odd(&self, action: HttpRequest, odd: &Odd) -> Words {
        let action = Action::Http(action);
        let refusal = self
            .gateway
            .deny(&self.session, action, odd.code(), &odd.to_string());
        Words::of(&Stopped::Refused(refusal))
    }

    /// LFS speaks HTTP, also where git speaks SSH: there it asks the server where.
    fn no_lfs(&self, action: HttpRequest) -> Response<ResponseBody> {
        let reason = "the git server is reached over SSH, and LFS is not";
        let action = Action::Http(action);
        let code = ReasonCode::Unavailable;
        let refusal = self.gateway.deny(&self.session, action, code, reason);
        Words::of(&Stopped::Refused(refusal)).as_lfs(Some(StatusCode::NOT_IMPLEMENTED))
    }

    fn unknown(&self, action: HttpRequest) -> Words {
        let reason = "no rule is about git repositories here";
        let action = Action::Http(action);
        let refusal = self
            .gateway
            .deny(&self.session, action, ReasonCode::NoRule, reason);
        Words::of(&Stopped::Refused(refusal))
    }
}

/// The fields of a request that go on: who asks, by a token of ours, and with which program.
pub(super) fn headers(client: &HeaderMap, own: &[(HeaderName, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for name in [AUTHORIZATION, USER_AGENT] {
        if let Some(value) = client.get(&name) {
            headers.insert(name, value.clone());
        }
    }
    for (name, value) in own {
        headers.insert(name.clone(), HeaderValue::from_static(value));
    }
    headers
}
