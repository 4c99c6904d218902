use http::HeaderValue;
use ringfence_model::git::{GitOperation, RepoId, UpstreamKind, UpstreamName};
use ringfence_model::{HttpRequest, Scheme};

use super::*;

fn server(base_path: &str) -> GitUpstream {
    GitUpstream {
        name: UpstreamName::new("old").unwrap(),
        kind: UpstreamKind::Ssh,
        destination: "git.test:22".parse().unwrap(),
        scheme: Scheme::Https,
        base_path: base_path.to_owned(),
        credential: None,
        host_keys: Vec::new(),
    }
}

fn request(repo: &str, operation: GitOperation) -> GitRequest {
    GitRequest {
        destination: "git.test:22".parse().unwrap(),
        repo: RepoId::try_from(format!("old/{repo}")).unwrap(),
        operation,
    }
}

fn discover(service: GitService) -> GitOperation {
    GitOperation::Discover { service }
}

fn fetch() -> GitOperation {
    GitOperation::Fetch {
        wants: 1,
        filter: None,
        shallow: false,
    }
}

/// The draft of an HTTP request.
fn drafted(http: &HttpRequest, version: Option<&'static str>) -> Draft {
    let mut draft = Draft::own(http, &http.path, http.query.as_deref());
    draft.method = http.method.parse().unwrap();
    if let Some(version) = version {
        let value = HeaderValue::from_static(version);
        draft.headers.insert("git-protocol", value);
    }
    draft
}

fn errand(
    base_path: &str,
    repo: &str,
    operation: GitOperation,
    version: Option<&'static str>,
) -> Result<Errand, Fault> {
    let server = server(base_path);
    let request = request(repo, operation);
    let draft = drafted(&request.to_http(&server), version);
    Errand::of(&request, &server, &draft)
}

#[test]
fn a_request_becomes_one_program_with_one_quoted_argument() {
    let modern = Some("version=2");
    for (operation, version, command, environment) in [
        (
            discover(GitService::UploadPack),
            modern,
            "git-upload-pack '/srv/git/a/b'",
            modern,
        ),
        (
            discover(GitService::UploadPack),
            None,
            "git-upload-pack '/srv/git/a/b'",
            None,
        ),
        (
            discover(GitService::ReceivePack),
            modern,
            "git-receive-pack '/srv/git/a/b'",
            None,
        ),
        (fetch(), modern, "git-upload-pack '/srv/git/a/b'", modern),
        (
            fetch(),
            Some("version=1"),
            "git-upload-pack '/srv/git/a/b'",
            Some("version=1"),
        ),
        (
            fetch(),
            Some("version=2; rm -rf"),
            "git-upload-pack '/srv/git/a/b'",
            None,
        ),
    ] {
        let is_discovery = matches!(operation, GitOperation::Discover { .. });
        let errand = errand("/srv/git", "a/b", operation, version).unwrap();
        assert_eq!(errand.program.command, command);
        let expected: Vec<_> = environment
            .map(|it| ("GIT_PROTOCOL", it))
            .into_iter()
            .collect();
        assert_eq!(errand.program.environment, expected, "{command}");
        assert_eq!(errand.is_discovery, is_discovery);
        assert_eq!(errand.wants_modern(), environment == modern);
    }
}

#[test]
fn a_path_that_a_shell_or_a_program_could_read_otherwise_is_not_sent() {
    for repo in [
        "a'b",
        "a/'; id; '",
        "$(id)",
        "`id`",
        "a b",
        "a\\b",
        "-oProxyCommand=id",
        "a/--upload-pack=id",
        "~root/a",
        "a;b",
        "a|b",
        "a&b",
        "a%20b",
        "a*",
        "a?b",
        "a\"b",
        "ä",
        "a!b",
        "a:b",
        "a#b",
        "a{b,c}",
        "a<b",
    ] {
        let refused = errand("", repo, fetch(), None);
        assert!(matches!(refused, Err(Fault::Refused(_))), "{repo}");
    }
    let odd = errand("", "a.b-c_d+e@f/G1", fetch(), None).unwrap();
    assert_eq!(odd.program.command, "git-upload-pack '/a.b-c_d+e@f/G1'");
}

#[test]
fn a_request_for_anything_else_is_refused() {
    let server = server("");
    let request = request("a/b", fetch());
    let http = request.to_http(&server);
    for (method, path, query) in [
        ("POST", "/a/b/info/lfs/objects/batch", None),
        ("GET", "/a/b/git-upload-pack", None),
        (
            "POST",
            "/a/b/git-upload-pack",
            Some("service=git-receive-pack"),
        ),
        ("GET", "/a/b/info/refs", Some("service=git-upload-archive")),
        ("GET", "/a/b/HEAD", None),
        // The request that was decided on is about another repository.
        ("POST", "/a/c/git-upload-pack", None),
    ] {
        let other = HttpRequest {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.map(str::to_owned),
            ..http.clone()
        };
        let refused = Errand::of(&request, &server, &drafted(&other, None));
        assert!(matches!(refused, Err(Fault::Refused(_))), "{method} {path}");
    }
}
