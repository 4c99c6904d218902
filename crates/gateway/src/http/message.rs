//! The bodies of intercepted HTTP messages. Both directions stream: a body is read frame by frame
//! as its receiver takes it, and what goes wrong on the way ends it.

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use ringfence_model::{Decision, Destination, Scheme};

/// The body of a request on its way to an upstream.
pub type RequestBody = UnsyncBoxBody<Bytes, BodyError>;

/// The body of a response on its way to an agent. It holds the permit of its request and closes
/// it when it ends or is dropped.
pub type ResponseBody = UnsyncBoxBody<Bytes, BodyError>;

/// Why a body did not reach its end. The words may be shown to the agent.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The client broke off.
    #[error("the client broke off: {0}")]
    Client(String),
    /// The upstream broke off or sent what is not valid.
    #[error("the upstream broke off: {0}")]
    Upstream(String),
    /// It is longer than it may be.
    #[error("the body is longer than {limit} octets")]
    TooLarge {
        /// The most octets that it may have.
        limit: u64,
    },
    /// It is not what may pass.
    #[error("{0}")]
    Refused(String),
    /// Nothing moved for too long.
    #[error("nothing moved for too long")]
    TimedOut,
    /// Policy or the credential changed, and the new decision does not allow it any more.
    #[error("{}", .0.reason)]
    Revoked(Box<Decision>),
}

/// `Host` or `:authority` of requests to `destination`: the port is left out where the scheme
/// implies it (RFC 9110, section 4.2).
#[must_use]
pub fn authority(destination: &Destination, scheme: Scheme) -> String {
    let implied = match scheme {
        Scheme::Http => 80,
        Scheme::Https => 443,
    };
    let mut authority = destination.to_string();
    if destination.port == implied {
        let host = authority.rfind(':').unwrap_or(authority.len());
        authority.truncate(host);
    }
    authority
}

/// A body without octets.
#[must_use]
pub fn empty() -> UnsyncBoxBody<Bytes, BodyError> {
    full(Bytes::new())
}

/// A body that is there already.
#[must_use]
pub fn full(octets: impl Into<Bytes>) -> UnsyncBoxBody<Bytes, BodyError> {
    use http_body_util::BodyExt as _;
    let whole = http_body_util::Full::new(octets.into());
    UnsyncBoxBody::new(whole.map_err(|never| match never {}))
}
