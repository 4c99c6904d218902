//! Scrubbing: the same in one piece and in many, as much held back whatever it is, nothing left.
//! The first octets choose the size of the pieces and where the values end; the rest is text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ringfence_inspect::{REPLACEMENT, ScrubSet, Scrubber};
use ringfence_model::Secret;

fuzz_target!(|input: &[u8]| {
    let [size, first, second, rest @ ..] = input else {
        return;
    };
    let (first, rest) = rest.split_at(rest.len().min(usize::from(*first % 24)));
    let (second, text) = rest.split_at(rest.len().min(usize::from(*second % 24)));
    let values = [first, second].map(Secret::new);
    let set = ScrubSet::new(&values).unwrap();

    let whole = set.scrub(text);
    assert_eq!(whole.is_some(), set.finds(text));
    let whole = whole.unwrap_or_else(|| text.to_vec());
    let pieces = [1, 1 + usize::from(*size)].map(|size| in_pieces(&set, text, size));
    // A longer match may be missed where the text is cut.
    if text.len() <= set.hold_back() {
        assert!(pieces.iter().all(|pieces| *pieces == whole));
    }
    for value in [first, second].into_iter().filter(|value| value.len() >= 8) {
        assert!(!leaks(&whole, value));
        assert!(pieces.iter().all(|pieces| !leaks(pieces, value)));
    }
});

/// Whether the value stands somewhere else than in or across a replacement.
fn leaks(text: &[u8], value: &[u8]) -> bool {
    let mark = REPLACEMENT.as_bytes();
    let mut part = text;
    while let Some(at) = part.windows(mark.len()).position(|window| window == mark) {
        if holds(&part[..at], value) {
            return true;
        }
        part = &part[at + mark.len()..];
    }
    holds(part, value)
}

fn holds(text: &[u8], value: &[u8]) -> bool {
    text.windows(value.len()).any(|window| window == value)
}

fn in_pieces(set: &ScrubSet, text: &[u8], size: usize) -> Vec<u8> {
    let mut scrubber = Scrubber::new(set.clone());
    let mut out = Vec::new();
    let mut fed = 0;
    for piece in text.chunks(size) {
        scrubber.feed(piece, &mut out);
        fed += piece.len();
        assert_eq!(scrubber.held(), fed.min(set.hold_back()));
    }
    scrubber.finish(&mut out);
    out
}
