//! What a request is, from its method, the part of its path behind the repository, its query
//! and its content type: all four must agree, or it is not a request of git.

mod lfs;
mod shape;

use ringfence_model::git::{GitService, LfsDirection};

use super::WireError;

pub use lfs::LfsObject;
pub use shape::is_git_shaped;

/// What a request to a repository is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tail {
    /// `GET info/refs?service=…`.
    InfoRefs(GitService),
    /// `POST git-upload-pack`.
    UploadPack,
    /// `POST git-receive-pack`.
    ReceivePack,
    /// `POST info/lfs/objects/batch`: whether it reads or writes is in its body.
    LfsBatch,
    /// `GET info/lfs/locks`.
    LfsLocks {
        /// The query in its one form.
        query: Option<String>,
    },
    /// `POST info/lfs/locks`: takes a lock.
    LfsLock,
    /// `POST info/lfs/locks/verify`: reads the locks, before each push.
    LfsLocksVerify,
    /// `POST info/lfs/locks/ID/unlock`.
    LfsUnlock {
        /// The lock's id.
        id: String,
    },
    /// `GET` or `PUT` of an object at the place that our own answer to a batch named.
    LfsObject {
        /// Which way, by the method.
        direction: LfsDirection,
        /// The object.
        object: LfsObject,
    },
    /// `POST` behind an upload, at the place that our own answer to a batch named.
    LfsVerify {
        /// The object.
        object: LfsObject,
    },
}

/// Reads what a request is. `tail` is the path behind the repository without the slash between;
/// `query` is what follows the `?`, where there is one.
///
/// # Errors
/// [`WireError::Unknown`], [`WireError::Method`], [`WireError::Query`],
/// [`WireError::MediaType`].
pub fn classify(
    method: &str,
    tail: &str,
    query: Option<&str>,
    content_type: Option<&str>,
) -> Result<Tail, WireError> {
    match tail {
        "info/refs" => {
            let service = service_of(query)?;
            plain_get(method, content_type)?;
            Ok(Tail::InfoRefs(service))
        }
        "git-upload-pack" => {
            post(method, query, content_type, UPLOAD_PACK_REQUEST)?;
            Ok(Tail::UploadPack)
        }
        "git-receive-pack" => {
            post(method, query, content_type, RECEIVE_PACK_REQUEST)?;
            Ok(Tail::ReceivePack)
        }
        _ => match tail.strip_prefix("info/lfs/") {
            Some(tail) => lfs::classify(method, tail, query, content_type),
            None => Err(WireError::Unknown),
        },
    }
}

/// The content type of the answer to a request for refs.
#[must_use]
pub const fn advertisement_type(service: GitService) -> &'static str {
    match service {
        GitService::UploadPack => "application/x-git-upload-pack-advertisement",
        GitService::ReceivePack => "application/x-git-receive-pack-advertisement",
    }
}

/// The content type of a request to a service.
#[must_use]
pub const fn request_type(service: GitService) -> &'static str {
    match service {
        GitService::UploadPack => UPLOAD_PACK_REQUEST,
        GitService::ReceivePack => RECEIVE_PACK_REQUEST,
    }
}

/// The content type of a service's answer.
#[must_use]
pub const fn result_type(service: GitService) -> &'static str {
    match service {
        GitService::UploadPack => "application/x-git-upload-pack-result",
        GitService::ReceivePack => "application/x-git-receive-pack-result",
    }
}

/// One parameter and no other: without it, a server answers as a file server would.
fn service_of(query: Option<&str>) -> Result<GitService, WireError> {
    match query {
        Some("service=git-upload-pack") => Ok(GitService::UploadPack),
        Some("service=git-receive-pack") => Ok(GitService::ReceivePack),
        _ => Err(WireError::Query),
    }
}

fn plain_get(method: &str, content_type: Option<&str>) -> Result<(), WireError> {
    match (method, content_type) {
        ("GET", None) => Ok(()),
        ("GET", Some(_)) => Err(WireError::MediaType("none")),
        _ => Err(WireError::Method("GET")),
    }
}

fn post(
    method: &str,
    query: Option<&str>,
    content_type: Option<&str>,
    wanted: &'static str,
) -> Result<(), WireError> {
    if method != "POST" {
        return Err(WireError::Method("POST"));
    }
    if query.is_some() {
        return Err(WireError::Query);
    }
    if content_type != Some(wanted) {
        return Err(WireError::MediaType(wanted));
    }
    Ok(())
}

const UPLOAD_PACK_REQUEST: &str = "application/x-git-upload-pack-request";
const RECEIVE_PACK_REQUEST: &str = "application/x-git-receive-pack-request";

#[cfg(test)]
mod tests;
