//! Reads the part of a push before its pack, in pieces.

use std::collections::HashSet;

use ringfence_model::git::{Oid, RefChange, RefName, RefUpdate};

use super::{PushCapabilities, PushRequest};
use crate::limits::{
    PUSH_OPTION_OCTETS, PUSH_OPTIONS, PUSH_SECTION_OCTETS, PUSH_SHALLOWS, PUSH_UPDATES,
};
use crate::wire::pkt::{self, Digits, Pkt};
use crate::wire::{WireError, words};

/// What a request to receive a pack begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushStart {
    /// `0000` alone: a client asks whether it may push before it sends much. Nothing follows.
    Probe,
    /// A push.
    Push(PushRequest),
}

/// Reads the part of a push before its pack.
#[derive(Debug, Default)]
pub struct PushReader {
    state: State,
    /// The part of a packet that came in earlier pieces.
    partial: Vec<u8>,
    taken: usize,
    shallow: Vec<Oid>,
    updates: Vec<RefUpdate>,
    names: HashSet<RefName>,
    capabilities: Option<PushCapabilities>,
    options: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Commands,
    Options,
    Done,
}

impl PushReader {
    /// Takes the next piece in. When the part is complete, it gives what it says, and how many
    /// octets of this piece belong to it; the pack is what follows them. Nothing may be fed after
    /// that, or after an error.
    ///
    /// # Errors
    /// See [`WireError`].
    pub fn feed(&mut self, piece: &[u8]) -> Result<Option<(PushStart, usize)>, WireError> {
        if self.state == State::Done {
            return Err(WireError::Malformed("octets behind the end"));
        }
        let mut partial = std::mem::take(&mut self.partial);
        let before = partial.len();
        partial.extend_from_slice(piece);
        let mut rest = partial.as_slice();
        while let Some((pkt, after)) = pkt::split(rest, Digits::Lower)? {
            self.count(rest.len() - after.len())?;
            rest = after;
            if self.packet(pkt)? {
                let taken = (partial.len() - rest.len()).saturating_sub(before);
                return Ok(Some((self.complete()?, taken)));
            }
        }
        let held = partial.len() - rest.len();
        partial.drain(..held);
        self.partial = partial;
        Ok(None)
    }

    fn count(&mut self, octets: usize) -> Result<(), WireError> {
        self.taken += octets;
        if self.taken > PUSH_SECTION_OCTETS {
            return Err(WireError::TooLarge("the refs of a push"));
        }
        Ok(())
    }

    /// Whether this packet is the last one before the pack.
    fn packet(&mut self, pkt: Pkt<'_>) -> Result<bool, WireError> {
        match (self.state, pkt) {
            (_, Pkt::Delim | Pkt::ResponseEnd) => {
                Err(WireError::Malformed("a packet out of place"))
            }
            (State::Commands, Pkt::Data(line)) => self.command(line).map(|()| false),
            (State::Commands, Pkt::Flush) => {
                let has_options = self.capabilities.as_ref().is_some_and(|c| c.push_options);
                self.state = if has_options {
                    State::Options
                } else {
                    State::Done
                };
                Ok(!has_options)
            }
            (State::Options, Pkt::Data(line)) => self.option(line).map(|()| false),
            (State::Options | State::Done, _) => {
                self.state = State::Done;
                Ok(true)
            }
        }
    }

    fn command(&mut self, line: &[u8]) -> Result<(), WireError> {
        if line.starts_with(b"push-cert") {
            return Err(WireError::Refused("a signed push"));
        }
        let (command, capabilities) = match line.iter().position(|octet| *octet == 0) {
            Some(at) => {
                let (command, rest) = line.split_at_checked(at).unwrap_or((line, &[]));
                (command, rest.get(1..))
            }
            None => (pkt::without_newline(line), None),
        };
        let command = str::from_utf8(command)
            .map_err(|_| WireError::Malformed("a command that is not UTF-8"))?;
        if let Some(oid) = command.strip_prefix("shallow ") {
            return self.shallow(oid, capabilities);
        }
        self.capabilities(capabilities)?;
        let update = self.update(command)?;
        if self.updates.len() == PUSH_UPDATES {
            return Err(WireError::TooLarge("the number of refs"));
        }
        if !self.names.insert(update.name.clone()) {
            return Err(WireError::Malformed("a ref that is there twice"));
        }
        self.updates.push(update);
        Ok(())
    }

    /// `shallow` lines stand before the commands, with no capabilities, so the format of the
    /// objects is not known yet: it is checked at the end.
    fn shallow(&mut self, oid: &str, capabilities: Option<&[u8]>) -> Result<(), WireError> {
        if capabilities.is_some() || !self.updates.is_empty() {
            return Err(WireError::Malformed("a shallow line out of place"));
        }
        if self.shallow.len() == PUSH_SHALLOWS {
            return Err(WireError::TooLarge("the number of shallow lines"));
        }
        let oid: Oid = oid
            .parse()
            .map_err(|_| WireError::Malformed("the name of an object"))?;
        self.shallow.push(oid);
        Ok(())
    }

    /// The first command has a NUL and capabilities behind it, and no other has.
    fn capabilities(&mut self, text: Option<&[u8]>) -> Result<(), WireError> {
        match (self.updates.is_empty(), text) {
            (true, Some(text)) => {
                let text = pkt::text(text)?;
                if text.contains(|c: char| c.is_control()) {
                    return Err(WireError::Malformed("a control character in capabilities"));
                }
                self.capabilities = Some(PushCapabilities::read(text)?);
                Ok(())
            }
            (true, None) => {
                self.capabilities = Some(PushCapabilities::default());
                Ok(())
            }
            (false, None) => Ok(()),
            (false, Some(_)) => Err(WireError::Malformed("capabilities behind a later ref")),
        }
    }

    fn update(&self, command: &str) -> Result<RefUpdate, WireError> {
        let format = self.capabilities.as_ref().map(|c| c.object_format);
        let format = format.ok_or(WireError::Malformed("no capabilities"))?;
        let mut parts = command.splitn(3, ' ');
        let (Some(old), Some(new), Some(name)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(WireError::Malformed("a command"));
        };
        let old = words::oid(old, format)?;
        let new = words::oid(new, format)?;
        if old.is_null() && new.is_null() {
            return Err(WireError::Malformed("a command that changes nothing"));
        }
        let name = RefName::new(name).map_err(|_| WireError::Malformed("the name of a ref"))?;
        let change = RefChange::of(&name, &old, &new);
        Ok(RefUpdate {
            name,
            old,
            new,
            change,
        })
    }

    fn option(&mut self, line: &[u8]) -> Result<(), WireError> {
        let option = pkt::text(line)?;
        if self.options.len() == PUSH_OPTIONS || option.len() > PUSH_OPTION_OCTETS {
            return Err(WireError::TooLarge("the push options"));
        }
        if option.is_empty() || option.contains(|c: char| c.is_control()) {
            return Err(WireError::Malformed("a push option"));
        }
        self.options.push(option.to_owned());
        Ok(())
    }

    fn complete(&mut self) -> Result<PushStart, WireError> {
        let Some(capabilities) = self.capabilities.take() else {
            if !self.shallow.is_empty() {
                return Err(WireError::Malformed("shallow lines without a ref"));
            }
            return Ok(PushStart::Probe);
        };
        let format = capabilities.object_format;
        if self.shallow.iter().any(|oid| oid.format() != format) {
            return Err(WireError::Malformed(
                "the name of an object of another format",
            ));
        }
        Ok(PushStart::Push(PushRequest {
            shallow: std::mem::take(&mut self.shallow),
            updates: std::mem::take(&mut self.updates),
            capabilities,
            options: std::mem::take(&mut self.options),
        }))
    }
}
