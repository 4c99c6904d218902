//! The standard error of a program beside its answer to a push: git shows it as messages of the
//! server, so it goes into their band (gitprotocol-pack(5), "side-band").

use bytes::Bytes;

/// Holds the end of an answer back, to put messages before it.
#[derive(Debug, Default)]
pub(super) struct SideBand {
    held: Vec<u8>,
    /// The first octets of the answer.
    begin: Vec<u8>,
}

/// What ends an answer in bands.
const FLUSH: &[u8] = b"0000";

/// The length of the first packet, and its band.
const BEGIN_OCTETS: usize = 5;

/// The band of messages for people.
const MESSAGES: u8 = 2;

impl SideBand {
    /// Takes the next octets in, and gives back what goes on.
    pub(super) fn feed(&mut self, said: &[u8]) -> Bytes {
        let room = BEGIN_OCTETS - self.begin.len();
        self.begin.extend(said.iter().take(room));
        self.held.extend_from_slice(said);
        let at = self.held.len().saturating_sub(FLUSH.len());
        let last = self.held.split_off(at);
        std::mem::replace(&mut self.held, last).into()
    }

    /// The end, with the messages before it where the answer is in bands.
    pub(super) fn finish(self, stderr: &[u8]) -> Bytes {
        let in_bands = self.begin.get(4).is_some_and(|band| (1..=3).contains(band));
        let is_whole = self.held == FLUSH;
        if !(in_bands && is_whole) || stderr.is_empty() {
            return self.held.into();
        }
        let mut packet = format!("{:04x}", BEGIN_OCTETS + stderr.len()).into_bytes();
        packet.push(MESSAGES);
        packet.extend_from_slice(stderr);
        packet.extend_from_slice(FLUSH);
        packet.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(said: &[u8], stderr: &[u8], piece: usize) -> Vec<u8> {
        let mut band = SideBand::default();
        let mut out: Vec<u8> = said
            .chunks(piece)
            .flat_map(|piece| band.feed(piece))
            .collect();
        out.extend(band.finish(stderr));
        out
    }

    #[test]
    fn messages_stand_before_the_end_of_an_answer_in_bands() {
        let said = b"000e\x01unpack ok0000";
        for piece in 1..=said.len() {
            let out = answered(said, b"disk is full\n", piece);
            assert_eq!(
                out, b"000e\x01unpack ok0012\x02disk is full\n0000",
                "{piece}"
            );
            assert_eq!(answered(said, b"", piece), said);
        }
    }

    #[test]
    fn an_answer_without_bands_or_end_stays_as_it_is() {
        for said in [
            b"000eunpack ok\n0000".as_slice(),
            b"000e\x01unpack",
            b"",
            b"00",
        ] {
            assert_eq!(answered(said, b"words", 3), said);
        }
    }
}
