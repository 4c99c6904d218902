//! Which program a request means, and its command line. The remote shell reads that line, so it is
//! written from the name of the repository alone, and holds nothing that a shell would read twice.

use http::Method;
use ringfence_model::ReasonCode;
use ringfence_model::git::{GitRequest, GitService, GitUpstream};

use super::super::draft::Draft;
use super::super::fault::Fault;
use crate::ssh::Program;

/// What is to be done on the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::forward) struct Errand {
    pub(super) program: Program,
    service: GitService,
    /// Whether it is only asked what it offers.
    pub(super) is_discovery: bool,
}

impl Errand {
    /// The errand of a request that was decided on. `draft` is that request, or a question of the
    /// gateway's own about the same repository.
    ///
    /// # Errors
    /// Where there is no such program, or the path of the repository could be read as something
    /// else.
    pub(in crate::forward) fn of(
        request: &GitRequest,
        upstream: &GitUpstream,
        draft: &Draft,
    ) -> Result<Self, Fault> {
        let path = upstream.path_of(&request.repo);
        let (service, is_discovery) = draft
            .path
            .strip_prefix(&path)
            .and_then(|tail| service(&draft.method, tail, draft.query.as_deref()))
            .ok_or_else(|| refused("a server over SSH is asked to fetch and to push alone"))?;
        if !is_plain(&path) {
            return Err(refused(
                "the path of the repository holds a character that is not sent over SSH: \
                 letters, digits and `._-+@` are",
            ));
        }
        Ok(Self {
            program: Program {
                name: service.as_str(),
                command: format!("{} '{path}'", service.as_str()),
                environment: environment(service, draft),
            },
            service,
            is_discovery,
        })
    }

    /// The media type of the response.
    pub(super) const fn media(&self) -> &'static str {
        match (self.service, self.is_discovery) {
            (GitService::UploadPack, true) => "application/x-git-upload-pack-advertisement",
            (GitService::ReceivePack, true) => "application/x-git-receive-pack-advertisement",
            (GitService::UploadPack, false) => "application/x-git-upload-pack-result",
            (GitService::ReceivePack, false) => "application/x-git-receive-pack-result",
        }
    }

    /// What stands before an offer in HTTP (gitprotocol-http(5)).
    pub(super) const fn service_line(&self) -> &'static [u8] {
        match self.service {
            GitService::UploadPack => b"001e# service=git-upload-pack\n0000",
            GitService::ReceivePack => b"001f# service=git-receive-pack\n0000",
        }
    }

    pub(super) fn is_push(&self) -> bool {
        self.service == GitService::ReceivePack
    }

    /// Whether the request is of version 2, which a server of another version would misread.
    pub(super) fn wants_modern(&self) -> bool {
        self.program.environment.contains(&(GIT_PROTOCOL, MODERN))
    }
}

fn service(method: &Method, tail: &str, query: Option<&str>) -> Option<(GitService, bool)> {
    Some(match (method, tail, query) {
        (&Method::GET, "/info/refs", Some("service=git-upload-pack")) => {
            (GitService::UploadPack, true)
        }
        (&Method::GET, "/info/refs", Some("service=git-receive-pack")) => {
            (GitService::ReceivePack, true)
        }
        (&Method::POST, "/git-upload-pack", None) => (GitService::UploadPack, false),
        (&Method::POST, "/git-receive-pack", None) => (GitService::ReceivePack, false),
        _ => return None,
    })
}

/// Whether a path means the same to a shell, in single quotes or not, and to every program: no
/// quotes, nothing that is expanded, and no part that could be an option or somebody's home.
fn is_plain(path: &str) -> bool {
    let is_part = |part: &str| {
        let is_plain = |octet: u8| octet.is_ascii_alphanumeric() || b"._-+@".contains(&octet);
        let begins = !part.starts_with('-') && part != "." && part != "..";
        !part.is_empty() && begins && part.bytes().all(is_plain)
    };
    path.strip_prefix('/')
        .is_some_and(|path| path.split('/').all(is_part))
}

/// The version of the protocol, for a fetch: a push has but one.
fn environment(service: GitService, draft: &Draft) -> Vec<(&'static str, &'static str)> {
    let wanted = draft
        .headers
        .get("git-protocol")
        .map(http::HeaderValue::as_bytes);
    match wanted {
        Some(b"version=2") if service == GitService::UploadPack => vec![(GIT_PROTOCOL, MODERN)],
        Some(b"version=1") if service == GitService::UploadPack => {
            vec![(GIT_PROTOCOL, "version=1")]
        }
        _ => Vec::new(),
    }
}

fn refused(reason: &str) -> Fault {
    Fault::refused(ReasonCode::Malformed, reason)
}

const GIT_PROTOCOL: &str = "GIT_PROTOCOL";
const MODERN: &str = "version=2";

#[cfg(test)]
mod tests;
