//! The repositories of a rule, in the form that their kind of server gives them.

use regex::Regex;
use ringfence_model::git::{GitUpstream, RepoId};

use crate::document::{GitMatch, Glob, canonical_glob, folds_case};

/// The repositories of one rule.
#[derive(Debug)]
pub(crate) struct Repos {
    exact: Vec<String>,
    globs: Vec<Glob>,
    regex: Option<Regex>,
    is_forbid: bool,
}

/// What a wiki is called after its repository.
const WIKI: &str = ".wiki";

impl Repos {
    /// None where the rule names no repository of this server, which the check of a profile
    /// refuses.
    pub(super) fn of(terms: &GitMatch, is_forbid: bool, upstream: &GitUpstream) -> Option<Self> {
        let is_folded = is_forbid || folds_case(upstream.kind);
        let mut repos = Self {
            exact: Vec::new(),
            globs: Vec::new(),
            regex: None,
            is_forbid,
        };
        if let Some(regex) = &terms.repo_regex {
            repos.regex = Some(regex.compile(is_folded)?);
        }
        for path in terms.repo.iter().flat_map(|it| it.alternatives()) {
            if path.contains('*') {
                let glob = Glob::new(&canonical_glob(&path, upstream.kind)).ok()?;
                repos
                    .globs
                    .push(if is_folded { glob.folded() } else { glob });
            } else {
                let path = RepoId::new(upstream, &path).ok()?.path().to_owned();
                repos.exact.push(if is_forbid {
                    path.to_ascii_lowercase()
                } else {
                    path
                });
            }
        }
        Some(repos)
    }

    /// The paths that are named as they are.
    pub(super) fn exact(&self) -> &[String] {
        &self.exact
    }

    pub(super) const fn has_patterns(&self) -> bool {
        !self.globs.is_empty() || self.regex.is_some()
    }

    /// What a rule may call the repository at `path`.
    pub(super) fn readings(path: &str) -> Vec<String> {
        let folded = path.to_ascii_lowercase();
        let of_wiki = folded.strip_suffix(WIKI).map(str::to_owned);
        let mut readings = vec![path.to_owned()];
        if folded != path {
            readings.push(folded);
        }
        readings.extend(of_wiki);
        readings
    }

    /// Whether the repository at `path` is meant. A forbid takes it in whatever case, and with it
    /// its wiki, which the same people read and write.
    pub(crate) fn matches(&self, path: &str) -> bool {
        if !self.is_forbid {
            return self.names(path);
        }
        let folded = path.to_ascii_lowercase();
        self.names(&folded)
            || folded
                .strip_suffix(WIKI)
                .is_some_and(|path| self.names(path))
    }

    fn names(&self, path: &str) -> bool {
        self.exact.iter().any(|known| known == path)
            || self.globs.iter().any(|glob| glob.matches(path.as_bytes()))
            || self
                .regex
                .as_ref()
                .is_some_and(|regex| regex.is_match(path))
    }
}
