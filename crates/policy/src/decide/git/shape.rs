//! Git requests as the HTTP requests that they are: for forbids of other sections, and to tell a
//! git request that did not come as one.

use ringfence_model::git::{GitRequest, GitUpstream, UpstreamKind};
use ringfence_model::{Destination, HttpRequest};

/// The lines of a git request, where the agent sent it and where it goes: with `.git` behind the
/// repository and without, as servers take both.
pub(super) fn lines(request: &GitRequest, upstream: &GitUpstream) -> Vec<HttpRequest> {
    let sent = request.to_http(upstream);
    let path = upstream.path_of(&request.repo);
    let short = path.strip_suffix(".git").and_then(|short| {
        let tail = sent.path.strip_prefix(&path)?;
        Some(format!("{short}{tail}"))
    });
    let bare = short.map(|path| HttpRequest {
        path,
        ..sent.clone()
    });
    let spellings: Vec<_> = [Some(sent), bare].into_iter().flatten().collect();
    let places = places(request, upstream);
    let at = |destination: &Destination, line: &HttpRequest| HttpRequest {
        destination: destination.clone(),
        ..line.clone()
    };
    let lines = places
        .iter()
        .flat_map(|place| spellings.iter().map(|line| at(place, line)));
    lines.collect()
}

/// Where a git request is: at the name that the agent asked for, and at the one that is dialled.
/// Over SSH no agent asks for that one, but for the same host over HTTPS.
pub(super) fn places(request: &GitRequest, upstream: &GitUpstream) -> Vec<Destination> {
    let mut places = vec![request.destination.clone()];
    if upstream.destination != request.destination {
        places.push(upstream.destination.clone());
    }
    if upstream.kind == UpstreamKind::Ssh {
        places.push(Destination {
            host: upstream.destination.host.clone(),
            port: HTTPS,
        });
    }
    places
}

const HTTPS: u16 = 443;

/// Whether some git server would take a request for `path` for git's.
pub(super) fn is_git(path: &str) -> bool {
    const TAILS: &[&str] = &[
        "/git-upload-pack",
        "/git-receive-pack",
        "/git-upload-archive",
        "/info/refs",
        "/info/lfs",
        "/objects/",
    ];
    let path = path.to_ascii_lowercase();
    TAILS.iter().any(|tail| path.contains(tail))
}
