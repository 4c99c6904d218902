//! Ways to more rights.

use std::io;

use rustix::thread::{CapabilitySet, capabilities};

use super::Category::Privilege;
use super::{Attempt, Outcome, escaped_if_ok};
use crate::sys;

pub(super) const ATTEMPTS: &[Attempt] = &[
    Privilege
        .attempt(
            "capabilities",
            "hold a capability",
            &["capabilities"],
            |_| held(),
        )
        .at_startup(),
    Privilege.attempt(
        "bounding-set",
        "leave capabilities to be regained by exec",
        &["capabilities"],
        |_| bounding(),
    ),
    Privilege
        .attempt(
            "set-user-id",
            "gain rights from a set-user-id program",
            &["no-new-privs", "landlock", "seccomp"],
            |_| may_gain(),
        )
        .at_startup(),
    Privilege
        .attempt(
            "user-namespace",
            "make a user namespace of one's own",
            &["seccomp", "namespaces"],
            |_| {
                call(
                    libc::SYS_unshare,
                    libc::CLONE_NEWUSER.unsigned_abs() as usize,
                )
            },
        )
        .at_startup(),
    Privilege
        .attempt(
            "clone3",
            "make a process with flags that no filter can read",
            &["seccomp", "clone3"],
            |_| exists(libc::SYS_clone3),
        )
        .at_startup(),
    Privilege
        .attempt(
            "io-uring",
            "use io_uring, past the system call filter",
            &["seccomp", "io_uring"],
            |_| exists(libc::SYS_io_uring_setup),
        )
        .at_startup(),
    Privilege.attempt(
        "mount-tmpfs",
        "mount a file system",
        &["seccomp", "mount", "capabilities", "landlock"],
        |_| mount_tmpfs(),
    ),
    Privilege.attempt(
        "uncover-proc",
        "unmount what covers parts of /proc",
        &["seccomp", "capabilities", "landlock"],
        |_| {
            escaped_if_ok(
                std::fs::metadata("/proc/keys").and_then(|meta| {
                    if meta.is_file() {
                        Ok(())
                    } else {
                        unmount(c"/proc/keys")
                    }
                }),
                "it is bare",
            )
        },
    ),
    Privilege.attempt(
        "new-mount-api",
        "configure a file system with fsopen",
        &["seccomp", "capabilities"],
        |_| {
            escaped_if_ok(
                sys::probe(libc::SYS_fsopen, [c"tmpfs".as_ptr().addr(), 0, 0, 0, 0, 0]),
                "it was opened",
            )
        },
    ),
    Privilege.attempt(
        "change-root",
        "change the root directory",
        &["seccomp", "chroot", "capabilities"],
        |_| {
            escaped_if_ok(
                sys::probe(libc::SYS_chroot, [c"/".as_ptr().addr(), 0, 0, 0, 0, 0]),
                "it was changed",
            )
        },
    ),
    Privilege.attempt(
        "set-host-name",
        "rename the machine",
        &["seccomp", "capabilities"],
        |_| {
            escaped_if_ok(
                rustix::system::sethostname(b"attempt").map_err(io::Error::from),
                "it was renamed",
            )
        },
    ),
    Privilege.attempt(
        "join-namespace",
        "enter another namespace",
        &["seccomp", "setns", "capabilities"],
        |_| join(),
    ),
    Privilege.attempt(
        "userfaultfd",
        "stall the kernel by page faults",
        &["seccomp", "userfaultfd"],
        |_| {
            const USER_MODE_ONLY: usize = 1;
            call(libc::SYS_userfaultfd, USER_MODE_ONLY)
        },
    ),
    Privilege.attempt(
        "fanotify",
        "watch a whole file system",
        &["seccomp", "fanotify"],
        |_| {
            const REPORT_FID: usize = 0x200;
            call(libc::SYS_fanotify_init, REPORT_FID)
        },
    ),
    Privilege.attempt(
        "compare-processes",
        "compare kernel objects of processes",
        &["seccomp", "kcmp"],
        |_| compare(),
    ),
    Privilege.attempt(
        "odd-personality",
        "make all readable memory executable",
        &["seccomp", "personality"],
        |_| {
            const READ_IMPLIES_EXEC: usize = 0x0040_0000;
            call(libc::SYS_personality, READ_IMPLIES_EXEC)
        },
    ),
];

fn held() -> Outcome {
    match capabilities(None) {
        Ok(sets)
            if (sets.effective | sets.permitted | sets.inheritable) == CapabilitySet::empty() =>
        {
            Outcome::Stopped("none is held".to_owned())
        }
        Ok(sets) => Outcome::Escaped(format!("held: {:?}", sets.permitted)),
        Err(error) => Outcome::Stopped(error.to_string()),
    }
}

fn bounding() -> Outcome {
    const BOUNDING_SET_READ: usize = 23;
    let kept = (0..64)
        .filter(|number| {
            sys::probe(libc::SYS_prctl, [BOUNDING_SET_READ, *number, 0, 0, 0, 0])
                .is_ok_and(|kept| kept == 1)
        })
        .count();
    if kept == 0 {
        return Outcome::Stopped("the bounding set is empty".to_owned());
    }
    Outcome::Escaped(format!("{kept} capabilities are in the bounding set"))
}

fn may_gain() -> Outcome {
    match rustix::thread::no_new_privs() {
        Ok(true) => Outcome::Stopped("no new privileges".to_owned()),
        Ok(false) => Outcome::Escaped("exec may raise privileges".to_owned()),
        Err(error) => Outcome::Stopped(error.to_string()),
    }
}

fn call(number: libc::c_long, argument: usize) -> Outcome {
    escaped_if_ok(
        sys::probe(number, [argument, 0, 0, 0, 0, 0]),
        "the call was made",
    )
}

/// A call that the filter hides answers `ENOSYS` or `EPERM`; one that is there complains about
/// its arguments.
fn exists(number: libc::c_long) -> Outcome {
    match sys::probe(number, [0; 6]) {
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EPERM)) => {
            Outcome::Stopped(error.to_string())
        }
        result => Outcome::Escaped(format!("the call is there: {result:?}")),
    }
}

fn mount_tmpfs() -> Outcome {
    let (kind, target) = (c"tmpfs", c"/tmp");
    let mounted = sys::probe(
        libc::SYS_mount,
        [
            kind.as_ptr().addr(),
            target.as_ptr().addr(),
            kind.as_ptr().addr(),
            0,
            0,
            0,
        ],
    );
    escaped_if_ok(mounted, "it was mounted")
}

fn unmount(path: &std::ffi::CStr) -> io::Result<()> {
    sys::probe(libc::SYS_umount2, [path.as_ptr().addr(), 0, 0, 0, 0, 0]).map(drop)
}

fn join() -> Outcome {
    use std::os::fd::AsRawFd;
    let own = match std::fs::File::open("/proc/self/ns/uts") {
        Ok(own) => own,
        Err(error) => return Outcome::Stopped(error.to_string()),
    };
    let fd = usize::try_from(own.as_raw_fd()).unwrap_or_default();
    escaped_if_ok(
        sys::probe(libc::SYS_setns, [fd, 0, 0, 0, 0, 0]),
        "it was entered",
    )
}

fn compare() -> Outcome {
    let own = usize::try_from(std::process::id()).unwrap_or_default();
    escaped_if_ok(
        sys::probe(libc::SYS_kcmp, [own, own, 0, 0, 1, 0]),
        "the call was made",
    )
}
