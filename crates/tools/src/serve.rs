//! From standard input to a server: the first line says which tools, what follows is the protocol.

use std::collections::BTreeMap;

use rmcp::serve_server;
use rmcp::transport::async_rw::AsyncRwTransport;
use serde::Deserialize;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, BufReader};

use crate::error::DefinitionError;
use crate::limits::LINE_OCTETS;
use crate::server::Server;
use crate::tool::{Catalogue, Surroundings};
use crate::{cloud, document, openapi};

/// Where tools come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A file of `kind: Tools`.
    Tools,
    /// A description of an API (OpenAPI 3.0 or 3.1).
    Openapi,
    /// Those that are built in, for clouds.
    Cloud,
}

/// The first line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    kind: Kind,
    #[serde(default)]
    text: String,
}

/// Why a server ended before its client was done.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The first line is not what it has to be.
    #[error(
        "the first line of standard input has to be {{\"kind\": \"tools\"|\"openapi\"|\"cloud\", \"text\": …}}, at most {LINE_OCTETS} octets: {0}"
    )]
    FirstLine(String),
    /// The tools are not usable.
    #[error("{0}")]
    Definition(#[from] DefinitionError),
    /// The client does not speak the protocol.
    #[error("the client does not speak MCP: {0}")]
    Protocol(String),
}

/// Reads what `text` describes.
///
/// # Errors
/// What is wrong with it, and where.
pub fn read(kind: Kind, text: &str) -> Result<Catalogue, DefinitionError> {
    match kind {
        Kind::Tools => document::read(text),
        Kind::Openapi => openapi::read(text),
        Kind::Cloud => cloud::catalogue(),
    }
}

/// Serves until the client goes. `environment` are the variables of this process.
///
/// # Errors
/// Where there is nothing to serve, or nobody who speaks the protocol.
pub async fn serve<R, W>(
    input: R,
    output: W,
    environment: BTreeMap<String, String>,
) -> Result<(), ServeError>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let mut input = BufReader::new(input);
    let given = given(&mut input).await?;
    let catalogue = read(given.kind, &given.text)?;
    let server = Server::new(catalogue, Surroundings::new(environment));
    let transport = AsyncRwTransport::new_server(input, output).with_max_line_length(LINE_OCTETS);
    let failed = |error: String| ServeError::Protocol(error);
    let running = serve_server(server, transport).await;
    let running = running.map_err(|error| failed(error.to_string()))?;
    let ended = running.waiting().await;
    ended.map(drop).map_err(|error| failed(error.to_string()))
}

async fn given(input: &mut (impl AsyncBufRead + Unpin)) -> Result<Given, ServeError> {
    let mut line = Vec::new();
    let most = u64::try_from(LINE_OCTETS).unwrap_or(u64::MAX);
    let read = input.take(most).read_until(b'\n', &mut line).await;
    read.map_err(|error| ServeError::FirstLine(error.to_string()))?;
    if line.last() != Some(&b'\n') {
        return Err(ServeError::FirstLine("it has no end".to_owned()));
    }
    serde_json::from_slice(&line).map_err(|error| ServeError::FirstLine(error.to_string()))
}

#[cfg(test)]
mod tests;
