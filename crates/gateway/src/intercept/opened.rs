//! A client whose requests the gateway reads, from the TLS handshake to its end.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use ringfence_model::{Destination, Host, Outcome, Scheme};
use rustls::AlertDescription;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::authority::{Authority, AuthorityError, HTTP2};
use super::client::Replay;
use super::place::Place;
use super::service::Service;
use super::strict::Strict;
use super::turn::{Activity, Turn};
use super::{http1, http2};
use crate::calm::Calm;
use crate::forward::UpstreamTasks;
use crate::limits::Limits;
use crate::pipeline::{Gateway, Permit};
use crate::relay::Ending;
use crate::stream::Buffered;
use crate::wire::http::RequestHead;

/// A client that is ready to send requests.
pub struct Opened {
    client: Client,
    place: Place,
    first: Option<RequestHead>,
}

enum Client {
    Plain(Replay),
    Tls(Box<TlsStream<Replay>>),
    TlsHttp2(Box<TlsStream<Replay>>),
}

impl Client {
    fn replay(&mut self) -> &mut Replay {
        match self {
            Self::Plain(client) => client,
            Self::Tls(stream) | Self::TlsHttp2(stream) => stream.get_mut().0,
        }
    }
}

/// Why there is no TLS with a client.
#[derive(Debug, thiserror::Error)]
pub enum TlsFault {
    /// There is no certificate for the host.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The client said that it does not take the certificate.
    #[error("the client does not trust the sandbox's authority ({0})")]
    Untrusted(&'static str),
    /// The client went away in the handshake.
    #[error("the client ended the TLS handshake; it may not trust the sandbox's authority")]
    Ended,
    /// What the client sent is not acceptable.
    #[error("the TLS handshake failed: {0}")]
    Handshake(io::Error),
    /// The client was too slow.
    #[error("the client did not finish the TLS handshake in time")]
    TimedOut,
}

/// Terminates the TLS of `client` as `host`, for requests to `destination`. The hello, which is
/// still to be read, was checked to name the host. The client may take `limit` for the handshake.
///
/// # Errors
/// See [`TlsFault`]; give it the permit with [`TlsFault::settle`].
pub async fn accept(
    authority: &Authority,
    client: Buffered,
    host: &Host,
    destination: &Destination,
    limit: Duration,
) -> Result<Opened, TlsFault> {
    let acceptor = TlsAcceptor::from(authority.config(host)?);
    let stream = match timeout(limit, acceptor.accept(Replay::new(client))).await {
        Err(_) => return Err(TlsFault::TimedOut),
        Ok(accepted) => Box::new(accepted.map_err(TlsFault::of)?),
    };
    let (_, connection) = stream.get_ref();
    let client = if connection.alpn_protocol() == Some(HTTP2) {
        Client::TlsHttp2(stream)
    } else {
        Client::Tls(stream)
    };
    Ok(Opened::new(client, destination, Scheme::Https))
}

/// Takes a client that speaks HTTP/1 without TLS to `destination`.
#[must_use]
pub fn plain(client: Buffered, destination: &Destination) -> Opened {
    let client = Client::Plain(Replay::new(client));
    Opened::new(client, destination, Scheme::Http)
}

impl Opened {
    fn new(client: Client, destination: &Destination, scheme: Scheme) -> Self {
        let destination = destination.clone();
        Self {
            client,
            place: Place {
                destination,
                scheme,
            },
            first: None,
        }
    }

    /// Serves the request with this head first, which was read of the client before. Only for a
    /// client without TLS.
    #[must_use]
    pub fn resume(mut self, head: RequestHead) -> Self {
        self.first = Some(head);
        self
    }

    /// Where the requests go.
    #[must_use]
    pub const fn destination(&self) -> &Destination {
        &self.place.destination
    }

    /// Whether they come in TLS.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.place.scheme
    }

    /// Serves the client's requests to the end of the connection. Everything that was begun for
    /// them ends with the future.
    pub async fn serve<S: Service>(self, limits: &Limits, service: Arc<S>) -> Ending {
        let activity = Arc::new(Activity::default());
        let served = self.requests(&activity, limits, service);
        let Ok(served) = timeout(limits.total_timeout, served).await else {
            return Ending::TimedOut;
        };
        match (activity.refused(), served) {
            (Some(error), _) => Ending::Refused(error.code(), error.to_string()),
            (None, Err(error)) => Ending::Broken(error),
            (None, Ok(())) => Ending::Done,
        }
    }

    async fn requests<S: Service>(
        self,
        activity: &Arc<Activity>,
        limits: &Limits,
        service: Arc<S>,
    ) -> io::Result<()> {
        let (head_limit, idle) = (limits.head_timeout, limits.keep_alive_timeout);
        let Self {
            client,
            place,
            first,
        } = self;
        let turn = Arc::new(Turn::new(Arc::clone(activity)));
        match client {
            Client::Plain(client) => {
                let mut client = Strict::new(client, place, Arc::clone(&turn), head_limit);
                if let Some(head) = first {
                    client = client.resume(&head);
                }
                http1::serve(client, turn, idle, service).await
            }
            Client::Tls(client) => {
                let client = Strict::new(client, place, Arc::clone(&turn), head_limit);
                let served = http1::serve(client, turn, idle, service).await;
                heard_of(activity).and(served)
            }
            Client::TlsHttp2(client) => {
                let served = http2::serve(client, &place, activity, idle, service).await;
                heard_of(activity).and(served)
            }
        }
    }
}

impl Gateway {
    /// Serves an intercepted client until it ends or policy takes the permit of its connection
    /// back. The connections of its pool are part of that, and end with it.
    pub async fn attend<S: Service>(
        &self,
        permit: &Permit,
        mut client: Opened,
        service: Arc<S>,
        upstreams: UpstreamTasks,
    ) -> Ending {
        client.client.replay().count_for(permit.subject());
        Calm::new(async {
            tokio::select! {
                biased;
                decision = self.revoked(permit) => Ending::Revoked(decision),
                ending = client.serve(self.limits(), service) => ending,
                () = upstreams.run() => Ending::Done,
            }
        })
        .await
    }
}

/// Some clients look at the certificate only after the handshake.
fn heard_of(activity: &Activity) -> io::Result<()> {
    if activity.served() {
        return Ok(());
    }
    let reason = "the client closed without a request; it may not trust the sandbox's authority";
    Err(io::Error::other(reason))
}

impl TlsFault {
    fn of(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof
            || error.kind() == io::ErrorKind::ConnectionReset
        {
            return Self::Ended;
        }
        let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
        match cause {
            Some(rustls::Error::AlertReceived(alert)) => match distrust(*alert) {
                Some(name) => Self::Untrusted(name),
                None => Self::Handshake(error),
            },
            _ => Self::Handshake(error),
        }
    }

    /// Closes the event of the connection.
    pub fn settle(self, permit: Permit) {
        let outcome = match self {
            Self::TimedOut => Outcome::TimedOut,
            _ => Outcome::Aborted,
        };
        permit.finish_with(outcome, self.to_string());
    }
}

/// What clients say that find no way from the certificate to an authority that they trust.
const fn distrust(alert: AlertDescription) -> Option<&'static str> {
    match alert {
        AlertDescription::UnknownCA => Some("unknown authority"),
        AlertDescription::BadCertificate => Some("bad certificate"),
        AlertDescription::CertificateUnknown => Some("certificate unknown"),
        AlertDescription::UnsupportedCertificate => Some("unsupported certificate"),
        // By a client that trusts another authority of this name, as of an earlier sandbox.
        AlertDescription::DecryptError => Some("decrypt error"),
        _ => None,
    }
}
