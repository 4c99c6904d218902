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
    for conditional in conditional_rules().into_keys() {
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

/// Makes each call under the filter, in a thread that ends with it. The arguments are such
/// that a call which passes fails by itself.
fn refused(calls: Vec<(i64, [usize; 4])>) -> Vec<bool> {
    let filter = Filter::compile(&Weakening::none());
    let thread = std::thread::spawn(move || {
        rustix::thread::set_no_new_privs(true).unwrap();
        filter.install().unwrap();
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
    let calls = [libc::TIOCSETD, libc::TIOCGWINSZ].map(|request| {
        let request = usize::try_from(request).unwrap();
        (libc::SYS_ioctl, [NOTHING, request, 0, 0])
    });
    assert_eq!(refused(calls.to_vec()), [true, false]);
}

#[test]
fn the_filter_is_short_enough_to_be_installed_at_every_start() {
    let filter = Filter::compile(&Weakening::none()).0.unwrap();
    assert!(filter.len() < 600, "{} instructions", filter.len());
}
