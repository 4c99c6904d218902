//! What people said to pushes and calls that were held: one private file for each in the data
//! directory, where no sandbox reaches. It is read whenever a gateway asks, and nothing of it is kept
//! in memory, so that what a person says counts for the very next attempt, and for no longer than it
//! is said. What is said to a push counts until it ends, what is said to a call counts once.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use ringfence_model::git::{GitOperation, GitRequest};
use ringfence_model::mcp::McpRequest;
use ringfence_model::{AgentName, EventId, Generation, SandboxId, WorkspaceName};
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::error::StoreError;
use crate::limits::{REPLIES_KEPT, REPLY_OCTETS};
use crate::private;

/// The version of the form of the files.
const VERSION: u16 = 1;

/// The file that is locked while something is said or taken.
const LOCK: &str = "approvals.lock";

/// The replies of people on this machine.
#[derive(Debug, Clone)]
pub struct Approvals {
    data: PathBuf,
}

/// What a person said to one push or call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    version: u16,
    /// The digest of what it is about, a call as well.
    push: String,
    /// The event of the attempt that the person saw.
    pub event: EventId,
    /// When it was said.
    pub at: Timestamp,
    /// The number that this machine has for the user who said it. Not known of what was said before
    /// there were calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<u32>,
    /// What was said.
    pub said: Said,
}

/// Yes or no, and whether that was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Said {
    /// It passes.
    Approved {
        /// For so long.
        until: Timestamp,
    },
    /// It does not pass.
    Rejected,
    /// It was approved, and has passed.
    Used {
        /// The attempt that passed.
        passed: EventId,
    },
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

/// What a call of a tool is known by: any other call has another digest.
#[derive(Debug, Clone, Copy)]
pub struct CallOf<'a> {
    /// Who calls.
    pub agent: &'a AgentName,
    /// The workspace of the agent.
    pub workspace: &'a WorkspaceName,
    /// The sandbox that it calls from: another run of the agent makes other calls.
    pub sandbox: SandboxId,
    /// The policy that allows it.
    pub generation: Generation,
    /// What is called, and where.
    pub request: &'a McpRequest,
    /// The digest of all that the server gets of it.
    pub parameters: &'a str,
}

impl CallOf<'_> {
    /// The digest of all of it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let request = self.request;
        let parts = [
            "ringfence-call-v1".to_owned(),
            self.agent.to_string(),
            self.workspace.to_string(),
            self.sandbox.to_string(),
            self.generation.to_string(),
            request.destination.to_string(),
            request.path.clone(),
            request.server.to_string(),
            request.target.clone().unwrap_or_default(),
            self.parameters.to_owned(),
        ];
        let parts: Vec<&[u8]> = parts.iter().map(String::as_bytes).collect();
        Digest::of_framed(&parts)
    }
}

impl Approvals {
    /// Those below the data directory `data`.
    #[must_use]
    pub fn new(data: &Path) -> Self {
        Self {
            data: data.to_owned(),
        }
    }

    /// What was said to a push or call, and last; none where nothing was.
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

    /// Keeps what was said to a push or call, in place of what was said to it before. Those that are
    /// long over are removed.
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
        let _lock = self.lock()?;
        self.write(&Reply {
            version: VERSION,
            push: push.to_string(),
            event,
            at: now,
            by: Some(user()),
            said,
        })
    }

    /// Takes the approval of a call for the attempt `passed`, so that it is used: of all who ask, one
    /// gets it. What was said before is returned, or none where nothing was.
    ///
    /// # Errors
    /// Where it cannot be read, or not be kept that it is used: it does not count then.
    pub fn take(
        &self,
        call: Digest,
        passed: EventId,
        now: Timestamp,
    ) -> Result<Option<Reply>, StoreError> {
        // Most calls that ask were not approved, and need no lock.
        match self.reply(call)? {
            Some(reply) if reply.approves(now) => {}
            other => return Ok(other),
        }
        let _lock = self.lock()?;
        let reply = self.reply(call)?;
        if let Some(reply) = reply.as_ref().filter(|it| it.approves(now)) {
            self.write(&Reply {
                said: Said::Used { passed },
                at: now,
                ..reply.clone()
            })?;
        }
        Ok(reply)
    }

    fn write(&self, reply: &Reply) -> Result<(), StoreError> {
        let path = self.folder().join(format!("{}.json", reply.push));
        let octets = serde_json::to_vec(reply)
            .map_err(|error| StoreError::file(&path)(io::Error::other(error)))?;
        private::write(&path, &octets)
    }

    /// Until it is dropped, nobody else says or takes anything.
    fn lock(&self) -> Result<File, StoreError> {
        let path = self.data.join(LOCK);
        let file = private::open_or_create(&path).map_err(StoreError::file(&path))?;
        private::lock(&file).map_err(StoreError::file(&path))?;
        Ok(file)
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
    /// Whether it passes at `now`.
    #[must_use]
    pub fn approves(&self, now: Timestamp) -> bool {
        matches!(self.said, Said::Approved { until } if now < until)
    }

    fn is_old(&self, now: Timestamp) -> bool {
        let over = match self.said {
            Said::Approved { until } => until,
            Said::Rejected | Said::Used { .. } => self.at,
        };
        now.duration_since(over) > REPLIES_KEPT
    }
}

/// The number of the user that this process works for.
#[must_use]
pub fn user() -> u32 {
    rustix::process::getuid().as_raw()
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
