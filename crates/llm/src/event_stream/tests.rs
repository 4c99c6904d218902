use proptest::prelude::*;

use super::*;

fn messages(pieces: &[&[u8]]) -> Vec<(String, String, Vec<u8>)> {
    let (mut parser, mut read) = (Parser::default(), Vec::new());
    for piece in pieces {
        parser.feed(piece, &mut |it| {
            read.push((it.kind.to_owned(), it.name.to_owned(), it.payload.to_vec()));
        });
    }
    read
}

const HEADERS: [(&str, &str); 3] = [
    (":message-type", "event"),
    (":event-type", "chunk"),
    (":content-type", "application/json"),
];

#[test]
fn the_checksum_is_the_common_one() {
    assert_eq!(checksum(b"123456789"), 0xcbf4_3926);
}

#[test]
fn a_message_of_amazon_s_own_samples_is_read() {
    // From the test suite that Amazon publishes for the format: no headers, payload `{'foo':'bar'}`.
    let message = b"\x00\x00\x00\x1d\x00\x00\x00\x00\xfd\x52\x8c\x5a{'foo':'bar'}\xc3\x65\x39\x36";
    assert_eq!(messages(&[message])[0].2, b"{'foo':'bar'}");
    assert_eq!(write(&[], b"{'foo':'bar'}"), message);
}

#[test]
fn a_damaged_stream_is_not_read_on() {
    let good = write(&HEADERS, b"{}");
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        assert_eq!(messages(&[&bad, &good]), [], "{at}");
    }
}

#[test]
fn a_message_that_is_too_long_passes_and_the_next_is_read() {
    let long = write(&HEADERS, &vec![b'x'; EVENT_OCTETS]);
    let next = write(&HEADERS, b"next");
    let mut parser = Parser::default();
    let mut read = Vec::new();
    for piece in [long, next].concat().chunks(100_000) {
        parser.feed(piece, &mut |it| read.push(it.payload.to_vec()));
        assert!(parser.held.len() <= EVENT_OCTETS);
    }
    assert_eq!(read, [b"next".to_vec()]);
    assert!(parser.skipped() > EVENT_OCTETS as u64);
}

proptest! {
    #[test]
    fn pieces_make_no_difference(payloads in proptest::collection::vec(any::<Vec<u8>>(), 0..4), cut in 1..40usize) {
        let octets: Vec<u8> = payloads.iter().flat_map(|it| write(&HEADERS, it)).collect();
        let pieces: Vec<&[u8]> = octets.chunks(cut).collect();
        let read = messages(&pieces);
        prop_assert_eq!(&read, &messages(&[&octets]));
        let read: Vec<_> = read.into_iter().map(|it| it.2).collect();
        prop_assert_eq!(read, payloads);
    }

    #[test]
    fn anything_is_survived(octets in any::<Vec<u8>>()) {
        messages(&[&octets]);
    }
}
