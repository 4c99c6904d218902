//! Escape attempts: each tries one way out of a sandbox from inside and tells whether it was
//! stopped. Some run before every start, all of them by `ringfence prove`.
//!
//! An attempt proves something only if it can succeed: `protections` names what a test build
//! switches off to see it succeed.

mod filesystem;
mod ipc;
mod network;
mod privilege;
mod process;

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use rustix::pipe::{PipeFlags, pipe_with};

use serde::{Deserialize, Serialize};

pub use self::ipc::SharedMemory;
use crate::spec::Spec;
use crate::sys::{self, Forked};

/// One way out.
#[derive(Debug)]
pub struct Attempt {
    /// Its stable name.
    pub name: &'static str,
    /// What it is about.
    pub category: Category,
    /// What it tries, in words.
    pub goal: &'static str,
    /// Whether it runs before every start.
    pub at_startup: bool,
    /// The protections that stop it; with all of them off it succeeds.
    pub protections: &'static [&'static str],
    /// Tries it.
    pub run: fn(&Scene) -> Outcome,
}

impl Attempt {
    /// It runs before every start as well, not only by `ringfence prove`.
    const fn at_startup(mut self) -> Self {
        self.at_startup = true;
        self
    }

    /// Makes the attempt in a process of its own, so that what it changes about itself neither
    /// helps nor hinders the next one. The caller must be single-threaded.
    #[must_use]
    pub fn perform(&self, scene: &Scene) -> Outcome {
        self.apart(scene)
            .unwrap_or_else(|error| unmade(&error.to_string()))
    }

    fn apart(&self, scene: &Scene) -> io::Result<Outcome> {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
        match sys::fork()? {
            Forked::Child => {
                drop(reader);
                let written = serde_json::to_vec(&(self.run)(scene))
                    .map_err(io::Error::from)
                    .and_then(|bytes| File::from(writer).write_all(&bytes));
                sys::exit_now(i32::from(written.is_err()))
            }
            Forked::Parent { pid, .. } => {
                drop(writer);
                let mut bytes = Vec::new();
                File::from(reader).read_to_end(&mut bytes)?;
                let pid = rustix::process::Pid::from_raw(pid);
                rustix::process::waitpid(pid, rustix::process::WaitOptions::empty())?;
                Ok(serde_json::from_slice(&bytes)?)
            }
        }
    }
}

/// What attempts are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// Reaching another system.
    Network,
    /// Reaching a process of the host.
    Ipc,
    /// Reading or writing what is not the agent's.
    Filesystem,
    /// Getting rights that the agent was not given.
    Privilege,
    /// Reading secrets or using up the host.
    Process,
}

impl Category {
    /// An attempt of this category.
    const fn attempt(
        self,
        name: &'static str,
        goal: &'static str,
        protections: &'static [&'static str],
        run: fn(&Scene) -> Outcome,
    ) -> Attempt {
        Attempt {
            name,
            category: self,
            goal,
            at_startup: false,
            protections,
            run,
        }
    }

    /// The name that tables show.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Ipc => "ipc",
            Self::Filesystem => "filesystem",
            Self::Privilege => "privilege",
            Self::Process => "process",
        }
    }
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", content = "how", rename_all = "kebab-case")]
pub enum Outcome {
    /// It did not get out, and what stopped it.
    Stopped(String),
    /// It got out, and how that is known.
    Escaped(String),
}

/// Things of the host that attempts aim at. They exist only to be aimed at.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Scene {
    /// A file outside every mount; reading it is an escape.
    pub canary: Option<PathBuf>,
    /// A listening unix socket of the host's, outside every mount.
    pub socket: Option<PathBuf>,
    /// The name of a listening abstract unix socket of the host's.
    pub abstract_socket: Option<String>,
    /// The key of a System V shared memory segment of the host's.
    pub shared_memory: Option<i32>,
    /// A directory of the caller's that is mounted read-only.
    pub read_only: Option<PathBuf>,
    /// A name in the environment of the launcher that was not passed on.
    pub variable: Option<String>,
    /// A workspace directory with a protected `.git`.
    pub workspace: Option<PathBuf>,
    /// How many processes the sandbox may have.
    pub processes: u64,
}

impl Scene {
    /// The scene of the self-test before a start: only what every sandbox has.
    #[must_use]
    pub fn startup(spec: &Spec) -> Self {
        Self {
            canary: spec.canary.clone(),
            processes: spec.limits.processes,
            ..Self::default()
        }
    }
}

/// Every attempt, by category.
#[must_use]
pub fn all() -> Vec<&'static Attempt> {
    [
        network::ATTEMPTS,
        ipc::ATTEMPTS,
        filesystem::ATTEMPTS,
        privilege::ATTEMPTS,
        process::ATTEMPTS,
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Success is an escape, an error is what stopped it.
fn escaped_if_ok<T>(result: io::Result<T>, evidence: &str) -> Outcome {
    match result {
        Ok(_) => Outcome::Escaped(evidence.to_owned()),
        Err(error) => Outcome::Stopped(error.to_string()),
    }
}

/// An attempt that needs a part of the scene which is not there proves nothing, which is not
/// the same as being stopped.
fn unstaged(what: &str) -> Outcome {
    unmade(&format!("no {what} was set up"))
}

fn unmade(why: &str) -> Outcome {
    Outcome::Escaped(format!("the attempt could not be made: {why}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn there_are_at_least_forty_attempts_with_names_of_their_own() {
        let attempts = all();
        let names: BTreeSet<_> = attempts.iter().map(|attempt| attempt.name).collect();
        assert_eq!(names.len(), attempts.len());
        assert!(attempts.len() >= 40, "{}", attempts.len());
    }

    #[test]
    fn every_attempt_names_what_stops_it() {
        for attempt in all() {
            assert!(!attempt.protections.is_empty(), "{}", attempt.name);
        }
    }
}
