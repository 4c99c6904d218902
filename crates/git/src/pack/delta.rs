//! Deltas: what an object takes from another one and what it adds, applied while the instructions
//! are inflated, so that neither side has to fit in memory.

use std::rc::Rc;

use ringfence_model::git::ObjectFormat;

use super::budget::Budget;
use super::making::{Made, Making};
use super::sink::Sink;
use super::{Kind, PackError};
use crate::limits::{BASE_HELD_OCTETS, BASE_READ_OCTETS, BASE_READ_RATIO, PACK_STEP_OCTETS};

/// What a delta is against.
#[derive(Clone)]
pub(super) struct Base {
    /// Its number in the pack.
    pub(super) number: u32,
    pub(super) kind: Kind,
    pub(super) size: u64,
    pub(super) content: BaseContent,
}

/// Where the content of a base is.
#[derive(Clone)]
pub(super) enum BaseContent {
    Held(Rc<Vec<u8>>),
    ScratchAt(u64),
}

/// What came of a delta.
pub(super) struct Applied {
    pub(super) made: Made,
    pub(super) size: u64,
    pub(super) base: Base,
}

/// A delta that is being applied.
pub(super) struct Delta {
    format: ObjectFormat,
    base: Base,
    state: State,
    making: Option<Making>,
    size: u64,
    /// Where a piece of a long base is read to.
    piece: Vec<u8>,
}

enum State {
    BaseSize { size: u64, shift: u32 },
    Size { size: u64, shift: u32 },
    Instruction,
    Copy(Copy),
    Insert { left: usize },
}

/// A copy whose arguments come: those that the operation has a bit for.
#[derive(Clone, Copy)]
struct Copy {
    operation: u8,
    next: u32,
    offset: u32,
    octets: u32,
}

impl Copy {
    /// Skips arguments that are not there; whether all have come.
    fn is_whole(&mut self) -> bool {
        while self.next < 7 && (self.operation >> self.next) & 1 == 0 {
            self.next += 1;
        }
        self.next >= 7
    }

    fn argument(&mut self, octet: u8) {
        match self.next {
            0..=3 => self.offset |= u32::from(octet) << (8 * self.next),
            _ => self.octets |= u32::from(octet) << (8 * (self.next - 4)),
        }
        self.next += 1;
    }
}

impl Delta {
    pub(super) fn new(format: ObjectFormat, base: Base) -> Self {
        Self {
            format,
            base,
            state: State::BaseSize { size: 0, shift: 0 },
            making: None,
            size: 0,
            piece: Vec::new(),
        }
    }

    /// Applies some more octets of the delta.
    pub(super) fn push(
        &mut self,
        mut octets: &[u8],
        sink: &mut Sink<'_>,
        budget: &mut Budget,
    ) -> Result<(), PackError> {
        while let Some((&octet, after)) = octets.split_first() {
            if let State::Insert { left } = self.state {
                let (added, rest) = octets.split_at(left.min(octets.len()));
                self.write(added, sink)?;
                self.state = match left - added.len() {
                    0 => State::Instruction,
                    left => State::Insert { left },
                };
                octets = rest;
            } else {
                self.step(octet, sink, budget)?;
                octets = after;
            }
        }
        Ok(())
    }

    /// What it made.
    pub(super) fn finish(self, sink: &mut Sink<'_>) -> Result<Applied, PackError> {
        match (self.state, self.making) {
            (State::Instruction, Some(making)) => Ok(Applied {
                made: making.finish(sink)?,
                size: self.size,
                base: self.base,
            }),
            _ => Err(damaged()),
        }
    }

    fn step(
        &mut self,
        octet: u8,
        sink: &mut Sink<'_>,
        budget: &mut Budget,
    ) -> Result<(), PackError> {
        match self.state {
            State::BaseSize { size, shift } => self.base_size(octet, size, shift),
            State::Size { size, shift } => {
                let Some(size) = self.result_size(octet, size, shift)? else {
                    return Ok(());
                };
                budget.take(size)?;
                self.begin(size, sink)
            }
            State::Copy(mut copy) => {
                copy.argument(octet);
                self.copy(copy, sink)
            }
            State::Instruction | State::Insert { .. } => {
                budget.instruction()?;
                self.instruction(octet, sink)
            }
        }
    }

    fn base_size(&mut self, octet: u8, size: u64, shift: u32) -> Result<(), PackError> {
        let size = number(octet, size, shift)?;
        if octet & 0x80 != 0 {
            let shift = shift + 7;
            self.state = State::BaseSize { size, shift };
            return Ok(());
        }
        if size != self.base.size {
            return Err(damaged());
        }
        self.state = State::Size { size: 0, shift: 0 };
        Ok(())
    }

    fn result_size(&mut self, octet: u8, size: u64, shift: u32) -> Result<Option<u64>, PackError> {
        let size = number(octet, size, shift)?;
        if octet & 0x80 == 0 {
            return Ok(Some(size));
        }
        let shift = shift + 7;
        self.state = State::Size { size, shift };
        Ok(None)
    }

    /// Begins to make the object. Where its base is short, or not much longer than what is made of
    /// it, the base is read into memory first: many small reads would take longer.
    fn begin(&mut self, size: u64, sink: &mut Sink<'_>) -> Result<(), PackError> {
        self.size = size;
        self.making = Some(Making::new(self.format, self.base.kind, size, true)?);
        self.state = State::Instruction;
        let worth = (size * BASE_READ_RATIO + BASE_READ_OCTETS).min(BASE_HELD_OCTETS);
        if let BaseContent::ScratchAt(at) = self.base.content
            && self.base.size <= worth
        {
            let mut content = vec![0; usize::try_from(self.base.size).unwrap_or(0)];
            sink.scratch.read(at, &mut content)?;
            self.base.content = BaseContent::Held(Rc::new(content));
        }
        Ok(())
    }

    fn instruction(&mut self, octet: u8, sink: &mut Sink<'_>) -> Result<(), PackError> {
        match octet {
            0 => Err(damaged()),
            1..=0x7f => {
                let left = usize::from(octet);
                self.state = State::Insert { left };
                Ok(())
            }
            _ => {
                let copy = Copy {
                    operation: octet,
                    next: 0,
                    offset: 0,
                    octets: 0,
                };
                self.copy(copy, sink)
            }
        }
    }

    fn copy(&mut self, mut copy: Copy, sink: &mut Sink<'_>) -> Result<(), PackError> {
        if !copy.is_whole() {
            self.state = State::Copy(copy);
            return Ok(());
        }
        self.state = State::Instruction;
        let octets = match copy.octets {
            0 => 0x1_0000,
            octets => u64::from(octets),
        };
        let from = u64::from(copy.offset);
        if from + octets > self.base.size {
            return Err(damaged());
        }
        match self.base.content.clone() {
            BaseContent::Held(content) => {
                let piece = range(from, octets).and_then(|range| content.get(range));
                self.write(piece.ok_or_else(damaged)?, sink)
            }
            BaseContent::ScratchAt(at) => self.copy_from(at + from, octets, sink),
        }
    }

    fn copy_from(&mut self, at: u64, octets: u64, sink: &mut Sink<'_>) -> Result<(), PackError> {
        let mut piece = std::mem::take(&mut self.piece);
        let mut done = 0;
        while done < octets {
            let step = (octets - done).min(PACK_STEP_OCTETS as u64);
            piece.resize(usize::try_from(step).unwrap_or(0), 0);
            sink.scratch.read(at + done, &mut piece)?;
            self.write(&piece, sink)?;
            done += step;
        }
        self.piece = piece;
        Ok(())
    }

    fn write(&mut self, octets: &[u8], sink: &mut Sink<'_>) -> Result<(), PackError> {
        let making = self.making.as_mut().ok_or_else(damaged)?;
        making.write(octets, sink)
    }
}

fn number(octet: u8, so_far: u64, shift: u32) -> Result<u64, PackError> {
    let is_needless = octet == 0 && shift > 0;
    if shift > 49 || is_needless {
        return Err(damaged());
    }
    Ok(so_far | u64::from(octet & 0x7f) << shift)
}

fn range(from: u64, octets: u64) -> Option<std::ops::Range<usize>> {
    let from = usize::try_from(from).ok()?;
    let octets = usize::try_from(octets).ok()?;
    Some(from..from + octets)
}

fn damaged() -> PackError {
    PackError::Delta("it is damaged")
}
