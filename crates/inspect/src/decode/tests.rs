//! Content encodings: every one that is known, in any pieces; damage, ends and bombs are errors.

use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use proptest::prelude::*;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::{DecodeError, Decoder};
use crate::limits::{EXPANSION, EXPANSION_FREE_OCTETS, EXPANSION_SAVED_OCTETS, MEMBERS};

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn zlib(body: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn raw(body: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn zstd(body: &[u8]) -> Vec<u8> {
    compress_to_vec(body, CompressionLevel::Fastest)
}

/// "hello", by the reference encoder.
const BROTLI_HELLO: [u8; 9] = [0x0b, 0x02, 0x80, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x03];

fn decode(encodings: &str, body: &[u8], size: usize) -> Result<Vec<u8>, DecodeError> {
    let mut decoder = Decoder::for_encodings(encodings)?.unwrap();
    let mut out = Vec::new();
    for piece in body.chunks(size) {
        decoder.feed(piece, &mut out)?;
    }
    decoder.finish()?;
    Ok(out)
}

/// Every encoding of a text, by name.
fn all(body: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("gzip", gzip(body)),
        ("X-GZip", gzip(body)),
        ("deflate", zlib(body)),
        ("deflate", raw(body)),
        ("zstd", zstd(body)),
        ("gzip, zstd", zstd(&gzip(body))),
        ("zstd,identity , deflate", raw(&zstd(body))),
    ]
}

#[test]
fn decodes_every_encoding() {
    let body = b"data: {\"text\":\"hello\"}\n\n".repeat(50);
    for (name, encoded) in all(&body) {
        assert_eq!(decode(name, &encoded, 7), Ok(body.clone()), "{name}");
    }
    assert_eq!(decode("br", &BROTLI_HELLO, 1), Ok(b"hello".to_vec()));
}

#[test]
fn no_encoding_needs_no_decoder() {
    for name in ["", "identity", " Identity ,", ", ,"] {
        assert!(Decoder::for_encodings(name).unwrap().is_none(), "{name}");
    }
}

#[test]
fn refuses_unknown_and_too_many_encodings() {
    for name in ["compress", "gzip;q=1", "gzip gzip", "*", "gzip, exi"] {
        assert_eq!(
            Decoder::for_encodings(name).unwrap_err(),
            DecodeError::UnknownEncoding
        );
    }
    let many = Decoder::for_encodings("gzip, br, gzip").unwrap_err();
    assert_eq!(many, DecodeError::TooManyEncodings);
}

#[test]
fn gives_what_it_has_before_the_stream_ends() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(b"first event\n\n").unwrap();
    encoder.flush().unwrap();
    let mut decoder = Decoder::for_encodings("gzip").unwrap().unwrap();
    let mut out = Vec::new();
    decoder.feed(encoder.get_ref(), &mut out).unwrap();
    assert_eq!(out, b"first event\n\n");
    assert_eq!(decoder.finish(), Err(DecodeError::Truncated));
}

#[test]
fn decodes_all_members_and_frames() {
    let members = [gzip(b"one "), gzip(b""), gzip(b"two")].concat();
    assert_eq!(decode("gzip", &members, 5), Ok(b"one two".to_vec()));
    let skipped = b"\x5a\x2a\x4d\x18\x03\x00\x00\x00abc\x50\x2a\x4d\x18\x00\x00\x00\x00";
    let frames = [skipped, zstd(b"one ").as_slice(), skipped, &zstd(b"two")].concat();
    assert_eq!(decode("zstd", &frames, 3), Ok(b"one two".to_vec()));
}

#[test]
fn refuses_more_members_than_allowed() {
    assert_eq!(
        decode("gzip", &gzip(b"").repeat(MEMBERS), 4096),
        Ok(Vec::new())
    );
    let many = decode("gzip", &gzip(b"").repeat(MEMBERS + 1), 4096);
    assert_eq!(many, Err(DecodeError::TooManyMembers));
    let many = decode(
        "zstd",
        &b"\x50\x2a\x4d\x18\x00\x00\x00\x00".repeat(MEMBERS + 1),
        4096,
    );
    assert_eq!(many, Err(DecodeError::TooManyMembers));
}

#[test]
fn an_empty_body_is_complete_and_a_cut_one_is_not() {
    for (name, encoded) in all(b"some text that is not very long") {
        assert_eq!(decode(name, b"", 1), Ok(Vec::new()), "{name}");
        for end in 1..encoded.len() {
            assert!(
                decode(name, &encoded[..end], 9).is_err(),
                "{name} cut at {end}"
            );
        }
    }
    for end in 1..BROTLI_HELLO.len() {
        assert_eq!(
            decode("br", &BROTLI_HELLO[..end], 9),
            Err(DecodeError::Truncated)
        );
    }
}

#[test]
fn refuses_what_comes_after_the_end() {
    for (name, encoded) in all(b"some text") {
        for size in [1, 4096] {
            let with = [&encoded[..], b"\0\0\0\0garbage that is long enough"].concat();
            let error = decode(name, &with, size).unwrap_err();
            let expected = [DecodeError::TrailingOctets, DecodeError::Malformed];
            assert!(expected.contains(&error), "{name}: {error}");
        }
    }
    let with = [&BROTLI_HELLO[..], b"x"].concat();
    assert_eq!(decode("br", &with, 1), Err(DecodeError::TrailingOctets));
    assert_eq!(decode("br", &with, 99), Err(DecodeError::TrailingOctets));
}

#[test]
fn refuses_a_wrong_checksum() {
    for (name, mut encoded) in [
        ("gzip", gzip(b"text")),
        ("deflate", zlib(b"text")),
        ("zstd", zstd(b"text")),
    ] {
        let at = encoded.len() - if name == "gzip" { 6 } else { 2 };
        encoded[at] ^= 1;
        assert_eq!(
            decode(name, &encoded, 99),
            Err(DecodeError::Malformed),
            "{name}"
        );
    }
}

#[test]
fn refuses_bombs() {
    let blank = vec![0; 8 << 20];
    for (name, encoded) in all(&blank) {
        assert!(
            encoded.len() as u64 * EXPANSION < blank.len() as u64,
            "{name} is no bomb"
        );
        let mut decoder = Decoder::for_encodings(name).unwrap().unwrap();
        let mut out = Vec::new();
        let fed = encoded
            .chunks(100)
            .try_for_each(|piece| decoder.feed(piece, &mut out));
        assert_eq!(fed, Err(DecodeError::Expansion), "{name}");
        let allowed = EXPANSION_FREE_OCTETS + EXPANSION * encoded.len() as u64;
        // What is between two encodings earns as well.
        let between = if name.contains(',') { allowed } else { 0 };
        let allowed = allowed + EXPANSION * between;
        assert!((out.len() as u64) <= allowed, "{name}");
    }
    let small = vec![b' '; 1 << 19];
    for (name, encoded) in all(&small) {
        assert_eq!(decode(name, &encoded, 100).as_ref(), Ok(&small), "{name}");
    }
}

/// A long honest body does not earn the right to explode at its end.
#[test]
fn what_was_earned_is_bounded() {
    let mut allowance = super::Allowance::new();
    for _ in 0..1000 {
        allowance.earn(1 << 20);
    }
    let most = EXPANSION_SAVED_OCTETS + (EXPANSION << 20);
    let most = usize::try_from(most).unwrap();
    assert_eq!(allowance.spend(most), Ok(()));
    assert_eq!(allowance.spend(1), Err(DecodeError::Expansion));
}

#[test]
fn refuses_more_than_is_asked_for() {
    let body = b"some text. ".repeat(100);
    for (name, encoded) in all(&body) {
        let most = |octets: usize| {
            let decoder = Decoder::for_encodings(name).unwrap().unwrap();
            let mut decoder = decoder.at_most(octets as u64);
            let mut out = Vec::new();
            decoder.feed(&encoded, &mut out)?;
            Ok(out.len())
        };
        assert_eq!(most(body.len()), Ok(body.len()), "{name}");
        assert_eq!(most(body.len() - 1), Err(DecodeError::TooLong), "{name}");
    }
}

#[test]
fn refuses_blocks_and_windows_that_are_too_large() {
    // A window of 16 MiB, then a frame that needs a dictionary, then a block of 2 MiB.
    let window = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 14 << 3, 1, 0, 0];
    assert_eq!(decode("zstd", &window, 99), Err(DecodeError::Window));
    let dictionary = [0x28, 0xb5, 0x2f, 0xfd, 0x21, 7, 0, 1, 0, 0];
    assert_eq!(decode("zstd", &dictionary, 99), Err(DecodeError::Malformed));
    let block = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0, 0x03, 0x00, 0xff];
    assert_eq!(decode("zstd", &block, 99), Err(DecodeError::Malformed));
}

proptest! {
    #[test]
    fn pieces_do_not_matter(
        body in prop::collection::vec(0_u8..4, 0..3000),
        damage in prop::option::of((any::<prop::sample::Index>(), 1..=255_u8)),
        size in 1_usize..200,
    ) {
        for (name, mut encoded) in all(&body) {
            if let Some((at, change)) = damage {
                let at = at.index(encoded.len());
                encoded[at] ^= change;
            }
            let whole = decode(name, &encoded, usize::MAX);
            let pieces = decode(name, &encoded, size);
            prop_assert_eq!(whole.is_ok(), pieces.is_ok());
            if damage.is_none() {
                prop_assert_eq!(whole.as_ref(), Ok(&body));
            }
            prop_assert!(whole.is_err() || whole == pieces);
        }
    }
}
