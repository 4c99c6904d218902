//! Commits.

use ringfence_model::git::{ObjectFormat, Oid};

use super::Fault;
use super::text::Headers;
use crate::limits::COMMIT_PARENTS;

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its state of the tree.
    pub tree: Oid,
    /// What it was made from; more than one where it merges.
    pub parents: Vec<Oid>,
    /// Who wrote it and when, as git writes it: a claim of whoever made the commit.
    pub author: Vec<u8>,
    /// Who made it and when: a claim as well.
    pub committer: Vec<u8>,
    /// What it says, in any encoding.
    pub message: Vec<u8>,
}

impl Commit {
    /// Reads a commit: `tree`, each `parent`, `author`, `committer`, in this order and once; then
    /// any others.
    ///
    /// # Errors
    /// See [`Fault`].
    pub fn parse(format: ObjectFormat, octets: &[u8]) -> Result<Self, Fault> {
        let mut headers = Headers::new(format, octets);
        let tree = headers.required_oid("tree")?;
        let mut parents = Vec::new();
        while let Some(parent) = headers.optional_oid("parent")? {
            if parents.len() >= COMMIT_PARENTS {
                return Err(Fault::Parents);
            }
            parents.push(parent);
        }
        let author = headers.person("author")?.ok_or(Fault::Header)?;
        let committer = headers.person("committer")?.ok_or(Fault::Header)?;
        let message = headers.message(&["tree", "parent", "author", "committer"])?;
        Ok(Self {
            tree,
            parents,
            author: author.to_vec(),
            committer: committer.to_vec(),
            message: message.to_vec(),
        })
    }
}
