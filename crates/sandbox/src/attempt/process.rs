//! What a process inherits, and how much it can use up.

use super::Category::Process;
use super::{Attempt, Outcome, unstaged};
use crate::sys::{self, Forked};

pub(super) const ATTEMPTS: &[Attempt] = &[
    Process.attempt(
        "environment",
        "find the launcher's variables in the environment",
        &["environment"],
        |scene| match &scene.variable {
            Some(name) if std::env::var_os(name).is_some() => {
                Outcome::Escaped(format!("{name} is set"))
            }
            Some(_) => Outcome::Stopped("it is not there".to_owned()),
            None => unstaged("variable"),
        },
    ),
    Process.attempt(
        "inherited-descriptors",
        "find descriptors that the launcher left open",
        &["descriptors"],
        |_| descriptors(),
    ),
    Process.attempt(
        "fork-bomb",
        "have more processes than allowed",
        &["rlimits", "cgroup"],
        |scene| fork_bomb(scene.processes),
    ),
    Process.attempt(
        "core-dump",
        "have its memory written to the host by a crash",
        &["rlimits"],
        |_| match rustix::process::getrlimit(rustix::process::Resource::Core).maximum {
            Some(0) => Outcome::Stopped("core dumps are off".to_owned()),
            limit => Outcome::Escaped(format!("up to {limit:?} octets")),
        },
    ),
];

/// Only the standard streams are inherited. What this process opened itself is closed on exec.
fn descriptors() -> Outcome {
    let listed = match std::fs::read_dir("/proc/self/fd") {
        Ok(listed) => listed,
        Err(error) => return Outcome::Stopped(error.to_string()),
    };
    let extra: Vec<String> = listed
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let target = std::fs::read_link(entry.path()).ok()?;
            let number: i32 = entry.file_name().to_str()?.parse().ok()?;
            (number > 2 && is_inherited(number))
                .then(|| format!("{number} -> {}", target.display()))
        })
        .collect();
    if extra.is_empty() {
        return Outcome::Stopped("only the standard streams".to_owned());
    }
    Outcome::Escaped(extra.join(", "))
}

fn is_inherited(descriptor: i32) -> bool {
    const FLAGS_READ: usize = 1;
    const CLOSED_ON_EXEC: usize = 1;
    let descriptor = usize::try_from(descriptor).unwrap_or_default();
    sys::probe(libc::SYS_fcntl, [descriptor, FLAGS_READ, 0, 0, 0, 0])
        .is_ok_and(|flags| flags & CLOSED_ON_EXEC == 0)
}

/// Forks until it is stopped. The children end when their pipe's other end does.
fn fork_bomb(allowed: u64) -> Outcome {
    let Ok((reader, writer)) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC) else {
        return unstaged("pipe");
    };
    let mut writer = Some(writer);
    let mut made = 0;
    let stopped = loop {
        if made > allowed {
            break None;
        }
        match sys::fork() {
            Ok(Forked::Child) => {
                drop(writer.take());
                let _ = rustix::io::read(&reader, &mut [0u8; 1]);
                sys::exit_now(0);
            }
            Ok(Forked::Parent { .. }) => made += 1,
            Err(error) => break Some(error),
        }
    };
    drop(writer);
    while rustix::process::wait(rustix::process::WaitOptions::empty()).is_ok() {}
    match stopped {
        Some(error) => Outcome::Stopped(format!("after {made} processes: {error}")),
        None => Outcome::Escaped(format!("{made} processes ran at once")),
    }
}
