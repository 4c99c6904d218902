//! How much comes out, and when, says nothing about a value that is not there as a whole: else it
//! could be guessed octet by octet.

use proptest::prelude::*;

use super::*;
use crate::Scrubber;

/// One piece of a stream, by its length, and how much of the end a flush after it leaves.
type Step = (usize, Option<usize>);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let flush = prop::option::weighted(0.2, 0_usize..60);
    prop::collection::vec((1_usize..700, flush), 1..8)
}

/// Octets that come out after each step, and at the end.
fn lengths(set: &ScrubSet, text: &[u8], steps: &[Step]) -> Vec<usize> {
    let mut scrubber = Scrubber::new(set.clone());
    let mut rest = text;
    let mut lengths = Vec::new();
    let mut out = Vec::new();
    for (size, flush) in steps {
        let (piece, later) = rest.split_at(rest.len().min(*size));
        rest = later;
        scrubber.feed(piece, &mut out);
        lengths.push(out.len());
        if let Some(keep) = flush {
            scrubber.flush(*keep, &mut out);
            lengths.push(out.len());
        }
    }
    scrubber.finish(&mut out);
    lengths.push(out.len());
    lengths
}

/// A text of these pieces in which each ends with a part of the value, in some form.
fn guesses(value: &str, steps: &[Step], seeds: &[usize]) -> Vec<u8> {
    let mut text = Vec::new();
    for ((size, _), seed) in steps.iter().zip(seeds.iter().cycle()) {
        let form = match seed % 5 {
            0 => value.to_owned(),
            1 => base64(value.as_bytes()),
            2 => hexadecimal(value.as_bytes()),
            3 => escaped(value, &[|octet| format!("%{octet:02x}")]),
            _ => escaped(value, &[|octet| format!("\\u{octet:04x}")]),
        };
        let guess = &form.as_bytes()[..seed / 5 % form.len()];
        let guess = &guess[..guess.len().min(*size)];
        text.resize(text.len() + size - guess.len(), b'.');
        text.extend_from_slice(guess);
    }
    text
}

proptest! {
    #[test]
    fn what_comes_out_does_not_depend_on_how_far_a_guess_is_right(
        value in "[A-Za-z0-9+/=_%-]{5,40}",
        steps in steps(),
        seeds in prop::collection::vec(any::<usize>(), 1..8),
    ) {
        let set = set(&[&value]);
        let text = guesses(&value, &steps, &seeds);
        prop_assume!(!set.finds(&text));
        let other = vec![b'.'; text.len()];
        prop_assert_eq!(lengths(&set, &text, &steps), lengths(&set, &other, &steps));
    }
}

#[test]
fn a_token_cannot_be_guessed_by_what_is_held_back() {
    let token = "ghp_Zq81LmPw0xYtRb5NcVd7KeJh3AsGfU2iOo94";
    let set = set(&[token]);
    for length in 1..token.len() {
        let right = &token[..length];
        let wrong = format!("{}!", &token[..length - 1]);
        for end in ["", "=\n", "%", "\\"] {
            let given = |guess: &str| {
                let text = format!("{}{guess}{end}", ".".repeat(16 * 1024));
                let mut scrubber = Scrubber::new(set.clone());
                let mut out = Vec::new();
                scrubber.feed(text.as_bytes(), &mut out);
                out.len()
            };
            assert_eq!(given(right), given(&wrong), "{right}{end:?}");
        }
    }
}
