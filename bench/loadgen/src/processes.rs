//! CPU time and memory of a process and all its descendants, from `/proc`.

use std::fs;

/// User and system CPU seconds, with those of children that have ended and been waited for.
pub fn cpu_seconds(root: u32) -> f64 {
    cpu_seconds_of(&tree(root))
}

/// The same for these processes and no others.
pub fn cpu_seconds_of(pids: &[u32]) -> f64 {
    const USER_SYSTEM_AND_CHILDREN: std::ops::Range<usize> = 11..15;
    let ticks: u64 = pids
        .iter()
        .filter_map(|pid| stat(*pid))
        .filter_map(|fields| fields.get(USER_SYSTEM_AND_CHILDREN).map(|f| f.to_vec()))
        .flatten()
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    ticks as f64 / rustix::param::clock_ticks_per_second() as f64
}

/// Proportional set size in MiB: pages that processes share are counted once.
pub fn memory(root: u32) -> f64 {
    memory_of(&tree(root))
}

/// The same for these processes and no others.
pub fn memory_of(pids: &[u32]) -> f64 {
    let kibibytes: u64 = pids.iter().filter_map(|pid| pss(*pid)).sum();
    kibibytes as f64 / 1024.0
}

fn pss(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn tree(root: u32) -> Vec<u32> {
    let mut all = vec![root];
    let mut next = 0;
    while let Some(pid) = all.get(next).copied() {
        all.extend(children(pid));
        next += 1;
    }
    all
}

fn children(pid: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task"));
    tasks
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|task| fs::read_to_string(task.path().join("children")).ok())
        .flat_map(|text| {
            let pids = text.split_whitespace().filter_map(|pid| pid.parse().ok());
            pids.collect::<Vec<u32>>()
        })
        .collect()
}

/// The fields of `/proc/PID/stat` after the command name, which may itself hold spaces and parentheses.
fn stat(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(") ")?;
    Some(fields.split(' ').map(str::to_owned).collect())
}
