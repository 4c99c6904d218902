use proptest::prelude::*;

use super::*;

fn all(octets: &[u8], digits: Digits) -> Result<Vec<Pkt<'_>>, WireError> {
    let (mut rest, mut pkts) = (octets, Vec::new());
    while let Some((pkt, after)) = split(rest, digits)? {
        pkts.push(pkt);
        rest = after;
    }
    Ok(pkts)
}

#[test]
fn each_kind_of_packet_is_read() {
    let octets = b"0009hello0000000100020004";
    assert_eq!(
        all(octets, Digits::Lower).unwrap(),
        [
            Pkt::Data(b"hello"),
            Pkt::Flush,
            Pkt::Delim,
            Pkt::ResponseEnd,
            Pkt::Data(b"")
        ]
    );
}

#[test]
fn upper_case_digits_are_for_answers_alone() {
    assert!(split(b"000Bcommand", Digits::Lower).is_err());
    let (pkt, rest) = split(b"000Bcommand", Digits::Any).unwrap().unwrap();
    assert_eq!((pkt, rest), (Pkt::Data(b"command"), &b""[..]));
}

#[test]
fn lengths_that_nothing_has_are_refused_at_once() {
    for octets in [
        &b"0003"[..],
        b"fff1",
        b"ffff",
        b"-001",
        b"0x10",
        b" 010",
        b"+010",
        b"00 0",
        b"PACK",
        b"00g",
        b"P",
        b"\0\0\0\0",
    ] {
        assert!(split(octets, Digits::Any).is_err(), "{octets:?}");
    }
    assert!(split(b"fff0", Digits::Lower).unwrap().is_none());
}

#[test]
fn data_that_one_packet_cannot_hold_goes_into_several() {
    let data = vec![7; PKT_DATA_OCTETS + 1];
    let mut out = Vec::new();
    write_data(&data, &mut out);
    let pkts = all(&out, Digits::Lower).unwrap();
    assert_eq!(
        pkts,
        [Pkt::Data(&data[1..]), Pkt::Data(&[7])],
        "full, then the rest"
    );
    assert!(out.starts_with(b"fff0"));
}

proptest! {
    #[test]
    fn what_is_written_is_read_in_any_pieces(
        lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 0..6),
        size in 1usize..50,
    ) {
        let mut out = Vec::new();
        for line in &lines {
            write_data(line, &mut out);
        }
        write_flush(&mut out);
        let mut reader = PktReader::new(Digits::Lower);
        let (mut read, mut ended) = (Vec::new(), false);
        for piece in out.chunks(size) {
            reader.feed(piece);
            while let Some(pkt) = reader.next_pkt().unwrap() {
                match pkt {
                    Pkt::Data(data) => read.push(data.to_vec()),
                    other => ended = other == Pkt::Flush,
                }
            }
        }
        prop_assert!(ended && reader.held().is_empty());
        prop_assert_eq!(read, lines);
    }
}
