//! One side of a WebSocket whose messages are read whole: frames in, messages out, and the other
//! way round. What is read ahead and what was put together stay here when a read is given up.

use std::time::Duration;

use aws_lc_rs::rand;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::{Instant, timeout_at};

use super::frame::{FrameError, Header, Opcode, Order};
use crate::limits::WEBSOCKET_BUFFER;
use crate::pipeline::{Gateway, Reserved, Session};

/// Longest time that a message may take from its first octet to its last.
const MESSAGE_WAIT: Duration = Duration::from_secs(60);

/// Messages up to so many octets take no room of the sandbox.
const FREE_OCTETS: u64 = 16 * 1024;

/// Who a side is to be trusted as, and how much of it is held.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Whether it is the client, whose frames are masked.
    pub(super) is_client: bool,
    /// The longest message, in octets.
    pub(super) longest: u64,
    /// The room that a message of so many octets takes.
    pub(super) room: fn(u64) -> u64,
}

/// A whole text, in the room that it takes.
#[derive(Debug)]
pub struct Text {
    /// UTF-8.
    pub octets: Vec<u8>,
    pub(super) room: Vec<Reserved>,
}

/// What came.
#[derive(Debug)]
pub(super) enum Got {
    Text(Text),
    Ping(Vec<u8>),
    /// The code, where there is one, and the reason.
    Close(Option<u16>, Vec<u8>),
    /// The stream is over, without a close before it.
    End,
}

/// Why nothing more is read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Bad {
    #[error("{0}")]
    Frame(#[from] FrameError),
    #[error("a message is binary")]
    Binary,
    #[error("a text is not UTF-8")]
    NotText,
    #[error("a close frame is malformed")]
    Close,
    #[error("there is no room left to read a message in: too much else is under way")]
    NoRoom,
    #[error("a message did not arrive in time")]
    Late,
    #[error("{0}")]
    Broken(#[from] std::io::Error),
}

impl Bad {
    /// The code that a close says it with (RFC 6455, section 7.4.1).
    pub(super) const fn code(&self) -> u16 {
        match self {
            Self::Frame(FrameError::TooLong(_)) => 1009,
            Self::Frame(_) | Self::Close => 1002,
            Self::Binary => 1003,
            Self::NotText => 1007,
            Self::NoRoom => 1013,
            Self::Late => 1008,
            Self::Broken(_) => 1011,
        }
    }
}

/// One side.
pub(super) struct Side<S> {
    stream: S,
    bounds: Bounds,
    ahead: Vec<u8>,
    order: Order,
    /// The frame that is being read, and how much of it is there.
    frame: Option<(Header, u64)>,
    message: Vec<u8>,
    control: Vec<u8>,
    rooms: Vec<Reserved>,
    kept: u64,
    /// Until when the message that was begun has to be whole.
    until: Option<Instant>,
    /// Whether a frame was written in part only, so that nothing can follow it.
    torn: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Side<S> {
    pub(super) fn new(stream: S, bounds: Bounds) -> Self {
        Self {
            stream,
            bounds,
            ahead: Vec::new(),
            order: Order::new(bounds.longest),
            frame: None,
            message: Vec::new(),
            control: Vec::new(),
            rooms: Vec::new(),
            kept: 0,
            until: None,
            torn: false,
        }
    }

    /// What comes next. Given up, it loses nothing. `count` is told of octets that were read.
    pub(super) async fn next(
        &mut self,
        (gateway, session): (&Gateway, &Session),
        count: impl Fn(u64),
    ) -> Result<Got, Bad> {
        loop {
            if self.frame.is_none() && !self.begin((gateway, session)).await? {
                match self.fill(&count).await? {
                    0 if self.ahead.is_empty() && self.until.is_none() => return Ok(Got::End),
                    0 => return Err(unexpected_end()),
                    _ => continue,
                }
            }
            if let Some(header) = self.payload() {
                if let Some(got) = self.end(&header)? {
                    return Ok(got);
                }
            } else if self.fill(&count).await? == 0 {
                return Err(unexpected_end());
            }
        }
    }

    /// Reads the head of a frame; false where it is not there yet.
    async fn begin(&mut self, (gateway, session): (&Gateway, &Session)) -> Result<bool, Bad> {
        let Some((header, used)) = Header::read(&self.ahead, self.bounds.is_client)? else {
            return Ok(false);
        };
        if header.opcode == Opcode::Binary {
            return Err(Bad::Binary);
        }
        if !header.opcode.is_control() {
            let whole = (self.message.len() as u64).saturating_add(header.length);
            if whole > self.bounds.longest {
                return Err(FrameError::TooLong(self.bounds.longest).into());
            }
            self.make_room(whole, (gateway, session)).await?;
            let until = Instant::now() + MESSAGE_WAIT;
            self.until.get_or_insert(until);
        }
        self.order.admit(&header)?;
        self.ahead.drain(..used);
        self.frame = Some((header, 0));
        Ok(true)
    }

    async fn make_room(
        &mut self,
        whole: u64,
        (gateway, session): (&Gateway, &Session),
    ) -> Result<(), Bad> {
        let wanted = (self.bounds.room)(whole);
        if whole <= FREE_OCTETS || wanted <= self.kept {
            return Ok(());
        }
        // In steps, so that many short frames do not make as many reservations.
        let more = (wanted - self.kept).max((self.bounds.room)(FREE_OCTETS));
        let room = gateway.reserve(session, more).await.ok_or(Bad::NoRoom)?;
        self.rooms.push(room);
        self.kept += more;
        Ok(())
    }

    /// Takes what there is of the payload; gives the head back when it is whole.
    fn payload(&mut self) -> Option<Header> {
        let (header, taken) = self.frame.as_mut()?;
        let left = header.length - *taken;
        let there = usize::try_from(left).map_or(self.ahead.len(), |it| it.min(self.ahead.len()));
        let mut at = usize::try_from(*taken % 4).unwrap_or_default();
        *taken += there as u64;
        let whole = (*taken == header.length).then_some(*header);
        let mask = header.mask.unwrap_or_default();
        let into = if header.opcode.is_control() {
            &mut self.control
        } else {
            &mut self.message
        };
        into.extend(self.ahead.drain(..there).map(|octet| {
            let key = mask.get(at).copied().unwrap_or_default();
            at = (at + 1) % 4;
            octet ^ key
        }));
        if whole.is_some() {
            self.frame = None;
        }
        whole
    }

    /// What a frame that is whole comes to.
    fn end(&mut self, header: &Header) -> Result<Option<Got>, Bad> {
        match header.opcode {
            Opcode::Ping => Ok(Some(Got::Ping(std::mem::take(&mut self.control)))),
            Opcode::Pong => {
                self.control.clear();
                Ok(None)
            }
            Opcode::Close => close(&std::mem::take(&mut self.control)).map(Some),
            Opcode::Continuation | Opcode::Text | Opcode::Binary if !header.last => Ok(None),
            Opcode::Continuation | Opcode::Text | Opcode::Binary => {
                self.until = None;
                self.kept = 0;
                let text = Text {
                    octets: std::mem::take(&mut self.message),
                    room: std::mem::take(&mut self.rooms),
                };
                if std::str::from_utf8(&text.octets).is_err() {
                    return Err(Bad::NotText);
                }
                Ok(Some(Got::Text(text)))
            }
        }
    }

    async fn fill(&mut self, count: &impl Fn(u64)) -> Result<usize, Bad> {
        self.ahead.reserve(WEBSOCKET_BUFFER);
        let reading = self.stream.read_buf(&mut self.ahead);
        let read = match self.until {
            None => reading.await?,
            Some(until) => timeout_at(until, reading).await.map_err(|_| Bad::Late)??,
        };
        count(read as u64);
        Ok(read)
    }

    /// Writes a frame of its own for `payload`. Given up, nothing more can be written.
    pub(super) async fn write(&mut self, opcode: Opcode, payload: &[u8]) -> Result<(), Bad> {
        if std::mem::replace(&mut self.torn, true) {
            return Err(Bad::Broken(std::io::ErrorKind::BrokenPipe.into()));
        }
        let mask = if self.bounds.is_client { None } else { mask()? };
        let header = Header {
            last: true,
            opcode,
            mask,
            length: payload.len() as u64,
        };
        let mut out = Vec::with_capacity(payload.len() + 14);
        header.write(&mut out);
        match mask {
            None => out.extend_from_slice(payload),
            Some(mask) => {
                let keys = mask.iter().cycle();
                out.extend(payload.iter().zip(keys).map(|(octet, key)| octet ^ key));
            }
        }
        self.stream.write_all(&out).await?;
        self.stream.flush().await?;
        self.torn = false;
        Ok(())
    }

    /// Says that nothing comes any more.
    pub(super) async fn close(&mut self, code: Option<u16>, reason: &str) -> Result<(), Bad> {
        let mut payload = Vec::new();
        if let Some(code) = code {
            payload.extend_from_slice(&code.to_be_bytes());
            payload.extend_from_slice(shortened(reason).as_bytes());
        }
        self.write(Opcode::Close, &payload).await?;
        self.torn = true;
        Ok(self.stream.shutdown().await?)
    }

    /// Reads what still comes, so that what was written arrives.
    pub(super) async fn linger(&mut self) {
        let mut rest = [0; 4096];
        while self.stream.read(&mut rest).await.is_ok_and(|read| read > 0) {}
    }
}

/// A mask that nobody can foresee (RFC 6455, section 10.3).
fn mask() -> Result<Option<[u8; 4]>, Bad> {
    let mut mask = [0; 4];
    let unfilled = |_| Bad::Broken(std::io::ErrorKind::Other.into());
    rand::fill(&mut mask).map_err(unfilled)?;
    Ok(Some(mask))
}

fn unexpected_end() -> Bad {
    Bad::Broken(std::io::ErrorKind::UnexpectedEof.into())
}

/// RFC 6455, section 5.5.1: nothing, or a code and UTF-8.
fn close(payload: &[u8]) -> Result<Got, Bad> {
    let Some((code, reason)) = payload.split_first_chunk::<2>() else {
        return match payload {
            [] => Ok(Got::Close(None, Vec::new())),
            _ => Err(Bad::Close),
        };
    };
    let code = u16::from_be_bytes(*code);
    let is_code = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
    if !is_code || std::str::from_utf8(reason).is_err() {
        return Err(Bad::Close);
    }
    Ok(Got::Close(Some(code), reason.to_vec()))
}

/// A control frame has room for 125 octets.
fn shortened(reason: &str) -> &str {
    const REASON_OCTETS: usize = 123;
    let mut end = reason.len().min(REASON_OCTETS);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    reason.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests;
