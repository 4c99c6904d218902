//! Opens one upstream connection: dial, TLS, and the version of HTTP that both sides speak.

use std::net::SocketAddr;

use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioIo, TokioTimer};
use ringfence_model::Scheme;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::fault::{Fault, in_words};
use super::lease::Sender;
use super::payload::Outgoing;
use super::pool::Route;
use crate::dial::Dialled;
use crate::limits::{
    UPSTREAM_CONNECTION_WINDOW, UPSTREAM_HEAD_OCTETS, UPSTREAM_HEADERS, UPSTREAM_STREAM_WINDOW,
};
use crate::local::Inbox;
use crate::pipeline::{Gateway, Permit};
use crate::tls::{ClientIdentity, Offer, TlsError};

/// What a connection is opened to, and for what.
pub(super) struct Target<'a> {
    pub(super) route: Route,
    pub(super) identity: Option<&'a ClientIdentity>,
    /// Whether the agent speaks HTTP/2, so that requests come side by side. A request that comes
    /// alone is better off with a connection of its own.
    pub(super) side_by_side: bool,
    /// Whether the request may share a connection with others: not if it takes the connection over.
    pub(super) may_share: bool,
}

/// Opens a connection. The permit proves that its destination may be dialled.
pub(super) async fn open(
    gateway: &Gateway,
    permit: &Permit,
    target: &Target<'_>,
    tasks: &Inbox,
) -> Result<(Sender, SocketAddr), Fault> {
    let offer = if target.side_by_side && target.may_share {
        Offer::Both
    } else {
        Offer::Http1
    };
    let dialled = gateway.dial(permit).await?;
    match on(gateway, dialled, (target, offer), tasks).await {
        // Some upstreams speak HTTP/2 alone, as gRPC servers do.
        Err(Fault::Tls(TlsError::NoProtocol(_))) if offer == Offer::Http1 && target.may_share => {
            let dialled = gateway.dial(permit).await?;
            on(gateway, dialled, (target, Offer::Both), tasks).await
        }
        opened => opened,
    }
}

/// TLS, where it is wanted, and HTTP on a connection that was dialled.
pub(super) async fn on(
    gateway: &Gateway,
    dialled: Dialled,
    (target, offer): (&Target<'_>, Offer),
    tasks: &Inbox,
) -> Result<(Sender, SocketAddr), Fault> {
    let Dialled { stream, address } = dialled;
    let (socket, ahead) = stream.into_parts();
    if !ahead.is_empty() {
        let reason = "the upstream spoke before it was asked";
        return Err(Fault::Upstream(reason.to_owned()));
    }
    let sender = match target.route.scheme {
        Scheme::Http => handshake_1(socket, tasks).await?,
        Scheme::Https => over_tls(gateway, socket, (target, offer), tasks).await?,
    };
    Ok((sender, address))
}

async fn over_tls(
    gateway: &Gateway,
    socket: TcpStream,
    (target, offer): (&Target<'_>, Offer),
    tasks: &Inbox,
) -> Result<Sender, Fault> {
    let host = &target.route.destination.host;
    let wait = gateway.limits().connect_timeout;
    let with = (offer, target.identity);
    let tls = &gateway.upstreams().tls;
    let stream = tls.connect(socket, host, with, wait).await?;
    match stream.get_ref().1.alpn_protocol() {
        Some(b"h2") => handshake_2(stream, tasks).await,
        _ => handshake_1(stream, tasks).await,
    }
}

pub(super) async fn handshake_1<S>(stream: S, tasks: &Inbox) -> Result<Sender, Fault>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http1::Builder::new()
        .max_headers(UPSTREAM_HEADERS)
        .max_header_size(UPSTREAM_HEAD_OCTETS)
        .max_buf_size(2 * UPSTREAM_HEAD_OCTETS)
        .handshake::<_, Outgoing>(TokioIo::new(stream))
        .await
        .map_err(|error| Fault::Upstream(in_words(&error)))?;
    tasks.spawn(async {
        // Its request learns of its fate as well.
        let _ = connection.with_upgrades().await;
    });
    Ok(Sender::Http1(sender))
}

async fn handshake_2<S>(stream: S, tasks: &Inbox) -> Result<Sender, Fault>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http2::Builder::new(tasks.clone())
        .timer(TokioTimer::new())
        .initial_stream_window_size(UPSTREAM_STREAM_WINDOW)
        .initial_connection_window_size(UPSTREAM_CONNECTION_WINDOW)
        .max_header_list_size(u32::try_from(UPSTREAM_HEAD_OCTETS).unwrap_or(u32::MAX))
        .handshake::<_, Outgoing>(TokioIo::new(stream))
        .await
        .map_err(|error| Fault::Upstream(in_words(&error)))?;
    tasks.spawn(async {
        let _ = connection.await;
    });
    Ok(Sender::Http2(sender))
}
