//! Runs a program to its end, within bounds: how long it takes, how much is kept of what it says.
//! It and what it started end with the call.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin};
use tokio::time::timeout;

use super::Line;
use crate::limits::{FAULT_OCTETS, LINGER_MILLISECONDS};

/// A program that has ended by itself.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    /// The start of its standard output.
    pub(crate) output: Vec<u8>,
    /// Whether there was more.
    pub(crate) is_cut: bool,
    /// The end of its standard error.
    pub(crate) fault: Vec<u8>,
}

/// Why a program did not end by itself.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stopped {
    #[error("the program `{0}` cannot be started: {1}")]
    NotStarted(String, std::io::Error),
    #[error("it did not end within {} s and was stopped", .0.as_secs())]
    TimedOut(Duration),
    #[error("its end cannot be seen: {0}")]
    Lost(std::io::Error),
}

/// All processes of the call; they end when this is dropped.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// Runs a command line.
pub(super) async fn run<'a>(
    line: Line,
    environment: impl Iterator<Item = (&'a String, &'a String)>,
    (time, octets): (Duration, usize),
) -> Result<Ended, Stopped> {
    let (child, name) = start(&line, environment)?;
    let id = child.id().and_then(|id| i32::try_from(id).ok());
    let _group = Group(id.and_then(Pid::from_raw));
    let ended = timeout(time, attend(child, line.stdin, octets)).await;
    match ended {
        Ok(Ok(ended)) => Ok(ended),
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(Stopped::NotStarted(name, error))
        }
        Ok(Err(error)) => Err(Stopped::Lost(error)),
        Err(_) => Err(Stopped::TimedOut(time)),
    }
}

fn start<'a>(
    line: &Line,
    environment: impl Iterator<Item = (&'a String, &'a String)>,
) -> Result<(Child, String), Stopped> {
    let (program, arguments) = match line.elements.split_first() {
        Some((program, arguments)) => (program.clone(), arguments),
        None => (String::new(), [].as_slice()),
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "this runs inside of a sandbox, and starts what the person's file names"
    )]
    let mut command = tokio::process::Command::new(&program);
    let stdin = match line.stdin {
        Some(_) => Stdio::piped(),
        None => Stdio::null(),
    };
    command
        .args(arguments)
        .env_clear()
        .envs(environment)
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    match command.spawn() {
        Ok(child) => Ok((child, program)),
        Err(error) => Err(Stopped::NotStarted(program, error)),
    }
}

async fn attend(mut child: Child, stdin: Option<String>, octets: usize) -> std::io::Result<Ended> {
    let (mut output, mut fault) = (Kept::start(octets), Kept::end(FAULT_OCTETS));
    let status = {
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let input = child.stdin.take();
        let streams = async {
            tokio::join!(output.read(stdout), fault.read(stderr), feed(input, stdin));
        };
        let mut streams = std::pin::pin!(streams);
        let mut is_read = false;
        let status = loop {
            tokio::select! {
                status = child.wait() => break status?,
                () = &mut streams, if !is_read => is_read = true,
            }
        };
        if !is_read {
            let linger = Duration::from_millis(LINGER_MILLISECONDS);
            let _ = timeout(linger, &mut streams).await;
        }
        status
    };
    Ok(Ended {
        status,
        output: output.octets,
        is_cut: output.is_cut,
        fault: fault.octets,
    })
}

/// Writes what the program is to read. That it does not read to the end is no fault.
async fn feed(stdin: Option<ChildStdin>, text: Option<String>) {
    if let (Some(mut stdin), Some(text)) = (stdin, text) {
        let _ = stdin.write_all(text.as_bytes()).await;
        let _ = stdin.shutdown().await;
    }
}

/// What is kept of a stream that is read to its end: its start, or its end.
struct Kept {
    octets: Vec<u8>,
    most: usize,
    keeps_end: bool,
    is_cut: bool,
}

impl Kept {
    const fn start(most: usize) -> Self {
        Self {
            octets: Vec::new(),
            most,
            keeps_end: false,
            is_cut: false,
        }
    }

    fn end(most: usize) -> Self {
        Self {
            keeps_end: true,
            ..Self::start(most)
        }
    }

    async fn read(&mut self, stream: Option<impl AsyncRead + Unpin>) {
        let Some(mut stream) = stream else { return };
        let mut piece = vec![0; PIECE];
        while let Ok(count @ 1..) = stream.read(&mut piece).await {
            self.take(piece.get(..count).unwrap_or_default());
        }
    }

    fn take(&mut self, piece: &[u8]) {
        if self.keeps_end {
            self.octets.extend_from_slice(piece);
            let over = self.octets.len().saturating_sub(self.most);
            self.octets.drain(..over);
            self.is_cut |= over > 0;
            return;
        }
        let room = self.most.saturating_sub(self.octets.len());
        self.is_cut |= piece.len() > room;
        self.octets
            .extend_from_slice(piece.get(..room).unwrap_or(piece));
    }
}

const PIECE: usize = 16 << 10;
