use std::process::Command;

use ringfence_model::Generation;
use ringfence_policy::Snapshot;

use super::*;

/// The settings of a run by a profile with this, written where git can read them.
struct Written {
    directory: tempfile::TempDir,
    text: String,
}

impl Written {
    fn by(rules: &str) -> Self {
        let text = format!("apiVersion: ringfence/v1\nkind: Profile\nname: p\n{rules}");
        let profiles = Profile::parse("p", &text).unwrap();
        let snapshot = Snapshot::compile(Generation(1), &profiles).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let found = settings(directory.path(), snapshot.git_upstreams(), &profiles);
        let (path, octets) = found.unwrap();
        assert_eq!(path, Path::new(PATH));
        let written = directory.path().join("gitconfig");
        std::fs::write(written, &octets).unwrap();
        let text = String::from_utf8(octets).unwrap();
        Self { directory, text }
    }

    /// What git prints with these settings and no others.
    #[expect(
        clippy::disallowed_methods,
        reason = "only git itself can say how it reads its settings"
    )]
    fn git(&self, arguments: &[&str]) -> String {
        let mut git = Command::new("git");
        git.env_clear()
            .env("PATH", std::env::var("PATH").unwrap())
            .env("GIT_CONFIG_SYSTEM", self.directory.path().join("gitconfig"))
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("HOME", self.directory.path())
            .env("THE_TOKEN", "rf_token")
            .current_dir(self.directory.path());
        let output = git.args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Where git goes for a URL.
    fn leads(&self, url: &str) -> String {
        self.git(&["ls-remote", "--get-url", url])
    }
}

#[test]
fn every_usual_spelling_leads_to_the_forge() {
    let written = Written::by("git: [{allow: {repo: github/acme/docs}}]\n");
    for url in [
        "git@github.com:acme/docs.git",
        "git@github.com:/acme/docs.git",
        "ssh://git@github.com/acme/docs.git",
        "ssh://git@github.com:22/acme/docs.git",
        "ssh://git@ssh.github.com:443/acme/docs.git",
        "ssh://github.com/acme/docs.git",
        "git://github.com/acme/docs.git",
        "http://github.com/acme/docs.git",
        "https://github.com:443/acme/docs.git",
        "https://x-access-token@github.com/acme/docs.git",
        "https://github.com/acme/docs.git",
    ] {
        assert_eq!(
            written.leads(url),
            "https://github.com/acme/docs.git",
            "{url}"
        );
    }
    for other in ["git@gitlab.com:acme/docs.git", "https://example.com/a"] {
        assert_eq!(written.leads(other), other);
    }
}

#[test]
fn azures_spellings_lose_user_and_version() {
    let written = Written::by("git: [{allow: {repo: azure-devops/Acme/Site/web}}]\n");
    for (url, wanted) in [
        (
            "https://Acme@dev.azure.com/Acme/Site/_git/web",
            "https://dev.azure.com/Acme/Site/_git/web",
        ),
        (
            "git@ssh.dev.azure.com:v3/Acme/Site/web",
            "https://dev.azure.com/Acme/Site/web",
        ),
        (
            "Acme@vs-ssh.visualstudio.com:v3/Acme/Site/web",
            "https://dev.azure.com/Acme/Site/web",
        ),
    ] {
        assert_eq!(written.leads(url), wanted);
    }
}

#[test]
fn a_server_over_ssh_is_reached_by_its_short_name_and_one_below_a_path_there() {
    let written = Written::by(
        "gitUpstreams:
  - {name: old, kind: ssh, host: old.test, basePath: /srv/git, hostKeys: ['ssh-ed25519 AAAA']}
  - {name: far, kind: ssh, host: far.test, port: 2222, hostKeys: ['ssh-ed25519 AAAA']}
  - {name: corp, kind: gitlab, host: corp.test, port: 8443, basePath: /lab}
git:
  - allow: {repo: old/docs}
  - allow: {repo: far/docs}
  - allow: {repo: corp/acme/docs}
",
    );
    let short = "https://git.ringfence.internal";
    for (url, wanted) in [
        ("git@old.test:/srv/git/docs", format!("{short}/old/docs")),
        (
            "ssh://git@old.test/srv/git/docs",
            format!("{short}/old/docs"),
        ),
        ("ssh://git@far.test:2222/docs", format!("{short}/far/docs")),
        ("git@far.test:docs", "git@far.test:docs".to_owned()),
        (
            "git@corp.test:acme/docs",
            "https://corp.test:8443/lab/acme/docs".to_owned(),
        ),
        (
            "https://git@corp.test:8443/lab/acme/docs",
            "https://corp.test:8443/lab/acme/docs".to_owned(),
        ),
    ] {
        assert_eq!(written.leads(url), wanted, "{url}");
    }
}

#[test]
fn the_token_is_handed_out_for_its_server_only_and_stands_in_no_setting() {
    let rules = "tokens: [{env: [THE_TOKEN, OTHER], credentials: [forge]}]
git:
  - allow: {repo: github/acme/docs, credential: forge}
  - allow: {repo: gitlab/acme/docs, credential: lab}
";
    let written = Written::by(rules);
    let helpers = |url: &str| {
        let key = "credential.helper";
        written.git(&["config", "--get-urlmatch", key, url])
    };
    for url in [
        "https://github.com/acme/docs.git",
        "https://git.ringfence.internal/github/acme/docs.git",
    ] {
        assert!(
            helpers(url).contains("$THE_TOKEN"),
            "{url}: {}",
            helpers(url)
        );
    }
    assert_eq!(helpers("https://gitlab.com/acme/docs.git"), "");
    assert!(!written.text.contains("rf_token"), "{}", written.text);
    let helper = helpers("https://github.com/acme/docs.git");
    let alias = format!("alias.ask={helper}");
    let answer = written.git(&["-c", &alias, "ask", "get"]);
    assert_eq!(answer, "username=ringfence\npassword=rf_token");
    assert_eq!(written.git(&["-c", &alias, "ask", "store"]), "");
}

#[test]
fn submodules_choose_no_other_protocol() {
    let written = Written::by("git: [{allow: {repo: github/acme/docs}}]\n");
    let policy = |protocol: &str| written.git(&["config", &format!("protocol.{protocol}.allow")]);
    assert_eq!(written.git(&["config", "protocol.allow"]), "never");
    assert_eq!(
        (policy("https"), policy("ssh")),
        ("always".into(), "user".into())
    );
}

#[test]
fn a_policy_without_git_says_nothing_about_it() {
    let home = tempfile::tempdir().unwrap();
    assert!(settings(home.path(), &[], &[]).is_none());
    let own = "[user]\n name = Ann \"A\"\n email = ann@example.com\n";
    std::fs::write(home.path().join(".gitconfig"), own).unwrap();
    let (_, octets) = settings(home.path(), &[], &[]).unwrap();
    let text = String::from_utf8(octets).unwrap();
    assert!(
        text.starts_with("[user]\n\tname = ") && !text.contains("url"),
        "{text}"
    );
}
