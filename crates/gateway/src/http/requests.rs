//! Reads requests from a client, one after another. Bytes of a later request stay in the
//! buffer while an earlier one is served.

use std::io;
use std::time::Duration;

use tokio::time::timeout;

use super::body::{Sink, transfer};
use crate::limits::{REFUSED_BODY_OCTETS, REFUSED_BODY_WAIT};
use crate::stream::Buffered;
use crate::wire::http::{HttpError, RequestHead, RequestReader};

/// Why there is no next request.
#[derive(Debug)]
pub enum Interrupted {
    /// The client closed between requests.
    Closed,
    /// The client broke off.
    Broken(io::Error),
    /// The client was too slow; the flag says whether a head had begun.
    TimedOut(bool),
    /// It is no request that may go on.
    Malformed(HttpError),
}

/// Reads the head of the next request. The client may take `idle` to begin and `whole` from
/// then on.
///
/// # Errors
/// See [`Interrupted`]. Cancelling it loses nothing.
pub async fn next_request(
    client: &mut Buffered,
    idle: Duration,
    whole: Duration,
) -> Result<RequestHead, Interrupted> {
    if client.ahead().is_empty() {
        match timeout(idle, client.fill()).await {
            Err(_) => return Err(Interrupted::TimedOut(false)),
            Ok(Ok(0)) => return Err(Interrupted::Closed),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(Interrupted::Broken(error)),
        }
    }
    match timeout(whole, read_head(client)).await {
        Err(_) => Err(Interrupted::TimedOut(true)),
        Ok(result) => result,
    }
}

/// Reads and drops the body of a refused request, within bounds. False where the connection
/// cannot carry another request after that.
pub async fn drain_body(client: &mut Buffered, head: &RequestHead) -> bool {
    if head.expect_continue {
        return false;
    }
    let (_, mut reading) = client.split();
    let sink = Sink::Nowhere(REFUSED_BODY_OCTETS);
    let draining = transfer(&mut reading, head.body, sink, |_| {});
    matches!(timeout(REFUSED_BODY_WAIT, draining).await, Ok(Ok(())))
}

async fn read_head(client: &mut Buffered) -> Result<RequestHead, Interrupted> {
    let mut reader = RequestReader::default().with_websocket();
    loop {
        match reader
            .read(client.ahead())
            .map_err(Interrupted::Malformed)?
        {
            Some((head, used)) => {
                client.consume(used);
                return Ok(head);
            }
            None => match client.fill().await.map_err(Interrupted::Broken)? {
                0 => return Err(Interrupted::Broken(io::ErrorKind::UnexpectedEof.into())),
                _ => continue,
            },
        }
    }
}
