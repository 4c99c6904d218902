//! An HTTP/1.1 upstream that keeps every request as the octets that arrived, and answers scripted octets, well-formed or not.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use crate::tcp::{Connection, TcpServer};

/// A plain answer: 200, `ok`.
pub const OK: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Type: text/plain\r\n\r\nok\n";

const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// What the upstream does after a request.
pub enum Answer {
    /// Sends the octets and waits for the next request.
    Send(Vec<u8>),
    /// Sends the octets and closes the connection.
    SendAndClose(Vec<u8>),
}

/// The upstream. Requests are told apart by their framing, `Content-Length` or `chunked`; nothing else in them is looked at.
pub struct HttpUpstream {
    server: TcpServer,
    requests: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl HttpUpstream {
    /// Answers [`OK`] to everything.
    pub fn ok() -> io::Result<Self> {
        Self::start(|_| Answer::Send(OK.to_vec()))
    }

    /// Sends these octets after each request and closes.
    pub fn once(octets: &[u8]) -> io::Result<Self> {
        let octets = octets.to_vec();
        Self::start(move |_| Answer::SendAndClose(octets.clone()))
    }

    /// Answers as `answer` says to the octets of a request (head and body).
    pub fn start<Answering>(answer: Answering) -> io::Result<Self>
    where
        Answering: Fn(&[u8]) -> Answer + Send + Sync + 'static,
    {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&requests);
        let address = (Ipv4Addr::LOCALHOST, 0).into();
        let server = TcpServer::start(address, move |connection| {
            serve(connection, &record, &answer)
        })?;
        Ok(Self { server, requests })
    }

    /// Where the upstream listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The octets of every complete request so far.
    pub fn requests(&self) -> Vec<Vec<u8>> {
        self.requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The connections underneath: also shows what never became a complete request.
    pub fn connections(&self) -> &TcpServer {
        &self.server
    }
}

fn serve(
    connection: &mut Connection,
    record: &Mutex<Vec<Vec<u8>>>,
    answer: &dyn Fn(&[u8]) -> Answer,
) -> io::Result<()> {
    let mut pending = Vec::new();
    while let Some(request) = next_request(connection, &mut pending)? {
        let answered = answer(&request);
        record
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(request);
        match answered {
            Answer::Send(octets) => connection.write(&octets)?,
            Answer::SendAndClose(octets) => return connection.write(&octets),
        }
    }
    Ok(())
}

/// The next whole request; what follows it stays in `pending`.
fn next_request(connection: &mut Connection, pending: &mut Vec<u8>) -> io::Result<Option<Vec<u8>>> {
    loop {
        if let Some(length) = request_length(pending) {
            let rest = pending.split_off(length);
            return Ok(Some(std::mem::replace(pending, rest)));
        }
        match connection.read()? {
            Some(octets) => pending.extend(octets),
            None => return Ok(None),
        }
    }
}

/// The length of the first request in the octets, once all of it is there.
fn request_length(octets: &[u8]) -> Option<usize> {
    let head_length = find(octets, END_OF_HEAD)? + END_OF_HEAD.len();
    let (head, rest) = octets.split_at_checked(head_length)?;
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let field = |name: &str| {
        head.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .map(str::trim)
    };
    let body_length = if field("transfer-encoding") == Some("chunked") {
        chunked_length(rest)?
    } else {
        field("content-length").map_or(Some(0), |length| length.parse().ok())?
    };
    (rest.len() >= body_length).then_some(head_length + body_length)
}

fn chunked_length(body: &[u8]) -> Option<usize> {
    let mut length = 0;
    loop {
        let chunk = body.get(length..)?;
        let line_end = find(chunk, b"\r\n")?;
        let line = std::str::from_utf8(chunk.get(..line_end)?).ok()?;
        let size = usize::from_str_radix(line.split(';').next()?.trim(), 16).ok()?;
        if size == 0 {
            return Some(
                length + line_end + find(chunk.get(line_end..)?, END_OF_HEAD)? + END_OF_HEAD.len(),
            );
        }
        length += line_end + size + 4;
    }
}

fn find(octets: &[u8], part: &[u8]) -> Option<usize> {
    octets.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests;
