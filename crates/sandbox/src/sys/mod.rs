//! The system calls that no safe library offers, one per function. This is the only module of
//! the workspace that may hold unsafe code; everything above it speaks in safe types.
#![expect(
    unsafe_code,
    reason = "the driver's primitives are system calls without a safe wrapper"
)]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use libc::{c_long, c_ulong};

/// What `clone3` or `fork` returned.
#[derive(Debug)]
pub(crate) enum Forked {
    /// This is the new process.
    Child,
    /// This is the caller; the new process has this pid and, from `clone3`, this pidfd.
    Parent {
        /// Its process id in the caller's pid namespace.
        pid: i32,
        /// A pidfd for it, where one was asked for.
        pidfd: Option<OwnedFd>,
    },
}

/// `clone3(2)` without a new stack: like `fork`, into new namespaces, with a pidfd.
///
/// `flags` are `CLONE_NEW*` bits. The caller must be single-threaded.
pub(crate) fn clone_into(flags: u64) -> io::Result<Forked> {
    let mut pidfd: RawFd = -1;
    let arguments = libc::clone_args {
        flags: flags | libc::CLONE_PIDFD as u64,
        pidfd: std::ptr::from_mut(&mut pidfd) as u64,
        child_tid: 0,
        parent_tid: 0,
        exit_signal: libc::SIGCHLD as u64,
        stack: 0,
        stack_size: 0,
        tls: 0,
        set_tid: 0,
        set_tid_size: 0,
        cgroup: 0,
    };
    // SAFETY: the structure is valid for the call and its size is passed. Without CLONE_VM the
    // child has its own copy of the memory and runs on from here; rustix and std have no clone3.
    let result = unsafe {
        libc::syscall(
            libc::SYS_clone3,
            std::ptr::from_ref(&arguments),
            size_of::<libc::clone_args>(),
        )
    };
    match result {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Forked::Child),
        pid => Ok(Forked::Parent {
            pid: i32::try_from(pid).unwrap_or(i32::MAX),
            // SAFETY: the kernel stored a new descriptor there that nothing else owns.
            pidfd: Some(unsafe { OwnedFd::from_raw_fd(pidfd) }),
        }),
    }
}

/// `fork(2)`. The caller must be single-threaded.
pub(crate) fn fork() -> io::Result<Forked> {
    // SAFETY: the callers are single-threaded, so the child may use all of the library; std has
    // no fork.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Forked::Child),
        pid => Ok(Forked::Parent { pid, pidfd: None }),
    }
}

/// `_exit(2)`: ends this process without running destructors of the copied parent.
pub(crate) fn exit_now(code: i32) -> ! {
    // SAFETY: it does not return and touches no memory.
    unsafe { libc::_exit(code) }
}

/// `mount_setattr(2)` on the mount behind `tree`, and on those below it if `recursive`.
///
/// `set` are `MOUNT_ATTR_*` bits; rustix does not wrap this call.
pub(crate) fn mount_setattr(tree: BorrowedFd<'_>, recursive: bool, set: u64) -> io::Result<()> {
    let attributes = libc::mount_attr {
        attr_set: set,
        attr_clr: 0,
        propagation: 0,
        userns_fd: 0,
    };
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: the path is a valid C string, the structure is valid and its size is passed.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            tree.as_raw_fd(),
            c"".as_ptr(),
            flags,
            std::ptr::from_ref(&attributes),
            size_of::<libc::mount_attr>(),
        )
    };
    check(result)
}

/// `prctl(PR_CAPBSET_DROP)`: removes one capability for good. `EINVAL` says that the kernel
/// does not know it. rustix takes only the capabilities that it knows itself.
pub(crate) fn drop_bounding(capability: u32) -> io::Result<()> {
    // SAFETY: the call takes plain numbers.
    let result = unsafe {
        libc::prctl(
            libc::PR_CAPBSET_DROP,
            c_ulong::from(capability),
            0 as c_ulong,
            0 as c_ulong,
            0 as c_ulong,
        )
    };
    check(c_long::from(result))
}

/// `close_range(2)`: closes every descriptor from `first` on.
pub(crate) fn close_from(first: u32) -> io::Result<()> {
    // SAFETY: the callers hold no owned descriptor at or above `first`; no safe wrapper exists.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, 0u32) };
    check(result)
}

/// Blocks every signal and returns a `signalfd(2)` that reports `SIGCHLD`.
pub(crate) fn child_signals() -> io::Result<OwnedFd> {
    // SAFETY: the sets are initialised by sigfillset and sigemptyset before they are read.
    unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&mut all);
        check(c_long::from(libc::sigprocmask(
            libc::SIG_SETMASK,
            &all,
            std::ptr::null_mut(),
        )))?;
        let mut child: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut child);
        libc::sigaddset(&mut child, libc::SIGCHLD);
        let fd = libc::signalfd(-1, &child, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK);
        check(c_long::from(fd))?;
        Ok(OwnedFd::from_raw_fd(fd))
    }
}

/// Unblocks all signals and gives `SIGPIPE`, which Rust's runtime ignores, its default action.
/// What the caller ignores (as under `nohup`) stays ignored.
pub(crate) fn reset_signals() -> io::Result<()> {
    // SAFETY: setting the default action installs no handler, and the set is initialised.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut none);
        check(c_long::from(libc::sigprocmask(
            libc::SIG_SETMASK,
            &none,
            std::ptr::null_mut(),
        )))
    }
}

/// Any system call by number, for the escape attempts and for probing what the kernel has.
///
/// The arguments are numbers, or addresses of memory that the caller keeps alive and whose
/// contents the named call may write; the callers pass only calls for which that holds.
pub(crate) fn probe(number: c_long, arguments: [usize; 6]) -> io::Result<usize> {
    let [a, b, c, d, e, f] = arguments;
    // SAFETY: see above; no library has wrappers for calls that are meant to be refused.
    let result = unsafe { libc::syscall(number, a, b, c, d, e, f) };
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}

fn check(result: c_long) -> io::Result<()> {
    if result == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// One BPF instruction: code, jump if true, jump if false, operand.
pub(crate) type Instruction = (u16, u8, u8, u32);

/// `seccomp(2)` with a new listener: installs a filter whose `USER_NOTIF` results are answered
/// through the returned descriptor. seccompiler knows no such result.
pub(crate) fn seccomp_listen(program: &[Instruction]) -> io::Result<OwnedFd> {
    let mut filter: Vec<libc::sock_filter> = program
        .iter()
        .map(|&(code, jt, jf, k)| libc::sock_filter { code, jt, jf, k })
        .collect();
    let program = libc::sock_fprog {
        len: u16::try_from(filter.len()).unwrap_or(u16::MAX),
        filter: filter.as_mut_ptr(),
    };
    // SAFETY: the program points to `filter`, which lives through the call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            libc::SECCOMP_FILTER_FLAG_NEW_LISTENER,
            std::ptr::from_ref(&program),
        )
    };
    check(result)?;
    let fd = RawFd::try_from(result).map_err(|_| io::ErrorKind::InvalidData)?;
    // SAFETY: the kernel returned a new descriptor that nothing else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// A system call that waits for an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Notification {
    /// Names it in the answer.
    pub(crate) id: u64,
    /// The process that made it, in the listener's pid namespace.
    pub(crate) pid: u32,
    /// The call's number.
    pub(crate) number: c_long,
    /// Its arguments.
    pub(crate) arguments: [u64; 6],
}

/// Takes the next waiting call.
pub(crate) fn seccomp_receive(listener: BorrowedFd<'_>) -> io::Result<Notification> {
    // SAFETY: the structure is plain data and the kernel demands it zeroed; it fills it in.
    let notification = unsafe {
        let mut notification: libc::seccomp_notif = std::mem::zeroed();
        check(c_long::from(libc::ioctl(
            listener.as_raw_fd(),
            libc::SECCOMP_IOCTL_NOTIF_RECV,
            std::ptr::from_mut(&mut notification),
        )))?;
        notification
    };
    Ok(Notification {
        id: notification.id,
        pid: notification.pid,
        number: c_long::from(notification.data.nr),
        arguments: notification.data.args,
    })
}

/// The answer to a waiting call.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer {
    /// The kernel makes the call as usual.
    Continue,
    /// The call is over; it was done here.
    Done,
    /// The call is over with this error number.
    Failed(i32),
}

/// Answers a waiting call. Its process may have ended meanwhile, which is an error here.
pub(crate) fn seccomp_answer(listener: BorrowedFd<'_>, id: u64, answer: Answer) -> io::Result<()> {
    let (error, flags) = match answer {
        Answer::Continue => (0, libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE),
        Answer::Done => (0, 0),
        Answer::Failed(number) => (-number, 0),
    };
    let response = libc::seccomp_notif_resp {
        id,
        val: 0,
        error,
        flags: u32::try_from(flags).unwrap_or_default(),
    };
    // SAFETY: the structure is valid for the call, which only reads it.
    let result = unsafe {
        libc::ioctl(
            listener.as_raw_fd(),
            libc::SECCOMP_IOCTL_NOTIF_SEND,
            std::ptr::from_ref(&response),
        )
    };
    check(c_long::from(result))
}
