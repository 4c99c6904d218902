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
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// No descriptor.
    const NOTHING: usize = usize::MAX;

    #[test]
    fn no_entry_is_redundant() {
        let mut seen = BTreeSet::new();
        for call in allowlist::calls() {
            assert!(seen.insert(call.number), "{} is listed twice", call.name);
            assert!(call.reason.len() > 10, "{} has no reason", call.name);
        }
        for conditional in conditional_rules().unwrap().into_keys() {
            assert!(
                !seen.contains(&conditional),
                "{conditional} is allowed without its condition"
            );
        }
        for (name, number) in absent_calls() {
            assert!(!seen.contains(&number), "{name} is both allowed and absent");
        }
    }

    #[test]
    fn nothing_that_reaches_past_the_sandbox_is_listed() {
        let listed: BTreeSet<i64> = allowlist::calls().map(|call| call.number).collect();
        for (name, number) in [
            ("mount", libc::SYS_mount),
            ("umount2", libc::SYS_umount2),
            ("pivot_root", libc::SYS_pivot_root),
            ("chroot", libc::SYS_chroot),
            ("setns", libc::SYS_setns),
            ("bpf", libc::SYS_bpf),
            ("perf_event_open", libc::SYS_perf_event_open),
            ("userfaultfd", libc::SYS_userfaultfd),
            ("keyctl", libc::SYS_keyctl),
            ("add_key", libc::SYS_add_key),
            ("request_key", libc::SYS_request_key),
            ("open_by_handle_at", libc::SYS_open_by_handle_at),
            ("init_module", libc::SYS_init_module),
            ("finit_module", libc::SYS_finit_module),
            ("kexec_load", libc::SYS_kexec_load),
            ("fsopen", libc::SYS_fsopen),
            ("move_mount", libc::SYS_move_mount),
            ("open_tree", libc::SYS_open_tree),
            ("reboot", libc::SYS_reboot),
            ("swapon", libc::SYS_swapon),
            ("syslog", libc::SYS_syslog),
            ("fanotify_init", libc::SYS_fanotify_init),
            ("quotactl", libc::SYS_quotactl),
            ("acct", libc::SYS_acct),
            ("clock_settime", libc::SYS_clock_settime),
        ] {
            assert!(!listed.contains(&number), "{name} is allowed");
        }
    }

    /// Makes each call under the filters, in a thread that ends with them. The arguments are such
    /// that a call which passes fails by itself.
    fn refused(calls: Vec<(i64, [usize; 4])>) -> Vec<bool> {
        let filters = Filters::compile(&Weakening::none()).unwrap();
        let thread = std::thread::spawn(move || {
            rustix::thread::set_no_new_privs(true).unwrap();
            filters.install().unwrap();
            let refused = |(call, [a, b, c, d]): (i64, [usize; 4])| {
                let error = crate::sys::probe(call, [a, b, c, d, 0, 0]).unwrap_err();
                error.raw_os_error() == Some(libc::EPERM)
            };
            calls.into_iter().map(refused).collect()
        });
        thread.join().unwrap()
    }

    fn calls_with_mode(mode: usize) -> Vec<(i64, [usize; 4])> {
        const CREATE: usize = libc::O_CREAT.cast_unsigned() as usize;
        const UNNAMED: usize = (libc::O_TMPFILE | libc::O_RDWR).cast_unsigned() as usize;
        vec![
            (libc::SYS_fchmod, [NOTHING, mode, 0, 0]),
            (libc::SYS_fchmodat, [NOTHING, 0, mode, 0]),
            (libc::SYS_fchmodat2, [NOTHING, 0, mode, 0]),
            (libc::SYS_mknodat, [NOTHING, 0, mode, 0]),
            (libc::SYS_openat, [NOTHING, 0, CREATE, mode]),
            (libc::SYS_openat, [NOTHING, 0, UNNAMED, mode]),
        ]
    }

    #[test]
    fn no_file_is_made_to_run_as_its_owner() {
        for mode in [0o4755, 0o2755, 0o6000, 0o104_644] {
            assert_eq!(refused(calls_with_mode(mode)), [true; 6], "{mode:o}");
            // Without a file to make, the mode is whatever the register holds.
            let open = (libc::SYS_openat, [NOTHING, 0, 0, mode]);
            assert_eq!(refused(vec![open]), [false], "{mode:o}");
        }
        for mode in [0o755, 0o1777, 0o100_644, 0] {
            assert_eq!(refused(calls_with_mode(mode)), [false; 6], "{mode:o}");
        }
    }

    #[test]
    fn no_line_discipline_is_loaded() {
        let requests = [libc::TIOCSETD, libc::TIOCGWINSZ];
        let calls = requests.map(|request| (libc::SYS_ioctl, [NOTHING, request as usize, 0, 0]));
        assert_eq!(refused(calls.to_vec()), [true, false]);
    }

    #[test]
    fn the_filters_compile() {
        assert_eq!(Filters::compile(&Weakening::none()).unwrap().0.len(), 2);
    }
}
