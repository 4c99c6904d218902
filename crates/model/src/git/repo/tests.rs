use proptest::prelude::*;

use super::*;
use crate::host::Host;

fn builtin(name: &str) -> GitUpstream {
    let find = |upstream: &GitUpstream| upstream.name.as_str() == name;
    GitUpstream::builtin().into_iter().find(find).unwrap()
}

fn server(kind: UpstreamKind, base_path: &str) -> GitUpstream {
    GitUpstream {
        name: UpstreamName::new("corp").unwrap(),
        kind,
        destination: "git.corp.example:443".parse().unwrap(),
        base_path: base_path.to_owned(),
        ..builtin("github")
    }
}

fn at(upstream: &GitUpstream, url: &str) -> Result<(String, String), RepoError> {
    let (host, path) = url.split_once('/').unwrap();
    let host: Host = host.parse().unwrap();
    let path = format!("/{path}");
    let (repo, tail) = RepoId::from_url_path(upstream, &host, &path)?;
    Ok((repo.to_string(), tail.to_owned()))
}

fn id_at(upstream: &GitUpstream, url: &str) -> String {
    at(upstream, url).unwrap_or_else(|e| panic!("{url}: {e}")).0
}

#[test]
fn each_spelling_of_a_github_repository_is_one() {
    let github = builtin("github");
    for path in [
        "acme/docs",
        "acme/docs/",
        "acme/docs.git",
        "acme/docs.git/",
        "ACME/Docs",
        "Acme/DOCS.GIT",
        "acme/docs.git/info/refs",
        "acme/docs/git-upload-pack",
    ] {
        assert_eq!(
            id_at(&github, &format!("github.com/{path}")),
            "github/acme/docs"
        );
    }
    for host in [
        "GITHUB.com",
        "github.com.",
        "www.github.com",
        "ssh.github.com",
    ] {
        assert_eq!(
            id_at(&github, &format!("{host}/acme/docs")),
            "github/acme/docs"
        );
    }
    let (_, tail) = at(&github, "github.com/acme/docs.git/info/refs").unwrap();
    assert_eq!(tail, "info/refs");
    assert_eq!(at(&github, "github.com/acme/docs/").unwrap().1, "");
}

#[test]
fn what_is_another_repository_stays_another() {
    let github = builtin("github");
    for (path, id) in [
        ("acme/docs.wiki.git", "github/acme/docs.wiki"),
        ("acme/docs.wiki", "github/acme/docs.wiki"),
        ("acme/.github", "github/acme/.github"),
        ("acme/docs_", "github/acme/docs_"),
        ("acme/docs-2", "github/acme/docs-2"),
        ("info/refs/info/refs", "github/info/refs"),
    ] {
        assert_eq!(id_at(&github, &format!("github.com/{path}")), id);
    }
}

/// Spellings that some parser or server takes for `acme/docs`, or for a file beside it.
const AMBIGUOUS: &[&str] = &[
    "/",
    "//",
    "",
    "/acme",
    "/acme//docs",
    "//acme/docs",
    "/acme/docs//",
    "/./acme/docs",
    "/acme/./docs",
    "/acme/../acme/docs",
    "/../acme/docs",
    "/acme/docs/..",
    "/acme/docs/.",
    "/acme/%2e%2e/docs",
    "/acme%2fdocs",
    "/acme%2Fdocs",
    "/acme/docs%2egit",
    "/acme/docs%00",
    "/acme/docs%",
    "/acme/docs%0a",
    "/acme/docs%5c",
    "/acme/%64ocs",
    "/acme/docs%25",
    "/acme\\docs",
    "/acme/docs\\",
    "/acme/docs\0",
    "/acme/docs\n",
    "/acme/docs\t",
    "/acme/docs\x7f",
    "/acme/d\u{f6}cs",
    "/acme/docs\u{200b}",
    "/acme/d\u{212a}",
    "/acme/docs;x",
    "/acme/docs?x",
    "/acme/docs#x",
    "/~acme/docs",
    "/acme/~docs",
    "/acme/docs.git.git",
    "/acme/.git",
    "/acme/.GIT",
    "/acme.git/docs",
    "/acme/docs.",
    "/acme/docs..",
    "/acme/-docs",
    "/-/acme",
    "/acme/docs:x",
    "/acme/\"docs\"",
    "/acme/<docs>",
    "/acme/doc's",
    "/acme/docs*",
    "/acme/docs|x",
    "acme/docs",
    " /acme/docs",
    "/acme/{docs}",
    "/acme/docs^",
    "/acme/docs`id`",
    "/acme/$docs",
    "/acme/docs&x",
    "/acme/docs!",
    "/%20acme/docs",
    "/acme/docs%20",
];

#[test]
fn a_path_that_could_be_read_in_two_ways_is_refused() {
    for upstream in [
        builtin("github"),
        builtin("gitlab"),
        builtin("bitbucket"),
        builtin("codeberg"),
        server(UpstreamKind::Gitea, ""),
    ] {
        for path in AMBIGUOUS {
            for tail in [
                "",
                "/info/refs",
                "/git-receive-pack",
                "/info/lfs/objects/batch",
            ] {
                let whole = format!("{path}{tail}");
                // What is left of it is a repository and a tail that nothing has.
                let read = RepoId::from_prefixed_path(&upstream, &whole);
                let is_other = read
                    .as_ref()
                    .is_ok_and(|(_, rest)| *rest != tail.trim_start_matches('/'));
                assert!(read.is_err() || is_other, "{upstream:?} {whole}: {read:?}");
            }
        }
    }
}

#[test]
fn a_server_with_any_path_refuses_the_same_spellings() {
    for upstream in [
        server(UpstreamKind::GenericHttps, ""),
        server(UpstreamKind::Ssh, ""),
    ] {
        for path in AMBIGUOUS.iter().filter(|path| **path != "/acme") {
            let whole = format!("{path}/info/refs");
            let read = RepoId::from_prefixed_path(&upstream, &whole);
            assert!(read.is_err(), "{path}: {read:?}");
        }
    }
    let azure = builtin("azure-devops");
    for path in AMBIGUOUS {
        let whole = format!("/org/_git{path}/info/refs");
        let read = RepoId::from_prefixed_path(&azure, &whole);
        let is_other = read.as_ref().is_ok_and(|(_, tail)| *tail != "info/refs");
        assert!(
            read.is_err() || is_other || *path == "/acme",
            "{whole}: {read:?}"
        );
    }
}

#[test]
fn a_group_of_any_depth_is_in_gitlab() {
    let gitlab = builtin("gitlab");
    for (path, id, tail) in [
        ("a/b.git/info/refs", "gitlab/a/b", "info/refs"),
        (
            "A/b/C/d.git/git-upload-pack",
            "gitlab/a/b/c/d",
            "git-upload-pack",
        ),
        (
            "a/b/c/info/lfs/objects/batch",
            "gitlab/a/b/c",
            "info/lfs/objects/batch",
        ),
        ("a/info/x.git/info/refs", "gitlab/a/info/x", "info/refs"),
        (
            "a/b/info/refs/info/refs",
            "gitlab/a/b",
            "info/refs/info/refs",
        ),
    ] {
        let read = at(&gitlab, &format!("gitlab.com/{path}")).unwrap();
        assert_eq!(read, (id.to_owned(), tail.to_owned()));
    }
    for path in [
        "a",
        "a.git/info/refs",
        "a/git-receive-pack.git/info/refs",
        "a/info/refs.git",
        "a/info/LFS.git",
        "info/refs",
        "a/b.git/c/info/refs",
        "a/-/b",
    ] {
        assert!(
            at(&gitlab, &format!("gitlab.com/{path}")).is_err(),
            "{path}"
        );
    }
}

#[test]
fn a_generic_server_tells_letter_case_apart() {
    let corp = server(UpstreamKind::GenericHttps, "/scm");
    assert_eq!(
        id_at(&corp, "git.corp.example/scm/Web.git/info/refs"),
        "corp/Web"
    );
    assert_eq!(
        id_at(&corp, "git.corp.example/scm/web/info/refs"),
        "corp/web"
    );
    assert_eq!(id_at(&corp, "git.corp.example/scm/a/b/c"), "corp/a/b/c");
    for url in [
        "git.corp.example/web.git/info/refs",
        "git.corp.example/SCM/web",
        "git.corp.example/scmweb",
        "git.corp.example/scm",
        "git.corp.example/scm/",
        "git.corp.example/scm/web.GIT",
        "git.corp.example/scm/web/.git/info/refs",
        "git.other.example/scm/web",
    ] {
        assert!(at(&corp, url).is_err(), "{url}");
    }
}

#[test]
fn each_spelling_of_an_azure_repository_is_one() {
    let azure = builtin("azure-devops");
    for url in [
        "dev.azure.com/org/my%20project/_git/repo",
        "dev.azure.com/ORG/My%20Project/_git/Repo",
        "dev.azure.com/org/my%20project/_git/_optimized/repo",
        "dev.azure.com/org/my%20project/_git/_full/repo/info/refs",
        "org.visualstudio.com/my%20project/_git/repo",
        "org.visualstudio.com/DefaultCollection/my%20project/_git/repo",
        "org.visualstudio.com/my%20project/team/_git/repo",
        "Org.VisualStudio.com/defaultcollection/my%20project/team/_git/_full/repo",
        "ssh.dev.azure.com/v3/org/my%20project/repo",
        "vs-ssh.visualstudio.com/v3/org/my%20project/repo/git-upload-pack",
        "dev.azure.com/org/my%20project/repo",
    ] {
        assert_eq!(
            id_at(&azure, url),
            "azure-devops/org/my project/repo",
            "{url}"
        );
    }
    for url in [
        "dev.azure.com/org/_git/web",
        "dev.azure.com/org/web/_git/web",
        "org.visualstudio.com/_git/web",
        "org.visualstudio.com/DefaultCollection/_git/web/info/refs",
    ] {
        assert_eq!(id_at(&azure, url), "azure-devops/org/web/web", "{url}");
    }
    for url in [
        "dev.azure.com/_git/web",
        "dev.azure.com/org/p/t/_git/web",
        "dev.azure.com/org/p/_git/_optimized",
        "dev.azure.com/org/p/_git/web.git",
        "dev.azure.com/org/p/_apis/git",
        "dev.azure.com/org/p/Git-Receive-Pack",
        "dev.azure.com/org/p/_git/a%2fb",
        "dev.azure.com/org/p/_git/%20web",
        "dev.azure.com/org/p/_git/web%20",
        "dev.azure.com/org/p/_git/a%20%20b",
        "dev.azure.com/v3/org/p",
        "org.visualstudio.com/a/b/c/_git/web",
        "org.visualstudio.com/a/b/c",
        "evil.example/org/p/_git/web",
        "a.org.visualstudio.com.evil.example/p/_git/web",
    ] {
        let read = at(&azure, url);
        let is_nothing_known =
            matches!(&read, Ok((id, tail)) if id == "azure-devops/v3/org/p" && tail.is_empty());
        assert!(read.is_err() || is_nothing_known, "{url}: {read:?}");
    }
}

#[test]
fn the_path_on_the_server_is_written_from_the_identity() {
    let path = |upstream: &GitUpstream, repo: &str| {
        upstream.path_of(&RepoId::new(upstream, repo).unwrap())
    };
    assert_eq!(path(&builtin("github"), "Acme/Docs"), "/acme/docs.git");
    assert_eq!(path(&builtin("gitlab"), "a/b/c.git"), "/a/b/c.git");
    assert_eq!(path(&builtin("codeberg"), "a/b.wiki"), "/a/b.wiki.git");
    assert_eq!(
        path(&builtin("azure-devops"), "Org/My Project/_git/Repo"),
        "/org/my%20project/_git/repo"
    );
    let generic = server(UpstreamKind::GenericHttps, "/scm");
    assert_eq!(path(&generic, "Team/web"), "/scm/Team/web.git");
    let ssh = server(UpstreamKind::Ssh, "/srv/git");
    assert_eq!(path(&ssh, "web.git"), "/srv/git/web");
}

#[test]
fn a_rule_names_a_repository_and_nothing_behind_it() {
    let gitlab = builtin("gitlab");
    assert_eq!(
        RepoId::new(&gitlab, "A/b.git/").unwrap().to_string(),
        "gitlab/a/b"
    );
    for path in [
        "a/b/info/refs",
        "/a/b",
        "a",
        "",
        "a/b.git/git-upload-pack",
        "a//b",
    ] {
        assert!(RepoId::new(&gitlab, path).is_err(), "{path}");
    }
    assert!(RepoId::new(&builtin("github"), "a/b/c").is_err());
    let long = format!("a/{}", "b".repeat(REPO_PATH_OCTETS));
    assert_eq!(RepoId::new(&gitlab, &long), Err(RepoError::TooLong));
}

#[test]
fn the_servers_that_are_known_from_the_start_have_their_hosts() {
    let names: Vec<String> = GitUpstream::builtin()
        .iter()
        .map(|upstream| upstream.name.to_string())
        .collect();
    assert_eq!(
        names,
        ["github", "gitlab", "azure-devops", "bitbucket", "codeberg"]
    );
    let hosts: Vec<String> = builtin("azure-devops")
        .hosts()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        hosts,
        ["dev.azure.com", "*.visualstudio.com", "ssh.dev.azure.com"]
    );
    let azure = builtin("azure-devops");
    assert!(!azure.is_known_as(&"visualstudio.com".parse().unwrap()));
    let mut own = server(UpstreamKind::Github, "");
    own.destination = "192.0.2.1:8443".parse().unwrap();
    assert!(own.hosts().is_empty() && own.is_known_as(&"192.0.2.1".parse().unwrap()));
}

proptest! {
    #[test]
    fn an_identity_is_its_own_and_leads_back_to_itself(
        path in "[/a-cA-C._%20(~-]{0,3}(/?(a|B|_git|v3|info|refs|\\.git|x\\.GIT|DefaultCollection|git-upload-pack|%20)){0,6}/?",
        which in 0usize..7,
    ) {
        let mut all = GitUpstream::builtin();
        all.push(server(UpstreamKind::GenericHttps, "/base"));
        all.push(server(UpstreamKind::Ssh, ""));
        let upstream = &all[which];
        if let Ok(repo) = RepoId::new(upstream, &path) {
            let again = RepoId::new(upstream, repo.path());
            prop_assert_eq!(again.as_ref(), Ok(&repo));
            let on_server = upstream.path_of(&repo);
            let back = RepoId::from_url_path(upstream, &upstream.destination.host, &on_server);
            prop_assert_eq!(back, Ok((repo.clone(), "")));
            let record = serde_json::to_string(&repo).unwrap();
            prop_assert_eq!(serde_json::from_str::<RepoId>(&record).unwrap(), repo);
        }
    }
}
