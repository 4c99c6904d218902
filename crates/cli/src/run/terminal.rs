//! Between the person's terminal and the sandbox's own: bytes, size, and who is in control.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize};

/// Copies between the two terminals until it is finished.
pub(super) struct Relay {
    master: Arc<OwnedFd>,
    original: Option<Termios>,
    output: JoinHandle<()>,
    ended: OwnedFd,
}

impl Relay {
    /// Starts copying. Where standard input is a terminal, it is made raw: the sandbox's own
    /// terminal gives keys like Ctrl-C their meaning.
    pub(super) fn start(master: OwnedFd, is_input_terminal: bool) -> io::Result<Self> {
        let master = Arc::new(master);
        let original = is_input_terminal
            .then(|| tcgetattr(io::stdin()))
            .transpose()?;
        let (ended_reader, ended) = pipe_with(PipeFlags::CLOEXEC)?;
        let relay = Self {
            output: copy_out(Arc::clone(&master), ended_reader)?,
            original,
            ended,
            master,
        };
        relay.resize();
        relay.make_raw();
        if is_input_terminal {
            copy_in(Arc::clone(&relay.master))?;
        }
        follow_size(Arc::clone(&relay.master))?;
        Ok(relay)
    }

    /// Whether a person's keys come through it.
    pub(super) const fn has_keys(&self) -> bool {
        self.original.is_some()
    }

    /// The command was stopped: gives the terminal back, stops this process too, and takes the
    /// terminal again when the person's shell continues it.
    pub(super) fn stop(&self) -> io::Result<()> {
        self.restore();
        super::signals::stop_self()?;
        self.make_raw();
        self.resize();
        Ok(())
    }

    /// Copies what is left and gives the terminal back.
    pub(super) fn finish(self) {
        self.restore();
        let Self { output, ended, .. } = self;
        drop(ended);
        let _ = output.join();
    }

    fn make_raw(&self) {
        if let Some(original) = &self.original {
            let mut raw = original.clone();
            raw.make_raw();
            let _ = tcsetattr(io::stdin(), OptionalActions::Drain, &raw);
        }
    }

    fn restore(&self) {
        if let Some(original) = &self.original {
            // Now: a terminal whose output is held back would never be given back.
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, original);
        }
    }

    fn resize(&self) {
        resize(&self.master);
    }
}

/// Gives the sandbox's terminal the size of the person's.
pub(super) fn resize(master: &OwnedFd) {
    let size = tcgetwinsize(io::stdin())
        .or_else(|_| tcgetwinsize(io::stdout()))
        .or_else(|_| tcgetwinsize(io::stderr()));
    if let Ok(size) = size {
        let _ = tcsetwinsize(master, size);
    }
}

/// Copies keys in. The thread ends with the process: nothing can take a blocked read back.
fn copy_in(master: Arc<OwnedFd>) -> io::Result<()> {
    thread::Builder::new()
        .name("terminal-in".to_owned())
        .spawn(move || {
            let mut buffer = [0u8; BUFFER_OCTETS];
            while let Ok(length @ 1..) = io::stdin().lock().read(&mut buffer) {
                let bytes = buffer.get(..length).unwrap_or_default();
                if write_all(&master, bytes).is_err() {
                    break;
                }
            }
        })?;
    Ok(())
}

/// Copies output out until the command's side is closed, or the command has ended and nothing
/// more is there.
fn copy_out(master: Arc<OwnedFd>, ended: OwnedFd) -> io::Result<JoinHandle<()>> {
    let mut out = File::from(if rustix::termios::isatty(io::stdout()) {
        io::stdout().as_fd().try_clone_to_owned()?
    } else {
        io::stderr().as_fd().try_clone_to_owned()?
    });
    thread::Builder::new()
        .name("terminal-out".to_owned())
        .spawn(move || {
            let mut buffer = [0u8; BUFFER_OCTETS];
            while readable(&master, &ended) {
                let Ok(length @ 1..) = rustix::io::read(&*master, &mut buffer) else {
                    break;
                };
                if out
                    .write_all(buffer.get(..length).unwrap_or_default())
                    .is_err()
                {
                    break;
                }
            }
        })
}

/// Waits until there is output. False once the command has ended and all was read.
fn readable(master: &OwnedFd, ended: &OwnedFd) -> bool {
    loop {
        let mut ready = [
            PollFd::new(master, PollFlags::IN),
            PollFd::new(ended, PollFlags::IN),
        ];
        match poll(&mut ready, None) {
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => return false,
            Ok(_) => {}
        }
        let [output, end] = ready.map(|fd| fd.revents());
        if output.contains(PollFlags::IN) {
            return true;
        }
        if !end.is_empty() || !output.is_empty() {
            return false;
        }
    }
}

/// Passes a change of the window's size on.
fn follow_size(master: Arc<OwnedFd>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    thread::Builder::new()
        .name("terminal-size".to_owned())
        .spawn(move || {
            runtime.block_on(async {
                let kind = tokio::signal::unix::SignalKind::window_change();
                let Ok(mut changes) = tokio::signal::unix::signal(kind) else {
                    return;
                };
                while changes.recv().await.is_some() {
                    resize(&master);
                }
            });
        })?;
    Ok(())
}

fn write_all(fd: &OwnedFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = rustix::io::retry_on_intr(|| rustix::io::write(fd, bytes))?;
        bytes = bytes.get(written..).unwrap_or_default();
    }
    Ok(())
}

const BUFFER_OCTETS: usize = 16 * 1024;
