//! Moves one message body. It is decoded and written anew, so that framing that was not
//! understood goes nowhere.

use std::io;

use tokio::net::TcpStream;

use crate::stream::{Reading, write_all};
use crate::wire::http::{BodyKind, CHUNK_TAIL, ChunkedReader, HttpError, LAST_CHUNK, chunk_head};

/// Why a body did not reach its end.
#[derive(Debug)]
pub(super) enum BodyError {
    /// The side that sends it broke off.
    Source(io::Error),
    /// The side that gets it broke off.
    Sink(io::Error),
    /// It is malformed.
    Malformed(HttpError),
}

/// Where body octets go.
pub(super) enum Sink<'a> {
    /// As they are.
    Plain(&'a TcpStream),
    /// In chunks.
    Chunks(&'a TcpStream),
    /// Nowhere, up to so many.
    Nowhere(u64),
}

impl<'a> Sink<'a> {
    /// A sink that frames as a head with `kind` announced.
    pub(super) const fn framed(kind: BodyKind, to: &'a TcpStream) -> Self {
        match kind {
            BodyKind::Chunked => Self::Chunks(to),
            BodyKind::None | BodyKind::Length(_) | BodyKind::UntilClose => Self::Plain(to),
        }
    }

    async fn put(&mut self, octets: &[u8]) -> Result<(), BodyError> {
        match self {
            Self::Plain(to) => write_all(to, octets).await.map_err(BodyError::Sink),
            Self::Chunks(to) => {
                let mut chunk = Vec::with_capacity(octets.len() + 20);
                chunk_head(octets.len(), &mut chunk);
                chunk.extend_from_slice(octets);
                chunk.extend_from_slice(CHUNK_TAIL);
                write_all(to, &chunk).await.map_err(BodyError::Sink)
            }
            Self::Nowhere(room) => match room.checked_sub(octets.len() as u64) {
                Some(left) => {
                    *room = left;
                    Ok(())
                }
                None => Err(BodyError::Sink(io::ErrorKind::FileTooLarge.into())),
            },
        }
    }

    async fn end(&mut self) -> Result<(), BodyError> {
        match self {
            Self::Chunks(to) => write_all(to, LAST_CHUNK).await.map_err(BodyError::Sink),
            Self::Plain(_) | Self::Nowhere(_) => Ok(()),
        }
    }
}

/// Moves a body of `kind` and counts its octets.
pub(super) async fn transfer(
    from: &mut Reading<'_>,
    kind: BodyKind,
    mut sink: Sink<'_>,
    count: impl Fn(usize),
) -> Result<(), BodyError> {
    match kind {
        BodyKind::None => return Ok(()),
        BodyKind::Length(length) => exactly(from, length, &mut sink, count).await?,
        BodyKind::Chunked => chunked(from, &mut sink, count).await?,
        BodyKind::UntilClose => until_close(from, &mut sink, count).await?,
    }
    sink.end().await
}

async fn exactly(
    from: &mut Reading<'_>,
    mut left: u64,
    sink: &mut Sink<'_>,
    count: impl Fn(usize),
) -> Result<(), BodyError> {
    while left > 0 {
        more(from).await?;
        let there = from.ahead().len();
        let take = usize::try_from(left).map_or(there, |left| left.min(there));
        sink.put(from.ahead().get(..take).unwrap_or_default())
            .await?;
        from.consume(take);
        count(take);
        left -= take as u64;
    }
    Ok(())
}

async fn chunked(
    from: &mut Reading<'_>,
    sink: &mut Sink<'_>,
    count: impl Fn(usize),
) -> Result<(), BodyError> {
    let mut reader = ChunkedReader::default();
    loop {
        more(from).await?;
        let step = reader.feed(from.ahead()).map_err(BodyError::Malformed)?;
        let (consumed, done) = (step.consumed, step.done);
        if !step.data.is_empty() {
            sink.put(step.data).await?;
            count(step.data.len());
        }
        from.consume(consumed);
        if done {
            return Ok(());
        }
    }
}

async fn until_close(
    from: &mut Reading<'_>,
    sink: &mut Sink<'_>,
    count: impl Fn(usize),
) -> Result<(), BodyError> {
    loop {
        if from.ahead().is_empty() && from.fill().await.map_err(BodyError::Source)? == 0 {
            return Ok(());
        }
        let there = from.ahead().len();
        sink.put(from.ahead()).await?;
        from.consume(there);
        count(there);
    }
}

/// Sees to it that something was read ahead.
async fn more(from: &mut Reading<'_>) -> Result<(), BodyError> {
    if from.ahead().is_empty() && from.fill().await.map_err(BodyError::Source)? == 0 {
        return Err(BodyError::Source(io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(())
}
