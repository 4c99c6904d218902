//! One compiled git rule: defaults filled in, patterns in the form in which they are asked.

use std::collections::BTreeSet;

use jiff::Timestamp;
use ringfence_model::git::{GitUpstream, RefName, UpstreamName};
use ringfence_model::{Access, CredentialName, RuleRef};

use super::Repos;
use crate::decide::GitLimits;
use crate::document::{
    CommitConditions, FileConditions, FilePattern, FiltersWord, GitMatch, GitRule as Document,
    GitUpstreamTerms, Glob, Profile, RefChangeWord, RefPattern, SecretsWord, TextPattern,
};

/// Files that make a server or a client run something when they are pushed or fetched.
const DENIED_FILES: &[&str] = &[
    ".buildkite/**",
    ".circleci/**",
    ".drone.yml",
    ".forgejo/workflows/**",
    ".gitea/workflows/**",
    ".github/actions/**",
    ".github/workflows/**",
    ".gitlab-ci.yml",
    ".gitmodules",
    ".lfsconfig",
    ".travis.yml",
    ".woodpecker.{yml,yaml}",
    ".woodpecker/**",
    "Jenkinsfile",
    "appveyor.yml",
    "azure-pipelines*.yml",
    "bitbucket-pipelines.yml",
];

/// Where a push may go whose rule says nothing of refs.
const DEFAULT_REFS: &str = "refs/heads/**";

/// A git rule as the decision sees it.
#[derive(Debug)]
pub(crate) struct GitRule {
    pub(crate) reference: RuleRef,
    pub(crate) is_forbid: bool,
    pub(crate) upstream: UpstreamName,
    pub(crate) repos: Repos,
    /// The repositories as they were written.
    pub(crate) written: String,
    /// What an allow lets, and what a forbid takes; none: both.
    pub(crate) access: Option<Access>,
    /// The changes of refs that it is about. Empty for a forbid that does not tell them apart.
    pub(crate) changes: Vec<RefChanges>,
    /// The refs that may be read; none: all.
    pub(crate) read_refs: Option<Vec<Refs>>,
    pub(crate) files: Files,
    pub(crate) commits: Option<CommitConditions>,
    pub(crate) limits: GitLimits,
    pub(crate) options: Vec<TextPattern>,
    pub(crate) observes_secrets: bool,
    pub(crate) needs_approval: bool,
    pub(crate) token_required: bool,
    /// Its own, or that of the server.
    pub(crate) credential: Option<CredentialName>,
    pub(crate) expires: Option<Timestamp>,
    pub(crate) reason: Option<String>,
}

/// Refs, and what may happen to them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RefChanges {
    pub(crate) refs: Refs,
    pub(crate) words: BTreeSet<RefChangeWord>,
}

/// Refs by a pattern.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refs {
    pub(crate) written: RefPattern,
    globs: Vec<Glob>,
}

/// Which files a push may change.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Files {
    deny: Vec<(FilePattern, Vec<Glob>)>,
    allow: Option<Vec<Glob>>,
    pub(crate) denies_filters: bool,
}

impl GitRule {
    /// None where the rule names no repository of this server, which the check of a profile
    /// refuses.
    pub(crate) fn of(reference: RuleRef, rule: &Document, upstream: &GitUpstream) -> Option<Self> {
        let terms = rule.terms();
        let is_forbid = rule.is_forbid();
        let read_refs = terms.read_refs.as_ref();
        let of_upstream = upstream.credential.as_ref().filter(|_| !is_forbid);
        Some(Self {
            reference,
            is_forbid,
            upstream: upstream.name.clone(),
            repos: Repos::of(terms, is_forbid, upstream)?,
            written: terms.repositories(),
            access: access(terms, is_forbid),
            changes: changes(terms, is_forbid),
            read_refs: read_refs.map(|refs| refs.iter().map(|it| Refs::of(it, false)).collect()),
            files: Files::of(terms.paths.as_ref()),
            commits: terms.commits.clone(),
            limits: GitLimits::of(terms.limits.as_ref()),
            options: terms.push_options.clone().unwrap_or_default(),
            observes_secrets: terms.secrets == Some(SecretsWord::Observe),
            needs_approval: terms.approval.is_some(),
            token_required: terms.token_required,
            credential: terms.credential.as_ref().or(of_upstream).cloned(),
            expires: terms.expires,
            reason: terms.reason.clone(),
        })
    }

    pub(crate) fn has_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// What may happen to a ref, by all its patterns together.
    pub(crate) fn words_for(&self, name: &RefName) -> BTreeSet<RefChangeWord> {
        let about = self.changes.iter().filter(|it| it.refs.match_name(name));
        about.flat_map(|it| it.words.iter().copied()).collect()
    }

    /// Whether another rule that is about the same repository says the same about it.
    pub(crate) fn says_what(&self, other: &Self) -> bool {
        self.access == other.access
            && self.changes == other.changes
            && self.read_refs == other.read_refs
            && self.files == other.files
            && self.commits == other.commits
            && self.limits == other.limits
            && self.options == other.options
            && self.observes_secrets == other.observes_secrets
            && self.needs_approval == other.needs_approval
    }

    /// Whether a ref may be read.
    pub(crate) fn may_read(&self, name: &RefName) -> bool {
        let is_one = |refs: &Vec<Refs>| refs.iter().any(|it| it.match_name(name));
        self.read_refs.as_ref().is_none_or(is_one)
    }
}

impl Refs {
    /// A forbid takes a name in whatever case, as some servers' file systems do.
    fn of(pattern: &RefPattern, is_forbid: bool) -> Self {
        let fold = |glob: Glob| if is_forbid { glob.folded() } else { glob };
        Self {
            globs: pattern.globs().into_iter().map(fold).collect(),
            written: pattern.clone(),
        }
    }

    fn match_name(&self, name: &RefName) -> bool {
        let name = name.as_str().as_bytes();
        self.globs.iter().any(|glob| glob.matches(name))
    }
}

impl Files {
    fn of(conditions: Option<&FileConditions>) -> Self {
        let denied = conditions.and_then(|it| it.deny.as_ref());
        let filters = conditions.and_then(|it| it.filters);
        let allowed = conditions.and_then(|it| it.allow.as_ref());
        let by_default = || {
            let patterns = DENIED_FILES.iter();
            patterns
                .filter_map(|pattern| pattern.parse().ok())
                .collect()
        };
        let deny = denied.cloned().unwrap_or_else(by_default);
        let folded = |pattern: FilePattern| {
            let globs = pattern.globs().into_iter().map(Glob::folded).collect();
            (pattern, globs)
        };
        Self {
            deny: deny.into_iter().map(folded).collect(),
            allow: allowed.map(|patterns| patterns.iter().flat_map(FilePattern::globs).collect()),
            denies_filters: match filters {
                Some(word) => word == FiltersWord::Deny,
                None => denied.is_none(),
            },
        }
    }

    /// Whether it matters which files a push changes.
    pub(crate) const fn matter(&self) -> bool {
        !self.deny.is_empty() || self.allow.is_some() || self.denies_filters
    }

    /// The pattern that keeps a push from changing `path`.
    pub(crate) fn denying(&self, path: &[u8]) -> Option<&FilePattern> {
        let hit = |globs: &[Glob]| globs.iter().any(|glob| glob.matches(path));
        let found = self.deny.iter().find(|(_, globs)| hit(globs));
        found.map(|(pattern, _)| pattern)
    }

    /// Whether `path` is among the only files that a push may change.
    pub(crate) fn are_allowed(&self, path: &[u8]) -> bool {
        let is_one = |globs: &Vec<Glob>| globs.iter().any(|glob| glob.matches(path));
        self.allow.as_ref().is_none_or(is_one)
    }
}

fn access(terms: &GitMatch, is_forbid: bool) -> Option<Access> {
    match (terms.access, is_forbid) {
        (None, true) => terms.refs.as_ref().map(|_| Access::Write),
        (None, false) => Some(Access::Read),
        (stated, _) => stated,
    }
}

fn changes(terms: &GitMatch, is_forbid: bool) -> Vec<RefChanges> {
    if let Some(refs) = &terms.refs {
        let of_pattern = |(pattern, words): (&RefPattern, &Vec<RefChangeWord>)| {
            let mut words: BTreeSet<_> = words.iter().copied().collect();
            // Who may move a ref anywhere may move it forward. A forbid is about what it names.
            if !is_forbid && words.contains(&RefChangeWord::Force) {
                words.insert(RefChangeWord::FastForward);
            }
            RefChanges {
                refs: Refs::of(pattern, is_forbid),
                words,
            }
        };
        return refs.iter().map(of_pattern).collect();
    }
    let is_default = !is_forbid && terms.access == Some(Access::Write);
    let default = is_default.then(|| DEFAULT_REFS.parse::<RefPattern>().ok());
    let of_default = |pattern: RefPattern| RefChanges {
        refs: Refs::of(&pattern, false),
        words: BTreeSet::from([RefChangeWord::Create, RefChangeWord::FastForward]),
    };
    default.flatten().map(of_default).into_iter().collect()
}

/// `profile/git/id`, or the position from 1 where the rule has no id.
pub(crate) fn git_reference(profile: &Profile, index: usize, rule: &Document) -> RuleRef {
    let name = &profile.name;
    RuleRef(match &rule.terms().id {
        Some(id) => format!("{name}/git/{id}"),
        None => format!("{name}/git/{}", index + 1),
    })
}

/// `profile/gitUpstreams/name`.
pub(crate) fn upstream_reference(profile: &Profile, terms: &GitUpstreamTerms) -> RuleRef {
    RuleRef(format!("{}/gitUpstreams/{}", profile.name, terms.name))
}
