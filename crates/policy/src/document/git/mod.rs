//! Git rules: which repositories may be read and written, which of their refs may change and how,
//! and what a push may hold. The gateway reads every request to their servers.

mod canonical;
mod commits;
mod glob;
mod patterns;
mod upstream;

use std::collections::BTreeMap;

use jiff::Timestamp;
use ringfence_model::git::{RefChange, UpstreamName};
use ringfence_model::{Access, CredentialName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::api::AccessWord;
use super::rule::{is_false, present, read_expiry};
use super::{RuleId, TextPattern};
pub(crate) use canonical::{canonical_glob, check_repositories, folds_case};
pub use commits::{CommitConditions, CommitError, EmailPattern, SignerKey};
pub(crate) use glob::Glob;
pub use glob::GlobError;
pub use patterns::{FilePattern, GitPatternError, RefPattern, RepoPattern, RepoRegex};
pub use upstream::GitUpstreamTerms;

/// One rule of the `git` section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GitRule {
    /// Allows what it matches.
    Allow(Box<GitMatch>),
    /// Forbids what it matches, whatever any rule of any profile allows.
    Forbid(Box<GitMatch>),
}

impl GitRule {
    /// What the rule matches.
    #[must_use]
    pub const fn terms(&self) -> &GitMatch {
        match self {
            Self::Allow(terms) | Self::Forbid(terms) => terms,
        }
    }

    /// Whether it forbids.
    #[must_use]
    pub const fn is_forbid(&self) -> bool {
        matches!(self, Self::Forbid(_))
    }
}

/// What a git rule matches: either `repo` or `repoRegex`, and for an allow what may be done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct GitMatch {
    /// A short name for the rule, unique in its section; decisions show it. Without one, the
    /// rule is called by its position, from 1.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "RuleId")]
    pub id: Option<RuleId>,
    /// Repositories, as in `github/acme/docs`, `github/acme/{web,api}` or `gitlab/acme/**`. The
    /// first part is the name of the server.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "RepoPattern")]
    pub repo: Option<RepoPattern>,
    /// Repositories by a regular expression for the whole path behind the name of the server.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "RepoRegex")]
    pub repo_regex: Option<RepoRegex>,
    /// `read` (the default of an allow), or `write`, which is both. A forbid without it is about
    /// both, one with `write` about writing.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "AccessWord")]
    pub access: Option<Access>,
    /// With `access: write`: which refs may change, and how. Without it: refs below `refs/heads/`
    /// may be made and moved forward. In a forbid: the changes that are forbidden.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "BTreeMap<String, Vec<RefChangeWord>>")]
    pub refs: Option<BTreeMap<RefPattern, Vec<RefChangeWord>>>,
    /// The refs that may be read. Without the list, all may.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<RefPattern>")]
    pub read_refs: Option<Vec<RefPattern>>,
    /// The credential that requests are sent with. Without one, that of the server, if any.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "String")]
    pub credential: Option<CredentialName>,
    /// Whether a request that carries no token of this sandbox is refused.
    #[serde(default, skip_serializing_if = "is_false")]
    pub token_required: bool,
    /// Which files a push may change.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "FileConditions")]
    pub paths: Option<FileConditions>,
    /// What each commit of a push must be like.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "CommitConditions")]
    pub commits: Option<CommitConditions>,
    /// How large a push may be.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "PushLimits")]
    pub limits: Option<PushLimits>,
    /// The push options that may be sent; `*` stands for any text. Without the list, none may.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<TextPattern>")]
    pub push_options: Option<Vec<TextPattern>>,
    /// What becomes of a push that holds what looks like a secret: `block` (the default) or
    /// `observe`. A credential or token of this gateway is always refused.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "SecretsWord")]
    pub secrets: Option<SecretsWord>,
    /// `required`: a push waits until a person has approved exactly its refs and objects.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "ApprovalWord")]
    pub approval: Option<ApprovalWord>,
    /// Why the rule is there.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "String")]
    pub reason: Option<String>,
    /// When the rule stops to count, as in `2030-01-31T12:00:00Z` (RFC 3339).
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "read_expiry"
    )]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub expires: Option<Timestamp>,
}

impl GitMatch {
    /// The server that the rule is about, where it names a repository.
    #[must_use]
    pub fn upstream(&self) -> Option<&UpstreamName> {
        let by_pattern = self.repo.as_ref().map(RepoPattern::upstream);
        by_pattern.or_else(|| self.repo_regex.as_ref().map(RepoRegex::upstream))
    }

    /// The repositories, as they were written.
    #[must_use]
    pub fn repositories(&self) -> String {
        let by_pattern = self.repo.as_ref().map(ToString::to_string);
        let by_regex = || self.repo_regex.as_ref().map(ToString::to_string);
        by_pattern.or_else(by_regex).unwrap_or_default()
    }
}

/// What may happen to a ref.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum RefChangeWord {
    /// It is made; not a tag.
    Create,
    /// It moves to a commit that the old one is an ancestor of.
    FastForward,
    /// It moves anywhere, also forward.
    Force,
    /// It is deleted, whether a tag or not.
    Delete,
    /// A tag is made.
    TagCreate,
    /// A tag is moved.
    TagMove,
}

impl RefChangeWord {
    /// Whether it is about tags alone.
    pub(crate) const fn is_of_tags(self) -> bool {
        matches!(self, Self::TagCreate | Self::TagMove)
    }

    /// The word for a change; none for one of which it is not known yet what it is.
    pub(crate) const fn of(change: RefChange) -> Option<Self> {
        Some(match change {
            RefChange::Create => Self::Create,
            RefChange::FastForward => Self::FastForward,
            RefChange::Force => Self::Force,
            RefChange::Delete => Self::Delete,
            RefChange::TagCreate => Self::TagCreate,
            RefChange::TagMove => Self::TagMove,
            RefChange::Update => return None,
        })
    }

    /// The change in the words of the vocabulary.
    pub(crate) const fn change(self) -> RefChange {
        match self {
            Self::Create => RefChange::Create,
            Self::FastForward => RefChange::FastForward,
            Self::Force => RefChange::Force,
            Self::Delete => RefChange::Delete,
            Self::TagCreate => RefChange::TagCreate,
            Self::TagMove => RefChange::TagMove,
        }
    }
}

/// Which files a push may change, by their paths from the root of the repository.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileConditions {
    /// Files that a push must not change, in whatever case they are written. Without the list:
    /// those that make servers and clients run something. An empty list denies none.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<FilePattern>")]
    pub deny: Option<Vec<FilePattern>>,
    /// The only files that a push may change.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<FilePattern>")]
    pub allow: Option<Vec<FilePattern>>,
    /// Whether `.gitattributes` may name filters other than `lfs`. Without it: where `deny` is
    /// written out.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "FiltersWord")]
    pub filters: Option<FiltersWord>,
}

/// Whether `.gitattributes` may name filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FiltersWord {
    /// They may.
    Allow,
    /// They may not.
    Deny,
}

/// How large a push may be. What is left out has a default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PushLimits {
    /// Most octets of the pack.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "u64")]
    pub pack_octets: Option<u64>,
    /// Most objects of the pack.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "u64")]
    pub objects: Option<u64>,
    /// Most octets of all its objects together, inflated.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "u64")]
    pub inflated_octets: Option<u64>,
    /// Most refs that one push changes.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "u64")]
    pub refs: Option<u64>,
    /// Most octets of one LFS object.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "u64")]
    pub lfs_octets: Option<u64>,
}

/// What becomes of a push that holds what looks like a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SecretsWord {
    /// It is refused.
    Block,
    /// It goes on, and the record says so.
    Observe,
}

/// Whether a person has to approve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ApprovalWord {
    /// Each push, or each call, by itself.
    Required,
}
