//! Credentials in what an upstream says to people. The body of an answer is searched as it comes, in
//! packets; what a client shows is what they make together.

use ringfence_git::wire::censor::Censor;
use ringfence_git::wire::report::Report;
use ringfence_inspect::{ScrubSet, Scrubber};

/// Takes values out of messages.
#[derive(Debug)]
pub(super) struct Heard(Scrubber);

impl Heard {
    pub(super) fn new(set: ScrubSet) -> Box<Self> {
        Box::new(Self(Scrubber::new(set)))
    }
}

impl Censor for Heard {
    /// Whole lines go on at once, as far as no value goes on behind their end.
    fn take(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        self.0.feed(piece, out);
        self.0.flush_lines(out);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.0.finish(out);
    }
}

/// Words without values.
pub(super) fn clean(set: &ScrubSet, words: String) -> String {
    let scrubbed = set.scrub(words.as_bytes());
    scrubbed.map_or(words, |octets| {
        String::from_utf8_lossy(&octets).into_owned()
    })
}

/// A report of which the reasons have no values.
pub(super) fn clean_report(set: &ScrubSet, report: Report) -> Report {
    let refs = report.refs.into_iter().map(|mut said| {
        said.outcome = said.outcome.map_err(|reason| clean(set, reason));
        said
    });
    Report {
        unpack: report.unpack.map_err(|reason| clean(set, reason)),
        refs: refs.collect(),
    }
}

#[cfg(test)]
mod tests {
    use ringfence_git::wire::push::PushCapabilities;
    use ringfence_git::wire::report::ReportReader;
    use ringfence_model::Secret;

    use super::*;

    const VALUE: &str = "ghp_0123456789abcdef0123456789abcdef";

    fn set() -> ScrubSet {
        ScrubSet::new(&[Secret::new(VALUE)]).unwrap()
    }

    fn packet(band: u8, text: &str) -> Vec<u8> {
        let mut packet = format!("{:04x}", text.len() + 5).into_bytes();
        packet.push(band);
        packet.extend_from_slice(text.as_bytes());
        packet
    }

    /// What a client shows of packets.
    fn shown(mut packets: &[u8]) -> String {
        let mut text = Vec::new();
        while let Some((length, _)) = packets.split_first_chunk::<4>() {
            let length = usize::from_str_radix(str::from_utf8(length).unwrap(), 16).unwrap();
            let (packet, rest) = packets.split_at(length);
            text.extend_from_slice(&packet[5..]);
            packets = rest;
        }
        String::from_utf8(text).unwrap()
    }

    fn reader() -> ReportReader {
        let sent = PushCapabilities {
            side_band: true,
            ..PushCapabilities::default()
        };
        ReportReader::new(&sent).censored(Heard::new(set()))
    }

    #[test]
    fn a_value_that_is_cut_into_packets_is_not_shown() {
        let (one, other) = VALUE.split_at(9);
        let steered = format!("{one}\u{1b}");
        for (pieces, expected) in [
            (vec![one, other, "\nb\n"], "REDACTED-BY-RINGFENCE\nb\n"),
            (vec!["x ", one, other], "x REDACTED-BY-RINGFENCE"),
            (vec![&steered, other], "REDACTED-BY-RINGFENCE"),
            (vec!["50%\r", "", "100%\n"], "50%\r100%\n"),
        ] {
            let mut reader = reader();
            let mut messages = Vec::new();
            for piece in &pieces {
                reader.feed(&packet(2, piece), &mut messages).unwrap();
            }
            reader.feed(b"0000", &mut messages).unwrap();
            assert_eq!(shown(&messages), expected, "{pieces:?}");
        }
    }

    #[test]
    fn a_line_is_shown_when_it_is_whole() {
        let mut messages = Vec::new();
        reader()
            .feed(&packet(2, "Resolving deltas\nand"), &mut messages)
            .unwrap();
        assert_eq!(shown(&messages), "Resolving deltas\n");
    }

    #[test]
    fn the_reasons_of_a_report_have_no_values() {
        let report = Report {
            unpack: Err(format!("no: {VALUE}")),
            refs: Vec::new(),
        };
        let clean = clean_report(&set(), report);
        assert_eq!(clean.unpack, Err("no: REDACTED-BY-RINGFENCE".to_owned()));
    }
}
