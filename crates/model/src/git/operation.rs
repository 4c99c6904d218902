//! One git request as an action.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::refs::RefUpdate;
use super::repo::{GitUpstream, RepoId};
use crate::action::HttpRequest;
use crate::content::Access;
use crate::host::Destination;

/// One request to a git server. Its target is written from these fields alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GitRequest {
    /// The host and port of the upstream.
    pub destination: Destination,
    /// The repository.
    pub repo: RepoId,
    /// What is done with it.
    #[serde(flatten)]
    pub operation: GitOperation,
}

impl GitRequest {
    /// The request as it goes to `upstream`, without headers: its target is written from the
    /// repository and the operation alone, whatever the client wrote.
    #[must_use]
    pub fn to_http(&self, upstream: &GitUpstream) -> HttpRequest {
        let (method, tail, query) = self.operation.target();
        HttpRequest {
            destination: upstream.destination.clone(),
            scheme: upstream.scheme,
            method: method.to_owned(),
            path: format!("{}{tail}", upstream.path_of(&self.repo)),
            query,
            headers: Vec::new(),
            content: None,
        }
    }
}

/// The service of a git server that a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GitService {
    /// `git-upload-pack`: clone and fetch.
    UploadPack,
    /// `git-receive-pack`: push.
    ReceivePack,
}

/// Whether LFS objects go to the agent or to the upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LfsDirection {
    /// To the agent.
    Download,
    /// To the upstream.
    Upload,
}

/// What a git request does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "kebab-case")]
pub enum GitOperation {
    /// Asks what a service offers, and with protocol 0 and 1 for the refs.
    Discover {
        /// The service that follows.
        service: GitService,
    },
    /// Lists refs (protocol 2).
    ListRefs {
        /// The prefixes that are asked for; none asks for all.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        prefixes: Vec<String>,
    },
    /// Fetches objects.
    Fetch {
        /// How many objects are named as wanted.
        wants: u32,
        /// The filter of a partial clone, as sent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        filter: Option<String>,
        /// Whether the history is cut short.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        shallow: bool,
    },
    /// Asks whether a push may come: four octets, before a large one.
    Probe,
    /// Changes refs.
    Push {
        /// The refs, in the order in which they were sent.
        updates: Vec<RefUpdate>,
        /// The push options.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        options: Vec<String>,
        /// Whether all must succeed together, as the client asked.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        atomic: bool,
    },
    /// Asks where LFS objects are, or may be put.
    LfsBatch {
        /// Which way.
        direction: LfsDirection,
        /// How many objects.
        objects: u32,
        /// Their octets in all, as stated.
        octets: u64,
        /// The full name of the ref that they are for, where the client says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ref_name: Option<String>,
    },
    /// Moves one LFS object.
    LfsTransfer {
        /// Which way.
        direction: LfsDirection,
        /// Its SHA-256 in lower-case hexadecimal digits.
        oid: String,
        /// Its octets.
        octets: u64,
    },
    /// Says to the upstream that an LFS object is there, after its upload.
    LfsVerify {
        /// Its SHA-256 in lower-case hexadecimal digits.
        oid: String,
        /// Its octets.
        octets: u64,
    },
    /// Reads the locks of files.
    LfsLocks {
        /// The query, written anew from known parameters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        query: Option<String>,
    },
    /// Asks, before a push, which files others have locked.
    LfsVerifyLocks,
    /// Takes the lock of a file.
    LfsLock {
        /// The path of the file.
        path: String,
    },
    /// Gives the lock of a file back.
    LfsUnlock {
        /// The id of the lock: letters, digits, `-` and `_`.
        id: String,
    },
}

impl GitService {
    /// As git names it on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UploadPack => "git-upload-pack",
            Self::ReceivePack => "git-receive-pack",
        }
    }
}

impl GitOperation {
    /// The method, what follows the path of the repository, and the query (gitprotocol-http(5);
    /// the API of Git LFS). What moves an LFS object goes where its batch said, so that it has only the place
    /// of the batch here.
    fn target(&self) -> (&'static str, String, Option<String>) {
        let fixed = |method, tail: &str| (method, tail.to_owned(), None);
        match self {
            Self::Discover { service } => {
                let query = format!("service={}", service.as_str());
                ("GET", "/info/refs".to_owned(), Some(query))
            }
            Self::ListRefs { .. } | Self::Fetch { .. } => fixed("POST", "/git-upload-pack"),
            Self::Probe | Self::Push { .. } => fixed("POST", "/git-receive-pack"),
            Self::LfsBatch { .. } | Self::LfsTransfer { .. } | Self::LfsVerify { .. } => {
                fixed("POST", "/info/lfs/objects/batch")
            }
            Self::LfsLocks { query } => ("GET", "/info/lfs/locks".to_owned(), query.clone()),
            Self::LfsVerifyLocks => fixed("POST", "/info/lfs/locks/verify"),
            Self::LfsLock { .. } => fixed("POST", "/info/lfs/locks"),
            Self::LfsUnlock { id } => ("POST", format!("/info/lfs/locks/{id}/unlock"), None),
        }
    }

    /// Whether it reads or changes the upstream. What only prepares a push is a write.
    #[must_use]
    pub const fn access(&self) -> Access {
        match self {
            Self::Discover {
                service: GitService::ReceivePack,
            }
            | Self::Probe
            | Self::Push { .. }
            | Self::LfsBatch {
                direction: LfsDirection::Upload,
                ..
            }
            | Self::LfsTransfer {
                direction: LfsDirection::Upload,
                ..
            }
            | Self::LfsVerify { .. }
            | Self::LfsLock { .. }
            | Self::LfsUnlock { .. } => Access::Write,
            Self::Discover {
                service: GitService::UploadPack,
            }
            | Self::ListRefs { .. }
            | Self::Fetch { .. }
            | Self::LfsBatch { .. }
            | Self::LfsTransfer { .. }
            | Self::LfsLocks { .. }
            | Self::LfsVerifyLocks => Access::Read,
        }
    }

    /// What it is called in a line for people, for example `fetch` or `push`.
    #[must_use]
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Discover {
                service: GitService::UploadPack,
            }
            | Self::ListRefs { .. } => "list refs of",
            Self::Discover {
                service: GitService::ReceivePack,
            }
            | Self::Probe => "prepare a push to",
            Self::Fetch { .. } => "fetch",
            Self::Push { .. } => "push to",
            Self::LfsBatch {
                direction: LfsDirection::Download,
                ..
            }
            | Self::LfsTransfer {
                direction: LfsDirection::Download,
                ..
            } => "download LFS objects of",
            Self::LfsBatch { .. } | Self::LfsTransfer { .. } | Self::LfsVerify { .. } => {
                "upload LFS objects to"
            }
            Self::LfsLocks { .. } | Self::LfsVerifyLocks => "list LFS locks of",
            Self::LfsLock { .. } | Self::LfsUnlock { .. } => "lock a file of",
        }
    }
}

impl fmt::Display for GitRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "git {} {}", self.operation.verb(), self.repo)?;
        if let GitOperation::Push { updates, .. } = &self.operation {
            for (position, update) in updates.iter().take(SHOWN_REFS).enumerate() {
                let before = if position == 0 { ": " } else { ", " };
                write!(f, "{before}{} {}", update.change.as_str(), update.name)?;
            }
            if let Some(more) = updates
                .len()
                .checked_sub(SHOWN_REFS)
                .filter(|&more| more > 0)
            {
                write!(f, " and {more} more")?;
            }
        }
        Ok(())
    }
}

/// Refs of a push that a line for people names.
const SHOWN_REFS: usize = 4;
