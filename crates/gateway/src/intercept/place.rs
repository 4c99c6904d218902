//! What the requests of a connection must be about.

use ringfence_model::{Destination, Scheme};

use crate::wire::http::{Authority, HttpError, RequestHead, Target};

/// Where the requests of a connection go.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) destination: Destination,
    pub(super) scheme: Scheme,
}

impl Place {
    /// Whether an HTTP/1 request is one for this place.
    pub(super) fn check(&self, head: &RequestHead) -> Result<(), HttpError> {
        match &head.target {
            Target::Origin { .. } | Target::Asterisk => {}
            Target::Absolute {
                scheme, authority, ..
            } if *scheme == self.scheme && *authority == self.destination => {}
            Target::Absolute { .. } => return Err(HttpError::HostMismatch),
            Target::Authority(_) => return Err(HttpError::Method),
        }
        self.check_authority(&head.authority)
    }

    /// Whether `authority`, in which the port of the connection may be left out, is this place.
    pub(super) fn check_authority(&self, authority: &Authority) -> Result<(), HttpError> {
        match authority.destination(self.destination.port) {
            Some(named) if named == self.destination => Ok(()),
            _ => Err(HttpError::HostMismatch),
        }
    }
}
