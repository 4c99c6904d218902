//! The names of repositories in the form that their kind of server gives them, also where they
//! have wildcards.

use ringfence_model::git::{GitUpstream, RepoError, RepoId, UpstreamKind};

use super::GitMatch;

/// Whether this kind of server takes names in another case for the same.
pub(crate) const fn folds_case(kind: UpstreamKind) -> bool {
    !matches!(kind, UpstreamKind::GenericHttps | UpstreamKind::Ssh)
}

/// A pattern in the form in which the server's repositories are compared with it.
pub(crate) fn canonical_glob(path: &str, kind: UpstreamKind) -> String {
    let path = if folds_case(kind) {
        path.to_ascii_lowercase()
    } else {
        path.to_owned()
    };
    if kind == UpstreamKind::AzureDevops {
        return path.replace("%20", " ");
    }
    match path.strip_suffix(".git") {
        Some(stem) => stem.to_owned(),
        None => path,
    }
}

/// Whether the repositories of a rule are some that this server could have.
pub(crate) fn check_repositories(
    terms: &GitMatch,
    upstream: &GitUpstream,
) -> Result<(), RepoError> {
    for path in terms.repo.iter().flat_map(|it| it.alternatives()) {
        // Any number of segments: there is a number that fits.
        if path.split('/').any(|segment| segment == "**") {
            continue;
        }
        let sample = if path.contains('*') {
            canonical_glob(&path, upstream.kind).replace('*', "x")
        } else {
            path
        };
        RepoId::new(upstream, &sample)?;
    }
    Ok(())
}
