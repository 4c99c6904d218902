//! From a request to the plan: which parts of the host appear in the sandbox, and how. The
//! rule is an allow-list. What is not named here is not there: no home directory, no sockets,
//! no `/var`, no `/sys`, and of `/etc` only what programs need and holds no secret.

mod account;
mod check;
mod sockets;
mod system;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::overlay::{Layer, LayerKind, Manifest};
use super::protect::{self, Protection};
use super::spare;
use super::streams::Streams;
use crate::init::{self, Keeping, Left};
use crate::spec::{self, Access, Bounds, Limits, Mount, Spec};
use crate::weaken::Weakening;

/// What a run asks for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The command and its arguments.
    pub command: Vec<String>,
    /// The whole environment of the command.
    pub environment: BTreeMap<String, String>,
    /// The directory that the agent works in.
    pub workspace: Workspace,
    /// The directory that the command starts in, inside or outside of the workspace.
    pub directory: PathBuf,
    /// The caller's home directory; inside, it is empty and in memory.
    pub home: PathBuf,
    /// Further paths of the host that may be read.
    pub read: Vec<PathBuf>,
    /// Files that the agent finds in the place of the host's.
    pub given: Vec<Given>,
    /// Paths below the workspace that are not shown.
    pub hide: Vec<PathBuf>,
    /// Files that decide about the run: none may be in a workspace that the agent can write.
    pub steering: Vec<PathBuf>,
    /// Directories that no mount may show: policy, events, private copies.
    pub private: Vec<PathBuf>,
    /// Files that are made inside, for example name service settings: path and content.
    pub files: Vec<(PathBuf, Vec<u8>)>,
    /// The name of the sandbox' machine.
    pub hostname: String,
    /// The directory that keeps what this run leaves; it does not exist yet.
    pub state: PathBuf,
    /// A file outside that the self-test must not be able to read.
    pub canary: Option<PathBuf>,
    /// Bounds on what the agent may use.
    pub limits: Limits,
    /// The layers that the user gave up by name.
    pub without: Vec<spec::Layer>,
    /// Nothing, but in test builds.
    pub weakening: Weakening,
}

/// A file that is made for one sandbox and exists nowhere else.
#[derive(Debug, Clone)]
pub struct Given {
    /// Where it appears.
    pub at: PathBuf,
    /// Files of the host's in whose place it appears as well.
    pub instead_of: Vec<PathBuf>,
    /// What it holds.
    pub content: Vec<u8>,
}

/// The directory that the agent works in, and what becomes of its writes.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// The directory; it appears inside at the same path.
    pub directory: PathBuf,
    /// What the agent may do with it.
    pub mode: WorkspaceMode,
}

/// What becomes of the agent's writes to the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkspaceMode {
    /// They happen, except in protected paths.
    ReadWrite,
    /// They are refused.
    ReadOnly,
    /// They go to a private copy, to be reviewed.
    Overlay,
}

/// Why a request cannot be carried out.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The workspace would show the agent the caller's secrets.
    #[error(
        "{} holds your home directory and all secrets in it; start in a project's directory or name one with --workspace",
        .0.display()
    )]
    WorkspaceTooWide(PathBuf),
    /// The workspace is a part of the system.
    #[error("{} is a directory of the system, not a workspace", .0.display())]
    WorkspaceIsSystem(PathBuf),
    /// The workspace is where tools keep credentials.
    #[error("{} holds credentials, so it is no workspace", .0.display())]
    WorkspaceHoldsSecrets(PathBuf),
    /// A file that decides about the run could be rewritten by the agent.
    #[error(
        "{} decides what the agent may do, and it lies in the workspace, where the agent could change it; keep it outside, or use --read-only or --overlay",
        .0.display()
    )]
    SteeredFromInside(PathBuf),
    /// A mount would show the agent what steers and records it.
    #[error("{} would show the agent {}, which holds Ringfence's own policy or records", shown.display(), private.display())]
    ShowsPrivate {
        /// The path that was asked for.
        shown: PathBuf,
        /// The directory that must stay outside.
        private: PathBuf,
    },
    /// A path of the request cannot be used.
    #[error("cannot use {}", path.display())]
    Path {
        /// The path.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// A plan for the init process.
pub(super) struct Plan {
    /// What pid 1 carries out.
    pub(super) spec: Spec,
    /// What the given files hold, one after the other.
    pub(super) contents: Vec<Vec<u8>>,
    /// What the keeper has to do.
    pub(super) keeping: Keeping,
    /// Marks the run as alive while it is open.
    pub(super) alive: File,
}

/// Makes the plan and all that it needs on the host: the run's directory and placeholders.
pub(super) fn plan(request: Request, streams: &Streams) -> Result<Plan, PlanError> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |source| PlanError::Path { path, source }
    };
    let workspace = &request.workspace.directory;
    let directory = fs::canonicalize(workspace).map_err(at(workspace))?;
    check::check(&request, &directory)?;
    spare::take(&request.state).map_err(at(&request.state))?;
    let mut mounts = system::mounts(&request);
    // Held until the placeholders are made: what is one is not to be taken for the person's own.
    let _lock = lock(&request.state).map_err(at(&request.state))?;
    let protection = place_workspace(&request, &directory, &mut mounts).map_err(at(&directory))?;
    for path in &request.hide {
        mounts.extend(hidden(&directory.join(path)));
    }
    for shown in request.read.iter().chain([&directory]) {
        mounts.extend(sockets::covered(shown));
    }
    let ignore = protection.ignore(&directory, &request.home);
    mounts.extend(unless_shown(ignore, &request.read));
    let manifest = Manifest::new(&directory, protection.layers.clone());
    let (left, alive) = commit(&protection, &request, &manifest).map_err(at(&request.state))?;
    let bounds = bounds(&request);
    let mut environment = request.environment;
    if request.weakening.is_off("environment") {
        environment.extend(std::env::vars());
    }
    if request.weakening.is_off("root") {
        mounts.extend(beside(request.canary.as_deref()));
    }
    let spec = Spec {
        command: request.command,
        environment,
        directory: start_directory(&request.directory, &directory),
        hostname: request.hostname,
        mounts,
        workspace: directory.clone(),
        protected_files: protection.files(),
        terminal: streams.terminal,
        limits: request.limits,
        canary: request.canary,
        without: request.without,
        weakening: request.weakening,
    };
    let contents = request.given.into_iter().map(|given| given.content);
    Ok(Plan {
        spec,
        contents: contents.collect(),
        keeping: Keeping { left, bounds },
        alive,
    })
}

fn bounds(request: &Request) -> Bounds {
    let is_given_up = request.without.contains(&spec::Layer::Cgroup);
    Bounds {
        group: request.hostname.clone(),
        by_group: !is_given_up && !request.weakening.is_off("cgroup"),
        limits: request.limits,
    }
}

/// What a mistake in the plan would show: the directory of the caller's secrets. Test builds only.
fn beside(canary: Option<&Path>) -> Option<Mount> {
    let directory = canary?.parent()?;
    Some(Mount::Bind {
        from: directory.to_owned(),
        at: directory.to_owned(),
        access: Access::Write,
    })
}

/// Placeholders are planned and made under the lock that also guards their removal.
fn lock(state: &Path) -> io::Result<File> {
    init::lock(state.parent().ok_or(io::ErrorKind::InvalidInput)?)
}

fn commit(
    protection: &Protection,
    request: &Request,
    manifest: &Manifest,
) -> io::Result<(Left, File)> {
    let groups = init::cgroup::places(&request.hostname);
    protect::commit(protection, groups, &request.state, manifest)
}

fn place_workspace(
    request: &Request,
    directory: &Path,
    mounts: &mut Vec<Mount>,
) -> io::Result<Protection> {
    let mut bind = |access| {
        mounts.push(Mount::Bind {
            from: directory.to_owned(),
            at: directory.to_owned(),
            access,
        });
    };
    match request.workspace.mode {
        WorkspaceMode::ReadOnly => {
            bind(Access::Read);
            Ok(Protection::default())
        }
        WorkspaceMode::ReadWrite => {
            bind(Access::Write);
            if request.weakening.is_off("protect") {
                return Ok(Protection::default());
            }
            let protection = protect::protect(directory, &request.state)?;
            mounts.extend(protection.mounts.iter().cloned());
            Ok(protection)
        }
        WorkspaceMode::Overlay => {
            let upper = request.state.join("upper");
            let work = request.state.join("work");
            protect::make_directory(&upper)?;
            protect::make_directory(&work)?;
            mounts.push(Mount::Overlay {
                lower: directory.to_owned(),
                upper: upper.clone(),
                work,
                at: directory.to_owned(),
            });
            Ok(Protection {
                layers: vec![Layer::new(LayerKind::Overlay, directory, upper)],
                ..Protection::default()
            })
        }
    }
}

/// A file of the sandbox's own gives way to what the caller asked to be shown there.
fn unless_shown(mount: Mount, read: &[PathBuf]) -> Option<Mount> {
    let is_shown = match &mount {
        Mount::File { at, .. } => read.iter().any(|path| at.starts_with(path)),
        _ => false,
    };
    (!is_shown).then_some(mount)
}

/// Covers a file by an empty one, a directory by an empty one; what is not there needs nothing.
fn hidden(path: &Path) -> Option<Mount> {
    let meta = fs::metadata(path).ok()?;
    Some(if meta.is_dir() {
        Mount::Tmpfs {
            at: path.to_owned(),
            octets: 4096,
            mode: 0o555,
        }
    } else {
        Mount::Bind {
            from: PathBuf::from("/dev/null"),
            at: path.to_owned(),
            access: Access::Read,
        }
    })
}

/// The caller's directory where the sandbox has it, else the workspace.
fn start_directory(wanted: &Path, workspace: &Path) -> PathBuf {
    match fs::canonicalize(wanted) {
        Ok(wanted) if wanted.starts_with(workspace) => wanted,
        _ => workspace.to_owned(),
    }
}
