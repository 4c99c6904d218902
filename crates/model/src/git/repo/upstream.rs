//! Git servers: those that are known from the start, and where a repository is on one.

use super::{GitUpstream, RepoId, UpstreamKind, UpstreamName};
use crate::action::Scheme;
use crate::host::{Destination, Host, HostName, HostPattern};

impl GitUpstream {
    /// The servers that rules can name without a definition.
    #[must_use]
    pub fn builtin() -> Vec<Self> {
        let read = |&(name, kind, host): &(&str, UpstreamKind, &str)| {
            let host: HostName = host.parse().ok()?;
            Some(Self {
                name: UpstreamName::new(name).ok()?,
                kind,
                destination: Destination::new(Host::Name(host), HTTPS).ok()?,
                scheme: Scheme::Https,
                base_path: String::new(),
                credential: None,
                host_keys: Vec::new(),
            })
        };
        BUILTIN.iter().filter_map(read).collect()
    }

    /// Every name by which it is known: its own, and for the public servers the others that
    /// lead to the same repositories, over SSH too. None where it is an address.
    #[must_use]
    pub fn hosts(&self) -> Vec<HostPattern> {
        let Host::Name(own) = &self.destination.host else {
            return Vec::new();
        };
        let read = |&(of, alias): &(&str, &str)| {
            let alias = (of == own.as_str()).then_some(alias)?;
            // Straight from the table: everybody's names below this zone are this server's.
            match alias.strip_prefix("*.") {
                Some(zone) => zone.parse().ok().map(HostPattern::Below),
                None => alias.parse().ok().map(HostPattern::Exact),
            }
        };
        let aliases = ALIASES.iter().filter_map(read);
        [HostPattern::Exact(own.clone())]
            .into_iter()
            .chain(aliases)
            .collect()
    }

    /// Whether a host is this server by one of its names.
    #[must_use]
    pub fn is_known_as(&self, host: &Host) -> bool {
        let by_name = |name| self.hosts().iter().any(|known| known.matches(name));
        *host == self.destination.host || host.name().is_some_and(by_name)
    }

    /// The path of a repository on this server, as a client would ask for it: without a slash
    /// at its end, with `.git` where the server has it.
    #[must_use]
    pub fn path_of(&self, repo: &RepoId) -> String {
        let (base, path) = (&self.base_path, repo.path());
        match self.kind {
            UpstreamKind::AzureDevops => {
                let (project, name) = path.rsplit_once('/').unwrap_or(("", path));
                format!("{base}/{project}/_git/{name}").replace(' ', "%20")
            }
            // A server over SSH finds a directory with and without the suffix.
            UpstreamKind::Ssh => format!("{base}/{path}"),
            UpstreamKind::GenericHttps
            | UpstreamKind::Github
            | UpstreamKind::Gitlab
            | UpstreamKind::Gitea
            | UpstreamKind::Bitbucket => format!("{base}/{path}.git"),
        }
    }
}

const HTTPS: u16 = 443;

const BUILTIN: [(&str, UpstreamKind, &str); 5] = [
    ("github", UpstreamKind::Github, "github.com"),
    ("gitlab", UpstreamKind::Gitlab, "gitlab.com"),
    ("azure-devops", UpstreamKind::AzureDevops, "dev.azure.com"),
    ("bitbucket", UpstreamKind::Bitbucket, "bitbucket.org"),
    ("codeberg", UpstreamKind::Gitea, "codeberg.org"),
];

const ALIASES: [(&str, &str); 6] = [
    ("github.com", "www.github.com"),
    ("github.com", "ssh.github.com"),
    ("gitlab.com", "altssh.gitlab.com"),
    ("dev.azure.com", "*.visualstudio.com"),
    ("dev.azure.com", "ssh.dev.azure.com"),
    ("bitbucket.org", "altssh.bitbucket.org"),
];
