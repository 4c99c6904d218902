//! `ringfence run`: a sandbox, a gateway for it, and a summary.

pub(crate) mod agents;
mod environment;
mod git;
pub(crate) mod hosted;
mod links;
mod llm;
pub(crate) mod metrics;
pub(crate) mod publish;
mod report;
mod request;
mod signals;
mod terminal;
pub(crate) mod traces;
mod trust;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use anyhow::{Context, anyhow};
use jiff::Timestamp;
use ringfence_control::approvals::LocalApprovals;
use ringfence_control::budgets::LocalBudgets;
use ringfence_control::pins::LocalPins;
use ringfence_gateway::intercept::Authority;
use ringfence_gateway::{
    Admission, Capture, Config, Gateway, Hosted, Identity, Listeners, NoHosted, Ports,
};
use ringfence_model::{AgentName, NoticeKind, RunId, SandboxId, WorkspaceName};
use ringfence_protocols::egress::Egress;
use ringfence_sandbox::linux::nested::Nested;
use ringfence_sandbox::linux::{
    self, Building, Control, Copies, Event, LaunchError, Launched, Request, Sandbox, WorkspaceMode,
};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::args::RunArguments;
use crate::failure::Failure;
use crate::link::{Link, LocalAudit, LocalCredentials};
use crate::profiles::Sources;
use crate::{config, paths};
use hosted::Hosting;
use metrics::Served;
use request::{Facts, is_steered_from_inside, mode, steering, weakening};
use traces::Traces;
use trust::Trust;

/// Runs the command. Returns its exit code.
pub(crate) fn run(arguments: RunArguments, config_file: Option<&Path>) -> Result<i32, Failure> {
    raise_open_files();
    hosted::follow_parent(&arguments)?;
    // The init process makes its namespaces while this one reads policy and plans.
    let prepared = linux::prepare(&weakening(&arguments)).map_err(refusal)?;
    let settings = config::settings(config_file)?;
    let mut config = settings.gateway.clone();
    let trust = Trust::begin(config.dial.extra_roots.clone())?;
    let (sources, started) = sources(&arguments)?;
    let profiles = sources.names();
    let link = Link::open(sources)?;
    let identity = identity(&arguments.agent)?;
    let credentials = LocalCredentials::open(&settings, link.profiles(), &identity)?;
    let data = paths::data().map_err(Failure::usage)?;
    let report = arguments.json_report.as_deref();
    let report = report.map(report::ReportFile::prepare).transpose()?;
    let budgets = Arc::new(LocalBudgets::new(&data));
    let served = Served::start(arguments.metrics, &settings, (&identity, &budgets))?;
    config.forbidden.extend(served.address);
    let traces = Traces::start(&settings, &data, identity.run)?;
    let audit = LocalAudit::create(&data, identity.clone())?.with(traces.tee());
    let audit = Arc::new(audit.counted(served.metrics()));
    let mut steering = steering(&link, &settings, config_file, &credentials);
    steering.extend(started.iter().flat_map(hosted::Described::steering));
    let hosting = Hosting::new(identity.run, config_file, started);
    let granted = credentials.granted(link.profiles());
    let Trust { authority, files } = trust.finish()?;
    let facts = Facts {
        run: identity.run,
        given: files,
        credentials: &credentials,
        granted,
        git_servers: link.policy().borrow().git_upstreams().to_vec(),
        llm_providers: link.policy().borrow().llm_providers().to_vec(),
        mcp_servers: link.policy().borrow().mcp_open(Timestamp::now()),
        profiles: link.profiles(),
        agents_are_heard: settings.traces.agents.are_heard(),
    };
    let request = request::request(&arguments, facts, steering)?;
    let is_steered_from_inside = is_steered_from_inside(&request);
    let state = request.state.clone();
    let workspace = request.workspace.directory.clone();
    record_start(&audit, &arguments, profiles, &request)?;
    let streams = linux::prepare_streams().map_err(Failure::internal)?;
    let is_input_terminal = streams.terminal.stdin;
    let started = SystemTime::now();
    let attended = prepared
        .begin(request, &streams)
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
                authority,
                credentials,
                budgets,
                hosting,
            };
            session.attend(building, config, link, identity)
        });
    if let Err(failure) = &attended {
        let exit_code = failure.code();
        // The failure itself is what the caller is told, whether it can be recorded or not.
        let _ = audit.record(NoticeKind::RunEnded { exit_code });
        let _ = audit.sync();
    }
    traces.finish();
    attended
}

/// Where the policy of the run comes from, and the servers that it starts. A server starts none.
fn sources(arguments: &RunArguments) -> Result<(Sources, Vec<hosted::Described>), Failure> {
    let sources = Sources::new(&arguments.profiles, &arguments.allow, &arguments.agent)?;
    if arguments.hosted_by.is_some() {
        return Ok((sources.without_user(), Vec::new()));
    }
    let started = sources.started()?;
    Ok((sources, started))
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
    /// What signs for the hosts whose requests are read.
    authority: Arc<Authority>,
    credentials: LocalCredentials,
    budgets: Arc<LocalBudgets>,
    /// The servers that are started for the agent.
    hosting: Hosting,
}

impl Session {
    fn attend(
        mut self,
        building: Building,
        config: Config,
        link: Link,
        identity: Identity,
    ) -> Result<i32, Failure> {
        let runtime = self.credentials.runtime()?;
        self.credentials.follow(&runtime)?;
        let credentials = self.credentials.port();
        let data = paths::data().map_err(Failure::usage)?;
        let gateway = Gateway::new(
            config,
            Ports {
                audit: self.audit.clone(),
                policy: link.policy(),
                credentials,
                approvals: Arc::new(LocalApprovals::new(&data)),
                budgets: self.budgets.clone(),
                pins: Arc::new(LocalPins::new(&data)),
                hosted: self.hosted(),
            },
        )
        .map_err(Failure::usage)?;
        // Steering files in the workspace, read-only here, may be written by another sandbox: they
        // were read once, before the start.
        if !self.is_steered_from_inside {
            link.keep_fresh(Arc::clone(&self.audit))?;
        }
        // The event log's name is made durable while the sandbox is built.
        self.audit.sync().map_err(Failure::internal)?;
        runtime.block_on(self.credentials.grant())?;
        let launched = building.finish().map_err(refusal);
        if launched.is_err() {
            runtime.block_on(self.credentials.end());
        }
        let Launched {
            mut sandbox,
            listeners,
            terminal,
        } = launched?;
        let admission = Admission {
            identity,
            authority: Some(Arc::clone(&self.authority)),
            tokens: self.credentials.tokens(),
        };
        let cancel = CancellationToken::new();
        let serving = {
            let cancel = cancel.clone();
            let guard = runtime.enter();
            let served = links::spawn(&runtime, async move {
                gateway
                    .serve(captured(listeners), admission, Arc::new(Egress), cancel)
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
        self.hosting.finish(&runtime);
        runtime.block_on(self.credentials.end());
        // Its threads have nothing left to do; waiting for their end would be for nothing.
        runtime.shutdown_background();
        let code = self.end(code?)?;
        copied.map_err(|error| {
            let error = anyhow::Error::new(error);
            Failure::Internal(error.context("the command's output could not be written"))
        })?;
        Ok(code)
    }

    /// Servers for the agent; a server starts none.
    fn hosted(&self) -> Arc<dyn Hosted> {
        if self.arguments.hosted_by.is_some() {
            return Arc::new(NoHosted);
        }
        self.hosting.port()
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
            hosted_by: arguments.hosted_by,
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

const LOCAL_WORKSPACE: &str = "local";
/// One agent's traffic needs no more; a laptop has other work.
const MOST_THREADS: usize = 4;
