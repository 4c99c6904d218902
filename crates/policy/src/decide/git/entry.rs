//! What reads like git and came another way.

use super::shape;
use crate::compile::Snapshot;
use crate::decide::Query;

impl Snapshot {
    /// Whether a request reads like git at a server that git rules name, and did not come as a git
    /// request.
    pub(in crate::decide) fn is_stray_git(&self, query: &Query<'_>) -> bool {
        let is_git = query.request.is_some_and(|it| shape::is_git(&it.path));
        let host = &query.destination.host;
        is_git
            && self
                .git
                .named_servers()
                .any(|server| server.is_known_as(host))
    }
}
