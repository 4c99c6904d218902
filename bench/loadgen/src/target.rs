//! Where the load goes: straight to the upstream, or through a proxy's `CONNECT`.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const ANSWER_LIMIT: usize = 8 * 1024;
const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// The upstream is called `localhost`: proxies decide by that name. It is dialled at 127.0.0.1 where there is no proxy.
#[derive(Args, Clone)]
pub struct Target {
    /// The upstream's port on localhost.
    #[arg(long)]
    port: u16,
    /// The proxy's address; without it, the upstream is dialled directly.
    #[arg(long)]
    proxy: Option<SocketAddr>,
    /// The proxy's process, for its CPU time and memory.
    #[arg(long)]
    pub pid: Option<u32>,
}

impl Target {
    /// The upstream's name, for SNI.
    pub const NAME: &str = "localhost";

    /// Where the connection goes first.
    pub fn first_hop(&self) -> SocketAddr {
        self.proxy
            .unwrap_or(SocketAddr::from(([127, 0, 0, 1], self.port)))
    }

    /// The upstream's name and port.
    pub fn authority(&self) -> String {
        format!("{}:{}", Self::NAME, self.port)
    }

    /// What goes before the path where there is no tunnel: a proxy needs the whole URL.
    pub fn plain_prefix(&self) -> String {
        self.proxy
            .map(|_| format!("http://{}", self.authority()))
            .unwrap_or_default()
    }

    /// Opens a connection to whoever is first, and no tunnel.
    pub async fn connect_plainly(&self) -> Result<TcpStream> {
        let stream = TcpStream::connect(self.first_hop()).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// What a proxy is told, none without one.
    pub fn connect_request(&self) -> Option<String> {
        let authority = self.authority();
        self.proxy
            .map(|_| format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n"))
    }

    /// Opens a connection to the upstream, through the proxy if there is one.
    pub async fn connect(&self) -> Result<TcpStream> {
        let mut stream = self.connect_plainly().await?;
        if let Some(request) = self.connect_request() {
            stream.write_all(request.as_bytes()).await?;
            let mut answer = Vec::with_capacity(512);
            // Nothing follows the head of a good answer before we have spoken.
            while !answer.windows(4).any(|part| part == END_OF_HEAD) {
                let count = stream.read_buf(&mut answer).await?;
                ensure!(count > 0, "closed during CONNECT");
                ensure!(answer.len() < ANSWER_LIMIT, "endless answer to CONNECT");
            }
            check_answer(&answer)?;
        }
        Ok(stream)
    }
}

/// Whether a proxy has answered 200.
pub fn check_answer(answer: &[u8]) -> Result<()> {
    let text = String::from_utf8_lossy(answer);
    let status = text
        .split(' ')
        .nth(1)
        .context("no status in the answer to CONNECT")?;
    if status != "200" {
        bail!("CONNECT refused with {status}");
    }
    Ok(())
}
