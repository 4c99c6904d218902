//! A program on a server: what it is given, what it says, and how it ends.

use std::fmt;
use std::pin::Pin;

use bytes::Bytes;
use http_body::Body;
use http_body_util::BodyExt as _;
use russh::client::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf};

use super::connect::Connection;
use super::error::SshError;
use crate::limits::SSH_STDERR_OCTETS;

/// What is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    /// What it is called, for people.
    pub(crate) name: &'static str,
    /// The line for the remote shell.
    pub(crate) command: String,
    /// Variables that the server may let through or not.
    pub(crate) environment: Vec<(&'static str, &'static str)>,
}

/// What a program reads: the body, to its end.
pub(crate) type Input = Pin<Box<dyn Body<Data = Bytes, Error = InputError> + Send>>;

/// The input broke off.
#[derive(Debug)]
pub(crate) struct InputError;

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the input broke off")
    }
}

impl std::error::Error for InputError {}

type Feeding = Pin<Box<dyn Future<Output = Result<(), SshError>> + Send>>;

/// A program that runs. It is gone with the connection when this is dropped.
pub(crate) struct Remote {
    read: ChannelReadHalf,
    /// Gives the program its input; none when all of it was taken.
    feeding: Option<Feeding>,
    name: &'static str,
    stderr: Vec<u8>,
    /// Whether the program writes no more.
    is_over: bool,
    /// Its exit status; a signal counts as one.
    status: Option<u32>,
    _connection: Connection,
}

/// The status of a program that a signal ended.
const SIGNALLED: u32 = 128;

/// The extended data that is the program's standard error (RFC 4254, section 5.2).
const STDERR: u32 = 1;

impl Remote {
    pub(super) fn new(
        connection: Connection,
        channel: Channel<Msg>,
        name: &'static str,
        input: Input,
    ) -> Self {
        let (read, write) = channel.split();
        Self {
            read,
            feeding: Some(Box::pin(feed(write, input))),
            name,
            stderr: Vec::new(),
            is_over: false,
            status: None,
            _connection: connection,
        }
    }

    /// The next octets that the program writes; none when it has ended.
    ///
    /// # Errors
    /// See [`SshError`]. Cancelling it loses nothing.
    pub(crate) async fn output(&mut self) -> Result<Option<Bytes>, SshError> {
        while !(self.is_over && self.status.is_some()) {
            match self.message().await? {
                Some(ChannelMsg::Data { data }) => return Ok(Some(data)),
                Some(ChannelMsg::ExtendedData { data, ext: STDERR }) => self.keep(&data),
                Some(ChannelMsg::Eof) => self.is_over = true,
                Some(ChannelMsg::ExitStatus { exit_status }) => self.status = Some(exit_status),
                Some(ChannelMsg::ExitSignal { .. }) => self.status = Some(SIGNALLED),
                Some(ChannelMsg::Failure) => return Err(SshError::NoProgram(self.name)),
                // Not every server says how a program ended.
                Some(ChannelMsg::Close) if self.is_over => break,
                Some(ChannelMsg::Close) | None => return self.closed(),
                Some(_) => {}
            }
        }
        Ok(None)
    }

    async fn message(&mut self) -> Result<Option<ChannelMsg>, SshError> {
        loop {
            let Some(feeding) = &mut self.feeding else {
                return Ok(self.read.wait().await);
            };
            tokio::select! {
                biased;
                message = self.read.wait() => return Ok(message),
                fed = feeding => {
                    self.feeding = None;
                    fed?;
                }
            }
        }
    }

    /// The channel is closed, or the connection is.
    fn closed(&self) -> Result<Option<Bytes>, SshError> {
        if self.is_over || self.status.is_some() {
            return Ok(None);
        }
        Err(SshError::Broken)
    }

    fn keep(&mut self, data: &[u8]) {
        let room = SSH_STDERR_OCTETS.saturating_sub(self.stderr.len());
        self.stderr.extend(data.iter().take(room));
    }

    /// What it wrote to its standard error so far, up to a bound.
    pub(crate) fn take_stderr(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.stderr)
    }

    /// Why a program that has ended said nothing, where it did not end well.
    pub(crate) fn silence(&mut self) -> Option<SshError> {
        if self.status == Some(0) {
            return None;
        }
        let said = self.take_stderr();
        let said = String::from_utf8_lossy(&said).trim().to_owned();
        Some(if said.is_empty() {
            SshError::Silent(self.name)
        } else {
            SshError::Said(said)
        })
    }
}

/// Writes the input. Its end is told only where all of it came: else the program would take a part
/// for the whole.
async fn feed(write: ChannelWriteHalf<Msg>, mut input: Input) -> Result<(), SshError> {
    while let Some(frame) = input.frame().await {
        let frame = frame.map_err(|_| SshError::Cut)?;
        if let Ok(octets) = frame.into_data()
            && write.data_bytes(octets).await.is_err()
        {
            // The connection is gone, which reading it tells.
            return Ok(());
        }
    }
    let _ = write.eof().await;
    Ok(())
}
