//! Three streams in one: data, messages, and a message that ends it all
//! (gitprotocol-pack(5), "side-band-64k").

use super::WireError;
use super::pkt::{self, Header};
use super::text::copy_printable;
use crate::limits::{PKT_DATA_OCTETS, SIDEBAND_OCTETS};

/// Which stream the data of a packet belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Band {
    /// What it is all about: a pack, or a report.
    Data,
    /// Progress and messages; a client shows them.
    Message,
    /// Why it ends here; a client shows it and gives up.
    Fatal,
}

impl Band {
    /// The octet that names it.
    #[must_use]
    pub const fn octet(self) -> u8 {
        match self {
            Self::Data => 1,
            Self::Message => 2,
            Self::Fatal => 3,
        }
    }

    /// The band of this octet.
    #[must_use]
    pub const fn of(octet: u8) -> Option<Self> {
        match octet {
            1 => Some(Self::Data),
            2 => Some(Self::Message),
            3 => Some(Self::Fatal),
            _ => None,
        }
    }
}

/// The band of a packet and what it carries.
///
/// # Errors
/// [`WireError::Malformed`] when it has no band, or one that is not defined.
pub fn split(data: &[u8]) -> Result<(Band, &[u8]), WireError> {
    let (octet, rest) = data
        .split_first()
        .ok_or(WireError::Malformed("a packet without a band"))?;
    let band = Band::of(*octet).ok_or(WireError::Malformed("an unknown band"))?;
    Ok((band, rest))
}

/// Writes octets into a band, in as many packets as they need. None writes none.
pub fn write(band: Band, octets: &[u8], out: &mut Vec<u8>) {
    for part in octets.chunks(SIDEBAND_OCTETS.min(PKT_DATA_OCTETS - 1)) {
        pkt::write_header(part.len() + 1, out);
        out.push(band.octet());
        out.extend_from_slice(part);
    }
}

/// Writes text that is shown, without what steers a terminal. An empty packet of the
/// upstream stays one: it keeps the connection alive.
pub fn write_text(band: Band, octets: &[u8], out: &mut Vec<u8>) {
    let mut shown = Vec::with_capacity(octets.len());
    copy_printable(octets, &mut shown);
    if shown.is_empty() {
        pkt::write_header(1, out);
        out.push(Band::Message.octet());
    } else {
        write(band, &shown, out);
    }
}

/// What keeps a client waiting that asked for side bands: a packet of no data, as git's own
/// server sends it.
pub const KEEPALIVE: &[u8; Header::OCTETS + 1] = b"0005\x01";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cleaned_and_data_is_not() {
        let mut out = Vec::new();
        write(Band::Data, b"\x1b\0", &mut out);
        write_text(Band::Message, b"a\x1b[1mb\n", &mut out);
        write_text(Band::Fatal, b"\x1b\x07", &mut out);
        assert_eq!(out, b"0007\x01\x1b\x00000b\x02a[1mb\n0005\x02");
    }

    #[test]
    fn a_packet_has_one_of_three_bands() {
        assert_eq!(split(b"\x02hi").unwrap(), (Band::Message, &b"hi"[..]));
        assert_eq!(split(b"\x01").unwrap(), (Band::Data, &b""[..]));
        for data in [&b""[..], b"\0x", b"\x04x", b"unpack ok"] {
            assert!(split(data).is_err());
        }
    }

    #[test]
    fn a_band_goes_into_packets_that_git_reads() {
        let mut out = Vec::new();
        write(Band::Data, &vec![0; SIDEBAND_OCTETS + 1], &mut out);
        let (first, rest) = pkt::split(&out, pkt::Digits::Lower).unwrap().unwrap();
        assert!(matches!(first, pkt::Pkt::Data(data) if data.len() == 65516));
        assert_eq!(rest, b"0006\x01\0");
    }
}
