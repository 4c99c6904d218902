//! The spellings of a repository's URL that do not lead to the gateway by themselves, or that a
//! person copies from a web page, and where they lead instead.
//!
//! Git compares prefixes letter by letter, and the longest wins (git-config(1), `insteadOf`).

use std::collections::BTreeSet;

use ringfence_model::git::{GitUpstream, UpstreamKind};
use ringfence_model::{HostPattern, Scheme};
use ringfence_policy::Profile;

/// The address at which repositories are reached by the short names of their servers.
const SHORT: &str = "https://git.ringfence.internal";

/// Users that stand in the URLs that people copy.
const USERS: [&str; 3] = ["git", "x-access-token", "oauth2"];

/// Addresses, and the prefixes that are to be read as each of them.
pub(super) fn rewrites(
    servers: &[GitUpstream],
    profiles: &[Profile],
) -> Vec<(String, Vec<String>)> {
    let mut ordered: Vec<&GitUpstream> = servers.iter().collect();
    // Where two servers share a host, a URL of SSH means the one that speaks it, and one without a
    // port the one at the usual port.
    ordered.sort_by_key(|it| (it.kind != UpstreamKind::Ssh, !is_usual(it)));
    let mut taken = BTreeSet::new();
    let mut all: Vec<(String, Vec<String>)> = Vec::new();
    for server in ordered {
        for (address, spellings) in of(server, profiles) {
            let fresh: Vec<String> = spellings
                .into_iter()
                .filter(|spelling| *spelling != address && taken.insert(spelling.clone()))
                .collect();
            match all.last_mut() {
                Some((last, known)) if *last == address => known.extend(fresh),
                _ if fresh.is_empty() => {}
                _ => all.push((address, fresh)),
            }
        }
    }
    all
}

/// The addresses of a server for which git may want a credential.
pub(super) fn addresses(server: &GitUpstream) -> Vec<String> {
    let short = format!("{SHORT}/{}", server.name);
    match server.kind {
        UpstreamKind::Ssh => vec![format!("https://{}", server.destination.host), short],
        _ => vec![origin(server), short],
    }
}

fn of(server: &GitUpstream, profiles: &[Profile]) -> Vec<(String, Vec<String>)> {
    let base = &server.base_path;
    if server.kind == UpstreamKind::Ssh {
        let address = format!("{SHORT}/{}/", server.name);
        return vec![(address, ssh_server(server))];
    }
    let root = format!("{}/", origin(server));
    let mut by_ssh = Vec::new();
    for host in hosts(server) {
        by_ssh.extend(over_ssh(&host, version(server)));
    }
    let own = server.destination.host.to_string();
    by_ssh.push(format!("ssh://{own}/"));
    by_ssh.push(format!("git://{own}/"));
    let mut by_web = over_web(server);
    if server.kind == UpstreamKind::AzureDevops {
        for organisation in organisations(server, profiles) {
            by_web.push(format!(
                "https://{organisation}@{}/",
                server.destination.host
            ));
            by_ssh.push(format!("{organisation}@{OLD_AZURE}:{AZURE_VERSION}"));
        }
    }
    vec![
        (format!("{}{base}/", origin(server)), by_ssh),
        (root, by_web),
    ]
}

/// A server that itself is reached over SSH, at whatever path its repositories have there.
fn ssh_server(server: &GitUpstream) -> Vec<String> {
    let (host, port) = (&server.destination.host, server.destination.port);
    let base = &server.base_path;
    let mut spellings = vec![
        format!("ssh://git@{host}:{port}{base}/"),
        format!("ssh://{host}:{port}{base}/"),
    ];
    if is_usual(server) {
        spellings.push(format!("ssh://git@{host}{base}/"));
        spellings.push(format!("ssh://{host}{base}/"));
        spellings.push(format!("git@{host}:{base}/"));
        if base.is_empty() {
            spellings.push(format!("git@{host}:"));
        }
    }
    spellings
}

/// What a forge of this host shows as the SSH address of a repository.
fn over_ssh(host: &str, version: &str) -> Vec<String> {
    vec![
        format!("git@{host}:{version}"),
        format!("git@{host}:/{version}"),
        format!("ssh://git@{host}/{version}"),
        format!("ssh://git@{host}:22/{version}"),
        // Where a firewall lets nothing else through.
        format!("ssh://git@{host}:443/{version}"),
    ]
}

/// Users and ports that change nothing about where a URL leads.
fn over_web(server: &GitUpstream) -> Vec<String> {
    let (host, scheme) = (&server.destination.host, server.scheme.as_str());
    let port = if is_usual(server) {
        String::new()
    } else {
        format!(":{}", server.destination.port)
    };
    let mut spellings: Vec<String> = USERS
        .iter()
        .map(|user| format!("{scheme}://{user}@{host}{port}/"))
        .collect();
    if is_usual(server) {
        spellings.push(format!("{scheme}://{host}:{}/", server.destination.port));
        if server.scheme == Scheme::Https {
            spellings.push(format!("http://{host}/"));
        }
    }
    spellings
}

/// The names of a server under which it may be reached over SSH.
fn hosts(server: &GitUpstream) -> Vec<String> {
    let known = server.hosts().into_iter();
    known
        .filter_map(|host| match host {
            HostPattern::Exact(name) => Some(name.as_str().to_owned()),
            _ => None,
        })
        .collect()
}

/// What Azure DevOps puts before a repository over SSH.
const fn version(server: &GitUpstream) -> &'static str {
    match server.kind {
        UpstreamKind::AzureDevops => AZURE_VERSION,
        _ => "",
    }
}

/// The organisations that rules name: Azure DevOps has them as users in its URLs.
fn organisations(server: &GitUpstream, profiles: &[Profile]) -> BTreeSet<String> {
    let rules = profiles.iter().flat_map(|profile| &profile.git);
    let about = rules.filter(|rule| rule.terms().upstream() == Some(&server.name));
    let patterns = about.filter_map(|rule| rule.terms().repo.as_ref().map(ToString::to_string));
    let is_plain = |name: &str| {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-';
        !name.is_empty() && name.chars().all(is_word)
    };
    patterns
        .filter_map(|pattern| Some(pattern.split('/').nth(1)?.to_owned()))
        .filter(|name| is_plain(name))
        .collect()
}

fn origin(server: &GitUpstream) -> String {
    let (host, scheme) = (&server.destination.host, server.scheme.as_str());
    if is_usual(server) {
        format!("{scheme}://{host}")
    } else {
        format!("{scheme}://{host}:{}", server.destination.port)
    }
}

const fn is_usual(server: &GitUpstream) -> bool {
    let usual = match (server.kind, server.scheme) {
        (UpstreamKind::Ssh, _) => 22,
        (_, Scheme::Https) => 443,
        (_, Scheme::Http) => 80,
    };
    server.destination.port == usual
}

const AZURE_VERSION: &str = "v3/";

/// Azure DevOps' older host for SSH.
const OLD_AZURE: &str = "vs-ssh.visualstudio.com";
