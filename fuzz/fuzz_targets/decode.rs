//! Content encodings: the same in one piece and in many, and never more than the limits allow.
//! The first octet chooses the encodings, the second one the size of the pieces.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ringfence_inspect::limits::{EXPANSION, EXPANSION_FREE_OCTETS};
use ringfence_inspect::{DecodeError, Decoder};

const ENCODINGS: [&str; 7] = [
    "gzip",
    "deflate",
    "br",
    "zstd",
    "gzip, br",
    "zstd, gzip",
    "deflate, zstd",
];

fuzz_target!(|input: &[u8]| {
    let [encodings, size, body @ ..] = input else {
        return;
    };
    let encodings = ENCODINGS[usize::from(*encodings) % ENCODINGS.len()];
    let whole = decode(encodings, body, body.len().max(1));
    let pieces = decode(encodings, body, 1 + usize::from(*size));
    assert_eq!(whole.is_ok(), pieces.is_ok());
    if let Ok(whole) = &whole {
        assert_eq!(Ok(whole), pieces.as_ref());
        let layers = 1 + encodings.matches(',').count() as u32;
        let allowed = EXPANSION_FREE_OCTETS + EXPANSION * body.len() as u64;
        let allowed = allowed + (layers as u64 - 1) * EXPANSION * allowed;
        assert!(whole.len() as u64 <= allowed);
    }
});

fn decode(encodings: &str, body: &[u8], size: usize) -> Result<Vec<u8>, DecodeError> {
    let mut decoder = Decoder::for_encodings(encodings)?.unwrap();
    let mut out = Vec::new();
    for piece in body.chunks(size) {
        decoder.feed(piece, &mut out)?;
    }
    decoder.finish()?;
    Ok(out)
}
