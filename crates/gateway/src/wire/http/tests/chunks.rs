//! The chunked coding.

use proptest::prelude::*;

use super::*;
use crate::wire::limits::{
    CHUNK_EXTENSION_OCTETS, CHUNK_LINE_OCTETS, CHUNK_SIZE_DIGITS, TRAILER_OCTETS,
};

/// The body, and the octets that its coded form took; `None` for the body when it has not
/// ended.
type Decoded = Result<(Option<Vec<u8>>, usize), HttpError>;

/// Feeds `pieces` one after the other.
fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Decoded {
    let mut reader = ChunkedReader::default();
    let mut body = Vec::new();
    let mut used = 0;
    for mut piece in pieces {
        while !piece.is_empty() {
            let step = reader.feed(piece)?;
            assert!(step.consumed > 0 || step.done, "no progress");
            body.extend_from_slice(step.data);
            used += step.consumed;
            if step.done {
                return Ok((Some(body), used));
            }
            piece = &piece[step.consumed..];
        }
    }
    Ok((None, used))
}

fn decode_whole(wire: &[u8]) -> Decoded {
    decode([wire])
}

#[test]
fn decodes_a_body_and_leaves_what_follows() {
    for (wire, body) in [
        (&b"0\r\n\r\n"[..], &b""[..]),
        (b"3\r\nabc\r\n0\r\n\r\n", b"abc"),
        (b"3\r\nabc\r\n2\r\n\r\n\r\n0\r\n\r\n", b"abc\r\n"),
        (b"A\r\n0123456789\r\n00\r\n\r\n", b"0123456789"),
        (b"00000000000000a\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
        (b"3;a=b;c=\"d\"\r\nabc\r\n0;e\r\n\r\n", b"abc"),
        (b"3;\r\nabc\r\n0\r\nX-Sum: 1\r\nY:\r\n\r\n", b"abc"),
    ] {
        let followed = [wire, b"GET / HTTP/1.1\r\n"].concat();
        let expected = Ok((Some(body.to_vec()), wire.len()));
        assert_eq!(decode_whole(&followed), expected, "{wire:?}");
        for end in 0..wire.len() {
            assert!(matches!(decode_whole(&wire[..end]), Ok((None, used)) if used == end));
        }
        assert_eq!(decode(followed.chunks(1)), expected, "{wire:?}");
    }
}

#[test]
fn refuses_malformed_chunks() {
    for (wire, expected) in [
        (&b"\r\n"[..], HttpError::Chunk),
        (b"g\r\n", HttpError::Chunk),
        (b"-1\r\n", HttpError::Chunk),
        (b"+1\r\n", HttpError::Chunk),
        (b"0x3\r\n", HttpError::Chunk),
        (b" 3\r\n", HttpError::Chunk),
        (b"3 \r\n", HttpError::Chunk),
        (b"3 ;a\r\n", HttpError::Chunk),
        (b"3\t\r\n", HttpError::Chunk),
        (b"3_0\r\n", HttpError::Chunk),
        (b"3\r\r\n", HttpError::Chunk),
        (b"3;a\rb\r\n", HttpError::Chunk),
        (b"3;a\0\r\n", HttpError::Chunk),
        (b"3;\xe9\r\n", HttpError::Chunk),
        (b"1000000000000000\r\n", HttpError::Chunk),
        (b"ffffffffffffffffff\r\n", HttpError::Chunk),
        (b"3\n", HttpError::LineEnding),
        (b"3;a\n", HttpError::LineEnding),
        (b"3\r\nabc\n", HttpError::LineEnding),
        (b"3\r\nabcd\r\n", HttpError::Chunk),
        (b"3\r\nabc0\r\n", HttpError::Chunk),
        (b"3\r\nabcdef", HttpError::Chunk),
        (b"3\r\nabc\r0\r\n", HttpError::Chunk),
        (b"0\r\n\n", HttpError::LineEnding),
        (b"0\r\nX: y\n\r\n", HttpError::LineEnding),
        (b"0\r\nX : y\r\n", HttpError::HeaderName),
        (b"0\r\n X: y\r\n", HttpError::ObsoleteFold),
        (b"0\r\nGET / HTTP/1.1\r\n", HttpError::HeaderName),
        (b"0\r\nX: \0\r\n", HttpError::HeaderValue),
    ] {
        assert_eq!(decode_whole(wire), Err(expected), "{wire:?}");
        assert_eq!(decode(wire.chunks(1)), Err(expected), "{wire:?}");
    }
}

#[test]
fn holds_what_is_not_data_to_its_limits() {
    let line = |length: usize| format!("1;{}\r\nx\r\n", "e".repeat(length - 2)).into_bytes();
    assert!(decode_whole(&line(CHUNK_LINE_OCTETS)).is_ok());
    let overlong = line(CHUNK_LINE_OCTETS + 1);
    assert_eq!(decode_whole(&overlong), Err(HttpError::ChunkOverhead));
    assert_eq!(decode(overlong.chunks(7)), Err(HttpError::ChunkOverhead));
    let endless = vec![b'0'; CHUNK_LINE_OCTETS + 3];
    assert_eq!(decode_whole(&endless), Err(HttpError::ChunkOverhead));

    let digits = format!("{}1\r\n", "0".repeat(CHUNK_SIZE_DIGITS));
    assert_eq!(decode_whole(digits.as_bytes()), Err(HttpError::Chunk));

    let many = CHUNK_EXTENSION_OCTETS / (CHUNK_LINE_OCTETS - 1);
    assert!(decode_whole(&line(CHUNK_LINE_OCTETS).repeat(many)).is_ok());
    let more = line(CHUNK_LINE_OCTETS).repeat(many + 1);
    assert_eq!(decode_whole(&more), Err(HttpError::ChunkOverhead));

    let field = b"X: 0123456789\r\n";
    let many = TRAILER_OCTETS / field.len();
    let trailers = |count: usize| [b"0\r\n", &field.repeat(count)[..], b"\r\n"].concat();
    assert!(decode_whole(&trailers(many - 1)).is_ok());
    assert_eq!(
        decode_whole(&trailers(many + 1)),
        Err(HttpError::ChunkOverhead)
    );
    assert_eq!(
        decode(trailers(many + 1).chunks(3)),
        Err(HttpError::ChunkOverhead)
    );
}

#[test]
fn keeps_no_data_in_memory() {
    let mut reader = ChunkedReader::default();
    let head = reader.feed(b"fffffffffff\r\n").unwrap();
    assert_eq!((head.consumed, head.data, head.done), (13, &b""[..], false));
    let input = vec![7; 100_000];
    let step = reader.feed(&input).unwrap();
    assert_eq!(step.data.as_ptr(), input.as_ptr());
    assert_eq!(step.data.len(), input.len());
}

#[test]
fn ends_once() {
    let mut reader = ChunkedReader::default();
    assert!(reader.feed(LAST_CHUNK).unwrap().done);
    let step = reader.feed(b"GET").unwrap();
    assert_eq!((step.consumed, step.done), (0, true));
}

#[test]
fn writes_no_chunk_that_would_end_the_body() {
    let mut wire = Vec::new();
    write_chunk(b"", &mut wire);
    assert!(wire.is_empty());
    write_chunk(&[b'x'; 26], &mut wire);
    assert!(wire.starts_with(b"1a\r\nxx") && wire.ends_with(b"x\r\n"));
}

proptest! {
    #[test]
    fn what_is_written_is_read_back_at_any_split(
        chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..50), 0..6),
        cuts in proptest::collection::vec(1..20usize, 1..40),
    ) {
        let mut wire = Vec::new();
        for chunk in &chunks {
            write_chunk(chunk, &mut wire);
        }
        wire.extend_from_slice(LAST_CHUNK);
        let mut pieces = Vec::new();
        let mut rest = &wire[..];
        for cut in cuts {
            let (piece, tail) = rest.split_at(cut.min(rest.len()));
            pieces.push(piece);
            rest = tail;
        }
        pieces.push(rest);
        prop_assert_eq!(decode(pieces), Ok((Some(chunks.concat()), wire.len())));
    }

    #[test]
    fn splits_change_nothing(wire in "[0-3a;\r\n xX:]{0,40}", cut in 1..5usize) {
        let wire = wire.replace('n', "\r\n").into_bytes();
        let whole = decode_whole(&wire);
        let parts = decode(wire.chunks(cut));
        prop_assert_eq!(whole, parts);
    }
}
