//! A response of git on its way to the client: read strictly and written anew as it passes.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame};
use ringfence_gateway::http::{BodyError, ResponseBody};
use ringfence_git::wire::WireError;

/// Reads a response in pieces and writes it anew.
pub(super) trait Filter: Send + 'static {
    /// Takes the next piece if it goes on as it is; whether it does. Else it is to be fed.
    fn passes(&mut self, _piece: &[u8]) -> bool {
        false
    }

    /// Takes the next piece.
    fn feed(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), WireError>;

    /// Checks that all of it was there.
    fn finish(self: Box<Self>, out: &mut Vec<u8>) -> Result<(), WireError>;

    /// Says to the client what is wrong, in the form that it can read where it is now.
    fn complain(&self, reason: &str, out: &mut Vec<u8>);
}

/// The response body `source`, as `filter` writes it.
pub(super) fn filtered(source: ResponseBody, filter: impl Filter) -> ResponseBody {
    ResponseBody::new(Filtered {
        source,
        filter: Some(Box::new(filter)),
    })
}

struct Filtered {
    source: ResponseBody,
    /// None when it is over.
    filter: Option<Box<dyn Filter>>,
}

impl Body for Filtered {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        loop {
            let Some(filter) = &mut this.filter else {
                return Poll::Ready(None);
            };
            let mut out = Vec::new();
            let step = match ready!(Pin::new(&mut this.source).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(piece) if filter.passes(&piece) => {
                        return Poll::Ready(Some(Ok(Frame::data(piece))));
                    }
                    Ok(piece) => {
                        out.reserve(piece.len());
                        filter.feed(&piece, &mut out)
                    }
                    // Trailers mean nothing in git.
                    Err(_) => continue,
                },
                Some(Err(error)) => {
                    filter.complain(&error.to_string(), &mut out);
                    this.filter = None;
                    Ok(())
                }
                None => {
                    let Some(filter) = this.filter.take() else {
                        return Poll::Ready(None);
                    };
                    match filter.finish(&mut out) {
                        Ok(()) => Ok(()),
                        // What is cut short must not look whole.
                        Err(error) => {
                            let reason = format!("the upstream's answer is not whole: {error}");
                            return Poll::Ready(Some(Err(BodyError::Upstream(reason))));
                        }
                    }
                }
            };
            if let Err(error) = step {
                let reason = format!("Ringfence refused the upstream's answer: {error}");
                if let Some(filter) = this.filter.take() {
                    filter.complain(&reason, &mut out);
                }
            }
            if !out.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(out.into()))));
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.filter.is_none()
    }
}
