//! Repositories and the servers that they are on.

mod path;
mod upstream;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::action::Scheme;
use crate::host::Destination;
use crate::ids::CredentialName;
use crate::limits::{REPO_PATH_OCTETS, UPSTREAM_NAME_OCTETS};

/// The short name of a git server, the first part of a repository's name: 1 to 32 lower-case
/// letters, digits or `-`, for example `github`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UpstreamName(String);

/// A kind of git server: how it names repositories, and how it wants a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UpstreamKind {
    /// Any smart HTTP server; paths are case-sensitive.
    GenericHttps,
    /// GitHub: `owner/repo`, case-insensitive.
    Github,
    /// GitLab: groups of any depth, case-insensitive.
    Gitlab,
    /// Gitea, Forgejo, Codeberg: `owner/repo`, case-insensitive.
    Gitea,
    /// Bitbucket Cloud: `workspace/repo`, case-insensitive.
    Bitbucket,
    /// Azure DevOps: `org/project/repo`, however it is spelt.
    AzureDevops,
    /// A server that is reached over SSH; the agent speaks HTTPS with us.
    Ssh,
}

/// A git server that rules can name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GitUpstream {
    /// Its short name.
    pub name: UpstreamName,
    /// What kind of server it is.
    pub kind: UpstreamKind,
    /// Where it is.
    pub destination: Destination,
    /// Whether it is reached in TLS; not for [`UpstreamKind::Ssh`].
    pub scheme: Scheme,
    /// What stands before every repository in a path, empty or `/part/part`.
    pub base_path: String,
    /// The credential for it, where a rule names none.
    pub credential: Option<CredentialName>,
    /// The keys that a server reached over SSH must have, one of them, as in `known_hosts`
    /// without the host: `ssh-ed25519 AAAA…`.
    pub host_keys: Vec<String>,
}

/// A repository in the one form that its kind of server gives it: `github/acme/docs`.
///
/// Two spellings that lead to the same repository have the same id, and an id leads to one
/// repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RepoId {
    upstream: UpstreamName,
    /// Without slashes at its ends, without `.git`.
    path: String,
}

/// Why a path is not that of a repository.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RepoError {
    /// It could be read in more than one way.
    #[error("the path of the repository is spelt ambiguously: {0}")]
    Ambiguous(&'static str),
    /// It does not have the shape that this kind of server has.
    #[error("this is not the path of a repository on {0}")]
    Shape(UpstreamName),
    /// It is too long.
    #[error("the path of the repository is too long")]
    TooLong,
    /// The name of a server is not valid.
    #[error("a git server is named by 1 to 32 lower-case letters, digits or `-`")]
    Upstream,
}

impl UpstreamName {
    /// Reads a name.
    ///
    /// # Errors
    /// [`RepoError::Upstream`].
    pub fn new(name: &str) -> Result<Self, RepoError> {
        let is_word = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        let fits = (1..=UPSTREAM_NAME_OCTETS).contains(&name.len());
        if fits && name.bytes().all(is_word) && !name.starts_with('-') {
            return Ok(Self(name.to_owned()));
        }
        Err(RepoError::Upstream)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for UpstreamName {
    type Error = RepoError;

    fn try_from(name: String) -> Result<Self, RepoError> {
        Self::new(&name)
    }
}

impl From<UpstreamName> for String {
    fn from(name: UpstreamName) -> Self {
        name.0
    }
}

impl fmt::Display for UpstreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl RepoId {
    /// The server.
    #[must_use]
    pub const fn upstream(&self) -> &UpstreamName {
        &self.upstream
    }

    /// The path without the server, for example `acme/docs`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

/// From the record: `upstream/path`. What a kind of server folds was folded when it was written.
impl TryFrom<String> for RepoId {
    type Error = RepoError;

    fn try_from(text: String) -> Result<Self, RepoError> {
        let (upstream, path) = text.split_once('/').ok_or(RepoError::Upstream)?;
        let upstream = UpstreamName::new(upstream)?;
        if path.len() > REPO_PATH_OCTETS {
            return Err(RepoError::TooLong);
        }
        let has_odd_part = path
            .split('/')
            .any(|part| part.is_empty() || part == "." || part == "..");
        if has_odd_part || path.chars().any(char::is_control) {
            return Err(RepoError::Shape(upstream));
        }
        Ok(Self {
            upstream,
            path: path.to_owned(),
        })
    }
}

impl From<RepoId> for String {
    fn from(repo: RepoId) -> Self {
        repo.to_string()
    }
}

impl fmt::Display for RepoId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.upstream, self.path)
    }
}

#[cfg(test)]
mod tests;
