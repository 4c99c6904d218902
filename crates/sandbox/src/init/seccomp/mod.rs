//! The system calls that an agent may make. What is not on the list does not exist for it.
//!
//! Calls whose callers fall back to an older way when they are told that the kernel lacks the new
//! one answer `ENOSYS` (`clone3` and `openat2`, whose flags and modes a filter cannot read;
//! io_uring), all others that are not on the list `EPERM`.
//! Calls by the x32 or 32-bit ABI have other numbers or another architecture and end the
//! process or are refused with everything else.

mod allowlist;
mod modes;
mod program;

use std::collections::BTreeMap;

use seccompiler::BpfProgram;

use self::program::{Condition, Rule, Verdict};
use crate::weaken::Weakening;

/// The kernel refused the filter.
#[derive(Debug, thiserror::Error)]
#[error("the kernel refused the system call filter")]
pub(crate) struct SeccompError(#[from] seccompiler::Error);

/// The compiled filter, made before the agent is forked; none in test builds without it.
#[derive(Debug)]
pub(crate) struct Filter(Option<BpfProgram>);

impl Filter {
    /// Compiles the list for this architecture.
    pub(crate) fn compile(weakening: &Weakening) -> Self {
        if weakening.is_off("seccomp") {
            return Self(None);
        }
        let verdicts = verdicts(weakening);
        Self(Some(program::compile(&verdicts, &Verdict::Refuse(EPERM))))
    }

    /// Installs it for this process and all that it starts. Needs no-new-privileges.
    pub(crate) fn install(&self) -> Result<(), SeccompError> {
        match &self.0 {
            Some(program) => Ok(seccompiler::apply_filter(program)?),
            None => Ok(()),
        }
    }
}

/// The calls that are allowed, each with its rules of which one must hold; none if always.
type Rules = BTreeMap<i64, Vec<Rule>>;

/// What becomes of each call that is not refused like all others. No call has a negative number.
fn verdicts(weakening: &Weakening) -> BTreeMap<u32, Verdict> {
    let mut rules = rules();
    allowlist::weaken(&mut rules, weakening);
    let allowed = rules.into_iter().map(|(number, rules)| {
        let verdict = if rules.is_empty() {
            Verdict::Allow
        } else {
            Verdict::AllowIf(rules, EPERM)
        };
        (number, verdict)
    });
    let absent = absent_calls()
        .filter(|(name, _)| !weakening.is_off(name))
        .map(|(_, number)| (number, Verdict::Refuse(ENOSYS)));
    allowed
        .chain(absent)
        .filter_map(|(number, verdict)| Some((u32::try_from(number).ok()?, verdict)))
        .collect()
}

fn rules() -> Rules {
    let mut rules: Rules = allowlist::calls()
        .map(|call| (call.number, Vec::new()))
        .collect();
    rules.extend(conditional_rules());
    rules
}

/// The calls that are allowed with certain arguments only.
fn conditional_rules() -> Rules {
    let mut rules = Rules::from([
        (libc::SYS_socket, socket_rules()),
        (libc::SYS_personality, personality_rules()),
    ]);
    modes::insert(&mut rules);
    rules.insert(libc::SYS_socketpair, vec![vec![equal(0, libc::AF_UNIX)]]);
    // New namespaces would give the agent all capabilities over them, and with those a large
    // part of the kernel to attack.
    rules.insert(libc::SYS_clone, vec![vec![without_bits(0, NAMESPACES)]]);
    rules.insert(libc::SYS_unshare, vec![vec![without_bits(0, NAMESPACES)]]);
    // The first two type into the terminal as if the person had typed. The third loads a line
    // discipline, which is a driver of its own in the kernel.
    rules.insert(
        libc::SYS_ioctl,
        vec![
            [libc::TIOCSTI, libc::TIOCLINUX, libc::TIOCSETD]
                .into_iter()
                .map(|request| unequal(1, (request & 0xffff_ffff) as u32))
                .collect(),
        ],
    );
    rules
}

/// Unix sockets; TCP and UDP over IPv4 and IPv6; routing netlink, which `getifaddrs(3)` needs
/// and which is powerless without capabilities. No raw, packet, vsock, key, crypto, MPTCP,
/// SCTP, UDP-Lite or ICMP sockets.
fn socket_rules() -> Vec<Rule> {
    let mut rules = vec![
        vec![equal(0, libc::AF_UNIX)],
        vec![equal(0, libc::AF_NETLINK), equal(2, libc::NETLINK_ROUTE)],
    ];
    for family in [libc::AF_INET, libc::AF_INET6] {
        for protocol in [0, libc::IPPROTO_TCP, libc::IPPROTO_UDP] {
            for kind in [libc::SOCK_STREAM, libc::SOCK_DGRAM] {
                rules.push(vec![
                    equal(0, family),
                    masked(1, SOCKET_KIND, kind),
                    equal(2, protocol),
                ]);
            }
        }
    }
    rules
}

/// The default personality, its query, and `setarch -R`, which debuggers use.
fn personality_rules() -> Vec<Rule> {
    [0, -1, ADDR_NO_RANDOMIZE]
        .into_iter()
        .map(|value| vec![equal(0, value)])
        .collect()
}

fn absent_calls() -> impl Iterator<Item = (&'static str, i64)> {
    [
        ("clone3", libc::SYS_clone3),
        ("openat2", libc::SYS_openat2),
        ("io_uring", libc::SYS_io_uring_setup),
        ("io_uring", libc::SYS_io_uring_enter),
        ("io_uring", libc::SYS_io_uring_register),
    ]
    .into_iter()
    .chain(NEWER_CALLS.map(|number| ("newer calls", number)))
}

const fn equal(argument: u8, value: i32) -> Condition {
    masked(argument, u32::MAX, value)
}

/// The kernel reads ioctl's request as 32 bits, so the filter does too.
const fn unequal(argument: u8, value: u32) -> Condition {
    Condition {
        argument,
        mask: u32::MAX,
        value,
        equal: false,
    }
}

const fn masked(argument: u8, mask: u32, value: i32) -> Condition {
    Condition {
        argument,
        mask,
        value: value.cast_unsigned(),
        equal: true,
    }
}

const fn without_bits(argument: u8, bits: u32) -> Condition {
    masked(argument, bits, 0)
}

/// Calls that are newer than this list, on every architecture: programs that try them fall
/// back, but only if they are told that the kernel does not have them.
const NEWER_CALLS: std::ops::RangeInclusive<i64> = 453..=511;
/// Every `CLONE_NEW*` bit: mount, cgroup, uts, ipc, user, pid, net and time.
const NAMESPACES: u32 = 0x7e02_0080;
/// The kind of a socket without `SOCK_CLOEXEC` and `SOCK_NONBLOCK`.
const SOCKET_KIND: u32 = 0xf;
const ADDR_NO_RANDOMIZE: i32 = 0x0004_0000;

const EPERM: u32 = libc::EPERM.cast_unsigned();
const ENOSYS: u32 = libc::ENOSYS.cast_unsigned();

#[cfg(test)]
mod tests;
