//! The heads of WebSocket frames (RFC 6455, section 5.2), read strictly: what two readers could
//! take for two different things is refused.

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opcode {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

/// The head of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// Whether it is the last of its message.
    pub(super) last: bool,
    pub(super) opcode: Opcode,
    /// There in frames of a client.
    pub(super) mask: Option<[u8; 4]>,
    /// Octets of the payload.
    pub(super) length: u64,
}

/// Why a frame may not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum FrameError {
    #[error("a frame uses an extension that was not agreed on")]
    Reserved,
    #[error("a frame has an unknown opcode")]
    Opcode,
    #[error("a frame is masked the wrong way")]
    Mask,
    #[error("the length of a frame is not in its shortest form")]
    Length,
    #[error("a control frame is too long or in pieces")]
    Control,
    #[error("the frames of a message are not in order")]
    Order,
    #[error("a message is longer than {0} octets")]
    TooLong(u64),
}

/// The order of frames in one direction, and the length of its messages.
#[derive(Debug)]
pub(super) struct Order {
    /// Octets so far of the message that is under way.
    message: Option<u64>,
    limit: u64,
}

impl Opcode {
    pub(super) const fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }

    const fn of(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => return None,
        })
    }

    const fn number(self) -> u8 {
        match self {
            Self::Continuation => 0,
            Self::Text => 1,
            Self::Binary => 2,
            Self::Close => 8,
            Self::Ping => 9,
            Self::Pong => 10,
        }
    }
}

impl Header {
    /// Reads the head that `octets` begin with, and says how long it is; none where it is not
    /// whole yet. A client's frames are `masked`, a server's are not.
    pub(super) fn read(octets: &[u8], masked: bool) -> Result<Option<(Self, usize)>, FrameError> {
        let [first, second, rest @ ..] = octets else {
            return Ok(None);
        };
        if first & 0x70 != 0 {
            return Err(FrameError::Reserved);
        }
        let opcode = Opcode::of(first & 0x0f).ok_or(FrameError::Opcode)?;
        let last = first & 0x80 != 0;
        if (second & 0x80 != 0) != masked {
            return Err(FrameError::Mask);
        }
        let short = second & 0x7f;
        if opcode.is_control() && (!last || short > 125) {
            return Err(FrameError::Control);
        }
        let Some((length, used)) = length(short, rest)? else {
            return Ok(None);
        };
        let mut header = Self {
            last,
            opcode,
            mask: None,
            length,
        };
        if !masked {
            return Ok(Some((header, 2 + used)));
        }
        let Some(mask) = rest.get(used..).and_then(<[u8]>::first_chunk::<4>) else {
            return Ok(None);
        };
        header.mask = Some(*mask);
        Ok(Some((header, 2 + used + 4)))
    }

    /// Writes it in its only form.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let last = if self.last { 0x80 } else { 0 };
        out.push(last | self.opcode.number());
        let masked = if self.mask.is_some() { 0x80 } else { 0 };
        if let Ok(short @ 0..=125) = u8::try_from(self.length) {
            out.push(masked | short);
        } else if let Ok(length) = u16::try_from(self.length) {
            out.push(masked | 126);
            out.extend_from_slice(&length.to_be_bytes());
        } else {
            out.push(masked | 127);
            out.extend_from_slice(&self.length.to_be_bytes());
        }
        out.extend(self.mask.into_iter().flatten());
    }
}

/// The length, and how many octets beyond the second it takes.
fn length(short: u8, rest: &[u8]) -> Result<Option<(u64, usize)>, FrameError> {
    match short {
        0..=125 => Ok(Some((u64::from(short), 0))),
        126 => match rest.first_chunk::<2>() {
            None => Ok(None),
            Some(octets) => match u16::from_be_bytes(*octets) {
                0..=125 => Err(FrameError::Length),
                length => Ok(Some((u64::from(length), 2))),
            },
        },
        _ => match rest.first_chunk::<8>() {
            None => Ok(None),
            Some(octets) => match u64::from_be_bytes(*octets) {
                0..=0xffff | 0x8000_0000_0000_0000.. => Err(FrameError::Length),
                length => Ok(Some((length, 8))),
            },
        },
    }
}

impl Order {
    pub(super) const fn new(limit: u64) -> Self {
        Self {
            message: None,
            limit,
        }
    }

    /// Whether `header` may come now.
    pub(super) fn admit(&mut self, header: &Header) -> Result<(), FrameError> {
        if header.opcode.is_control() {
            return Ok(());
        }
        let before = match (header.opcode, self.message) {
            (Opcode::Continuation, Some(octets)) => octets,
            (Opcode::Text | Opcode::Binary, None) => 0,
            _ => return Err(FrameError::Order),
        };
        let octets = before.saturating_add(header.length);
        if octets > self.limit {
            return Err(FrameError::TooLong(self.limit));
        }
        self.message = (!header.last).then_some(octets);
        Ok(())
    }
}
