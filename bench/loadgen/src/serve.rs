//! A server of HTTP/1.1 on 127.0.0.1, over TLS or plain; one task for each connection.

use std::convert::Infallible;
use std::error::Error;
use std::net::Ipv4Addr;

use anyhow::Result;
use hyper::body::{Body, Incoming};
use hyper::rt::{Read, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::task::{LocalSet, spawn_local};
use tokio_rustls::TlsAcceptor;

/// Answers every request by `answer`, until the process ends.
pub async fn serve<A, F, B>(port: u16, tls: Option<TlsAcceptor>, answer: A) -> Result<Infallible>
where
    A: Fn(Request<Incoming>) -> F + Clone + 'static,
    F: Future<Output = Response<B>> + 'static,
    B: Body + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    LocalSet::new().run_until(accept(port, tls, answer)).await
}

async fn accept<A, F, B>(port: u16, tls: Option<TlsAcceptor>, answer: A) -> Result<Infallible>
where
    A: Fn(Request<Incoming>) -> F + Clone + 'static,
    F: Future<Output = Response<B>> + 'static,
    B: Body + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (tls, answer) = (tls.clone(), answer.clone());
        spawn_local(async move {
            match tls {
                // Whoever breaks off a handshake is of no interest.
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        connection(TokioIo::new(stream), answer).await;
                    }
                }
                None => connection(TokioIo::new(stream), answer).await,
            }
        });
    }
}

/// Serves one connection, until either side has had enough.
async fn connection<S, A, F, B>(stream: S, answer: A)
where
    S: Read + Write + Unpin + 'static,
    A: Fn(Request<Incoming>) -> F,
    F: Future<Output = Response<B>>,
    B: Body + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let service = service_fn(|request| {
        let answering = answer(request);
        async move { Ok::<_, Infallible>(answering.await) }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(stream, service);
    let _ = serving.await;
}
