//! Signals that this process gets are meant for the command.

use std::io;

use ringfence_sandbox::linux::Control;
use rustix::process::{Signal, getpid, kill_process};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

/// `SIGCONT`.
pub(super) const CONTINUE: i32 = Signal::CONT.as_raw();

/// Passes signals on until the runtime ends. Those that a terminal sends to a whole process
/// group go to the command's group; those that a person sends go to the command.
pub(super) fn forward(runtime: &Runtime, control: Control) {
    let guard = runtime.enter();
    for (kind, group) in [
        (SignalKind::interrupt(), true),
        (SignalKind::quit(), true),
        (SignalKind::terminate(), false),
        (SignalKind::hangup(), false),
        (SignalKind::user_defined1(), false),
        (SignalKind::user_defined2(), false),
    ] {
        let Ok(mut stream) = signal(kind) else {
            continue;
        };
        let control = control.clone();
        drop(super::links::spawn(runtime, async move {
            while stream.recv().await.is_some() {
                let _ = control.signal(kind.as_raw_value(), group);
            }
        }));
    }
    drop(guard);
}

/// Stops this process as the command was stopped, so that the person's shell sees it. Returns
/// when the shell continues it.
pub(super) fn stop_self() -> io::Result<()> {
    Ok(kill_process(getpid(), Signal::STOP)?)
}
