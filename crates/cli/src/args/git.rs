//! The command line of `ringfence git`.

use std::num::NonZeroU16;

use clap::{Args, Subcommand, ValueEnum};
use ringfence_gateway::ssh::check_host_key;
use ringfence_model::git::{RefChange, RefName, UpstreamKind, UpstreamName};
use ringfence_model::{AgentName, CredentialName, HostName, Scheme};
use ringfence_policy::Cidr;

use super::approval::{ApprovalsArguments, ApproveArguments, RejectArguments};

#[derive(Debug, Args)]
pub(crate) struct GitArguments {
    #[command(subcommand)]
    pub(crate) verb: GitVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum GitVerb {
    /// Tell whether an agent may fetch from a repository or push to it, and why.
    Check(CheckArguments),
    /// Describe git servers that rules can name.
    Upstream(UpstreamArguments),
    /// List the pushes that wait for a person.
    Approvals(ApprovalsArguments),
    /// Let one of them pass, exactly as it was tried.
    Approve(ApproveArguments),
    /// Let one of them not pass, and take an approval back.
    #[command(visible_alias = "revoke")]
    Reject(RejectArguments),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  ringfence git check coder fetch github/acme/docs --profile agent
  ringfence git check coder push github/acme/web agent/login --profile agent
  ringfence git check coder push github/acme/web refs/tags/v1 --change tag-create --profile agent

Nothing is sent. What a push holds (files, sizes, secrets) is decided on when it is there.
The exit code is 0 where it is allowed and 77 where it is not.")]
pub(crate) struct CheckArguments {
    /// The agent.
    pub(crate) agent: AgentName,
    /// What it wants.
    #[arg(value_enum)]
    pub(crate) wish: Wish,
    /// The repository, as rules name it: SERVER/PATH.
    pub(crate) repo: String,
    /// The ref that is pushed; without refs/, a branch. Without it: whether a push may begin.
    #[arg(value_name = "REF", value_parser = reference)]
    pub(crate) reference: Option<RefName>,
    /// What happens to the ref [default: a tag is made, a branch moves, be it forward or not].
    #[arg(long, value_enum, requires = "reference")]
    pub(crate) change: Option<Change>,
    /// A profile, beside your own: a file, one of yours, or a built-in one. May be given several times.
    #[arg(long = "profile", value_name = "NAME|FILE")]
    pub(crate) profiles: Vec<String>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What an agent wants of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Wish {
    /// To clone it or fetch from it.
    Fetch,
    /// To push to it.
    Push,
}

/// What happens to a ref.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Change {
    /// It is made.
    Create,
    /// It moves forward.
    FastForward,
    /// It moves anywhere.
    Force,
    /// It is deleted.
    Delete,
    /// It is a tag, and is made.
    TagCreate,
    /// It is a tag, and moves.
    TagMove,
}

impl Change {
    pub(crate) const fn change(self) -> RefChange {
        match self {
            Self::Create => RefChange::Create,
            Self::FastForward => RefChange::FastForward,
            Self::Force => RefChange::Force,
            Self::Delete => RefChange::Delete,
            Self::TagCreate => RefChange::TagCreate,
            Self::TagMove => RefChange::TagMove,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct UpstreamArguments {
    #[command(subcommand)]
    pub(crate) verb: UpstreamVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UpstreamVerb {
    /// Describe a server, in your own profile or another one.
    #[command(after_help = "Examples:
  ringfence git upstream add corp --kind gitlab --host git.corp.example --credential corp
  ringfence git upstream add scm --kind generic-https --host git.corp.example:8443 --base-path /scm --address 10.0.0.0/8
  ringfence git upstream add old --kind ssh --host git.corp.example --base-path /srv/git --credential deploy \\
      --host-key \"ssh-ed25519 AAAA…\"

Rules that name it stand in the same profile.")]
    Add(Box<AddArguments>),
    /// List the servers that rules can name.
    List {
        /// A profile to look into as well. May be given several times.
        #[arg(long = "profile", value_name = "NAME|FILE")]
        profiles: Vec<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Take a server out of a profile.
    Remove {
        /// Its name.
        #[arg(value_parser = name)]
        name: UpstreamName,
        /// The profile that it stands in [default: your own].
        #[arg(long, value_name = "NAME|FILE")]
        profile: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct AddArguments {
    /// Its name: the first part of the names of its repositories.
    #[arg(value_parser = name)]
    pub(crate) name: UpstreamName,
    /// How it names repositories, and how it is reached.
    #[arg(long, value_enum)]
    pub(crate) kind: Kind,
    /// Where it is [default port: 443, or 22 with --kind ssh].
    #[arg(long, value_name = "HOST[:PORT]", value_parser = place)]
    pub(crate) host: Place,
    /// What stands before every repository in a path, as in /scm.
    #[arg(long, value_name = "PATH")]
    pub(crate) base_path: Option<String>,
    /// The credential for it, where a rule names none.
    #[arg(long, value_name = "NAME")]
    pub(crate) credential: Option<CredentialName>,
    /// A network that the host may resolve into, where it is not public. May be given several times.
    #[arg(long = "address", value_name = "NETWORK")]
    pub(crate) addresses: Vec<Cidr>,
    /// With --kind ssh: a key of the server, as `ssh-keyscan HOST` prints it, without the host. It must have one of these. May be given several times.
    #[arg(long = "host-key", value_name = "KEY", value_parser = host_key)]
    pub(crate) host_keys: Vec<String>,
    /// Reach it without TLS.
    #[arg(long)]
    pub(crate) plain_http: bool,
    /// The profile that it is added to [default: your own].
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) profile: Option<String>,
}

impl AddArguments {
    /// How it is reached, where that is not what is usual for its kind.
    pub(crate) fn scheme(&self) -> Option<Scheme> {
        self.plain_http.then_some(Scheme::Http)
    }
}

/// The kinds of servers.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Kind {
    /// Any smart HTTP server; letter case counts.
    GenericHttps,
    /// GitHub.
    Github,
    /// GitLab.
    Gitlab,
    /// Gitea or Forgejo.
    Gitea,
    /// Bitbucket Cloud.
    Bitbucket,
    /// Azure DevOps.
    AzureDevops,
    /// Any server that is reached over SSH; letter case counts.
    Ssh,
}

impl Kind {
    pub(crate) const fn kind(self) -> UpstreamKind {
        match self {
            Self::GenericHttps => UpstreamKind::GenericHttps,
            Self::Github => UpstreamKind::Github,
            Self::Gitlab => UpstreamKind::Gitlab,
            Self::Gitea => UpstreamKind::Gitea,
            Self::Bitbucket => UpstreamKind::Bitbucket,
            Self::AzureDevops => UpstreamKind::AzureDevops,
            Self::Ssh => UpstreamKind::Ssh,
        }
    }
}

/// A host and perhaps a port.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) host: HostName,
    pub(crate) port: Option<NonZeroU16>,
}

fn place(text: &str) -> Result<Place, String> {
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    let port = port.map(str::parse).transpose();
    Ok(Place {
        host: host.parse().map_err(|error| format!("{error}"))?,
        port: port.map_err(|_| "a port is a number from 1 to 65535".to_owned())?,
    })
}

fn name(text: &str) -> Result<UpstreamName, String> {
    UpstreamName::new(text).map_err(|error| error.to_string())
}

fn host_key(text: &str) -> Result<String, String> {
    check_host_key(text).map_err(|error| error.to_string())?;
    Ok(text.to_owned())
}

fn reference(text: &str) -> Result<RefName, String> {
    let full = if text.starts_with("refs/") {
        text.to_owned()
    } else {
        format!("refs/heads/{text}")
    };
    RefName::try_from(full).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_name_and_perhaps_a_port() {
        let read = place("git.test:8443").unwrap();
        assert_eq!(
            (read.host.as_str(), read.port.map(u16::from)),
            ("git.test", Some(8443))
        );
        assert_eq!(place("git.test").unwrap().port, None);
        for bad in [
            "",
            "git.test:",
            "git.test:0",
            "git.test:x",
            "a b",
            "git.test:70000",
        ] {
            assert!(place(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_ref_is_a_branch_unless_it_is_named_in_full() {
        assert_eq!(reference("main").unwrap().as_str(), "refs/heads/main");
        assert_eq!(reference("refs/tags/v1").unwrap().as_str(), "refs/tags/v1");
        assert!(reference("a..b").is_err() && reference("").is_err());
    }
}
