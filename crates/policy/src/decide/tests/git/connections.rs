//! Connections to the servers of git rules, and git requests that came as something else.

use ringfence_model::Destination;

use super::*;

fn shown(snapshot: &Snapshot, text: &str) -> String {
    carries(&snapshot.decide(&action(text), now()))
}

const CORP: &str = "gitUpstreams:
  - {name: corp, kind: generic-https, host: git.corp.test, port: 8443, addresses: [10.1.0.0/16]}
  - {name: plain, kind: gitea, host: plain.test, scheme: http}
  - {name: keys, kind: ssh, host: ssh.corp.test, hostKeys: ['ssh-ed25519 AAAA']}";

#[test]
fn a_rule_opens_its_server_for_requests_that_are_read() {
    let snapshot = with(
        CORP,
        "allow: {repo: github/acme/docs}
         allow: {repo: azure-devops/org/p/r}
         allow: {repo: corp/a}
         allow: {repo: plain/a/b}
         allow: {repo: keys/a}",
    );
    for (text, expected) in [
        ("github.com:443", "https"),
        ("www.github.com:443", "https"),
        ("github.com:22", "port-not-allowed"),
        ("github.com:80", "port-not-allowed"),
        ("gitlab.com:443", "no-rule"),
        ("dev.azure.com:443", "https"),
        ("org.visualstudio.com:443", "https"),
        ("git.corp.test:8443", "https"),
        ("git.corp.test:443", "port-not-allowed"),
        ("plain.test:80", "http"),
        ("ssh.corp.test:22", "port-not-allowed"),
        ("ssh.corp.test:443", "https"),
        ("GET https://github.com/acme/docs", "path-not-allowed"),
        ("git.ringfence.internal:443", "https"),
        ("git.ringfence.internal:80", "http"),
        ("git.ringfence.internal:22", "control-plane"),
        ("other.ringfence.internal:443", "control-plane"),
        ("GET https://git.ringfence.internal/x", "control-plane"),
    ] {
        assert_eq!(shown(&snapshot, text), expected, "{text}");
    }
    let corp = snapshot.decide(&action("git.corp.test:8443"), now());
    assert!(permits(&corp, "10.1.2.3") && !permits(&corp, "93.184.216.34"));
    let proxy = snapshot.decide(&action("git.ringfence.internal:443"), now());
    for address in ["127.0.0.1", "93.184.216.34", "10.1.2.3"] {
        assert!(!permits(&proxy, address), "nothing is dialled for it");
    }
}

#[test]
fn without_a_rule_that_allows_git_its_own_name_is_closed() {
    for rules in [
        "forbid: {repo: 'github/**'}",
        "allow: {repo: github/a/b, expires: '2020-01-01T00:00:00Z'}",
    ] {
        let snapshot = git(rules);
        assert_eq!(
            shown(&snapshot, "git.ringfence.internal:443"),
            "control-plane"
        );
    }
    let nothing = snapshot("allow: {host: github.com}");
    assert_eq!(
        shown(&nothing, "git.ringfence.internal:443"),
        "control-plane"
    );
}

#[test]
fn a_server_that_is_named_by_a_rule_is_found_by_its_hosts() {
    let snapshot = with(
        CORP,
        "allow: {repo: github/a/b}\nforbid: {repo: corp/a}\nallow: {repo: keys/a}",
    );
    let at = |text: &str| {
        let destination: Destination = text.parse().unwrap();
        let found = snapshot.git_at(&destination.host, destination.port);
        found.map(|upstream| upstream.name.to_string())
    };
    assert_eq!(at("github.com:443").as_deref(), Some("github"));
    assert_eq!(at("www.github.com:443").as_deref(), Some("github"));
    assert_eq!(at("git.corp.test:8443").as_deref(), Some("corp"));
    assert_eq!(at("ssh.corp.test:443").as_deref(), Some("keys"));
    for text in [
        "github.com:80",
        "gitlab.com:443",
        "plain.test:80",
        "ssh.corp.test:22",
        "192.0.2.1:443",
    ] {
        assert_eq!(at(text), None, "{text}");
    }
    let named: Vec<_> = snapshot
        .git_upstreams()
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    assert_eq!(named, ["corp", "github", "keys"]);
}

#[test]
fn where_a_server_speaks_both_https_means_the_one_that_speaks_it() {
    let both = "gitUpstreams:
  - {name: a-keys, kind: ssh, host: corp.test, hostKeys: ['ssh-ed25519 AAAA']}
  - {name: web, kind: gitea, host: corp.test}";
    let snapshot = with(both, "allow: {repo: a-keys/a}\nallow: {repo: web/a/b}");
    let at = |port| snapshot.git_at(&"corp.test".parse().unwrap(), port);
    assert_eq!(at(443).unwrap().name.as_str(), "web");
    assert!(at(22).is_none());
}

#[test]
fn a_forbid_of_another_section_counts_for_a_server_over_ssh_too() {
    for (others, is_allowed) in [
        (
            "api: [{forbid: {host: ssh.corp.test, paths: ['/a/**']}}]",
            false,
        ),
        (
            "api: [{forbid: {host: ssh.corp.test, paths: ['/b/**']}}]",
            true,
        ),
        (
            "network: [{forbid: {host: ssh.corp.test, ports: [443]}}]",
            false,
        ),
        (
            "network: [{forbid: {host: ssh.corp.test, ports: [22]}}]",
            false,
        ),
    ] {
        let snapshot = with(&format!("{CORP}\n{others}"), "allow: {repo: keys/a}");
        let fetch = GitOperation::Fetch {
            wants: 1,
            filter: None,
            shallow: false,
        };
        let request = snapshot.git_request("keys/a", fetch).unwrap();
        let verdict = snapshot.decide(&Action::Git(request), now());
        assert_eq!(verdict.decision.is_allow(), is_allowed, "{others}");
    }
}

#[test]
fn tls_to_a_server_of_a_rule_is_read_although_another_rule_lets_it_pass() {
    let network = "network: [{allow: {host: github.com}}]";
    let allowed = with(network, "allow: {repo: github/a/b}");
    assert_eq!(shown(&allowed, "github.com:443"), "https");
    assert_eq!(shown(&allowed, "GET https://github.com/a/b"), "https");
    let forbidden = with(network, "forbid: {repo: github/a/b}");
    assert_eq!(shown(&forbidden, "github.com:443"), "https");
}

#[test]
fn a_forbid_takes_what_cannot_be_read_away_on_every_port() {
    let network = "network: [{allow: {host: github.com, ports: [22], protocol: tcp}}, {allow: {host: github.com, tunnel: true}}]";
    let snapshot = with(network, "forbid: {repo: github/a/b}");
    for text in ["github.com:22", "github.com:443"] {
        assert_eq!(shown(&snapshot, text), "needs-interception", "{text}");
    }
    assert_eq!(
        shown(&with(network, "allow: {repo: github/a/b}"), "github.com:22"),
        "opaque"
    );
}

#[test]
fn a_git_request_that_came_as_another_request_is_allowed_by_no_rule() {
    let others = "network: [{allow: {host: github.com}}]
api: [{allow: {host: github.com, scheme: http}}, {allow: {host: other.test}}]";
    for rules in [
        "allow: {repo: github/a/b, access: write}",
        "forbid: {repo: github/a/b}",
    ] {
        let snapshot = with(others, rules);
        for path in [
            "/a/b/info/refs",
            "/a/b.git/info/refs?service=git-upload-pack",
            "/a/b.git/git-upload-pack",
            "/a/b.git/GIT-RECEIVE-PACK",
            "/a/b.git/git-upload-archive",
            "/a/b.git/info/lfs/objects/batch",
            "/a/b.git/objects/info/packs",
            "/a/b.git/objects/pack/pack-1.pack",
            "/a/b.git/objects/info/http-alternates",
            "/a/b.git/objects/ab/cdef",
        ] {
            for scheme in ["http", "https"] {
                let text = format!("POST {scheme}://github.com{path}");
                assert_eq!(shown(&snapshot, &text), "protocol-mismatch", "{text}");
            }
            let elsewhere = format!("POST https://other.test{path}");
            assert_eq!(shown(&snapshot, &elsewhere), "https", "{elsewhere}");
        }
        assert_eq!(
            shown(&snapshot, "GET https://github.com/a/b/issues"),
            "https"
        );
    }
}

#[test]
fn a_git_request_belongs_to_the_server_of_its_repository() {
    let snapshot = with(CORP, "allow: {repo: github/a/b}\nallow: {repo: corp/a}");
    let decided = |destination: &str, repo: &str| {
        let mut request = snapshot.git_request(repo, fetch()).unwrap();
        request.destination = destination.parse().unwrap();
        snapshot.decide(&Action::Git(request), now()).decision.code
    };
    for destination in ["github.com:443", "www.github.com:443"] {
        assert_eq!(decided(destination, "github/a/b"), ReasonCode::Allowed);
    }
    for destination in [
        "github.com:80",
        "evil.test:443",
        "git.corp.test:8443",
        "192.0.2.1:443",
        "git.ringfence.internal:443",
    ] {
        assert_eq!(
            decided(destination, "github/a/b"),
            ReasonCode::NoRule,
            "{destination}"
        );
    }
    assert_eq!(decided("git.corp.test:8443", "corp/a"), ReasonCode::Allowed);
}

#[test]
fn forbids_of_other_sections_win_over_git_rules() {
    let allow = "allow: {repo: 'github/**', access: write}";
    for (others, repo, operation, expected) in [
        (
            "network: [{forbid: {host: github.com}}]",
            "github/a/b",
            fetch(),
            ReasonCode::Forbidden,
        ),
        (
            "network: [{forbid: {host: github.com, ports: [80]}}]",
            "github/a/b",
            fetch(),
            ReasonCode::Allowed,
        ),
        (
            "network: [{forbid: {host: github.com, methods: [POST]}}]",
            "github/a/b",
            fetch(),
            ReasonCode::Forbidden,
        ),
        (
            "network: [{forbid: {host: github.com, methods: [DELETE]}}]",
            "github/a/b",
            fetch(),
            ReasonCode::Allowed,
        ),
        (
            "api: [{forbid: {host: github.com, paths: [/A/b/**]}}]",
            "github/a/b",
            fetch(),
            ReasonCode::Forbidden,
        ),
        (
            "api: [{forbid: {host: github.com, paths: [/a/b.git/**]}}]",
            "github/a/b",
            fetch(),
            ReasonCode::Forbidden,
        ),
        (
            "api: [{forbid: {host: github.com, paths: [/a/b/**]}}]",
            "github/a/c",
            fetch(),
            ReasonCode::Allowed,
        ),
        (
            "api: [{forbid: {host: github.com, paths: ['/**/git-receive-pack']}}]",
            "github/a/b",
            fetch(),
            ReasonCode::Allowed,
        ),
        (
            "api: [{forbid: {host: github.com, paths: ['/**/git-receive-pack']}}]",
            "github/a/b",
            GitOperation::Probe,
            ReasonCode::Forbidden,
        ),
        (
            "api: [{forbid: {host: github.com, content: {types: [text/html]}}}]",
            "github/a/b",
            fetch(),
            ReasonCode::Forbidden,
        ),
    ] {
        let snapshot = with(others, allow);
        assert_eq!(code(&snapshot, repo, operation), expected, "{others}");
    }
    // The name that the agent asks for is not the one that is dialled.
    let snapshot = with("network: [{forbid: {host: github.com}}]", allow);
    let mut request = snapshot.git_request("github/a/b", fetch()).unwrap();
    request.destination = "www.github.com:443".parse().unwrap();
    let decision = snapshot.decide(&Action::Git(request), now()).decision;
    assert_eq!(decision.code, ReasonCode::Forbidden);
}

#[test]
fn only_the_addresses_of_the_server_are_dialled() {
    let snapshot = with(
        &format!("{CORP}\nnetwork: [{{forbid: {{cidr: 10.1.9.0/24}}}}]"),
        "allow: {repo: corp/a}\nallow: {repo: github/a/b}\nallow: {repo: keys/a}",
    );
    let corp = to(&snapshot, "corp/a", fetch());
    assert!(permits(&corp, "10.1.2.3"));
    assert!(
        !permits(&corp, "10.1.9.1")
            && !permits(&corp, "10.2.0.1")
            && !permits(&corp, "93.184.216.34")
    );
    let github = to(&snapshot, "github/a/b", fetch());
    assert!(permits(&github, "93.184.216.34") && !permits(&github, "10.1.2.3"));
    assert_eq!(carries(&corp), "https");
    assert_eq!(carries(&to(&snapshot, "keys/a", fetch())), "opaque");
    assert_eq!(corp.grant.unwrap().git.unwrap().name.as_str(), "corp");
}
