//! Which repository a request is about, if it is one of git at all.

use std::sync::Arc;

use ringfence_gateway::Gateway;
use ringfence_gateway::wire::dns::GIT_SERVICE;
use ringfence_git::wire::target::is_git_shaped;
use ringfence_model::git::{GitUpstream, RepoError, RepoId, UpstreamName};
use ringfence_model::{Destination, Host};

/// What a request of git leads to.
pub(crate) enum Found {
    /// A repository on a server that a rule names, and the rest of the path.
    Repository {
        /// The server.
        upstream: Arc<GitUpstream>,
        /// The repository.
        repo: RepoId,
        /// What follows it, without the slash between.
        tail: String,
    },
    /// A path that is none of a repository on this server.
    Odd(RepoError),
    /// A short name that no rule is about.
    Unknown,
}

/// Where the request for `target`, a path and its query, at `destination` leads, if it is one that git makes to a server
/// that a rule is about. Whatever looks like git is found, so that no other rule decides on it.
pub(crate) fn look_up(gateway: &Gateway, destination: &Destination, target: &str) -> Option<Found> {
    let path = target.split('?').next().unwrap_or(target);
    if is_service(&destination.host) {
        return Some(by_short_name(gateway, path));
    }
    let upstream = gateway.git_at(destination)?;
    if !is_git_shaped(target) {
        return None;
    }
    let read = RepoId::from_url_path(&upstream, &destination.host, path);
    Some(found(&upstream, read))
}

fn is_service(host: &Host) -> bool {
    host.name().is_some_and(|name| name.as_str() == GIT_SERVICE)
}

/// `/github/acme/docs.git/info/refs` leads where `/acme/docs.git/info/refs` does at GitHub.
fn by_short_name(gateway: &Gateway, path: &str) -> Found {
    let first = path
        .strip_prefix('/')
        .and_then(|path| path.split('/').next());
    let name = first.and_then(|name| UpstreamName::new(name).ok());
    let Some(upstream) = name.and_then(|name| gateway.git_named(&name)) else {
        return Found::Unknown;
    };
    let prefix = 1 + upstream.name.as_str().len();
    let rest = path.get(prefix..).unwrap_or_default();
    found(&upstream, RepoId::from_prefixed_path(&upstream, rest))
}

fn found(upstream: &Arc<GitUpstream>, read: Result<(RepoId, &str), RepoError>) -> Found {
    match read {
        Ok((repo, tail)) => Found::Repository {
            upstream: Arc::clone(upstream),
            repo,
            tail: tail.to_owned(),
        },
        Err(error) => Found::Odd(error),
    }
}
