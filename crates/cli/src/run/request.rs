//! What is asked of the driver: the sandbox of one run, from the command line, the configuration
//! and the policy.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use ringfence_model::RunId;
use ringfence_model::git::GitUpstream;
use ringfence_model::llm::LlmProvider;
use ringfence_model::mcp::ServerName;
use ringfence_policy::Profile;
use ringfence_sandbox::linux::{self, Given, Request, Workspace, WorkspaceMode};
use ringfence_sandbox::{Layer, Limits};

use super::{canary, environment, git, llm, trust};
use crate::args::{LayerName, RunArguments};
use crate::config::Settings;
use crate::failure::Failure;
use crate::link::{Link, LocalCredentials};
use crate::paths;

/// Whether a file that decides about the run lies in its workspace. That is refused where the
/// agent can write it.
pub(super) fn is_steered_from_inside(request: &Request) -> bool {
    let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let workspace = real(&request.workspace.directory);
    let mut files = request.steering.iter();
    files.any(|file| real(file).starts_with(&workspace))
}

/// The files that decide about this run: an agent must not be able to write them.
pub(super) fn steering(
    link: &Link,
    settings: &Settings,
    config_file: Option<&Path>,
    credentials: &LocalCredentials,
) -> Vec<PathBuf> {
    let mut files = link.files();
    files.extend(config_file.map(Path::to_owned));
    files.extend(settings.gateway.dial.extra_roots.iter().cloned());
    files.extend(settings.programs());
    files.extend(credentials.files().iter().cloned());
    files
}

/// What the sandbox of a run is made from, beside the command line.
pub(super) struct Facts<'a> {
    pub(super) run: RunId,
    /// The files in which clients find whom to trust.
    pub(super) given: Vec<Given>,
    pub(super) credentials: &'a LocalCredentials,
    /// The variables that profiles set.
    pub(super) granted: BTreeMap<String, String>,
    /// The servers that git rules name.
    pub(super) git_servers: Vec<GitUpstream>,
    /// The providers of language models that rules name.
    pub(super) llm_providers: Vec<LlmProvider>,
    /// The MCP servers that rules open.
    pub(super) mcp_servers: Vec<ServerName>,
    pub(super) profiles: &'a [Profile],
    /// Whether agents are heard that tell of their own work.
    pub(super) agents_are_heard: bool,
}

pub(super) fn request(
    arguments: &RunArguments,
    facts: Facts<'_>,
    steering: Vec<PathBuf>,
) -> Result<Request, Failure> {
    let Facts {
        run,
        given,
        credentials,
        granted,
        ..
    } = facts;
    let current = std::env::current_dir()
        .context("the current directory is not there any more")
        .map_err(Failure::Usage)?;
    let runs = paths::runs().map_err(Failure::usage)?;
    let state = runs.join(run.to_string());
    let _ = linux::sweep(&runs);
    let home = paths::home().map_err(Failure::Usage)?;
    let mut models = llm::settings((&facts.llm_providers, &facts.mcp_servers), run, &home);
    if facts.agents_are_heard {
        models.hear(&facts.llm_providers);
    }
    // What a profile sets by itself counts more.
    let granted = models.environment.into_iter().chain(granted).collect();
    let mut environment =
        environment::build(granted, &arguments.environment).map_err(Failure::Usage)?;
    environment::trust(&mut environment, Path::new(trust::INSIDE));
    let git = git::settings(&home, &facts.git_servers, facts.profiles);
    if let Some((path, _)) = &git {
        environment::git(&mut environment, path);
    }
    Ok(Request {
        command: arguments.command.clone(),
        environment,
        workspace: Workspace {
            directory: arguments
                .workspace
                .clone()
                .unwrap_or_else(|| current.clone()),
            mode: mode(arguments),
        },
        directory: current,
        files: [(PathBuf::from("/etc/resolv.conf"), RESOLVER.to_vec())]
            .into_iter()
            .chain(git)
            .chain(models.files)
            .collect(),
        home,
        read: arguments.read.clone(),
        given,
        hide: arguments.hide.clone(),
        steering,
        private: [paths::data(), paths::config()]
            .into_iter()
            .chain(servers(arguments))
            .map(|path| path.map_err(Failure::usage))
            .chain(credentials.files().iter().cloned().map(Ok))
            .collect::<Result<_, _>>()?,
        hostname: hostname(run),
        state,
        canary: Some(canary().map_err(Failure::Usage)?),
        limits: Limits {
            processes: arguments.processes,
            memory: arguments.memory,
            ..Limits::default()
        },
        without: arguments
            .without
            .iter()
            .map(|layer| layer.layer())
            .collect(),
        weakening: weakening(arguments),
    })
}

/// Where servers work, which no agent sees, and no server of another one.
fn servers(arguments: &RunArguments) -> Option<anyhow::Result<PathBuf>> {
    let state = paths::state();
    let is_of_server = arguments.hosted_by.is_some();
    let workspace = arguments.workspace.as_ref().filter(|_| is_of_server);
    let is_there = |state: &PathBuf| workspace.is_some_and(|it| it.starts_with(state));
    (!state.as_ref().is_ok_and(is_there)).then_some(state)
}

pub(super) const fn mode(arguments: &RunArguments) -> WorkspaceMode {
    if arguments.read_only {
        WorkspaceMode::ReadOnly
    } else if arguments.overlay {
        WorkspaceMode::Overlay
    } else {
        WorkspaceMode::ReadWrite
    }
}

impl LayerName {
    const fn layer(self) -> Layer {
        match self {
            Self::Landlock => Layer::Landlock,
            Self::Cgroup => Layer::Cgroup,
        }
    }
}

#[cfg(feature = "weaken")]
pub(super) fn weakening(arguments: &RunArguments) -> ringfence_sandbox::Weakening {
    ringfence_sandbox::Weakening::without(arguments.weaken.clone())
}

#[cfg(not(feature = "weaken"))]
pub(super) fn weakening(_: &RunArguments) -> ringfence_sandbox::Weakening {
    ringfence_sandbox::Weakening::none()
}

/// A name that tells sandboxes apart; the random end of the run's id is unique enough.
fn hostname(run: RunId) -> String {
    let id = run.to_string();
    let (_, end) = id.rsplit_once('-').unwrap_or(("", &id));
    format!("ringfence-{end}")
}

/// The gateway's own address in every sandbox answers DNS.
const RESOLVER: &[u8] = b"nameserver 198.18.0.1\noptions timeout:2 attempts:2\n";
