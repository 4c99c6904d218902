//! The list itself: groups of system calls, each with the reason why agents need it. Calls
//! that are allowed under a condition only (`socket`, `clone`, `ioctl` …) are in the parent,
//! and those that give a file its mode in its sibling.

use super::Rules;
use crate::weaken::Weakening;

/// One allowed system call.
pub(super) struct Call {
    pub(super) number: i64,
    /// Its name and the reason for it: for the tests that read the list.
    #[cfg_attr(not(test), expect(dead_code, reason = "read by tests and by people"))]
    pub(super) name: &'static str,
    #[cfg_attr(not(test), expect(dead_code, reason = "read by tests and by people"))]
    pub(super) reason: &'static str,
}

/// Every call that is allowed whatever its arguments are.
pub(super) fn calls() -> impl Iterator<Item = &'static Call> {
    EVERYWHERE.iter().chain(OLDER)
}

/// Allows what a test wants to see succeed; does nothing in a shipped build.
pub(super) fn weaken(rules: &mut Rules, weakening: &Weakening) {
    for (protection, number) in [
        ("socket-families", libc::SYS_socket),
        ("namespaces", libc::SYS_unshare),
        ("namespaces", libc::SYS_clone),
        ("ioctl", libc::SYS_ioctl),
        ("mount", libc::SYS_mount),
        ("keys", libc::SYS_keyctl),
        ("keys", libc::SYS_add_key),
        ("bpf", libc::SYS_bpf),
        ("perf", libc::SYS_perf_event_open),
        ("userfaultfd", libc::SYS_userfaultfd),
        ("handles", libc::SYS_open_by_handle_at),
        ("chroot", libc::SYS_chroot),
        ("setns", libc::SYS_setns),
        ("io_uring", libc::SYS_io_uring_setup),
        ("clone3", libc::SYS_clone3),
        ("syslog", libc::SYS_syslog),
        ("fanotify", libc::SYS_fanotify_init),
        ("personality", libc::SYS_personality),
        ("kcmp", libc::SYS_kcmp),
    ] {
        if weakening.is_off(protection) {
            rules.insert(number, Vec::new());
        }
    }
}

macro_rules! calls {
    ($($reason:literal: $($name:ident)+;)+) => {
        &[$($(Call {
            name: stringify!($name),
            number: libc::$name,
            reason: $reason,
        },)+)+]
    };
}

/// Calls that every architecture has.
#[rustfmt::skip]
const EVERYWHERE: &[Call] = calls! {
    "Reading and writing open files is what programs do":
        SYS_read SYS_write SYS_readv SYS_writev SYS_pread64 SYS_pwrite64 SYS_preadv SYS_pwritev
        SYS_preadv2 SYS_pwritev2 SYS_lseek SYS_close SYS_close_range SYS_sendfile
        SYS_copy_file_range SYS_splice SYS_tee SYS_vmsplice SYS_readahead SYS_fadvise64;
    "Asking about files and directories":
        SYS_fstat SYS_newfstatat SYS_statx SYS_statfs SYS_fstatfs SYS_faccessat SYS_faccessat2
        SYS_readlinkat SYS_getdents64 SYS_getcwd;
    "Changing files and directories that are writable":
        SYS_mkdirat SYS_unlinkat SYS_renameat SYS_renameat2 SYS_linkat SYS_symlinkat
        SYS_truncate SYS_ftruncate SYS_fallocate SYS_utimensat;
    "Owners of own files and permission bits of new ones; build tools and tar set them":
        SYS_fchown SYS_fchownat SYS_umask;
    "Extended attributes; cp, tar and git keep them":
        SYS_getxattr SYS_lgetxattr SYS_fgetxattr SYS_listxattr SYS_llistxattr SYS_flistxattr
        SYS_setxattr SYS_lsetxattr SYS_fsetxattr SYS_removexattr SYS_lremovexattr
        SYS_fremovexattr;
    "Making writes durable; databases and package managers depend on it":
        SYS_sync SYS_syncfs SYS_fsync SYS_fdatasync SYS_sync_file_range SYS_msync;
    "Descriptors: copies, flags and locks":
        SYS_dup SYS_dup3 SYS_fcntl SYS_flock SYS_pipe2;
    "The working directory":
        SYS_chdir SYS_fchdir;
    "Memory of the own process":
        SYS_brk SYS_mmap SYS_munmap SYS_mprotect SYS_mremap SYS_madvise SYS_process_madvise
        SYS_mincore SYS_mlock SYS_mlock2 SYS_munlock SYS_mlockall SYS_munlockall
        SYS_memfd_create SYS_membarrier SYS_pkey_mprotect SYS_pkey_alloc SYS_pkey_free;
    "Placing memory on NUMA nodes; JVMs and databases ask for it":
        SYS_mbind SYS_get_mempolicy SYS_set_mempolicy SYS_set_mempolicy_home_node
        SYS_migrate_pages SYS_move_pages;
    "Starting, ending and awaiting processes":
        SYS_execve SYS_execveat SYS_exit SYS_exit_group SYS_wait4 SYS_waitid
        SYS_set_tid_address SYS_pidfd_open SYS_pidfd_send_signal SYS_pidfd_getfd;
    "Who am I: process, session and user ids":
        SYS_getpid SYS_getppid SYS_gettid SYS_getpgid SYS_getsid SYS_setpgid SYS_setsid
        SYS_getuid SYS_geteuid SYS_getgid SYS_getegid SYS_getresuid SYS_getresgid
        SYS_getgroups;
    "Changing to an id that is mapped: only the own one, so it is harmless and su-like tools start":
        SYS_setuid SYS_setgid SYS_setreuid SYS_setregid SYS_setresuid SYS_setresgid
        SYS_setgroups SYS_setfsuid SYS_setfsgid;
    "Capabilities are empty already; programs read and drop them":
        SYS_capget SYS_capset SYS_prctl;
    "Signals between own processes":
        SYS_kill SYS_tkill SYS_tgkill SYS_rt_sigaction SYS_rt_sigprocmask SYS_rt_sigpending
        SYS_rt_sigqueueinfo SYS_rt_tgsigqueueinfo SYS_rt_sigreturn SYS_rt_sigsuspend
        SYS_rt_sigtimedwait SYS_sigaltstack SYS_signalfd4 SYS_restart_syscall;
    "Locks between threads":
        SYS_futex SYS_futex_waitv SYS_set_robust_list SYS_get_robust_list SYS_rseq;
    "Scheduling of own processes":
        SYS_sched_yield SYS_sched_getaffinity SYS_sched_setaffinity SYS_sched_getparam
        SYS_sched_setparam SYS_sched_getscheduler SYS_sched_setscheduler SYS_sched_getattr
        SYS_sched_setattr SYS_sched_get_priority_max SYS_sched_get_priority_min
        SYS_sched_rr_get_interval SYS_getpriority SYS_setpriority SYS_ioprio_get SYS_ioprio_set
        SYS_getcpu;
    "Reading clocks, and timers of own":
        SYS_clock_gettime SYS_clock_getres SYS_clock_nanosleep SYS_nanosleep SYS_gettimeofday
        SYS_times SYS_getitimer SYS_setitimer SYS_timer_create SYS_timer_settime
        SYS_timer_gettime SYS_timer_getoverrun SYS_timer_delete SYS_timerfd_create
        SYS_timerfd_settime SYS_timerfd_gettime;
    "Waiting for many descriptors at once":
        SYS_ppoll SYS_pselect6 SYS_epoll_create1 SYS_epoll_ctl SYS_epoll_pwait SYS_epoll_pwait2
        SYS_eventfd2;
    "Watching files; editors and dev servers do":
        SYS_inotify_init1 SYS_inotify_add_watch SYS_inotify_rm_watch;
    "Sockets of the kinds that socket() allows":
        SYS_bind SYS_connect SYS_listen SYS_accept SYS_accept4 SYS_getsockname SYS_getpeername
        SYS_getsockopt SYS_setsockopt SYS_shutdown SYS_sendto SYS_sendmsg SYS_sendmmsg
        SYS_recvfrom SYS_recvmsg SYS_recvmmsg;
    "System V and POSIX inter-process communication, in a namespace of its own":
        SYS_shmget SYS_shmat SYS_shmdt SYS_shmctl SYS_semget SYS_semop SYS_semtimedop
        SYS_semctl SYS_msgget SYS_msgsnd SYS_msgrcv SYS_msgctl SYS_mq_open SYS_mq_unlink
        SYS_mq_timedsend SYS_mq_timedreceive SYS_mq_notify SYS_mq_getsetattr;
    "The older asynchronous I/O; databases use it where io_uring is absent":
        SYS_io_setup SYS_io_destroy SYS_io_submit SYS_io_cancel SYS_io_getevents;
    "Limits and usage of own processes":
        SYS_prlimit64 SYS_getrusage;
    "Facts about the system":
        SYS_uname SYS_sysinfo SYS_getrandom;
    "Debuggers and tracers, on the sandbox's own processes":
        SYS_ptrace SYS_process_vm_readv SYS_process_vm_writev;
    "Programs that sandbox themselves further":
        SYS_seccomp SYS_landlock_create_ruleset SYS_landlock_add_rule
        SYS_landlock_restrict_self;
};

/// Older calls that only x86-64 has; programs there still use them.
#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
const OLDER: &[Call] = calls! {
    "Asking about files and directories":
        SYS_stat SYS_lstat SYS_access SYS_readlink SYS_getdents;
    "Changing files and directories that are writable":
        SYS_mkdir SYS_rmdir SYS_unlink SYS_rename SYS_link SYS_symlink SYS_utime SYS_utimes
        SYS_futimesat;
    "Owners of own files; build tools and tar set them":
        SYS_chown SYS_lchown;
    "Descriptors: copies, flags and locks":
        SYS_dup2 SYS_pipe;
    "Starting, ending and awaiting processes":
        SYS_fork SYS_vfork;
    "Who am I: process, session and user ids":
        SYS_getpgrp;
    "Signals between own processes":
        SYS_signalfd SYS_pause;
    "Reading clocks, and timers of own":
        SYS_time SYS_alarm;
    "Waiting for many descriptors at once":
        SYS_poll SYS_select SYS_epoll_create SYS_epoll_wait SYS_eventfd;
    "Watching files; editors and dev servers do":
        SYS_inotify_init;
    "Limits and usage of own processes":
        SYS_getrlimit SYS_setrlimit;
    "Thread pointers of this architecture":
        SYS_arch_prctl;
};

/// Newer architectures have no older calls.
#[cfg(not(target_arch = "x86_64"))]
const OLDER: &[Call] = &[];
