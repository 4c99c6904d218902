//! What answers the requests of an intercepted connection.

use ::http::{Request, Response};

use crate::http::{RequestBody, ResponseBody};
use crate::wire::http::HttpError;

/// Answers requests; several at once where the client speaks HTTP/2.
pub trait Service: Send + Sync + 'static {
    /// Answers one request. Its target is in origin form, canonical, and its authority was
    /// checked to be the destination of the connection, so that neither `Host` nor any other
    /// field that speaks about the connection is there. What is left of those: `Content-Length`,
    /// which is true; `TE: trailers`; and `Connection` with `Upgrade: websocket`, for which a
    /// response 101 makes the connection the two sides' own.
    ///
    /// Dropped when the client gives up.
    fn call(
        &self,
        request: Request<RequestBody>,
    ) -> impl Future<Output = Response<ResponseBody>> + Send;

    /// The answer to a request that is not understood. The connection ends with it.
    fn refuse(&self, error: HttpError) -> Response<ResponseBody>;
}
