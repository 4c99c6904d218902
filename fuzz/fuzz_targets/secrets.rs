//! Searching for secrets: the same in one piece and in many, and wherever the buffer is cut; every
//! line that is told is there. The first octets choose the size of the pieces and what comes before.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use ringfence_inspect::limits::SECRET_FINDINGS;
use ringfence_inspect::secrets::{Detector, Finding};

static DETECTOR: LazyLock<Detector> = LazyLock::new(Detector::new);

fuzz_target!(|input: &[u8]| {
    let [size, before, shift, text @ ..] = input else {
        return;
    };
    let whole = DETECTOR.find(text);
    assert!(whole.len() <= SECRET_FINDINGS);
    let lines = 1 + text.iter().filter(|octet| **octet == b'\n').count() as u64;
    assert!(whole.iter().all(|found| (1..=lines).contains(&found.line)));
    assert_eq!(in_pieces(text, 1), whole);
    assert_eq!(in_pieces(text, 1 + usize::from(*size)), whole);

    // Behind so many line ends that no rule looks at what is before them.
    if before.is_multiple_of(64) && whole.len() < SECRET_FINDINGS {
        let gap = 60 * 1024 + usize::from(*shift) * 24;
        let moved = [vec![b'\n'; gap].as_slice(), text].concat();
        let back = |found: &Finding| Finding {
            line: found.line - gap as u64,
            ..*found
        };
        let found: Vec<Finding> = DETECTOR.find(&moved).iter().map(back).collect();
        assert_eq!(found, whole);
    }
});

fn in_pieces(text: &[u8], size: usize) -> Vec<Finding> {
    let mut search = DETECTOR.search();
    text.chunks(size).for_each(|piece| search.feed(piece));
    search.finish()
}
