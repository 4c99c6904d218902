//! What a program of git says before it is asked. Over HTTP it was said in a response of its own,
//! so here it is left out.

use bytes::{Buf as _, Bytes};

use crate::limits::SSH_GREETING_OCTETS;
use crate::ssh::SshError;

/// Skips packets up to the first flush (gitprotocol-common(5), "pkt-line").
#[derive(Debug)]
pub(super) struct Greeting {
    state: State,
    octets: u64,
    /// Whether the next packet is the first.
    is_first: bool,
    /// Whether that one must be the version 2.
    is_modern: bool,
    /// The begin of the packet.
    begin: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// At the length of a packet.
    Length,
    /// In a packet that has so many octets left.
    Packet(usize),
    Over,
}

/// Octets of the first packet that are looked at.
const LOOKED_AT: usize = 256;

impl Greeting {
    pub(super) const fn new(is_modern: bool) -> Self {
        Self {
            state: State::Length,
            octets: 0,
            is_first: true,
            is_modern,
            begin: Vec::new(),
        }
    }

    /// Takes the next octets in, and gives back those behind the greeting; none where it goes on.
    pub(super) fn feed(&mut self, mut said: Bytes) -> Result<Option<Bytes>, SshError> {
        loop {
            match self.state {
                State::Over => return Ok(Some(said)),
                _ if said.is_empty() => return Ok(None),
                State::Length => {
                    let wanted = LENGTH_OCTETS - self.begin.len();
                    self.take(&mut said, wanted)?;
                    if self.begin.len() == LENGTH_OCTETS {
                        self.state = length(&std::mem::take(&mut self.begin))?;
                        self.check_end()?;
                    }
                }
                State::Packet(left) => {
                    let taken = self.pass(&mut said, left)?;
                    self.state = State::Packet(left - taken);
                    if left == taken {
                        self.packet()?;
                    }
                }
            }
        }
    }

    fn take(&mut self, said: &mut Bytes, wanted: usize) -> Result<(), SshError> {
        let taken = said.split_to(wanted.min(said.len()));
        self.count(taken.len())?;
        self.begin.extend_from_slice(&taken);
        Ok(())
    }

    /// Goes on in a packet. Of the first one, the begin is kept.
    fn pass(&mut self, said: &mut Bytes, left: usize) -> Result<usize, SshError> {
        let taken = left.min(said.len());
        self.count(taken)?;
        if self.is_first {
            let room = LOOKED_AT.saturating_sub(self.begin.len());
            self.begin.extend(said.iter().take(taken.min(room)));
        }
        said.advance(taken);
        Ok(taken)
    }

    fn count(&mut self, octets: usize) -> Result<(), SshError> {
        self.octets += octets as u64;
        if self.octets > SSH_GREETING_OCTETS {
            return Err(SshError::NotGit("it offers too much"));
        }
        Ok(())
    }

    /// A server of version 2 says so before anything else.
    fn check_end(&self) -> Result<(), SshError> {
        match self.state {
            State::Over if self.is_first && self.is_modern => Err(SshError::OldProtocol),
            _ => Ok(()),
        }
    }

    /// At the end of a packet.
    fn packet(&mut self) -> Result<(), SshError> {
        self.state = State::Length;
        if !std::mem::replace(&mut self.is_first, false) {
            return Ok(());
        }
        let first = std::mem::take(&mut self.begin);
        if let Some(reason) = first.strip_prefix(b"ERR ") {
            let reason = String::from_utf8_lossy(reason).trim().to_owned();
            return Err(SshError::Said(reason));
        }
        if self.is_modern && first.trim_ascii_end() != b"version 2" {
            return Err(SshError::OldProtocol);
        }
        Ok(())
    }
}

const LENGTH_OCTETS: usize = 4;

fn length(digits: &[u8]) -> Result<State, SshError> {
    let is_hex = digits.iter().all(u8::is_ascii_hexdigit);
    let text = std::str::from_utf8(digits).ok().filter(|_| is_hex);
    let length = text.and_then(|text| usize::from_str_radix(text, 16).ok());
    match length {
        Some(0) => Ok(State::Over),
        Some(length @ 5..) => Ok(State::Packet(length - LENGTH_OCTETS)),
        _ => Err(SshError::NotGit("it does not begin with packets")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn behind(said: &[u8], is_modern: bool, piece: usize) -> Result<Option<Vec<u8>>, SshError> {
        let mut greeting = Greeting::new(is_modern);
        let mut rest = None;
        for piece in said.chunks(piece) {
            if let Some(more) = greeting.feed(Bytes::copy_from_slice(piece))? {
                rest.get_or_insert_with(Vec::new).extend_from_slice(&more);
            }
        }
        Ok(rest)
    }

    #[test]
    fn what_follows_the_first_flush_is_the_answer() {
        let said = b"000eversion 2\n000cagent=x\n0000000cpackfile0000";
        for piece in 1..=said.len() {
            let rest = behind(said, true, piece).unwrap();
            assert_eq!(
                rest.as_deref(),
                Some(b"000cpackfile0000".as_slice()),
                "{piece}"
            );
        }
        assert_eq!(behind(b"000eversion 2\n", true, 5).unwrap(), None);
        assert_eq!(behind(b"0000", false, 4).unwrap(), Some(Vec::new()));
    }

    #[test]
    fn a_server_of_another_version_is_not_taken_for_one_of_version_2() {
        let old = b"003f1111111111111111111111111111111111111111 refs/heads/main\0a\n0000";
        assert!(matches!(behind(old, true, 7), Err(SshError::OldProtocol)));
        assert!(behind(old, false, 7).unwrap().is_some());
        assert!(matches!(
            behind(b"0000", true, 3),
            Err(SshError::OldProtocol)
        ));
    }

    #[test]
    fn what_is_not_git_is_not_read_as_git() {
        for said in [
            b"Welcome to this server\n".as_slice(),
            b"0001",
            b"0004",
            b"+123",
        ] {
            let read = behind(said, false, 3);
            assert!(matches!(read, Err(SshError::NotGit(_))), "{said:?}");
        }
        let error = behind(b"000fERR \x1b[31mno0000", false, 64).unwrap_err();
        assert_eq!(error.to_string(), "the server said: \x1b[31mno");
    }
}
