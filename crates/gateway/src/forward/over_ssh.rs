//! A git server that is reached over SSH, as if it spoke smart HTTP: a request becomes one program
//! on the server, on a connection of its own, and what the program says becomes the response. So
//! all that is done with a response of HTTP is done with it too.

mod errand;
mod greeting;
mod side_band;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use futures_util::stream::unfold;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use ringfence_model::git::UpstreamKind;
use ringfence_model::{Action, ReasonCode};
use tokio::io::{DuplexStream, duplex};

use super::draft::Draft;
use super::exchange::Chosen;
use super::fault::Fault;
use super::lease::Sender;
use super::open::handshake_1;
use crate::limits::SSH_BRIDGE_OCTETS;
use crate::local::Inbox;
use crate::pipeline::{Gateway, Permit};
use crate::ssh::{Connection, Input, InputError, Remote, Server, SshError, SshIdentity};
pub(super) use errand::Errand;
use greeting::Greeting;
use side_band::SideBand;

/// What a connection over SSH is opened for.
pub(super) struct Over<'a> {
    pub(super) server: Server<'a>,
    pub(super) identity: &'a SshIdentity,
    pub(super) errand: Errand,
}

impl<'a> Over<'a> {
    /// What a request is opened a connection over SSH for; none where its server speaks HTTP.
    ///
    /// # Errors
    /// Where the credential is not one for SSH, or the request is none that such a server takes.
    pub(super) fn of(
        permit: &'a Permit,
        draft: &Draft,
        chosen: &'a Chosen,
    ) -> Result<Option<Self>, Fault> {
        let upstream = permit.grant().git.as_deref();
        let upstream = upstream.filter(|upstream| upstream.kind == UpstreamKind::Ssh);
        let (Some(upstream), Action::Git(request)) = (upstream, permit.action()) else {
            return Ok(None);
        };
        let credential = chosen.credential.as_ref();
        let identity = credential.and_then(|used| used.ready.ssh.as_deref());
        let identity = identity.ok_or_else(|| {
            let reason = format!(
                "{} is reached over SSH, and the rule names no credential of the kind ssh-key",
                upstream.name
            );
            Fault::refused(ReasonCode::CredentialUnavailable, reason)
        })?;
        Ok(Some(Self {
            server: Server {
                host: &upstream.destination.host,
                host_keys: &upstream.host_keys,
            },
            identity,
            errand: Errand::of(request, upstream, draft)?,
        }))
    }
}

/// Opens a connection for one request. The permit proves that its destination may be dialled.
pub(super) async fn open(
    gateway: &Gateway,
    permit: &Permit,
    over: Over<'_>,
    tasks: &Inbox,
) -> Result<(Sender, SocketAddr), Fault> {
    let dialled = gateway.dial(permit).await?;
    let wait = gateway.limits().connect_timeout;
    let opening = Connection::open(dialled.stream, over.server, over.identity, wait);
    let connection = opening.await?;
    let (near, far) = duplex(SSH_BRIDGE_OCTETS);
    tasks.spawn(serve(far, connection, over.errand));
    Ok((handshake_1(near, tasks).await?, dialled.address))
}

/// Serves the one request.
async fn serve(stream: DuplexStream, connection: Connection, errand: Errand) {
    let connection = Mutex::new(Some(connection));
    let service = service_fn(|request: Request<Incoming>| {
        let connection = connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let errand = errand.clone();
        async move {
            let begun = match connection {
                Some(connection) => begin(connection, errand, request.into_body()).await,
                None => Err(SshError::Broken),
            };
            Ok::<_, Infallible>(begun.unwrap_or_else(|error| failed(&error)))
        }
    });
    let mut server = http1::Builder::new();
    // What goes wrong ends the stream, and so the exchange at its other end learns of it.
    let serving = server
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    let _ = serving.await;
}

type Answer = Pin<Box<dyn Body<Data = Bytes, Error = SshError> + Send>>;

/// Runs the program, and waits until it is known whether it answers.
async fn begin(
    connection: Connection,
    errand: Errand,
    body: Incoming,
) -> Result<Response<Answer>, SshError> {
    let input = input(&errand, body);
    let mut remote = connection.run(&errand.program, input).await?;
    let mut answering = Answering::of(&errand);
    let first = match answering.first(&mut remote).await? {
        Some(first) => first,
        None => match remote.silence() {
            Some(error) => return Err(error),
            None => answering.last(&mut remote),
        },
    };
    let state = Some((answering, remote));
    let rest = unfold(state, |state| async move {
        let (mut answering, mut remote) = state?;
        match answering.next(&mut remote).await {
            Ok(Some(octets)) => Some((Ok(Frame::data(octets)), Some((answering, remote)))),
            Ok(None) => None,
            Err(error) => Some((Err(error), None)),
        }
    });
    let head = unfold(Some(first), |first| async move {
        first.map(|octets| (Ok(Frame::data(octets)), None))
    });
    let stream = futures_util::StreamExt::chain(head, rest);
    let answer: Answer = Box::pin(StreamBody::new(stream));
    let mut response = Response::new(answer);
    let media = HeaderValue::from_static(errand.media());
    response.headers_mut().insert(CONTENT_TYPE, media);
    Ok(response)
}

/// What the program reads. What it offers, it says before it reads anything; then it is told that
/// nothing is wanted.
fn input(errand: &Errand, body: Incoming) -> Input {
    if errand.is_discovery {
        let nothing = Full::new(Bytes::from_static(b"0000"));
        return Box::pin(nothing.map_err(|never| match never {}));
    }
    Box::pin(body.map_err(|_| InputError))
}

/// Makes the octets of a response of what the program says.
enum Answering {
    /// What it offers, behind the line that HTTP has there.
    Offer { line: Option<&'static [u8]> },
    /// The answer to a request to fetch.
    Fetch(Greeting),
    /// The answer to a push, with what the program says beside it.
    Push(Greeting, Option<SideBand>),
}

impl Answering {
    fn of(errand: &Errand) -> Self {
        if errand.is_discovery {
            return Self::Offer {
                line: Some(errand.service_line()),
            };
        }
        let greeting = Greeting::new(errand.wants_modern());
        if errand.is_push() {
            return Self::Push(greeting, Some(SideBand::default()));
        }
        Self::Fetch(greeting)
    }

    /// The first octets of the response; none where the program ends without any.
    async fn first(&mut self, remote: &mut Remote) -> Result<Option<Bytes>, SshError> {
        let greeting = match self {
            Self::Offer { line } => {
                let said = remote.output().await?;
                let line = line.take().unwrap_or_default();
                return Ok(said.map(|said| Bytes::from([line, &said].concat())));
            }
            Self::Fetch(greeting) | Self::Push(greeting, _) => greeting,
        };
        while let Some(said) = remote.output().await? {
            if let Some(rest) = greeting.feed(said)?.filter(|rest| !rest.is_empty()) {
                return Ok(Some(self.pass(rest)));
            }
        }
        Ok(None)
    }

    async fn next(&mut self, remote: &mut Remote) -> Result<Option<Bytes>, SshError> {
        if let Some(said) = remote.output().await? {
            return Ok(Some(self.pass(said)));
        }
        let last = self.last(remote);
        Ok((!last.is_empty()).then_some(last))
    }

    fn pass(&mut self, said: Bytes) -> Bytes {
        match self {
            Self::Push(_, Some(band)) => band.feed(&said),
            _ => said,
        }
    }

    /// What is left to be said when the program has ended; nothing the second time.
    fn last(&mut self, remote: &mut Remote) -> Bytes {
        match self {
            Self::Push(_, band) => {
                let stderr = remote.take_stderr();
                band.take()
                    .map_or_else(Bytes::new, |band| band.finish(&stderr))
            }
            _ => Bytes::new(),
        }
    }
}

/// The status of a response where a server over SSH does not speak the version that it was asked for.
pub(super) const OLD_PROTOCOL: StatusCode = StatusCode::HTTP_VERSION_NOT_SUPPORTED;

/// A response for people: the words are those of the upstream, or about it.
fn failed(error: &SshError) -> Response<Answer> {
    let words = Full::new(Bytes::from(error.to_string()));
    let answer: Answer = Box::pin(words.map_err(|never| match never {}));
    let mut response = Response::new(answer);
    *response.status_mut() = match error {
        SshError::OldProtocol => OLD_PROTOCOL,
        _ => StatusCode::BAD_GATEWAY,
    };
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}
