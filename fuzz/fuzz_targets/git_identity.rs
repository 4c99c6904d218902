//! From a path to a repository: an identity is its own, leads back to itself, and what follows it
//! is a part of the path. A request that the git adapter takes is one that smells of git.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ringfence_git::wire::target::{classify, is_git_shaped};
use ringfence_model::git::{GitUpstream, RepoId};

fuzz_target!(|path: &str| {
    for upstream in GitUpstream::builtin() {
        if let Ok(repo) = RepoId::new(&upstream, path) {
            assert_eq!(RepoId::new(&upstream, repo.path()).as_ref(), Ok(&repo));
            assert_eq!(RepoId::try_from(repo.to_string()), Ok(repo));
        }
        let host = &upstream.destination.host;
        let Ok((repo, tail)) = RepoId::from_url_path(&upstream, host, path) else {
            continue;
        };
        assert!(
            path.trim_end_matches('/')
                .ends_with(tail.trim_end_matches('/'))
        );
        let on_server = upstream.path_of(&repo);
        let back = RepoId::from_url_path(&upstream, host, &on_server);
        assert_eq!(back, Ok((repo, "")));
        let query = Some("service=git-upload-pack");
        let content_type = Some("application/x-git-receive-pack-request");
        let is_taken = classify("GET", tail, query, None).is_ok()
            || classify("POST", tail, None, content_type).is_ok();
        assert!(!is_taken || is_git_shaped(path));
    }
});
