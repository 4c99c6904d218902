//! What an upstream says to people, on its way to them.

use std::fmt;

use super::sideband::{self, Band};
use super::text::copy_printable;

/// Takes out of a text what must not be shown, however the text was cut into packets.
pub trait Censor: fmt::Debug + Send {
    /// Takes the next piece of the text, and appends what may be shown by now.
    fn take(&mut self, piece: &[u8], out: &mut Vec<u8>);

    /// The text has ended: appends what is left of it.
    fn end(&mut self, out: &mut Vec<u8>);
}

/// The messages of an upstream.
#[derive(Debug, Default)]
pub(super) struct Messages {
    censor: Option<Box<dyn Censor>>,
}

impl Messages {
    /// Nothing is taken out.
    pub(super) const fn new() -> Self {
        Self { censor: None }
    }

    pub(super) fn censored(censor: Box<dyn Censor>) -> Self {
        Self {
            censor: Some(censor),
        }
    }

    /// Writes what may be shown of a message.
    pub(super) fn write(&mut self, text: &[u8], out: &mut Vec<u8>) {
        let shown = self.take(text);
        sideband::write_text(Band::Message, &shown, out);
    }

    /// Writes what ends it all, which is whole.
    pub(super) fn write_last(&mut self, text: &[u8], out: &mut Vec<u8>) {
        self.finish(out);
        let mut shown = self.take(text);
        self.end(&mut shown);
        sideband::write_text(Band::Fatal, &shown, out);
    }

    /// Writes what is left when no message follows.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        let mut left = Vec::new();
        self.end(&mut left);
        if !left.is_empty() {
            sideband::write_text(Band::Message, &left, out);
        }
    }

    /// What steers a terminal goes first: it could stand in the middle of a secret.
    fn take(&mut self, text: &[u8]) -> Vec<u8> {
        let mut printable = Vec::with_capacity(text.len());
        copy_printable(text, &mut printable);
        let Some(censor) = &mut self.censor else {
            return printable;
        };
        let mut shown = Vec::with_capacity(printable.len());
        censor.take(&printable, &mut shown);
        shown
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        if let Some(censor) = &mut self.censor {
            censor.end(out);
        }
    }
}
