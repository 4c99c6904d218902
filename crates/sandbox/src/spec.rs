//! What a sandbox is made of: the plan that the launcher outside writes and that the init
//! process inside carries out. All choices about the host are made outside, where its paths
//! can be seen; inside there is only the plan.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::weaken::Weakening;

/// The plan of one sandbox.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Spec {
    /// The command and its arguments; the first is looked up in the `PATH` of `environment`.
    pub command: Vec<String>,
    /// The whole environment of the command.
    pub environment: BTreeMap<String, String>,
    /// The directory that the command starts in, as seen inside.
    pub directory: PathBuf,
    /// The host name inside.
    pub hostname: String,
    /// The file system, in the order in which it is built.
    pub mounts: Vec<Mount>,
    /// The directory that the agent works in. Sources below it are opened without following any
    /// link: another sandbox may be writing there.
    pub workspace: PathBuf,
    /// Mounted files that programs may replace by renaming another one over them.
    pub protected_files: Vec<PathBuf>,
    /// Which of the standard streams are a terminal.
    pub terminal: Terminal,
    /// Bounds on what the agent may use.
    pub limits: Limits,
    /// A file of the host's that must not be readable inside; the self-test tries.
    pub canary: Option<PathBuf>,
    /// The layers that the user gave up by name, because this host lacks them.
    pub without: Vec<Layer>,
    /// Nothing, but in test builds.
    #[serde(default)]
    pub weakening: Weakening,
}

/// One step in building the file system of a sandbox. Every path is absolute; `at` is inside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mount {
    /// A part of the host's file system, with what is mounted below it.
    Bind {
        /// The host's path.
        from: PathBuf,
        /// Where it appears.
        at: PathBuf,
        /// What the agent may do with it.
        access: Access,
    },
    /// An empty file system in memory.
    Tmpfs {
        /// Where it appears.
        at: PathBuf,
        /// Its most octets.
        octets: u64,
        /// Its permission bits.
        mode: u32,
    },
    /// Copy-on-write: reads come from `lower`, writes go to `upper`.
    Overlay {
        /// The host's directory that is read.
        lower: PathBuf,
        /// The host's directory that takes the writes.
        upper: PathBuf,
        /// An empty directory beside `upper`, for the kernel's use.
        work: PathBuf,
        /// Where it appears.
        at: PathBuf,
    },
    /// A symbolic link.
    Symlink {
        /// What it points to.
        target: PathBuf,
        /// Where it appears.
        at: PathBuf,
    },
    /// A symbolic link that is there already and must stay what it is.
    Link {
        /// Where it is, on the host and inside.
        at: PathBuf,
    },
    /// A small read-only file with this content.
    File {
        /// Where it appears.
        at: PathBuf,
        /// What it holds.
        content: Vec<u8>,
    },
    /// A small file of the host's, as it is when the sandbox is built. A mount would cost more.
    Copy {
        /// Its path, on the host and inside.
        path: PathBuf,
    },
    /// A read-only file whose content comes beside the plan.
    Given {
        /// Where it appears.
        at: PathBuf,
        /// Files of the host's in whose place it is mounted too.
        instead_of: Vec<PathBuf>,
        /// Where its content begins in what came beside the plan.
        start: u64,
        /// How long it is.
        octets: u64,
    },
    /// `/proc` of the sandbox's own processes.
    Proc,
    /// `/dev` with the harmless devices and its own terminals.
    Dev,
}

/// The largest file that is copied rather than mounted.
pub(crate) const MOST_COPIED_OCTETS: u64 = 64 * 1024;

/// What the agent may do with a mounted part of the host's file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Read and execute.
    Read,
    /// Everything.
    Write,
}

/// Which of the standard streams are a terminal: those get the sandbox's own pseudo-terminal,
/// never the host's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terminal {
    /// Standard input.
    pub stdin: bool,
    /// Standard output.
    pub stdout: bool,
    /// Standard error.
    pub stderr: bool,
}

impl Terminal {
    /// Whether a pseudo-terminal is needed at all.
    #[must_use]
    pub const fn any(self) -> bool {
        self.stdin || self.stdout || self.stderr
    }
}

/// Bounds on what the agent may use. They hold for the whole sandbox where a cgroup could be
/// made, and by `setrlimit(2)` in any case where the kernel has such a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Processes and threads.
    pub processes: u64,
    /// Octets of memory; none means no bound.
    pub memory: Option<u64>,
    /// Open files of one process.
    pub open_files: u64,
}

/// What bounds a sandbox from outside.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Bounds {
    /// The name of its control group.
    pub(crate) group: String,
    /// Whether a control group is wanted at all.
    pub(crate) by_group: bool,
    /// The bounds.
    pub(crate) limits: Limits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            processes: 4096,
            memory: None,
            open_files: 65_536,
        }
    }
}

/// A layer of protection that a host may lack. A run without one needs the user's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// The nftables ruleset: without it nothing is captured.
    Nftables,
    /// Landlock, the second wall around the file system.
    Landlock,
    /// Bounds on memory and processes for the whole sandbox.
    Cgroup,
}

impl Layer {
    /// Whether a run may go on without it, if the person says so. The packet filter is not
    /// among these: without it, a client that honours no proxy variable reaches nothing.
    #[must_use]
    pub const fn can_be_given_up(self) -> bool {
        !matches!(self, Self::Nftables)
    }

    /// The name that flags, `doctor` and events use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nftables => "nftables",
            Self::Landlock => "landlock",
            Self::Cgroup => "cgroup",
        }
    }
}
