//! Every bound of a login on what servers, authorization servers and browsers send.

use std::time::Duration;

/// Octets of one document of metadata, and of the answer to a registration.
pub(super) const METADATA_OCTETS: usize = 64 * 1024;

/// Octets of a `WWW-Authenticate` that is read.
pub(super) const CHALLENGE_OCTETS: usize = 8 * 1024;

/// Such headers of one answer.
pub(super) const CHALLENGES: usize = 8;

/// Parameters of one of them.
pub(super) const CHALLENGE_PARAMETERS: usize = 32;

/// Authorization servers that one server may name.
pub(super) const ISSUERS: usize = 8;

/// Octets of all scopes together.
pub(super) const SCOPE_OCTETS: usize = 2 * 1024;

/// Octets of a client id.
pub(super) const CLIENT_ID_OCTETS: usize = 2 * 1024;

/// Octets of the query that a browser brings back.
pub(super) const ANSWER_OCTETS: usize = 16 * 1024;

/// Characters of foreign text in an error.
pub(super) const SHOWN_CHARACTERS: usize = 120;

/// How long a person has to log in.
pub(super) const LOGIN_WAIT: Duration = Duration::from_secs(5 * 60);

/// How long the browser has to take the page that says it is done.
pub(super) const PAGE_WAIT: Duration = Duration::from_millis(300);

/// How often an authorization server is asked whether a person is done on another device, where it
/// does not say so itself (RFC 8628, section 3.2).
pub(super) const DEVICE_INTERVAL: Duration = Duration::from_secs(5);

/// The longest pause between two such questions.
pub(super) const DEVICE_LONGEST: Duration = Duration::from_secs(60);
