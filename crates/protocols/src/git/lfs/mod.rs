//! Git LFS (its API, "Batch API", "Basic Transfers" and "File Locking API"): what is asked is read
//! strictly, decided on and written anew. Where an object lies stays here: the client gets an address
//! of ours for it, with a ticket.

mod ask;
mod batch;
mod listing;
mod locks;
mod refused;
mod searched;
mod tickets;
mod transfer;
mod verified;

use http::request::Parts;
use http::{Response, StatusCode};
use ringfence_gateway::http::{RequestBody, ResponseBody, authority};
use ringfence_git::wire::target::Tail;
use ringfence_model::HttpRequest;

use super::service::{Client, Odd, Place};

/// A request of LFS, and what it came as.
pub(super) struct Asked {
    pub(super) place: Place,
    pub(super) head: Parts,
    pub(super) body: RequestBody,
    /// The same as an HTTP request, for the record of one that is not understood as more.
    pub(super) action: HttpRequest,
    /// The path behind the repository.
    pub(super) tail: String,
}

impl Asked {
    /// The address of the repository as the client wrote it.
    fn base(&self) -> String {
        let path = self.head.uri.path();
        let path = path.strip_suffix(&self.tail).unwrap_or(path);
        format!(
            "{}://{}{}",
            self.action.scheme.as_str(),
            authority(&self.action.destination, self.action.scheme),
            path.trim_end_matches('/')
        )
    }
}

impl Client {
    /// Answers a request of LFS; none where `tail` is none.
    pub(super) async fn lfs(&self, tail: Tail, asked: Asked) -> Option<Response<ResponseBody>> {
        Some(match tail {
            Tail::LfsBatch => self.lfs_batch(asked).await,
            Tail::LfsLocks { query } => self.lfs_locks(asked, query).await,
            Tail::LfsLock => self.lfs_lock(asked).await,
            Tail::LfsLocksVerify => self.lfs_verify_locks(asked).await,
            Tail::LfsUnlock { id } => self.lfs_unlock(asked, id).await,
            Tail::LfsObject { direction, object } => {
                self.lfs_transfer(asked, direction, object).await
            }
            Tail::LfsVerify { object } => self.lfs_verify(asked, object).await,
            Tail::InfoRefs(_) | Tail::UploadPack | Tail::ReceivePack => return None,
        })
    }

    fn lfs_odd(&self, action: HttpRequest, odd: &Odd) -> Response<ResponseBody> {
        let status = Some(StatusCode::UNPROCESSABLE_ENTITY);
        self.odd(action, odd).as_lfs(status)
    }
}

/// The media type of everything but objects.
const LFS_JSON: &str = "application/vnd.git-lfs+json";
