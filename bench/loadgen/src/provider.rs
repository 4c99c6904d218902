//! A provider of language models without a model, over HTTPS: OpenAI's chat completions and Anthropic's messages, as one JSON object or as
//! a stream of events at an even pace. It wants its key in each request.

mod body;
mod wire;

use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use clap::Args;
use http_body_util::{BodyExt, Either, Full};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::{Request, Response, StatusCode};
use serde::Deserialize;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::serve::serve;
use crate::tls::HTTP1;
use body::Paced;
use wire::{Dialect, Wire};

#[derive(Args)]
pub struct Options {
    /// The port on 127.0.0.1.
    #[arg(long)]
    port: u16,
    /// Its certificate, PEM.
    #[arg(long)]
    certificate: PathBuf,
    /// The private key of the certificate, PEM.
    #[arg(long)]
    private_key: PathBuf,
    /// The key that requests must carry.
    #[arg(long)]
    key: String,
    /// Milliseconds between two events of a stream.
    #[arg(long, default_value_t = 50)]
    pause: u64,
    /// The same for slow models, which are asked where streams only have to be there.
    #[arg(long, default_value_t = 1000)]
    slow_pause: u64,
    /// A slow model.
    #[arg(long)]
    slow: Vec<String>,
}

pub async fn run(options: Options) -> Result<Infallible> {
    let tls = acceptor(&options)?;
    let options = Rc::new(options);
    serve(options.port, Some(tls), move |request| {
        let options = Rc::clone(&options);
        async move {
            let answered = answer(request, &options).await;
            answered.unwrap_or_else(|(status, why)| failed(status, &why))
        }
    })
    .await
}

fn acceptor(options: &Options) -> Result<TlsAcceptor> {
    let certificate = CertificateDer::from_pem_file(&options.certificate).context("certificate")?;
    let key = PrivateKeyDer::from_pem_file(&options.private_key).context("private key")?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    config.alpn_protocols = vec![HTTP1.to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// What the provider wants to know of a request.
#[derive(Deserialize)]
struct Asked {
    model: String,
    /// How many events of text a stream has.
    max_tokens: u32,
    #[serde(default)]
    stream: bool,
    #[serde(default)]
    stream_options: StreamOptions,
}

#[derive(Deserialize, Default)]
struct StreamOptions {
    #[serde(default)]
    include_usage: bool,
}

type Answer = Response<Either<Full<Bytes>, Paced>>;
type Failed = (StatusCode, String);

async fn answer(request: Request<Incoming>, options: &Options) -> Result<Answer, Failed> {
    let dialect = match request.uri().path() {
        "/v1/chat/completions" => Dialect::OpenAi,
        "/v1/messages" => Dialect::Anthropic,
        other => return Err((StatusCode::NOT_FOUND, format!("no such path: {other}"))),
    };
    if !is_known(&request, &options.key) {
        let why = "the key is not the one that this provider gave out".to_owned();
        return Err((StatusCode::UNAUTHORIZED, why));
    }
    let bad = |why: &dyn fmt::Display| (StatusCode::BAD_REQUEST, why.to_string());
    let body = request.into_body().collect().await.map_err(|e| bad(&e))?;
    let asked: Asked = serde_json::from_slice(&body.to_bytes()).map_err(|e| bad(&e))?;
    let wire = Wire::new(dialect, asked.model, asked.stream_options.include_usage);
    if !asked.stream {
        return Ok(typed("application/json", Either::Left(wire.whole().into())));
    }
    let is_slow = options.slow.contains(&wire.model);
    let pause = if is_slow {
        options.slow_pause
    } else {
        options.pause
    };
    let paced = Paced::new(wire, asked.max_tokens, Duration::from_millis(pause));
    Ok(typed("text/event-stream", Either::Right(paced)))
}

/// Whether a request carries the key, as either dialect has it.
fn is_known(request: &Request<Incoming>, key: &str) -> bool {
    let headers = request.headers();
    let bearer = headers.get(AUTHORIZATION).map(|it| it.as_bytes());
    let plain = headers.get("x-api-key").map(|it| it.as_bytes());
    bearer.and_then(|it| it.strip_prefix(b"Bearer ")) == Some(key.as_bytes())
        || plain == Some(key.as_bytes())
}

fn typed(media: &'static str, body: Either<Full<Bytes>, Paced>) -> Answer {
    let mut response = Response::new(body);
    let media = hyper::header::HeaderValue::from_static(media);
    response.headers_mut().insert(CONTENT_TYPE, media);
    response
}

fn failed(status: StatusCode, why: &str) -> Answer {
    let told = serde_json::json!({ "type": "error", "error": { "type": "invalid_request_error", "message": why } });
    let mut response = typed(
        "application/json",
        Either::Left(told.to_string().into_bytes().into()),
    );
    *response.status_mut() = status;
    response
}
