//! What becomes of the payload of a WebSocket's messages.

use ringfence_inspect::{ScrubSet, Scrubber};

use super::frame::{Header, Opcode};
use crate::forward::withheld::Withholding;

/// What of a message goes on. Without values to look for, its frames pass as they are; else each
/// piece that was read becomes a frame, later by what is held back of every message: the lengths
/// say nothing about a value that is not there as a whole.
pub(super) struct Message {
    withholding: Option<Withholding>,
    /// What this message is searched for.
    set: ScrubSet,
    scrubber: Scrubber,
    /// The opcode of the next frame of a scrubbed message.
    opcode: Opcode,
    /// Payload of a control frame so far.
    control: Vec<u8>,
    /// Whether the head of the frame that passes was written.
    headed: bool,
    counted: u64,
    found: u64,
}

impl Message {
    pub(super) fn new(withholding: Option<Withholding>) -> Self {
        let set = ScrubSet::default();
        Self {
            withholding,
            scrubber: Scrubber::new(set.clone()),
            set,
            opcode: Opcode::Continuation,
            control: Vec::new(),
            headed: false,
            counted: 0,
            found: 0,
        }
    }

    pub(super) fn begin(&mut self, header: &Header) {
        match header.opcode {
            Opcode::Text | Opcode::Binary => {
                self.set = self.latest();
                self.scrubber = Scrubber::new(self.set.clone());
                self.opcode = header.opcode;
                self.counted = 0;
            }
            _ => self.control.clear(),
        }
    }

    /// What is written for a piece of a payload.
    pub(super) fn take(&mut self, header: &Header, piece: &[u8], last: bool) -> Vec<u8> {
        if header.opcode.is_control() && self.withholding.is_some() {
            return self.take_control(header, piece, last);
        }
        if self.set.is_empty() {
            return self.pass(header, piece, last);
        }
        let mut text = Vec::with_capacity(piece.len());
        self.scrubber.feed(piece, &mut text);
        let ends = last && header.last;
        if ends {
            self.scrubber.finish(&mut text);
        }
        let found = self.scrubber.found();
        self.found += found - self.counted;
        self.counted = found;
        if text.is_empty() && !ends {
            return text;
        }
        let frame = Header {
            last: ends,
            opcode: std::mem::replace(&mut self.opcode, Opcode::Continuation),
            mask: None,
            length: text.len() as u64,
        };
        let mut out = Vec::with_capacity(text.len() + 10);
        frame.write(&mut out);
        out.extend_from_slice(&text);
        out
    }

    fn pass(&mut self, header: &Header, piece: &[u8], last: bool) -> Vec<u8> {
        let mut out = Vec::with_capacity(piece.len() + 14);
        if !std::mem::replace(&mut self.headed, !last) {
            header.write(&mut out);
        }
        out.extend_from_slice(piece);
        out
    }

    /// A control frame is short, so it is looked at whole. One that holds a value loses its
    /// payload, but for the code of a close.
    fn take_control(&mut self, header: &Header, piece: &[u8], last: bool) -> Vec<u8> {
        self.control.extend_from_slice(piece);
        if !last {
            return Vec::new();
        }
        let mut payload = std::mem::take(&mut self.control);
        if self.latest().finds(&payload) {
            self.found += 1;
            payload.truncate(if header.opcode == Opcode::Close { 2 } else { 0 });
        }
        let frame = Header {
            length: payload.len() as u64,
            ..*header
        };
        let mut out = Vec::with_capacity(payload.len() + 2);
        frame.write(&mut out);
        out.extend_from_slice(&payload);
        out
    }

    /// All that is withheld now. A message is searched for what was when it began.
    fn latest(&mut self) -> ScrubSet {
        let withholding = self.withholding.as_mut();
        withholding.map_or_else(ScrubSet::default, |it| it.hidden().set.clone())
    }

    /// Values that were taken out since it was last asked.
    pub(super) const fn counted(&mut self) -> u64 {
        std::mem::replace(&mut self.found, 0)
    }
}
