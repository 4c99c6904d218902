//! Git requests in tests: a fetch, or a push of one ref.

use ringfence_model::Action;
use ringfence_model::git::{
    GitOperation, GitRequest, GitUpstream, ObjectFormat, Oid, RefChange, RefName, RefUpdate, RepoId,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TestError;
use crate::document::rule::present;
use crate::document::{GitUpstreamTerms, RefChangeWord};

/// A git request that a test sends: either `fetch: true` or `push: REF`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GitTest {
    /// The repository, as in `github/acme/docs`.
    pub repo: String,
    /// Whether it is fetched.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fetch: bool,
    /// The ref that is pushed, by its full name.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "String", regex(pattern = "^refs/"))]
    pub push: Option<RefName>,
    /// What the push does to it. Without it: a tag is made, and another ref moves, be it forward or
    /// not.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "RefChangeWord")]
    pub change: Option<RefChangeWord>,
    /// The push options.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
}

impl GitTest {
    /// The action, with the servers that are known from the start and `servers`.
    pub(super) fn action(&self, servers: &[GitUpstreamTerms]) -> Result<Action, TestError> {
        let (name, path) = self.repo.split_once('/').ok_or(TestError::Repo)?;
        let builtin = GitUpstream::builtin().into_iter();
        let described = servers.iter().map(GitUpstreamTerms::upstream);
        let mut known = builtin.chain(described);
        let upstream = known.find(|it| it.name.as_str() == name);
        let upstream = upstream.ok_or(TestError::Repo)?;
        Ok(Action::Git(GitRequest {
            repo: RepoId::new(&upstream, path).map_err(|_| TestError::Repo)?,
            destination: upstream.destination,
            operation: self.operation()?,
        }))
    }

    fn operation(&self) -> Result<GitOperation, TestError> {
        match (self.fetch, &self.push) {
            (true, None) if self.change.is_none() && self.options.is_empty() => {
                Ok(GitOperation::Fetch {
                    wants: 1,
                    filter: None,
                    shallow: false,
                })
            }
            (false, Some(name)) => Ok(GitOperation::Push {
                updates: vec![update(name, self.change)],
                options: self.options.clone(),
                atomic: false,
            }),
            _ => Err(TestError::Git),
        }
    }
}

fn update(name: &RefName, stated: Option<RefChangeWord>) -> RefUpdate {
    let change = match stated {
        Some(word) => word.change(),
        None if name.is_tag() => RefChange::TagCreate,
        None => RefChange::Update,
    };
    let some = |octet| {
        let octets = [octet; 20];
        Oid::new(ObjectFormat::Sha1, &octets).unwrap_or_else(|_| Oid::null(ObjectFormat::Sha1))
    };
    let none = Oid::null(ObjectFormat::Sha1);
    let is_made = matches!(change, RefChange::Create | RefChange::TagCreate);
    let is_gone = change == RefChange::Delete;
    RefUpdate {
        name: name.clone(),
        old: if is_made { none } else { some(1) },
        new: if is_gone { none } else { some(2) },
        change,
    }
}
