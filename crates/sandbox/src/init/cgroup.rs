//! A control group of its own for a sandbox, with bounds on processes and memory, where the
//! caller may make one: below the caller's own group (version 2) or in the `pids` and `memory`
//! hierarchies (version 1). It is made and removed by the keeper, outside.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::SetupError;
use crate::spec::{Layer, Limits, Spec};

/// The groups that were made: one in version 2, one per hierarchy in version 1.
#[derive(Debug)]
pub(crate) struct Cgroup {
    directories: Vec<PathBuf>,
}

impl Cgroup {
    /// Makes the group, still empty.
    ///
    /// Where no group can be made, the process limits of `setrlimit(2)` are what remains; that
    /// is an error only if the plan bounds memory, which `setrlimit(2)` cannot do.
    pub(crate) fn create(spec: &Spec) -> Result<Self, SetupError> {
        let mut cgroup = Self {
            directories: Vec::new(),
        };
        if spec.without.contains(&Layer::Cgroup) || spec.weakening.is_off("cgroup") {
            return Ok(cgroup);
        }
        let result = hierarchies()
            .and_then(|hierarchies| cgroup.make_all(&hierarchies, &spec.hostname, &spec.limits));
        match result {
            Ok(()) => Ok(cgroup),
            Err(error) => {
                cgroup.remove();
                if spec.limits.memory.is_some() {
                    return Err(SetupError::at("bounding memory by a control group")(error));
                }
                Ok(Self {
                    directories: Vec::new(),
                })
            }
        }
    }

    fn make_all(
        &mut self,
        hierarchies: &[Hierarchy],
        name: &str,
        limits: &Limits,
    ) -> io::Result<()> {
        for hierarchy in hierarchies {
            let directory = hierarchy.parent.join(name);
            fs::create_dir(&directory)?;
            self.directories.push(directory.clone());
            hierarchy.bound(&directory, limits)?;
        }
        Ok(())
    }

    /// Moves a process into the group, so that all that it starts is in it. The kernel may take
    /// milliseconds for it, which is why the process is busy building meanwhile.
    pub(crate) fn admit(&self, pid: i32) -> io::Result<()> {
        for directory in &self.directories {
            fs::write(directory.join("cgroup.procs"), pid.to_string())?;
        }
        Ok(())
    }

    /// Removes the group; all processes in it must have ended.
    pub(crate) fn remove(&self) {
        for directory in &self.directories {
            let _ = fs::remove_dir(directory);
        }
    }
}

/// Where the groups of this name are, if they can be made.
pub(crate) fn places(name: &str) -> Vec<PathBuf> {
    let hierarchies = hierarchies().unwrap_or_default();
    hierarchies
        .iter()
        .map(|hierarchy| hierarchy.parent.join(name))
        .collect()
}

/// Whether a group could be made here, and if not, why.
pub(crate) fn probe() -> io::Result<()> {
    for hierarchy in hierarchies()? {
        let directory = hierarchy
            .parent
            .join(format!("ringfence-probe-{}", std::process::id()));
        fs::create_dir(&directory)?;
        let bounded = hierarchy.bound(&directory, &Limits::default());
        fs::remove_dir(&directory)?;
        bounded?;
    }
    Ok(())
}

/// A group of the caller's below which another one can be made.
struct Hierarchy {
    parent: PathBuf,
    pids: Option<&'static str>,
    memory: Option<&'static str>,
}

impl Hierarchy {
    fn bound(&self, directory: &Path, limits: &Limits) -> io::Result<()> {
        if let Some(file) = self.pids {
            fs::write(directory.join(file), limits.processes.to_string())?;
        }
        if let (Some(file), Some(octets)) = (self.memory, limits.memory) {
            fs::write(directory.join(file), octets.to_string())?;
        }
        Ok(())
    }
}

/// The hierarchies that bound processes and memory, from `/proc/self/cgroup` (cgroups(7)).
fn hierarchies() -> io::Result<Vec<Hierarchy>> {
    let own = fs::read_to_string("/proc/self/cgroup")?;
    let mut found = Vec::new();
    for line in own.lines() {
        let mut fields = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) =
            (fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let path = path.trim_start_matches('/');
        let parent = |controller: &str| Path::new(ROOT).join(controller).join(path);
        for controller in controllers.split(',') {
            match controller {
                "pids" => found.push(Hierarchy {
                    parent: parent("pids"),
                    pids: Some("pids.max"),
                    memory: None,
                }),
                "memory" => found.push(Hierarchy {
                    parent: parent("memory"),
                    pids: None,
                    memory: Some("memory.limit_in_bytes"),
                }),
                _ => {}
            }
        }
        if controllers.is_empty() && found.is_empty() {
            found.extend(unified(&Path::new(ROOT).join(path)));
        }
    }
    if found.is_empty() {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            "no control group with the pids and memory controllers",
        ));
    }
    Ok(found)
}

/// A version 2 group that hands both controllers to its children.
fn unified(parent: &Path) -> Option<Hierarchy> {
    let enabled = fs::read_to_string(parent.join("cgroup.subtree_control")).ok()?;
    let has = |name: &str| enabled.split_whitespace().any(|word| word == name);
    (has("pids") && has("memory")).then(|| Hierarchy {
        parent: parent.to_owned(),
        pids: Some("pids.max"),
        memory: Some("memory.max"),
    })
}

const ROOT: &str = "/sys/fs/cgroup";
