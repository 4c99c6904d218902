//! A client of a language model: one kept connection, requests that differ in a number.

use std::fs;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use clap::Args;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::spawn_local;
use tokio::time::timeout;

use crate::tls::{Connector, HTTP1};

/// What stands where the number goes.
const NUMBER: &[u8] = b"@@@@@@@@";
const LIMIT: Duration = Duration::from_secs(20);
/// Octets of a refusal that are told.
const TOLD: usize = 300;

/// Where a model is, and what it is asked.
#[derive(Args, Clone)]
pub struct Target {
    /// The URL of the endpoint.
    #[arg(long)]
    url: Uri,
    /// `Name: value`; `${NAME}` in it is the variable of the environment.
    #[arg(long = "header")]
    headers: Vec<String>,
    /// The file that holds the request. Eight `@` in it become a number, another one each time.
    #[arg(long)]
    body: PathBuf,
}

/// What all clients of one measurement share.
pub struct Model {
    url: Uri,
    headers: HeaderMap,
    body: Vec<u8>,
    number_at: Option<usize>,
    tls: Option<Connector>,
}

impl Target {
    pub fn open(&self) -> Result<Rc<Model>> {
        let body = fs::read(&self.body).with_context(|| self.body.display().to_string())?;
        let is_tls = self.url.scheme_str() == Some("https");
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let authority = self.url.authority().context("no host in the URL")?;
        headers.insert(HOST, authority.as_str().parse()?);
        for header in &self.headers {
            let (name, value) = header
                .split_once(": ")
                .context("a header without a colon")?;
            headers.insert(name.parse::<HeaderName>()?, expanded(value)?.parse()?);
        }
        Ok(Rc::new(Model {
            number_at: body.windows(NUMBER.len()).position(|part| part == NUMBER),
            tls: is_tls.then(|| Connector::new(HTTP1)).transpose()?,
            url: self.url.clone(),
            headers,
            body,
        }))
    }
}

/// A value with a variable of the environment in it.
fn expanded(value: &str) -> Result<String> {
    let Some((before, rest)) = value.split_once("${") else {
        return Ok(value.to_owned());
    };
    let (name, after) = rest.split_once('}').context("a variable without an end")?;
    let inside = std::env::var(name).with_context(|| format!("variable {name}"))?;
    Ok(format!("{before}{inside}{after}"))
}

impl Model {
    fn request(&self, number: u64) -> Result<Request<Full<Bytes>>> {
        let mut body = self.body.clone();
        if let Some(at) = self.number_at {
            let digits = format!("{:08}", number % 100_000_000);
            body[at..at + NUMBER.len()].copy_from_slice(digits.as_bytes());
        }
        let path = self.url.path_and_query().context("no path in the URL")?;
        let mut request = Request::post(path.as_str()).body(Full::from(body))?;
        *request.headers_mut() = self.headers.clone();
        Ok(request)
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>> {
        let host = self.url.host().context("no host in the URL")?;
        let usual = if self.tls.is_some() { 443 } else { 80 };
        let port = self.url.port_u16().unwrap_or(usual);
        let stream = TcpStream::connect((host, port)).await?;
        stream.set_nodelay(true)?;
        let Some(tls) = &self.tls else {
            let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
            spawn_local(connection);
            return Ok(sender);
        };
        let stream = TokioIo::new(tls.connect(stream).await?);
        let (sender, connection) = http1::handshake(stream).await?;
        spawn_local(connection);
        Ok(sender)
    }
}

/// One client. Its connection is opened where there is none.
pub struct Client {
    model: Rc<Model>,
    sender: Option<SendRequest<Full<Bytes>>>,
    next: u64,
}

impl Client {
    /// The client at this position among all, so that no two ask the same.
    pub fn new(model: &Rc<Model>, position: usize) -> Self {
        Self {
            model: Rc::clone(model),
            sender: None,
            next: position as u64 * 100_000,
        }
    }

    /// Asks; the answer is a 200 whose body has not been read. After an error the next request has a connection of its own.
    pub async fn ask(&mut self) -> Result<Answer> {
        let asked = timeout(LIMIT, self.ask_now()).await;
        asked.context("no answer in time").and_then(|inner| inner)
    }

    async fn ask_now(&mut self) -> Result<Answer> {
        let mut sender = match self.sender.take() {
            Some(sender) if !sender.is_closed() => sender,
            _ => self.model.connect().await.context("no connection")?,
        };
        sender.ready().await?;
        self.next += 1;
        let request = self.model.request(self.next)?;
        let response = sender.send_request(request).await?;
        if response.status() != 200 {
            return Err(refused(response).await);
        }
        self.sender = Some(sender);
        Ok(Answer(response.into_body()))
    }
}

async fn refused(response: Response<Incoming>) -> anyhow::Error {
    let status = response.status();
    let body = response.into_body().collect().await;
    let octets = body.map(|body| body.to_bytes()).unwrap_or_default();
    let told = String::from_utf8_lossy(&octets[..octets.len().min(TOLD)]).into_owned();
    anyhow::anyhow!("status {status}: {told}")
}

/// The body of an answer.
pub struct Answer(Incoming);

impl Answer {
    /// What comes next; none at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            let frame = timeout(LIMIT, self.0.frame()).await;
            match frame.context("no part of the answer in time")? {
                None => return Ok(None),
                Some(Err(error)) => bail!(error),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }

    /// Reads it to its end.
    pub async fn finish(mut self) -> Result<()> {
        let mut octets = 0;
        while let Some(part) = self.next().await? {
            octets += part.len();
        }
        ensure!(octets > 0, "an empty answer");
        Ok(())
    }
}
