//! A download on its way to the client: its last octets go on only if all of it is what its name
//! says.

use std::fmt::Write as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use ringfence_gateway::http::{BodyError, ResponseBody};
use sha2::{Digest as _, Sha256};

/// What should come.
pub(super) struct Expected {
    pub(super) oid: String,
    pub(super) octets: u64,
}

/// The body `source`, cut where it is not what is expected, which `refused` is told.
pub(super) fn verified(
    source: ResponseBody,
    expected: Expected,
    refused: impl FnOnce(&str) + Send + 'static,
) -> ResponseBody {
    ResponseBody::new(Verified {
        source,
        left: expected.octets,
        given: expected.octets,
        oid: expected.oid,
        digest: Some(Sha256::new()),
        held: Bytes::new(),
        refused: Some(Box::new(refused)),
    })
}

/// A digest as it is written.
pub(super) fn hexadecimal(digest: &[u8]) -> String {
    let mut text = String::with_capacity(2 * digest.len());
    for octet in digest {
        let _ = write!(text, "{octet:02x}");
    }
    text
}

struct Verified {
    source: ResponseBody,
    /// Octets that are still to come.
    left: u64,
    /// Octets that the client does not have yet.
    given: u64,
    oid: String,
    /// None when it is over.
    digest: Option<Sha256>,
    /// The last piece, which waits for the next one or the end.
    held: Bytes,
    refused: Option<OnRefusal>,
}

/// What is told why the rest does not come.
type OnRefusal = Box<dyn FnOnce(&str) + Send>;

impl Verified {
    fn refuse(&mut self, reason: &str) -> BodyError {
        self.digest = None;
        if let Some(refused) = self.refused.take() {
            refused(reason);
        }
        BodyError::Refused(reason.to_owned())
    }

    fn end(&mut self) -> Result<Bytes, BodyError> {
        let digest = self.digest.take().unwrap_or_default();
        if self.left > 0 {
            return Err(self.refuse("the upstream sent fewer octets than the object has"));
        }
        if hexadecimal(&digest.finalize()) != self.oid {
            return Err(self.refuse("the upstream sent another object than the one of this name"));
        }
        Ok(std::mem::take(&mut self.held))
    }

    /// Takes a piece, and gives the one before.
    fn take(&mut self, piece: Bytes) -> Result<Bytes, BodyError> {
        let Some(left) = self.left.checked_sub(piece.len() as u64) else {
            return Err(self.refuse("the upstream sent more octets than the object has"));
        };
        self.left = left;
        if let Some(digest) = &mut self.digest {
            digest.update(&piece);
        }
        Ok(std::mem::replace(&mut self.held, piece))
    }
}

impl Body for Verified {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        while this.digest.is_some() {
            let given = match ready!(Pin::new(&mut this.source).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(piece) if piece.is_empty() => continue,
                    Ok(piece) => this.take(piece),
                    // Trailers mean nothing here.
                    Err(_) => continue,
                },
                Some(Err(error)) => {
                    this.digest = None;
                    Err(error)
                }
                None => this.end(),
            };
            match given {
                Ok(piece) if piece.is_empty() => {}
                Ok(piece) => {
                    this.given = this.given.saturating_sub(piece.len() as u64);
                    return Poll::Ready(Some(Ok(Frame::data(piece))));
                }
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.digest.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.given)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use http_body_util::{BodyExt as _, StreamBody};

    use super::*;

    async fn read(pieces: &'static [&'static str], octets: u64) -> (String, bool, usize) {
        let frames = pieces
            .iter()
            .map(|piece| Ok(Frame::data(Bytes::from_static(piece.as_bytes()))));
        let source = ResponseBody::new(StreamBody::new(futures_util::stream::iter(frames)));
        let told = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&told);
        let expected = Expected {
            oid: hexadecimal(&Sha256::digest(b"an object")),
            octets,
        };
        let mut body = verified(source, expected, move |_| {
            count.fetch_add(1, Ordering::Relaxed);
        });
        let mut read = Vec::new();
        let whole = loop {
            match body.frame().await {
                Some(Ok(frame)) => read.extend_from_slice(frame.data_ref().unwrap()),
                Some(Err(_)) => break false,
                None => break true,
            }
        };
        let read = String::from_utf8(read).unwrap();
        (read, whole, told.load(Ordering::Relaxed))
    }

    #[tokio::test]
    async fn an_object_passes_and_another_never_whole() {
        let good = read(&["an ", "", "object"], 9).await;
        assert_eq!(good, ("an object".to_owned(), true, 0));
        for (pieces, octets) in [
            (&["an ", "Object"][..], 9),
            (&["an object"][..], 10),
            (&["an object", "!"][..], 9),
            (&["an objecT"][..], 9),
            (&[][..], 9),
        ] {
            let (read, whole, told) = read(pieces, octets).await;
            assert!(!whole && told == 1, "{pieces:?}");
            assert!(read.len() < 9 || octets > 9, "{read}");
        }
    }
}
