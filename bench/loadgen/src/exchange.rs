//! Kept connections: requests and answers over HTTP/1.1 or HTTP/2 over TLS, or over plain HTTP/1.1.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use clap::ValueEnum;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::header::HOST;
use hyper::rt::{Executor, Read, Write};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;

use crate::target::Target;
use crate::tls::{Connector, HTTP1, HTTP2};

/// What is spoken with the upstream.
#[derive(Clone, Copy, ValueEnum)]
pub enum Protocol {
    /// HTTP/1.1 over TLS.
    Http1,
    /// HTTP/2 over TLS.
    Http2,
    /// HTTP/1.1 without TLS; a proxy is told the whole URL in place of a tunnel.
    Plain,
    /// HTTP/1.1 without TLS, in a tunnel where there is a proxy.
    Tunnelled,
}

/// How to open connections to the upstream.
pub struct Opener {
    target: Target,
    protocol: Protocol,
    tls: Connector,
}

impl Opener {
    pub fn new(target: Target, protocol: Protocol) -> Result<Self> {
        let offered = match protocol {
            Protocol::Http2 => HTTP2,
            _ => HTTP1,
        };
        Ok(Self {
            target,
            protocol,
            tls: Connector::new(offered)?,
        })
    }

    /// Opens one. It must be called within a `LocalSet`, where the connection goes on by itself.
    pub async fn open(&self) -> Result<Connection> {
        let authority = self.target.authority();
        match self.protocol {
            Protocol::Plain => {
                let stream = self.target.connect_plainly().await?;
                Connection::http1(stream, self.target.plain_prefix(), authority).await
            }
            Protocol::Tunnelled => {
                let stream = self.target.connect().await?;
                Connection::http1(stream, String::new(), authority).await
            }
            Protocol::Http1 => {
                let stream = self.tls.connect(self.target.connect().await?).await?;
                Connection::http1(stream, String::new(), authority).await
            }
            Protocol::Http2 => {
                let stream = self.tls.connect(self.target.connect().await?).await?;
                let agreed = stream.get_ref().1.alpn_protocol();
                ensure!(agreed == Some(HTTP2), "HTTP/2 was not agreed on");
                Connection::http2(stream, &authority).await
            }
        }
    }
}

/// One open connection. With HTTP/2, clones ask over the same one.
pub struct Connection {
    sender: Sender,
    /// What goes before the path in the request.
    prefix: String,
    /// The `Host` of HTTP/1.1; with HTTP/2 it is in the prefix.
    host: Option<String>,
}

enum Sender {
    Http1(http1::SendRequest<Empty<Bytes>>),
    Http2(http2::SendRequest<Empty<Bytes>>),
}

impl Connection {
    async fn http1<S>(stream: S, prefix: String, host: String) -> Result<Self>
    where
        TokioIo<S>: Read + Write + Unpin,
        S: 'static,
    {
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::task::spawn_local(connection);
        Ok(Self {
            sender: Sender::Http1(sender),
            prefix,
            host: Some(host),
        })
    }

    async fn http2<S>(stream: S, authority: &str) -> Result<Self>
    where
        TokioIo<S>: Read + Write + Unpin,
        S: 'static,
    {
        let (sender, connection) = http2::handshake(Local, TokioIo::new(stream)).await?;
        tokio::task::spawn_local(connection);
        Ok(Self {
            sender: Sender::Http2(sender),
            prefix: format!("https://{authority}"),
            host: None,
        })
    }

    /// Another one to ask over the same connection; none with HTTP/1.1, which answers one request at a time.
    pub fn share(&self) -> Option<Self> {
        let Sender::Http2(sender) = &self.sender else {
            return None;
        };
        Some(Self {
            sender: Sender::Http2(sender.clone()),
            prefix: self.prefix.clone(),
            host: None,
        })
    }

    /// Asks for a path and reads the whole answer, which must be a 200. Each part's size is handed to `arrived`.
    pub async fn ask(&mut self, path: &str, mut arrived: impl FnMut(usize)) -> Result<()> {
        let mut request = Request::get(format!("{}{path}", self.prefix));
        if let Some(host) = &self.host {
            request = request.header(HOST, host);
        }
        let request = request.body(Empty::new())?;
        let mut answer = self.sender.send(request).await?;
        ensure!(
            answer.status() == StatusCode::OK,
            "status {}",
            answer.status()
        );
        while let Some(frame) = answer.frame().await {
            arrived(frame?.data_ref().map_or(0, Bytes::len));
        }
        Ok(())
    }
}

impl Sender {
    async fn send(&mut self, request: Request<Empty<Bytes>>) -> Result<Response<Incoming>> {
        let answer = match self {
            Self::Http1(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
            Self::Http2(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
        };
        answer.context("no answer")
    }
}

/// Runs what belongs to an HTTP/2 connection on this thread.
#[derive(Clone, Copy)]
struct Local;

impl<F> Executor<F> for Local
where
    F: Future + 'static,
{
    fn execute(&self, future: F) {
        tokio::task::spawn_local(async move {
            future.await;
        });
    }
}
