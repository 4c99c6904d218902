//! Whether the commits that a push brings are like a rule wants them: whose addresses they carry,
//! and who signed them.

use ringfence_model::git::Oid;

use crate::document::{CommitConditions, EmailPattern};

/// A commit that a push brings. What stands in it is a claim of whoever made it, but the signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushedCommit {
    /// Its name.
    pub oid: Oid,
    /// The e-mail address of its author; none where there is none that everybody would read alike.
    pub author: Option<String>,
    /// The same of its committer.
    pub committer: Option<String>,
    /// Who signed it.
    pub signature: CommitSignature,
}

/// Who signed a commit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum CommitSignature {
    /// Nobody, or nobody asked.
    #[default]
    Missing,
    /// It is signed in a way that cannot be checked, as by OpenPGP.
    Unchecked,
    /// It has a signature that is not one of this commit.
    Wrong,
    /// Whoever has this key.
    By {
        /// Kind and public key, as in `ssh-ed25519 AAAA…`.
        key: String,
        /// What people call the key by, as in `SHA256:…`.
        fingerprint: String,
    },
}

/// What a rule does not let through in a commit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum CommitFault {
    /// The address of the author; none where there is none.
    Author(Option<String>),
    /// The address of the committer.
    Committer(Option<String>),
    Unsigned,
    Unchecked,
    WrongSignature,
    /// The fingerprint of a key that is not among the signers.
    Signer(String),
}

/// The first thing in a commit that does not meet the conditions.
pub(super) fn fault(conditions: &CommitConditions, commit: &PushedCommit) -> Option<CommitFault> {
    let CommitConditions {
        authors,
        committers,
        signers,
    } = conditions;
    if !is_one_of(authors.as_deref(), commit.author.as_deref()) {
        return Some(CommitFault::Author(commit.author.clone()));
    }
    if !is_one_of(committers.as_deref(), commit.committer.as_deref()) {
        return Some(CommitFault::Committer(commit.committer.clone()));
    }
    let signers = signers.as_deref()?;
    match &commit.signature {
        CommitSignature::Missing => Some(CommitFault::Unsigned),
        CommitSignature::Unchecked => Some(CommitFault::Unchecked),
        CommitSignature::Wrong => Some(CommitFault::WrongSignature),
        CommitSignature::By { key, fingerprint } => {
            let is_known = signers.iter().any(|signer| signer.key() == key);
            (!is_known).then(|| CommitFault::Signer(fingerprint.clone()))
        }
    }
}

fn is_one_of(patterns: Option<&[EmailPattern]>, email: Option<&str>) -> bool {
    patterns.is_none_or(|patterns| {
        email.is_some_and(|email| patterns.iter().any(|pattern| pattern.matches(email)))
    })
}
