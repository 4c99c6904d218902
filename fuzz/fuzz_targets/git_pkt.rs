//! Packet lines: the same in one piece and in many, and the same when they are written anew; and
//! answers of an upstream, relayed the same in any pieces. The first octet chooses the pieces.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ringfence_git::wire::fetch::{Acks, Fetch, Form, SideBand};
use ringfence_git::wire::fetched::PackFilter;
use ringfence_git::wire::pkt::{self, Digits, Pkt, PktReader};
use ringfence_model::git::ObjectFormat;

fuzz_target!(|input: &[u8]| {
    let Some((first, input)) = input.split_first() else {
        return;
    };
    let size = 1 + usize::from(*first);
    assert_eq!(packets(input, size), packets(input, usize::MAX));
    for side_band in [None, Some(SideBand::Large)] {
        let legacy = Form::Legacy {
            acks: Acks::Detailed,
            no_done: false,
            side_band,
        };
        let modern = Fetch::new(ObjectFormat::Sha1);
        for fetch in [
            modern.clone(),
            Fetch {
                form: legacy,
                ..modern
            },
        ] {
            let whole = relayed(&fetch, input, usize::MAX);
            assert_eq!(whole, relayed(&fetch, input, size));
            // What was relayed is an answer that goes through as it is.
            if let Some(out) = whole {
                assert_eq!(relayed(&fetch, &out, size), Some(out));
            }
        }
    }
});

/// Packets in the form in which they are written, until one is none.
fn packets(input: &[u8], size: usize) -> (Vec<u8>, bool) {
    let (mut reader, mut out) = (PktReader::new(Digits::Lower), Vec::new());
    for piece in input.chunks(size.min(input.len().max(1))) {
        reader.feed(piece);
        loop {
            match reader.next_pkt() {
                Ok(Some(Pkt::Data(data))) => {
                    pkt::write_header(data.len(), &mut out);
                    out.extend_from_slice(data);
                }
                Ok(Some(Pkt::Flush)) => pkt::write_flush(&mut out),
                Ok(Some(Pkt::Delim)) => pkt::write_delim(&mut out),
                Ok(Some(Pkt::ResponseEnd)) => out.extend_from_slice(b"0002"),
                Ok(None) => break,
                Err(_) => return (out, true),
            }
        }
    }
    assert!(input.starts_with(&out) && out.len() + reader.held().len() == input.len());
    (out, false)
}

fn relayed(fetch: &Fetch, input: &[u8], size: usize) -> Option<Vec<u8>> {
    let (mut filter, mut out) = (PackFilter::relay(fetch), Vec::new());
    for piece in input.chunks(size.min(input.len().max(1))) {
        filter.feed(piece, &mut out).ok()?;
    }
    filter.finish().ok().map(|_| out)
}
