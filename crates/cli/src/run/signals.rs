//! Signals that this process gets are meant for the command. Whoever ends this process must
//! succeed, though, whatever the command makes of them.

use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::time::Duration;

use ringfence_model::NoticeKind;
use ringfence_sandbox::linux::Control;
use rustix::process::{Signal, getpid, kill_process};
use tokio::runtime::Runtime;
use tokio::signal::unix::{self, SignalKind, signal};
use tokio::time::{Instant, sleep, timeout_at};

use crate::link::LocalAudit;

/// `SIGCONT`.
pub(super) const CONTINUE: i32 = Signal::CONT.as_raw();

/// Signals that are being passed on.
pub(super) struct Forwarding(Arc<Run>);

/// What the signals are for.
struct Run {
    control: Control,
    audit: Arc<LocalAudit>,
    /// The command has ended.
    is_over: AtomicBool,
    /// The exit code, once a signal has ended the sandbox; else 0.
    forced: AtomicI32,
}

/// Signals that wait for a command to pass them on to.
pub(super) struct Listening {
    streams: Vec<(Passed, unix::Signal)>,
    ignored: u64,
}

/// A kind of signal, whether it is for the command's whole group, and when it ends the sandbox.
type Passed = (SignalKind, bool, End);

/// Takes the signals from now on. A command that runs must not be the first to know: one that
/// came just then would end this process and not reach the command.
pub(super) fn listen(runtime: &Runtime) -> Listening {
    // Asked before: what is listened for is not ignored any more.
    let ignored = ignored();
    let _guard = runtime.enter();
    let streams = PASSED
        .into_iter()
        .filter_map(|passed| Some((passed, signal(passed.0).ok()?)))
        .collect();
    Listening { streams, ignored }
}

/// Passes signals on until the runtime ends. Those that a terminal sends to a whole process
/// group go to the command's group; those that a person sends go to the command.
pub(super) fn forward(
    runtime: &Runtime,
    listening: Listening,
    control: Control,
    audit: Arc<LocalAudit>,
) -> Forwarding {
    let run = Arc::new(Run {
        control,
        audit,
        is_over: AtomicBool::new(false),
        forced: AtomicI32::new(0),
    });
    for ((kind, group, end), stream) in listening.streams {
        let number = kind.as_raw_value();
        let passing = Passing {
            run: Arc::clone(&run),
            number,
            group,
            // What this process was started to ignore, as under nohup, ends nothing.
            end: if is_in(listening.ignored, number) {
                End::Never
            } else {
                end
            },
        };
        drop(super::links::spawn(runtime, passing.attend(stream)));
    }
    Forwarding(run)
}

impl Forwarding {
    /// The command has ended with `code`. Returns the run's exit code. From now on a signal ends
    /// this process: it is waiting for somebody to read what the command wrote, or cleaning up.
    pub(super) fn over(&self, code: i32) -> i32 {
        self.0.is_over.store(true, Ordering::SeqCst);
        match self.0.forced.load(Ordering::SeqCst) {
            0 => code,
            forced => forced,
        }
    }
}

/// When a signal ends the sandbox, if the command does not end itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Never,
    /// With the third within [`PATIENCE`].
    ByThird,
    /// With the third, or [`PATIENCE`] after the first.
    ByTime,
}

/// The passing on of one kind of signal.
struct Passing {
    run: Arc<Run>,
    number: i32,
    group: bool,
    end: End,
}

impl Passing {
    async fn attend(self, mut stream: unix::Signal) {
        let mut recent = Recent::default();
        let mut deadline = None;
        loop {
            let received = match deadline {
                Some(deadline) => timeout_at(deadline, stream.recv()).await,
                None => Ok(stream.recv().await),
            };
            let is_over = self.run.is_over.load(Ordering::SeqCst);
            match received {
                Ok(None) => return,
                Ok(Some(())) if is_over && self.end != End::Never => {
                    sleep(GRACE).await;
                    return self.run.leave(self.number);
                }
                Ok(Some(())) => {
                    let _ = self.run.control.signal(self.number, self.group);
                    let now = Instant::now();
                    if recent.is_last_straw(now) && self.end != End::Never {
                        return self.run.force(self.number).await;
                    }
                    if self.end == End::ByTime {
                        deadline.get_or_insert(now + PATIENCE);
                    }
                }
                Err(_) if is_over => deadline = None,
                Err(_) => return self.run.force(self.number).await,
            }
        }
    }
}

impl Run {
    /// Ends the sandbox; if even that does not end the run, leaves it.
    async fn force(&self, number: i32) {
        self.forced.store(SIGNALLED + number, Ordering::SeqCst);
        self.control.end();
        sleep(PATIENCE).await;
        self.leave(number);
    }

    /// Ends this process. The sandbox ends with it, and its keeper cleans up.
    #[expect(
        clippy::disallowed_methods,
        reason = "the main thread is blocked, and only the end of the process takes that back"
    )]
    fn leave(&self, number: i32) {
        let exit_code = SIGNALLED + number;
        // An event log that is not writable keeps nobody from leaving.
        let _ = self.audit.record(NoticeKind::RunEnded { exit_code });
        let _ = self.audit.sync();
        std::process::exit(exit_code)
    }
}

/// Counts signals that come close together.
#[derive(Debug, Default)]
struct Recent {
    since: Option<Instant>,
    count: u32,
}

impl Recent {
    /// Whether this is the third within [`PATIENCE`].
    fn is_last_straw(&mut self, now: Instant) -> bool {
        let is_recent = self.since.is_some_and(|since| now < since + PATIENCE);
        if !is_recent {
            *self = Self {
                since: Some(now),
                count: 0,
            };
        }
        self.count += 1;
        self.count >= MOST
    }
}

/// The signals that this process ignores, a bit for each (proc_pid_status(5)).
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or_default()
}

fn is_in(mask: u64, number: i32) -> bool {
    let bit = u32::try_from(number - 1).unwrap_or_default();
    mask.checked_shr(bit).unwrap_or_default() & 1 == 1
}

/// Stops this process as the command was stopped, so that the person's shell sees it. Returns
/// when the shell continues it.
pub(super) fn stop_self() -> io::Result<()> {
    Ok(kill_process(getpid(), Signal::STOP)?)
}

/// How long a command may take to end itself, and how close signals of somebody impatient come.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the rest of a run may take once somebody wants it to end.
const GRACE: Duration = Duration::from_secs(1);
/// So many signals of a kind end the sandbox.
const MOST: u32 = 3;
/// What is passed on.
const PASSED: [Passed; 7] = [
    (SignalKind::interrupt(), true, End::ByThird),
    (SignalKind::quit(), true, End::ByThird),
    (SignalKind::terminate(), false, End::ByTime),
    (SignalKind::hangup(), false, End::ByTime),
    (SignalKind::user_defined1(), false, End::Never),
    (SignalKind::user_defined2(), false, End::Never),
    (SignalKind::from_raw(CONTINUE), true, End::Never),
];

/// A shell adds this to the signal that ended a command.
const SIGNALLED: i32 = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_signals_close_together_count() {
        let start = Instant::now();
        let straws = |seconds: &[u64]| {
            let mut recent = Recent::default();
            let at = |second: &u64| recent.is_last_straw(start + Duration::from_secs(*second));
            seconds.iter().map(at).collect::<Vec<_>>()
        };
        assert_eq!(straws(&[0, 1, 2]), [false, false, true]);
        assert_eq!(straws(&[0, 20, 40, 60]), [false; 4]);
        assert_eq!(straws(&[0, 20, 21, 22]), [false, false, false, true]);
    }

    #[test]
    fn signals_are_found_in_a_mask() {
        // SIGHUP is 1 and SIGTERM 15.
        assert!(is_in(0x4001, 1) && is_in(0x4001, 15));
        assert!(!is_in(0x4001, 2) && !is_in(u64::MAX, 65));
    }
}
