//! What a run could leave on the machine.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ringfence_e2e::{Host, Running};
use ringfence_testkit::poll;

/// The mounts of the host, what a sandbox makes in the project, the data directory and the control groups, and its processes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Machine {
    project: BTreeSet<PathBuf>,
    runs: BTreeSet<PathBuf>,
    groups: BTreeSet<PathBuf>,
    processes: BTreeSet<u32>,
    mounts: BTreeSet<String>,
}

impl Machine {
    /// The machine as it is now.
    pub(super) fn of(host: &Host) -> Self {
        Self {
            project: entries(host.project()),
            runs: entries(&host.data().join("runs"))
                .into_iter()
                .filter(|path| path.is_dir())
                .collect(),
            groups: groups(host),
            processes: processes(host),
            mounts: mounts(),
        }
    }
}

/// The processes that run this host's copy of the program, and all below them.
pub(super) fn processes(host: &Host) -> BTreeSet<u32> {
    let home = host.home().to_owned();
    let all: Vec<(u32, u32, bool)> = entries(Path::new("/proc"))
        .iter()
        .filter_map(|path| process(path, &home))
        .collect();
    let mut found: BTreeSet<u32> = all
        .iter()
        .filter(|(_, _, own)| *own)
        .map(|(pid, _, _)| *pid)
        .collect();
    loop {
        let below: Vec<u32> = all
            .iter()
            .filter(|(pid, parent, _)| found.contains(parent) && !found.contains(pid))
            .map(|(pid, _, _)| *pid)
            .collect();
        if below.is_empty() {
            return found;
        }
        found.extend(below);
    }
}

/// Pid, parent, and whether it is the host's: its directory is in the host's home, or its user is the test's own.
fn process(path: &Path, home: &Path) -> Option<(u32, u32, bool)> {
    let pid = path.file_name()?.to_str()?.parse().ok()?;
    let stat = fs::read_to_string(path.join("stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let is_zombie = fields.next()? == "Z";
    let parent = fields.next()?.parse().ok()?;
    let cwd = fs::read_link(path.join("cwd")).unwrap_or_default();
    Some((pid, parent, cwd.starts_with(home) && !is_zombie))
}

/// The processes of a run: the program, its keeper, pid 1 and what they started.
pub(super) fn tree(running: &Running) -> Vec<u32> {
    let mut found = vec![running.pid()];
    let mut index = 0;
    while let Some(pid) = found.get(index) {
        let children =
            fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        found.extend(
            children
                .split_whitespace()
                .map(|child| child.parse::<u32>().unwrap()),
        );
        index += 1;
    }
    found
}

/// Waits until none of these processes is there.
pub(super) fn wait_for_end(pids: &[u32]) {
    let is_gone = |pid: &u32| {
        fs::read_to_string(format!("/proc/{pid}/stat")).map_or(true, |stat| stat.contains(") Z "))
    };
    poll::until_true("the end of every process of the run", || {
        pids.iter().all(is_gone)
    })
    .unwrap();
}

/// The mount table that the tests and the program share, with how each mount passes changes on.
fn mounts() -> BTreeSet<String> {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap();
    table.lines().map(str::to_owned).collect()
}

fn entries(directory: &Path) -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// The control groups of sandboxes whose runs this host recorded: their names end as the runs' ids do.
fn groups(host: &Host) -> BTreeSet<PathBuf> {
    let ids: Vec<String> = entries(&host.data().join("spool"))
        .iter()
        .chain(&entries(&host.data().join("runs")))
        .filter_map(|path| {
            path.file_stem()?
                .to_str()?
                .rsplit_once('-')
                .map(|(_, end)| format!("ringfence-{end}"))
        })
        .collect();
    let own = fs::read_to_string("/proc/self/cgroup").unwrap();
    let parents = own.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controller, path) = (fields.next()?, fields.next()?);
        Some(
            Path::new("/sys/fs/cgroup")
                .join(controller)
                .join(path.trim_start_matches('/')),
        )
    });
    parents
        .flat_map(|parent| ids.iter().map(move |id| parent.join(id)))
        .filter(|group| group.exists())
        .collect()
}
