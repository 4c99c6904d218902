//! A control group of its own for a sandbox, with bounds on processes and memory, where the
//! caller may make one: below the caller's own group (version 2) or in the `pids` and `memory`
//! hierarchies (version 1). It is made and removed by the keeper, outside.

use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use super::SetupError;
use crate::spec::{Bounds, Limits};

/// The groups that were made: one in version 2, one per hierarchy in version 1.
#[derive(Debug)]
pub(crate) struct Cgroup {
    directories: Vec<PathBuf>,
}

impl Cgroup {
    /// Makes the group, still empty.
    ///
    /// Where no group can be made, the process limits of `setrlimit(2)` are what remains. That
    /// is an error if the plan bounds memory, which `setrlimit(2)` cannot do, or if the caller is
    /// the host's root, whose processes the kernel does not count.
    pub(crate) fn create(bounds: &Bounds) -> Result<Self, SetupError> {
        let mut cgroup = Self {
            directories: Vec::new(),
        };
        if !bounds.by_group {
            return Ok(cgroup);
        }
        let is_root = is_uncounted();
        let result = hierarchies(is_root)
            .and_then(|hierarchies| has_pids(&hierarchies, is_root).map(|()| hierarchies))
            .and_then(|hierarchies| cgroup.make_all(&hierarchies, &bounds.group, &bounds.limits));
        let Err(error) = result else {
            return Ok(cgroup);
        };
        cgroup.remove();
        cgroup.directories.clear();
        if bounds.limits.memory.is_some() {
            return Err(SetupError::at("bounding memory by a control group")(error));
        }
        if is_root {
            return Err(SetupError::at(UNBOUNDED)(error));
        }
        Ok(cgroup)
    }

    fn make_all(
        &mut self,
        hierarchies: &[Hierarchy],
        name: &str,
        limits: &Limits,
    ) -> io::Result<()> {
        // A group that bounds nothing would only take time.
        let bounding = |hierarchy: &&Hierarchy| hierarchy.pids.is_some() || limits.memory.is_some();
        for hierarchy in hierarchies.iter().filter(bounding) {
            let directory = hierarchy.parent.join(name);
            fs::create_dir(&directory)?;
            self.directories.push(directory.clone());
            hierarchy.bound(&directory, limits)?;
        }
        Ok(())
    }

    /// Moves a process into the group, so that all that it starts is in it. In version 2 the
    /// kernel may take milliseconds for it, which is why the process is busy building meanwhile.
    ///
    /// Returns the doors of version 1, for [`enter`].
    pub(crate) fn admit(&self, pid: i32) -> io::Result<Vec<File>> {
        let mut doors = Vec::new();
        for directory in &self.directories {
            match File::options().write(true).open(directory.join("tasks")) {
                Ok(door) => doors.push(door),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    fs::write(directory.join("cgroup.procs"), pid.to_string())?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(doors)
    }

    /// Removes the group; all processes in it must have ended.
    pub(crate) fn remove(&self) {
        for directory in &self.directories {
            let _ = fs::remove_dir(directory);
        }
    }
}

/// Moves the only thread of this process through the doors of version 1. A thread that moves
/// itself waits for nobody; to move another process, the kernel waits until all processors have
/// taken notice, which takes tens of milliseconds on a busy machine.
pub(crate) fn enter(doors: &[OwnedFd]) -> io::Result<()> {
    for door in doors {
        rustix::io::write(door, ITSELF)?;
    }
    Ok(())
}

/// Where the groups of this name are, if they can be made.
pub(crate) fn places(name: &str) -> Vec<PathBuf> {
    let hierarchies = hierarchies(is_uncounted()).unwrap_or_default();
    hierarchies
        .iter()
        .map(|hierarchy| hierarchy.parent.join(name))
        .collect()
}

/// Whether a group could be made here, and if not, why.
pub(crate) fn probe() -> io::Result<()> {
    for hierarchy in hierarchies(is_uncounted())? {
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

/// Whether the caller's processes are not counted for `RLIMIT_NPROC` (getrlimit(2)): those of
/// the host's root, and of a container's root that is the host's too.
pub(crate) fn is_uncounted() -> bool {
    let uid = rustix::process::getuid().as_raw();
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    is_host_root(uid, &map)
}

/// Whether `uid` is 0 outside of the user namespace with this map (user_namespaces(7)).
fn is_host_root(uid: u32, map: &str) -> bool {
    let ranges = map.lines().map(|line| {
        let mut numbers = line.split_whitespace().map(str::parse::<u32>);
        (numbers.next(), numbers.next(), numbers.next())
    });
    for range in ranges {
        let (Some(Ok(inside)), Some(Ok(outside)), Some(Ok(count))) = range else {
            continue;
        };
        if let Some(offset) = uid.checked_sub(inside).filter(|offset| *offset < count) {
            return outside == 0 && offset == 0;
        }
    }
    // What cannot be told is taken for the worse.
    uid == 0
}

fn has_pids(hierarchies: &[Hierarchy], is_needed: bool) -> io::Result<()> {
    if is_needed && hierarchies.iter().all(|hierarchy| hierarchy.pids.is_none()) {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            "no control group with the pids controller",
        ));
    }
    Ok(())
}

/// The hierarchies that bound processes and memory, from `/proc/self/cgroup` (cgroups(7)).
fn hierarchies(is_root: bool) -> io::Result<Vec<Hierarchy>> {
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
            let own = Path::new(ROOT).join(path);
            // Root may make a group anywhere; others only below their own.
            let reach = if is_root { own.components().count() } else { 1 };
            let parents = own.ancestors().take(reach);
            let parents = parents.take_while(|parent| parent.starts_with(ROOT));
            found.extend(parents.filter_map(unified).next());
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

/// The thread that writes it (cgroups(7)).
const ITSELF: &[u8] = b"0";

/// The step that fails for root where there is no group.
const UNBOUNDED: &str = "bounding the number of processes by a control group, which alone can \
    bound root's (run as an ordinary user, or give --without cgroup)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_who_is_root_outside() {
        let whole = "         0          0 4294967295\n";
        assert!(is_host_root(0, whole));
        assert!(!is_host_root(1000, whole));
        let rootless = "         0       1000          1\n         1     100000      65536\n";
        assert!(!is_host_root(0, rootless));
        assert!(is_host_root(1000, "1000 0 1\n"));
        assert!(is_host_root(0, ""));
    }

    #[test]
    fn a_process_is_moved_or_shown_the_door() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(first.path().join("tasks"), "").unwrap();
        let directories = [&first, &second].map(|directory| directory.path().to_owned());
        let group = Cgroup {
            directories: directories.into(),
        };
        let doors = group.admit(7).unwrap();
        let moved = fs::read_to_string(second.path().join("cgroup.procs")).unwrap();
        assert_eq!(moved, "7");
        assert!(!first.path().join("cgroup.procs").exists());
        let doors: Vec<OwnedFd> = doors.into_iter().map(OwnedFd::from).collect();
        enter(&doors).unwrap();
        let entered = fs::read_to_string(first.path().join("tasks")).unwrap();
        assert_eq!((doors.len(), &*entered), (1, "0"));
    }

    #[test]
    fn who_cannot_go_in_is_told() {
        let shut = OwnedFd::from(File::open("/dev/null").unwrap());
        assert!(enter(&[shut]).is_err());
    }

    #[test]
    fn who_needs_a_bound_on_processes_takes_no_other_group_for_it() {
        let memory = Hierarchy {
            parent: PathBuf::from(ROOT),
            pids: None,
            memory: Some("memory.max"),
        };
        let only_memory = [memory];
        assert!(has_pids(&only_memory, true).is_err());
        assert!(has_pids(&only_memory, false).is_ok());
    }
}
