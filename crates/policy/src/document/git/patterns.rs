//! What rules name repositories, refs and files with. Each is checked when it is read; what a kind
//! of server makes of the name of a repository is found out when the rule is compiled.

use std::fmt;
use std::str::FromStr;

use regex::{Regex, RegexBuilder};
use ringfence_model::git::{RepoError, UpstreamName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::glob::{Glob, GlobError, alternatives};
use crate::limits::{PATTERN_OCTETS, REGEX_OCTETS};

/// Repositories of one server, as in `github/acme/docs` or `github/acme/{web,api}`: the name of
/// the server, then a path in which `*` stands for any text within one segment, `**` for any number
/// of segments, and `{a,b}` for `a` or `b`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^[a-z0-9][a-z0-9-]*/."))]
pub struct RepoPattern {
    text: String,
    upstream: UpstreamName,
}

/// Repositories of one server by a regular expression, as in `github/acme/(web|api)-[0-9]+`: the
/// name of the server, then an expression for the whole path. It has no look-around and no
/// back-references.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^[a-z0-9][a-z0-9-]*/."))]
pub struct RepoRegex {
    text: String,
    upstream: UpstreamName,
}

/// Refs by their full names, as in `refs/heads/agent/**`. The part behind `refs/` has no wildcard,
/// so that a pattern is about one namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^refs/"))]
pub struct RefPattern(String);

/// Files of a repository by their paths from its root, as in `.github/workflows/**`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct FilePattern(String);

/// Why a pattern of a git rule was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GitPatternError {
    /// The name of the server.
    #[error("a repository is named as in `github/acme/docs`: {0}")]
    Upstream(RepoError),
    /// The rest.
    #[error("{0}")]
    Glob(#[from] GlobError),
    /// Not an expression, or one that takes too much room.
    #[error("not a regular expression that can be matched in bounded time")]
    Regex,
    /// A ref that is not named in full.
    #[error("a ref is named in full, as in `refs/heads/main` or `refs/tags/v*`")]
    NotFull,
    /// A wildcard where the namespace is.
    #[error(
        "the part behind `refs/` is written out, as in `refs/heads/**`: refs of other namespaces mean other things"
    )]
    Namespace,
}

/// Gives a pattern its conversions.
macro_rules! pattern {
    ($name:ident, $text:tt) => {
        impl TryFrom<String> for $name {
            type Error = GitPatternError;

            fn try_from(text: String) -> Result<Self, GitPatternError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(pattern: $name) -> Self {
                pattern.$text
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.$text)
            }
        }
    };
}

pattern!(RepoPattern, text);
pattern!(RepoRegex, text);
pattern!(RefPattern, 0);
pattern!(FilePattern, 0);

impl RepoPattern {
    /// The server.
    #[must_use]
    pub const fn upstream(&self) -> &UpstreamName {
        &self.upstream
    }

    /// The path, with its wildcards.
    pub(crate) fn path(&self) -> &str {
        path(&self.text)
    }

    /// The paths that it stands for, with wildcards and without braces.
    pub(crate) fn alternatives(&self) -> Vec<String> {
        alternatives(self.path()).unwrap_or_default()
    }
}

impl FromStr for RepoPattern {
    type Err = GitPatternError;

    fn from_str(text: &str) -> Result<Self, GitPatternError> {
        let upstream = upstream(text)?;
        Glob::all(path(text))?;
        Ok(Self {
            text: text.to_owned(),
            upstream,
        })
    }
}

impl RepoRegex {
    /// The server.
    #[must_use]
    pub const fn upstream(&self) -> &UpstreamName {
        &self.upstream
    }

    /// The expression for a whole path, in any case or not.
    pub(crate) fn compile(&self, is_folded: bool) -> Option<Regex> {
        regex(path(&self.text), is_folded)
    }
}

impl FromStr for RepoRegex {
    type Err = GitPatternError;

    fn from_str(text: &str) -> Result<Self, GitPatternError> {
        let upstream = upstream(text)?;
        if text.len() > PATTERN_OCTETS {
            return Err(GlobError::TooLong.into());
        }
        let is_sound = regex(path(text), true).is_some();
        is_sound
            .then(|| Self {
                text: text.to_owned(),
                upstream,
            })
            .ok_or(GitPatternError::Regex)
    }
}

/// The expression by itself must be one as well: `a)|(?:b` between the anchors would not be held
/// by them.
fn regex(path: &str, is_folded: bool) -> Option<Regex> {
    let build = |text: &str| {
        let mut builder = RegexBuilder::new(text);
        builder.case_insensitive(is_folded).size_limit(REGEX_OCTETS);
        builder.build().ok()
    };
    build(path)?;
    build(&format!(r"\A(?:{path})\z"))
}

impl RefPattern {
    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is behind `refs/`, up to the next slash: `heads`, `tags` or another.
    pub(crate) fn namespace(&self) -> &str {
        let rest = self.0.strip_prefix("refs/").unwrap_or_default();
        rest.split('/').next().unwrap_or_default()
    }

    pub(crate) fn globs(&self) -> Vec<Glob> {
        Glob::all(&self.0).unwrap_or_default()
    }
}

impl FromStr for RefPattern {
    type Err = GitPatternError;

    fn from_str(text: &str) -> Result<Self, GitPatternError> {
        let rest = text.strip_prefix("refs/").ok_or(GitPatternError::NotFull)?;
        let (namespace, name) = rest.split_once('/').ok_or(GitPatternError::NotFull)?;
        if name.is_empty() || namespace.is_empty() {
            return Err(GitPatternError::NotFull);
        }
        if namespace.contains(['*', '{', '}']) {
            return Err(GitPatternError::Namespace);
        }
        Glob::all(text)?;
        Ok(Self(text.to_owned()))
    }
}

impl FilePattern {
    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn globs(&self) -> Vec<Glob> {
        Glob::all(&self.0).unwrap_or_default()
    }
}

impl FromStr for FilePattern {
    type Err = GitPatternError;

    fn from_str(text: &str) -> Result<Self, GitPatternError> {
        Glob::all(text)?;
        Ok(Self(text.to_owned()))
    }
}

fn upstream(text: &str) -> Result<UpstreamName, GitPatternError> {
    let (name, _) = text.split_once('/').unwrap_or((text, ""));
    UpstreamName::new(name).map_err(GitPatternError::Upstream)
}

/// What is behind the name of the server.
fn path(text: &str) -> &str {
    text.split_once('/')
        .map(|(_, path)| path)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
