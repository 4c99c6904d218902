//! Git in the terms of policy: which repository, which refs, and what happens to them. What the
//! bytes on the wire mean is read elsewhere, strictly; here are the words for it.

mod facts;
mod operation;
mod refs;
mod repo;

pub use facts::{GitFacts, RefResult};
pub use operation::{GitOperation, GitRequest, GitService, LfsDirection};
pub use refs::{ObjectFormat, Oid, OidError, RefChange, RefName, RefNameError, RefUpdate};
pub use repo::{GitUpstream, RepoError, RepoId, UpstreamKind, UpstreamName};
