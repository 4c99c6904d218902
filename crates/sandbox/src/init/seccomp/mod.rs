//! The system calls that an agent may make. What is not on the list does not exist for it.
//!
//! Two filters are installed. The first is the allow-list and answers `EPERM`. The second
//! answers `ENOSYS` to the calls whose callers fall back to an older way when they are told
//! that the kernel lacks the new one (`clone3` and `openat2`, whose flags and modes a filter
//! cannot read; io_uring).
//! Calls by the x32 or 32-bit ABI have other numbers or another architecture and end the
//! process or are refused with everything else.

mod allowlist;
mod modes;

use std::collections::BTreeMap;

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch,
};

use crate::weaken::Weakening;

/// Why the filters could not be made or installed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SeccompError {
    /// The list does not compile to a filter.
    #[error("the list of allowed system calls does not compile")]
    Compile(#[from] BackendError),
    /// The kernel refused the filter.
    #[error("the kernel refused the system call filter")]
    Install(#[from] seccompiler::Error),
}

/// The compiled filters, made before the agent is forked.
#[derive(Debug)]
pub(crate) struct Filters(Vec<BpfProgram>);

impl Filters {
    /// Compiles the lists for this architecture.
    pub(crate) fn compile(weakening: &Weakening) -> Result<Self, SeccompError> {
        if weakening.is_off("seccomp") {
            return Ok(Self(Vec::new()));
        }
        let mut allowed = rules()?;
        allowlist::weaken(&mut allowed, weakening);
        let allow = filter(
            allowed,
            SeccompAction::Errno(libc::EPERM.unsigned_abs()),
            SeccompAction::Allow,
        )?;
        let absent = absent_calls()
            .filter(|(name, _)| !weakening.is_off(name))
            .map(|(_, number)| (number, Vec::new()))
            .collect();
        let absent = filter(
            absent,
            SeccompAction::Allow,
            SeccompAction::Errno(libc::ENOSYS.unsigned_abs()),
        )?;
        Ok(Self(vec![allow, absent]))
    }

    /// Installs them for this process and all that it starts. Needs no-new-privileges.
    pub(crate) fn install(&self) -> Result<(), SeccompError> {
        for program in &self.0 {
            seccompiler::apply_filter(program)?;
        }
        Ok(())
    }
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

fn rules() -> Result<Rules, SeccompError> {
    let mut rules: Rules = allowlist::calls()
        .map(|call| (call.number, Vec::new()))
        .collect();
    rules.extend(conditional_rules()?);
    Ok(rules)
}

/// The calls that are allowed with certain arguments only.
fn conditional_rules() -> Result<Rules, SeccompError> {
    let mut rules = Rules::from([
        (libc::SYS_socket, socket_rules()?),
        (libc::SYS_personality, personality_rules()?),
    ]);
    modes::insert(&mut rules)?;
    rules.insert(
        libc::SYS_socketpair,
        vec![rule(vec![equal(0, libc::AF_UNIX)?])?],
    );
    // New namespaces would give the agent all capabilities over them, and with those a large
    // part of the kernel to attack.
    rules.insert(
        libc::SYS_clone,
        vec![rule(vec![without_bits(0, NAMESPACES)?])?],
    );
    rules.insert(
        libc::SYS_unshare,
        vec![rule(vec![without_bits(0, NAMESPACES)?])?],
    );
    // The first two type into the terminal as if the person had typed. The third loads a line
    // discipline, which is a driver of its own in the kernel.
    rules.insert(
        libc::SYS_ioctl,
        vec![rule(vec![
            unequal(1, libc::TIOCSTI)?,
            unequal(1, libc::TIOCLINUX)?,
            unequal(1, libc::TIOCSETD)?,
        ])?],
    );
    Ok(rules)
}

/// Unix sockets; TCP and UDP over IPv4 and IPv6; routing netlink, which `getifaddrs(3)` needs
/// and which is powerless without capabilities. No raw, packet, vsock, key, crypto, MPTCP,
/// SCTP, UDP-Lite or ICMP sockets.
fn socket_rules() -> Result<Vec<SeccompRule>, SeccompError> {
    let mut rules = vec![
        rule(vec![equal(0, libc::AF_UNIX)?])?,
        rule(vec![
            equal(0, libc::AF_NETLINK)?,
            equal(2, libc::NETLINK_ROUTE)?,
        ])?,
    ];
    for family in [libc::AF_INET, libc::AF_INET6] {
        for protocol in [0, libc::IPPROTO_TCP, libc::IPPROTO_UDP] {
            for kind in [libc::SOCK_STREAM, libc::SOCK_DGRAM] {
                rules.push(rule(vec![
                    equal(0, family)?,
                    masked(1, SOCKET_KIND, kind)?,
                    equal(2, protocol)?,
                ])?);
            }
        }
    }
    Ok(rules)
}

/// The default personality, its query, and `setarch -R`, which debuggers use.
fn personality_rules() -> Result<Vec<SeccompRule>, SeccompError> {
    [0, -1, ADDR_NO_RANDOMIZE]
        .into_iter()
        .map(|value| rule(vec![equal(0, value)?]))
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

fn filter(
    rules: Rules,
    mismatch: SeccompAction,
    matched: SeccompAction,
) -> Result<BpfProgram, SeccompError> {
    Ok(SeccompFilter::new(rules, mismatch, matched, ARCHITECTURE)?.try_into()?)
}

fn rule(conditions: Vec<SeccompCondition>) -> Result<SeccompRule, SeccompError> {
    Ok(SeccompRule::new(conditions)?)
}

fn equal(argument: u8, value: i32) -> Result<SeccompCondition, SeccompError> {
    condition(argument, SeccompCmpOp::Eq, value)
}

fn unequal(argument: u8, value: u64) -> Result<SeccompCondition, SeccompError> {
    // The kernel reads ioctl's request as 32 bits, so the filter must too.
    Ok(SeccompCondition::new(
        argument,
        SeccompCmpArgLen::Dword,
        SeccompCmpOp::Ne,
        value,
    )?)
}

fn masked(argument: u8, mask: u64, value: i32) -> Result<SeccompCondition, SeccompError> {
    condition(argument, SeccompCmpOp::MaskedEq(mask), value)
}

fn without_bits(argument: u8, bits: u64) -> Result<SeccompCondition, SeccompError> {
    Ok(SeccompCondition::new(
        argument,
        SeccompCmpArgLen::Qword,
        SeccompCmpOp::MaskedEq(bits),
        0,
    )?)
}

fn condition(
    argument: u8,
    operator: SeccompCmpOp,
    value: i32,
) -> Result<SeccompCondition, SeccompError> {
    let value = u64::from(value.cast_unsigned());
    Ok(SeccompCondition::new(
        argument,
        SeccompCmpArgLen::Dword,
        operator,
        value,
    )?)
}

/// Calls that are newer than this list, on every architecture: programs that try them fall
/// back, but only if they are told that the kernel does not have them.
const NEWER_CALLS: std::ops::RangeInclusive<i64> = 453..=511;
/// Every `CLONE_NEW*` bit: mount, cgroup, uts, ipc, user, pid, net and time.
const NAMESPACES: u64 = 0x7e02_0080;
/// The kind of a socket without `SOCK_CLOEXEC` and `SOCK_NONBLOCK`.
const SOCKET_KIND: u64 = 0xf;
const ADDR_NO_RANDOMIZE: i32 = 0x0004_0000;

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: TargetArch = TargetArch::x86_64;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: TargetArch = TargetArch::aarch64;

#[cfg(test)]
mod tests;
