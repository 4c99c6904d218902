//! `ringfence git`: which servers rules can name, what an agent may do to a repository, and the
//! pushes that wait for a person.

pub(super) mod approve;
mod check;
mod upstream;

use crate::args::git::{GitArguments, GitVerb, UpstreamVerb};
use crate::failure::Failure;

/// Runs the verb. Returns the exit code.
pub(crate) fn git(arguments: &GitArguments) -> Result<i32, Failure> {
    match &arguments.verb {
        GitVerb::Check(asked) => check::check(asked),
        GitVerb::Upstream(upstream) => match &upstream.verb {
            UpstreamVerb::Add(arguments) => upstream::add(arguments),
            UpstreamVerb::List { profiles, json } => upstream::list(profiles, *json),
            UpstreamVerb::Remove { name, profile } => upstream::remove(name, profile.as_deref()),
        },
        GitVerb::Approvals(arguments) => approve::list(arguments),
        GitVerb::Approve(arguments) => approve::approve(arguments),
        GitVerb::Reject(arguments) => approve::reject(arguments),
    }
}
