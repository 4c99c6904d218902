//! What the rules that allow a git request say about the rest of it: which refs may be seen, how
//! large a push may be, and, when all of it is known, whether it may go on.

use std::sync::Arc;

use ringfence_model::git::{RefName, RefUpdate, RepoId};
use ringfence_model::{ReasonCode, RuleRef};

use super::commits::{self, PushedCommit};
use super::judge;
use super::limits::GitLimits;
use crate::compile::GitRule;

/// The rules that allow one git request, for what is not known when it is decided on.
#[derive(Debug, Clone)]
pub struct GitTerms {
    pub(super) repo: RepoId,
    /// By their names; never empty.
    pub(super) rules: Vec<Arc<GitRule>>,
    /// The forbids of the repository that are about changes of refs.
    pub(super) forbids: Vec<Arc<GitRule>>,
}

/// All that is known about a push before it goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PushFacts {
    /// The refs, each with what was proven of its change. [`ringfence_model::git::RefChange::Update`]
    /// where it could not be proven.
    pub updates: Vec<RefUpdate>,
    /// The push options.
    pub options: Vec<String>,
    /// Octets of the pack.
    pub pack_octets: u64,
    /// Objects of the pack.
    pub objects: u64,
    /// Octets of all its objects together, inflated.
    pub inflated_octets: u64,
    /// The files that it changes.
    pub files: ChangedFiles,
    /// Its commits, or at least those that [`GitTerms::refuses_anew`]; none where nobody looked, and
    /// then no rule that looks at commits lets the push through.
    pub commits: Option<Vec<PushedCommit>>,
    /// Credentials and tokens of this gateway that were found in it.
    pub own_secrets: u64,
    /// What else looks like a secret in it.
    pub findings: u64,
    /// Whether a person has approved exactly these refs and objects.
    pub is_approved: bool,
}

/// The files that a push changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ChangedFiles {
    /// It could not be told. No rule that looks at files lets such a push through.
    #[default]
    Unknown,
    /// All of them, or at least those that [`GitTerms::minds`].
    Known(Vec<ChangedFile>),
}

/// One file that a push changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedFile {
    /// Its path from the root of the repository, as git has it.
    pub path: Vec<u8>,
    /// Whether it is a `.gitattributes` that names a filter other than `lfs`.
    pub names_filter: bool,
}

/// Why a push does not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitDenial {
    /// The ref that it is about; none where it is about the whole push.
    pub ref_name: Option<RefName>,
    /// The stable reason.
    pub code: ReasonCode,
    /// The reason in words, in one line without control characters.
    pub reason: String,
    /// The rule that came closest, or that forbids it.
    pub rule: RuleRef,
    /// What to do about it.
    pub next_step: String,
}

impl GitTerms {
    /// The repository.
    #[must_use]
    pub const fn repo(&self) -> &RepoId {
        &self.repo
    }

    /// Whether a ref may be read.
    #[must_use]
    pub fn may_read(&self, name: &RefName) -> bool {
        self.rules.iter().any(|rule| rule.may_read(name))
    }

    /// Whether every ref may be read, so that none need be looked at.
    #[must_use]
    pub fn reads_all_refs(&self) -> bool {
        self.rules.iter().any(|rule| rule.read_refs.is_none())
    }

    /// Whether a ref may be changed in some way.
    #[must_use]
    pub fn may_change(&self, name: &RefName) -> bool {
        self.rules
            .iter()
            .any(|rule| !rule.words_for(name).is_empty())
    }

    /// How large a push may be before it is worth reading: what the most generous rule says.
    #[must_use]
    pub fn limits(&self) -> GitLimits {
        let limits = self.rules.iter().map(|rule| rule.limits);
        limits.reduce(GitLimits::or).unwrap_or_default()
    }

    /// Whether it matters which files a push changes.
    #[must_use]
    pub fn minds_files(&self) -> bool {
        self.rules.iter().any(|rule| rule.files.matter())
    }

    /// Whether it matters that a push changes the file at `path`. Others may be left out of
    /// [`PushFacts::files`]. A `.gitattributes` matters by what is in it as well.
    #[must_use]
    pub fn minds(&self, path: &[u8]) -> bool {
        let minds = |rule: &Arc<GitRule>| {
            rule.files.denying(path).is_some() || !rule.files.are_allowed(path)
        };
        self.rules.iter().any(minds)
    }

    /// Whether it matters that a `.gitattributes` names a filter.
    #[must_use]
    pub fn minds_filters(&self) -> bool {
        self.rules.iter().any(|rule| rule.files.denies_filters)
    }

    /// Whether it matters whose addresses the commits of a push carry, or who signed them.
    #[must_use]
    pub fn minds_commits(&self) -> bool {
        self.rules.iter().any(|rule| rule.commits.is_some())
    }

    /// Whether it matters who signed them.
    #[must_use]
    pub fn minds_signers(&self) -> bool {
        let mut conditions = self.rules.iter().filter_map(|rule| rule.commits.as_ref());
        conditions.any(|conditions| conditions.signers.is_some())
    }

    /// Whether some rule refuses a commit, and refuses none of those that are `known`. Others may be
    /// left out of [`PushFacts::commits`], which so has no more commits than there are rules.
    #[must_use]
    pub fn refuses_anew(&self, commit: &PushedCommit, known: &[PushedCommit]) -> bool {
        let mut conditions = self.rules.iter().filter_map(|rule| rule.commits.as_ref());
        conditions.any(|conditions| {
            let is_refused = |commit: &PushedCommit| commits::fault(conditions, commit).is_some();
            is_refused(commit) && !known.iter().any(is_refused)
        })
    }

    /// Whether any push option may be sent.
    #[must_use]
    pub fn takes_options(&self) -> bool {
        self.rules.iter().any(|rule| !rule.options.is_empty())
    }

    /// Whether any ref may be deleted.
    #[must_use]
    pub fn takes_deletes(&self) -> bool {
        let deletes = crate::document::RefChangeWord::Delete;
        let mut changes = self.rules.iter().flat_map(|rule| &rule.changes);
        changes.any(|change| change.words.contains(&deletes))
    }

    /// Whether a finding alone refuses a push.
    #[must_use]
    pub fn blocks_findings(&self) -> bool {
        self.rules.iter().all(|rule| !rule.observes_secrets)
    }

    /// Whether every push has to be approved.
    #[must_use]
    pub fn needs_approval(&self) -> bool {
        self.rules.iter().all(|rule| rule.needs_approval)
    }

    /// Whether a push of which all is known may go on: one rule has to allow all of it.
    ///
    /// # Errors
    /// What the rule that came closest lacks, or what a forbid takes.
    pub fn judge(&self, facts: &PushFacts) -> Result<(), GitDenial> {
        judge::judge(self, facts)
    }
}

/// Terms are alike when their rules say the same, whatever they are called: a rule that is written
/// in front of another changes the name of that one, and nothing else.
impl PartialEq for GitTerms {
    fn eq(&self, other: &Self) -> bool {
        let alike = |ours: &[Arc<GitRule>], theirs: &[Arc<GitRule>]| {
            ours.len() == theirs.len()
                && ours
                    .iter()
                    .zip(theirs)
                    .all(|(ours, theirs)| ours.says_what(theirs))
        };
        self.repo == other.repo
            && alike(&self.rules, &other.rules)
            && alike(&self.forbids, &other.forbids)
    }
}
