//! `ringfence run`: a sandbox, a gateway for it, and a summary.

mod environment;
mod git;
mod links;
pub(crate) mod publish;
mod report;
mod signals;
mod terminal;
mod trust;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use anyhow::{Context, anyhow};
use ringfence_gateway::{Capture, Config, Gateway, Identity, Listeners};
use ringfence_model::{AgentName, NoticeKind, RunId, SandboxId, WorkspaceName};
use ringfence_protocols::egress::Egress;
use ringfence_sandbox::linux::nested::Nested;
use ringfence_sandbox::linux::{
    self, Building, Control, Copies, Event, LaunchError, Launched, Request, Sandbox, Workspace,
    WorkspaceMode,
};
use ringfence_sandbox::{Layer, Limits};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::args::{LayerName, RunArguments};
use crate::failure::Failure;
use crate::link::{Link, LocalAudit};
use crate::profiles::Sources;
use crate::{config, paths};

/// Runs the command. Returns its exit code.
pub(crate) fn run(arguments: RunArguments, config_file: Option<&Path>) -> Result<i32, Failure> {
    raise_open_files();
    let config = config::load(config_file)?;
    let sources = Sources::new(&arguments.profiles, &arguments.allow, &arguments.agent)?;
    let profiles = sources.names();
    let link = Link::open(sources)?;
    let identity = identity(&arguments.agent)?;
    let data = paths::data().map_err(Failure::usage)?;
    let report = arguments.json_report.as_deref();
    let report = report.map(report::ReportFile::prepare).transpose()?;
    let audit = Arc::new(LocalAudit::create(&data, identity.clone())?);
    let steering = steering(&link, &config, config_file);
    let request = request(&arguments, &config, identity.run, steering)?;
    let is_steered_from_inside = is_steered_from_inside(&request);
    let state = request.state.clone();
    let workspace = request.workspace.directory.clone();
    record_start(&audit, &arguments, profiles, &request)?;
    let streams = linux::prepare_streams().map_err(Failure::internal)?;
    let is_input_terminal = streams.terminal.stdin;
    let started = SystemTime::now();
    let attended = linux::begin(request, &streams)
        .map_err(refusal)
        .and_then(|building| {
            let session = Session {
                arguments,
                audit: Arc::clone(&audit),
                state,
                workspace,
                is_input_terminal,
                is_steered_from_inside,
                started,
                report,
                lost: Arc::default(),
                copies: streams.into_copies(),
            };
            session.attend(building, config, link, identity)
        });
    if let Err(failure) = &attended {
        let exit_code = failure.code();
        // The failure itself is what the caller is told, whether it can be recorded or not.
        let _ = audit.record(NoticeKind::RunEnded { exit_code });
        let _ = audit.sync();
    }
    attended
}

/// Who the run is in every event.
pub(crate) fn identity(agent: &AgentName) -> Result<Identity, Failure> {
    let workspace: WorkspaceName = LOCAL_WORKSPACE.parse().map_err(Failure::internal)?;
    Ok(Identity {
        agent: agent.clone(),
        workspace,
        run: RunId::new(),
        sandbox: SandboxId::new(),
    })
}

/// A run whose sandbox is being built.
struct Session {
    arguments: RunArguments,
    audit: Arc<LocalAudit>,
    state: PathBuf,
    workspace: PathBuf,
    is_input_terminal: bool,
    is_steered_from_inside: bool,
    started: SystemTime,
    report: Option<report::ReportFile>,
    lost: Arc<OnceLock<PathBuf>>,
    /// What copies the command's output out.
    copies: Copies,
}

impl Session {
    fn attend(
        mut self,
        building: Building,
        config: Config,
        link: Link,
        identity: Identity,
    ) -> Result<i32, Failure> {
        let runtime = runtime()?;
        let gateway =
            Gateway::new(config, self.audit.clone(), link.policy()).map_err(Failure::usage)?;
        // Steering files in the workspace, read-only here, may be written by another sandbox: they
        // were read once, before the start.
        if !self.is_steered_from_inside {
            link.keep_fresh(Arc::clone(&self.audit))?;
        }
        let Launched {
            mut sandbox,
            listeners,
            terminal,
        } = building.finish().map_err(refusal)?;
        let cancel = CancellationToken::new();
        let serving = {
            let cancel = cancel.clone();
            let guard = runtime.enter();
            let served = links::spawn(&runtime, async move {
                gateway
                    .serve(captured(listeners), identity, Arc::new(Egress), cancel)
                    .await
            });
            drop(guard);
            served
        };
        let code = self.supervise(&mut sandbox, terminal, &runtime);
        sandbox.finish();
        let copied = self.copies.finish();
        cancel.cancel();
        // Closings of connections that were open are written before the run's end is.
        let _ = runtime.block_on(serving);
        let code = self.end(code?)?;
        copied.map_err(|error| {
            let error = anyhow::Error::new(error);
            Failure::Internal(error.context("the command's output could not be written"))
        })?;
        Ok(code)
    }

    /// Starts the command and waits for its end.
    fn supervise(
        &self,
        sandbox: &mut Sandbox,
        terminal: Option<std::os::fd::OwnedFd>,
        runtime: &Runtime,
    ) -> Result<i32, Failure> {
        let control = sandbox.control();
        self.guard(control.clone())?;
        let listening = signals::listen(runtime);
        if let Some(master) = &terminal {
            // Before the command asks for it.
            terminal::resize(master);
        }
        sandbox.start().map_err(refusal)?;
        let publishing =
            publish::Publisher::start(runtime, &self.arguments.publish, control.clone())?;
        let audit = Arc::clone(&self.audit);
        let signals = signals::forward(runtime, listening, control.clone(), audit);
        let relay = terminal
            .map(|master| terminal::Relay::start(master, self.is_input_terminal))
            .transpose()
            .map_err(Failure::internal)?;
        let code = loop {
            match sandbox.next_event().map_err(Failure::internal)? {
                Event::Exited(code) => break code,
                Event::Connected(connection) => publishing.connected(connection),
                Event::Stopped(_) => {
                    // Without a person at the keys nobody would continue this process.
                    if let Some(relay) = relay.as_ref().filter(|relay| relay.has_keys()) {
                        relay.stop().map_err(Failure::internal)?;
                        let _ = control.signal(signals::CONTINUE, true);
                    }
                }
            }
        };
        let code = signals.over(code);
        if let Some(relay) = relay {
            relay.finish();
        }
        Ok(code)
    }

    /// Ends the run when the protection of a path is lost.
    fn guard(&self, control: Control) -> Result<(), Failure> {
        if mode(&self.arguments) != WorkspaceMode::ReadWrite {
            return Ok(());
        }
        let (audit, lost) = (Arc::clone(&self.audit), Arc::clone(&self.lost));
        let watched = linux::guard::watch(&self.state, move |found| {
            // What changes afterwards is the placeholders' removal.
            if control.has_ended() {
                return;
            }
            control.end();
            let _ = audit.record(NoticeKind::Finding {
                code: "protection-lost".to_owned(),
                detail: found.path.display().to_string(),
            });
            let _ = lost.set(found.path);
        });
        watched.map_err(|error| {
            let error = anyhow::Error::new(error);
            Failure::Unavailable(error.context("the protected paths cannot be watched"))
        })
    }

    /// The exit code, or that the run was ended.
    fn outcome(&self, code: i32) -> Result<i32, Failure> {
        match self.lost.get() {
            None => Ok(code),
            Some(path) => Err(Failure::Refused(anyhow!(
                "the run was ended: {} was replaced outside of the sandbox, which takes its protection away; look at it before you use it",
                path.display()
            ))),
        }
    }

    fn end(&self, code: i32) -> Result<i32, Failure> {
        let left = report::Left {
            changes: report::private_changes(&self.state, &self.audit),
            nested: self.nested(),
            is_overlay: self.arguments.overlay,
        };
        let recorded = self
            .audit
            .record(NoticeKind::RunEnded { exit_code: code })
            .and_then(|()| self.audit.sync());
        recorded.map_err(Failure::internal)?;
        let counts = self.audit.counts();
        let report = self.report.as_ref();
        report::finish(&self.arguments, report, &counts, &left, code);
        self.outcome(code)
    }
}

impl Session {
    /// New files that tools would trust, elsewhere in a workspace that the agent could write.
    fn nested(&self) -> Nested {
        if mode(&self.arguments) != WorkspaceMode::ReadWrite {
            return Nested::default();
        }
        report::nested(&self.workspace, self.started, &self.audit)
    }
}

/// A connection takes two descriptors, or more while much is copied, so the soft limit of most
/// systems would be reached long before the gateway's own.
pub(crate) fn raise_open_files() {
    let mut limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    limit.current = limit.maximum;
    let _ = rustix::process::setrlimit(rustix::process::Resource::Nofile, limit);
}

/// The threads that the gateway runs on.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads.min(MOST_THREADS))
        .enable_all()
        .build()
        .map_err(Failure::internal)
}

/// The sandbox's listeners as the gateway takes them.
pub(crate) fn captured(listeners: linux::Listeners) -> Listeners {
    Listeners {
        tcp_v4: listeners.tcp_v4,
        tcp_v6: listeners.tcp_v6,
        dns: listeners.dns,
        capture: Capture::Redirected,
    }
}

/// Whether a file that decides about the run lies in its workspace. That is refused where the
/// agent can write it.
fn is_steered_from_inside(request: &Request) -> bool {
    let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let workspace = real(&request.workspace.directory);
    let mut files = request.steering.iter();
    files.any(|file| real(file).starts_with(&workspace))
}

/// The files that decide about this run: an agent must not be able to write them.
fn steering(link: &Link, config: &Config, config_file: Option<&Path>) -> Vec<PathBuf> {
    let mut files = link.files();
    files.extend(config_file.map(Path::to_owned));
    files.extend(config.dial.extra_roots.iter().cloned());
    files
}

fn request(
    arguments: &RunArguments,
    config: &Config,
    run: RunId,
    steering: Vec<PathBuf>,
) -> Result<Request, Failure> {
    let current = std::env::current_dir()
        .context("the current directory is not there any more")
        .map_err(Failure::Usage)?;
    let runs = paths::runs().map_err(Failure::usage)?;
    let state = runs.join(run.to_string());
    let _ = linux::sweep(&runs);
    let mut environment = environment::build(&arguments.environment).map_err(Failure::Usage)?;
    let bundle = trust::bundle(
        &config.dial.extra_roots,
        &paths::data().map_err(Failure::usage)?,
    )
    .map_err(Failure::Usage)?;
    let mut show = Vec::new();
    if let Some(bundle) = bundle {
        environment::trust(&mut environment, Path::new(trust::INSIDE));
        show.push((bundle, PathBuf::from(trust::INSIDE)));
    }
    let home = paths::home().map_err(Failure::Usage)?;
    let git = git::settings(&home);
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
            .collect(),
        home,
        read: arguments.read.clone(),
        show,
        hide: arguments.hide.clone(),
        steering,
        private: vec![
            paths::data().map_err(Failure::usage)?,
            paths::config().map_err(Failure::usage)?,
        ],
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

const fn mode(arguments: &RunArguments) -> WorkspaceMode {
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
fn weakening(arguments: &RunArguments) -> ringfence_sandbox::Weakening {
    ringfence_sandbox::Weakening::without(arguments.weaken.clone())
}

#[cfg(not(feature = "weaken"))]
fn weakening(_: &RunArguments) -> ringfence_sandbox::Weakening {
    ringfence_sandbox::Weakening::none()
}

/// A file beside the caller's secrets. The self-test tries to read it; it holds none.
pub(crate) fn canary() -> anyhow::Result<PathBuf> {
    let path = paths::data()?.join("canary");
    if !path.exists() {
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(
            &path,
            "not a secret, but it must not be readable in a sandbox\n",
        )
        .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(path)
}

/// A name that tells sandboxes apart; the random end of the run's id is unique enough.
fn hostname(run: RunId) -> String {
    let id = run.to_string();
    let (_, end) = id.rsplit_once('-').unwrap_or(("", &id));
    format!("ringfence-{end}")
}

fn record_start(
    audit: &LocalAudit,
    arguments: &RunArguments,
    profiles: Vec<String>,
    request: &Request,
) -> Result<(), Failure> {
    audit
        .record(NoticeKind::RunStarted {
            command: arguments.command.clone(),
            profiles,
            directory: request.workspace.directory.display().to_string(),
        })
        .map_err(|error| Failure::Unavailable(error.into()))?;
    for layer in &request.without {
        let layer = layer.as_str().to_owned();
        audit
            .record(NoticeKind::LayerOff { layer })
            .map_err(|error| Failure::Unavailable(error.into()))?;
    }
    Ok(())
}

/// Why a sandbox did not start, as the exit code says it.
pub(crate) fn refusal(error: LaunchError) -> Failure {
    match error {
        LaunchError::NotExecuted { code, error } => Failure::Command(code, error),
        LaunchError::Plan(error) => Failure::usage(error),
        LaunchError::Escaped(_) => Failure::Refused(
            anyhow!("the command was not started: {error}").context("this sandbox does not hold"),
        ),
        LaunchError::Build { .. } => Failure::Refused(anyhow::Error::new(error).context(
            "the sandbox could not be built; `ringfence doctor` tells what this host lacks",
        )),
        LaunchError::Init(_) | LaunchError::Ended => Failure::internal(error),
    }
}

/// The gateway's own address in every sandbox answers DNS.
const RESOLVER: &[u8] = b"nameserver 198.18.0.1\noptions timeout:2 attempts:2\n";
const LOCAL_WORKSPACE: &str = "local";
/// One agent's traffic needs no more; a laptop has other work.
const MOST_THREADS: usize = 4;
