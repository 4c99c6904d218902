//! What people said to pushes that were held: one private file for each push in the data directory,
//! where no sandbox reaches. It is read whenever a gateway asks, and nothing of it is kept in
//! memory, so that what a person says counts for the very next push, and for no longer than it is
//! said.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use ringfence_model::git::{GitOperation, GitRequest};
use ringfence_model::{AgentName, EventId, WorkspaceName};
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::error::StoreError;
use crate::limits::{REPLIES_KEPT, REPLY_OCTETS};
use crate::private;

/// The version of the form of the files.
const VERSION: u16 = 1;

/// The replies of people on this machine.
#[derive(Debug, Clone)]
pub struct Approvals {
    data: PathBuf,
}

/// What a person said to one push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    version: u16,
    push: String,
    /// The event of the push that the person saw.
    pub event: EventId,
    /// When it was said.
    pub at: Timestamp,
    /// What was said.
    pub said: Said,
}

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Said {
    /// The push passes.
    Approved {
        /// For so long.
        until: Timestamp,
    },
    /// The push does not pass.
    Rejected,
}

/// What a push is known by: the digest of who pushes, where to, and of every ref with its old and
/// new object, and of what else the upstream is told. Any other push has another one. None for a
/// request that is no push.
#[must_use]
pub fn push_digest(
    agent: &AgentName,
    workspace: &WorkspaceName,
    request: &GitRequest,
) -> Option<Digest> {
    let GitOperation::Push {
        updates,
        options,
        atomic,
    } = &request.operation
    else {
        return None;
    };
    // The order in which refs are sent does not matter, that of options does.
    let mut updates: Vec<_> = updates
        .iter()
        .map(|update| (update.name.as_str(), update.old, update.new))
        .collect();
    updates.sort_unstable();
    let mut parts = vec![
        "ringfence-push-v1".to_owned(),
        agent.to_string(),
        workspace.to_string(),
        request.destination.to_string(),
        request.repo.to_string(),
        atomic.to_string(),
        updates.len().to_string(),
    ];
    for (name, old, new) in updates {
        parts.extend([name.to_owned(), old.to_string(), new.to_string()]);
    }
    parts.extend_from_slice(options);
    let parts: Vec<&[u8]> = parts.iter().map(String::as_bytes).collect();
    Some(Digest::of_framed(&parts))
}

impl Approvals {
    /// Those below the data directory `data`.
    #[must_use]
    pub fn new(data: &Path) -> Self {
        Self {
            data: data.to_owned(),
        }
    }

    /// What was said to a push, and last; none where nothing was.
    ///
    /// # Errors
    /// Where the file cannot be read, or is not as it was written.
    pub fn reply(&self, push: Digest) -> Result<Option<Reply>, StoreError> {
        let path = self.path(push);
        let Some(octets) = read(&path)? else {
            return Ok(None);
        };
        let reply: Reply = serde_json::from_slice(&octets)
            .map_err(|error| StoreError::file(&path)(io::Error::other(error)))?;
        if reply.version != VERSION || reply.push != push.to_string() {
            return Err(StoreError::insecure(&path)("it is about something else"));
        }
        Ok(Some(reply))
    }

    /// Keeps what was said to a push, in place of what was said to it before. Those that are long
    /// over are removed.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn keep(
        &self,
        push: Digest,
        (event, said): (EventId, Said),
        now: Timestamp,
    ) -> Result<(), StoreError> {
        private::directory(&self.data)?;
        private::directory(&self.folder())?;
        self.forget_old(now)?;
        let path = self.path(push);
        let reply = Reply {
            version: VERSION,
            push: push.to_string(),
            event,
            at: now,
            said,
        };
        let octets = serde_json::to_vec(&reply)
            .map_err(|error| StoreError::file(&path)(io::Error::other(error)))?;
        private::write(&path, &octets)
    }

    fn forget_old(&self, now: Timestamp) -> Result<(), StoreError> {
        let folder = self.folder();
        for entry in std::fs::read_dir(&folder).map_err(StoreError::file(&folder))? {
            let path = entry.map_err(StoreError::file(&folder))?.path();
            // One that cannot be read approves nothing, and is left for a person to look at.
            let reply: Option<Reply> = read(&path)
                .ok()
                .flatten()
                .and_then(|octets| serde_json::from_slice(&octets).ok());
            if reply.is_some_and(|reply| reply.is_old(now)) {
                std::fs::remove_file(&path).map_err(StoreError::file(&path))?;
            }
        }
        Ok(())
    }

    fn folder(&self) -> PathBuf {
        self.data.join("approvals")
    }

    fn path(&self, push: Digest) -> PathBuf {
        self.folder().join(format!("{push}.json"))
    }
}

impl Reply {
    /// Whether the push passes at `now`.
    #[must_use]
    pub fn approves(&self, now: Timestamp) -> bool {
        matches!(self.said, Said::Approved { until } if now < until)
    }

    fn is_old(&self, now: Timestamp) -> bool {
        let over = match self.said {
            Said::Approved { until } => until,
            Said::Rejected => self.at,
        };
        now.duration_since(over) > REPLIES_KEPT
    }
}

/// What is in a file of this user alone; none where there is no file.
fn read(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    let file = match private::open_to_read(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::file(path)(error)),
    };
    if !private::is_private(&file).map_err(StoreError::file(path))? {
        return Err(StoreError::insecure(path)(
            "other users can read or write it",
        ));
    }
    let mut octets = Vec::new();
    let read = file.take(REPLY_OCTETS).read_to_end(&mut octets);
    read.map_err(StoreError::file(path))?;
    Ok(Some(octets))
}

#[cfg(test)]
mod tests;
