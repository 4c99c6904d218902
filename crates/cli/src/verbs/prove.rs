//! `ringfence prove`: every escape attempt, from inside a real sandbox, against things of the
//! host that are set up only to be aimed at.

use std::fs::{self, DirBuilder, File};
use std::io::{Read, Seek};
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use ringfence_gateway::{Gateway, NoApprovals, NoBudgets, NoCredentials, NoHosted, NoPins, Ports};
use ringfence_model::NoticeKind;
use ringfence_protocols::egress::Egress;
use ringfence_sandbox::attempt::{self, Attempt, Outcome, Scene, SharedMemory};
use ringfence_sandbox::linux::{self, Event, Request, Streams, Workspace, WorkspaceMode};
use ringfence_sandbox::{Limits, Weakening};
use rustix::fs::{MemfdFlags, memfd_create};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::args::JsonArguments;
use crate::failure::Failure;
use crate::link::{Link, LocalAudit};
use crate::profiles::Sources;
use crate::{output, paths, run};

/// The result of one attempt.
#[derive(Debug, Serialize, Deserialize)]
struct Proof {
    name: String,
    category: String,
    goal: String,
    protections: Vec<String>,
    outcome: Outcome,
}

/// Runs the verb. Returns 0 only if every attempt was stopped.
pub(crate) fn prove(arguments: &JsonArguments) -> Result<i32, Failure> {
    let stage = Stage::set_up().map_err(Failure::Unavailable)?;
    let proofs = stage.perform(weakening(arguments));
    stage.take_down();
    let proofs = proofs?;
    show(&proofs, arguments.json);
    let escaped = proofs.iter().filter(|proof| is_escape(proof)).count();
    if proofs.len() == attempt::all().len() && escaped == 0 {
        return Ok(0);
    }
    Err(Failure::Refused(anyhow!(
        "{escaped} of {} attempts were not stopped",
        proofs.len()
    )))
}

/// Inside the sandbox: makes every attempt and prints the results. Returns 0.
pub(crate) fn attempt_all() -> Result<i32, Failure> {
    let scene = std::env::var(SCENE).context("this runs inside `ringfence prove` only");
    let scene: Scene = scene
        .and_then(|scene| Ok(serde_json::from_str(&scene)?))
        .map_err(Failure::Usage)?;
    let proofs: Vec<Proof> = attempt::all()
        .into_iter()
        .map(|attempt| Proof::of(attempt, attempt.perform(&scene)))
        .collect();
    output::json(&proofs);
    Ok(0)
}

impl Proof {
    fn of(attempt: &Attempt, outcome: Outcome) -> Self {
        Self {
            name: attempt.name.to_owned(),
            category: attempt.category.as_str().to_owned(),
            goal: attempt.goal.to_owned(),
            protections: attempt
                .protections
                .iter()
                .map(ToString::to_string)
                .collect(),
            outcome,
        }
    }
}

fn is_escape(proof: &Proof) -> bool {
    matches!(proof.outcome, Outcome::Escaped(_))
}

fn show(proofs: &[Proof], json: bool) {
    if json {
        output::json(&proofs);
        return;
    }
    let rows = proofs
        .iter()
        .map(|proof| {
            let (mark, how) = match &proof.outcome {
                Outcome::Stopped(how) => ("stopped", how),
                Outcome::Escaped(how) => ("ESCAPED", how),
            };
            vec![
                mark.to_owned(),
                proof.category.clone(),
                proof.goal.clone(),
                how.clone(),
            ]
        })
        .collect();
    output::table(&["result", "category", "attempt", "how"], rows);
    let stopped = proofs.iter().filter(|proof| !is_escape(proof)).count();
    output::line(&format!(
        "{stopped} of {} attempts were stopped",
        proofs.len()
    ));
}

#[cfg(feature = "weaken")]
fn weakening(arguments: &JsonArguments) -> Weakening {
    Weakening::without(arguments.weaken.clone())
}

#[cfg(not(feature = "weaken"))]
fn weakening(_: &JsonArguments) -> Weakening {
    Weakening::none()
}

/// What the attempts aim at.
struct Stage {
    directory: PathBuf,
    /// What the sandbox is shown: outside of the data directory, which no sandbox is shown.
    ground: PathBuf,
    scene: Scene,
    shared_memory: SharedMemory,
    _listeners: (UnixListener, UnixListener),
    /// Open, and not closed on exec: what a careless caller of the program leaves behind.
    _left_open: OwnedFd,
}

impl Stage {
    fn set_up() -> anyhow::Result<Self> {
        let id = std::process::id();
        let directory = paths::data()?.join(format!("prove-{id}"));
        let ground = std::env::temp_dir().join(format!("ringfence-prove-{id}"));
        // Whoever else may write there must not have made it.
        DirBuilder::new()
            .mode(0o700)
            .create(&ground)
            .with_context(|| format!("cannot make {}", ground.display()))?;
        let workspace = ground.join("workspace");
        let read_only = ground.join("read-only");
        let outside = directory.join("outside");
        for path in [&workspace.join(".git/hooks"), &outside, &read_only] {
            fs::create_dir_all(path).with_context(|| format!("cannot make {}", path.display()))?;
        }
        fs::write(workspace.join(".git/config"), "[core]\n")?;
        fs::write(outside.join("canary"), "not a secret\n")?;
        let socket = outside.join("socket");
        let name = format!("ringfence-prove-{id}");
        let listeners = (
            UnixListener::bind(&socket)?,
            UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name)?)?,
        );
        let left_open = rustix::io::dup(File::open(outside.join("canary"))?)?;
        let shared_memory = SharedMemory::create()?;
        let scene = Scene {
            canary: Some(outside.join("canary")),
            socket: Some(socket),
            abstract_socket: Some(name),
            shared_memory: Some(shared_memory.key()),
            read_only: Some(read_only),
            variable: Some(VARIABLE.to_owned()),
            workspace: Some(workspace),
            processes: PROCESSES,
        };
        Ok(Self {
            directory,
            ground,
            scene,
            shared_memory,
            _listeners: listeners,
            _left_open: left_open,
        })
    }

    fn perform(&self, weakening: Weakening) -> Result<Vec<Proof>, Failure> {
        let agent = "prove".parse().map_err(Failure::internal)?;
        let identity = run::identity(&agent)?;
        let data = paths::data().map_err(Failure::usage)?;
        let audit = Arc::new(LocalAudit::create(&data, identity.clone())?);
        let started = NoticeKind::RunStarted {
            command: vec!["prove".to_owned()],
            profiles: vec![NOTHING.to_owned()],
            directory: self.directory.display().to_string(),
            hosted_by: None,
        };
        audit.record(started).map_err(Failure::internal)?;
        let link = Link::open(Sources::new(&[NOTHING.to_owned()], &[], &agent)?)?;
        let output = File::from(
            memfd_create("ringfence-proofs", MemfdFlags::CLOEXEC).map_err(Failure::internal)?,
        );
        let streams = Streams::to(output.try_clone().map_err(Failure::internal)?.into())
            .map_err(Failure::internal)?;
        let request = self.request(weakening, identity.run.to_string())?;
        let launched = linux::launch(request, &streams).map_err(run::refusal)?;
        let runtime = run::runtime()?;
        let gateway = Gateway::new(
            ringfence_gateway::Config::default(),
            Ports {
                audit: audit.clone(),
                policy: link.policy(),
                credentials: Arc::new(NoCredentials::default()),
                approvals: Arc::new(NoApprovals),
                budgets: Arc::new(NoBudgets),
                pins: Arc::new(NoPins),
                hosted: Arc::new(NoHosted),
            },
        )
        .map_err(Failure::usage)?;
        let mut sandbox = launched.sandbox;
        let listeners = run::captured(launched.listeners);
        let cancel = CancellationToken::new();
        let stop = cancel.clone();
        let serving = runtime.spawn(async move {
            gateway
                .serve(listeners, identity, Arc::new(Egress), stop)
                .await
        });
        let ended = sandbox
            .start()
            .map_err(run::refusal)
            .and_then(|()| wait(&sandbox));
        sandbox.finish();
        cancel.cancel();
        let _ = runtime.block_on(serving);
        let code = ended?;
        let recorded = audit.record(NoticeKind::RunEnded { exit_code: code });
        recorded
            .and_then(|()| audit.sync())
            .map_err(Failure::internal)?;
        read(output)
    }

    fn request(&self, weakening: Weakening, run: String) -> Result<Request, Failure> {
        let program = std::env::current_exe().map_err(Failure::internal)?;
        let scene = serde_json::to_string(&self.scene).map_err(Failure::internal)?;
        let workspace = self.scene.workspace.clone().unwrap_or_default();
        Ok(Request {
            command: vec![program.display().to_string(), INSIDE.to_owned()],
            environment: [(SCENE.to_owned(), scene)].into(),
            workspace: Workspace {
                directory: workspace.clone(),
                mode: WorkspaceMode::ReadWrite,
            },
            directory: workspace,
            home: paths::home().map_err(Failure::Usage)?,
            read: [Some(program), self.scene.read_only.clone()]
                .into_iter()
                .flatten()
                .collect(),
            given: Vec::new(),
            hide: Vec::new(),
            steering: Vec::new(),
            private: Vec::new(),
            files: Vec::new(),
            hostname: "ringfence-prove".to_owned(),
            state: paths::runs().map_err(Failure::usage)?.join(run),
            canary: self.scene.canary.clone(),
            limits: Limits {
                processes: PROCESSES,
                ..Limits::default()
            },
            without: Vec::new(),
            weakening,
        })
    }

    fn take_down(self) {
        self.shared_memory.remove();
        let workspace = self.scene.workspace.as_ref();
        if let Some(Ok(workspace)) = workspace.map(fs::canonicalize) {
            // What the attempts wrote is of no use to anybody.
            super::overlay::forget(&workspace);
        }
        let _ = fs::remove_dir_all(&self.directory);
        let _ = fs::remove_dir_all(&self.ground);
    }
}

fn wait(sandbox: &linux::Sandbox) -> Result<i32, Failure> {
    loop {
        if let Event::Exited(code) = sandbox.next_event().map_err(Failure::internal)? {
            return Ok(code);
        }
    }
}

fn read(mut output: File) -> Result<Vec<Proof>, Failure> {
    let mut text = String::new();
    output
        .rewind()
        .and_then(|()| output.read_to_string(&mut text))
        .map_err(Failure::internal)?;
    serde_json::from_str(&text).map_err(|error| {
        Failure::Internal(
            anyhow::Error::new(error).context("the attempts did not run to their end"),
        )
    })
}

/// The hidden verb that runs inside.
const INSIDE: &str = "sandbox-attempts";
/// Tells it what to aim at. It is set inside only.
const SCENE: &str = "RINGFENCE_SCENE";
/// A variable of every caller's that is not passed on.
const VARIABLE: &str = "HOME";
const NOTHING: &str = "offline";
/// Small, so that using up all processes takes no time.
const PROCESSES: u64 = 128;
