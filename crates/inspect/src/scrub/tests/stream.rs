//! Streams: what is held back, and for how long.

use super::*;
use crate::Scrubber;

#[test]
fn a_value_in_two_pieces_is_taken_out() {
    let set = set(&["hunter2secret"]);
    for text in [
        "say hunter2secret now".to_owned(),
        format!("say {} now", base64(b"hunter2secret!!")),
        "say %68unter2\\u0073ecret now".to_owned(),
    ] {
        let whole = scrubbed(&set, &text);
        assert!(whole.contains(REPLACEMENT), "{whole}");
        for split in 0..=text.len() {
            let mut scrubber = Scrubber::new(set.clone());
            let mut out = Vec::new();
            scrubber.feed(&text.as_bytes()[..split], &mut out);
            scrubber.feed(&text.as_bytes()[split..], &mut out);
            scrubber.finish(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), whole, "split at {split}");
            assert_eq!(scrubber.found(), 1);
        }
    }
}

#[test]
fn events_without_a_partial_match_are_not_delayed() {
    let set = set(&["hunter2secret", "another-token-here"]);
    let mut scrubber = Scrubber::new(set);
    for number in 0..100 {
        let event = format!("data: {{\"index\":{number},\"text\":\"It's 5% \\\"so\\\"\"}}\n\n");
        let mut out = Vec::new();
        scrubber.feed(event.as_bytes(), &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), event);
    }
}

#[test]
fn a_partial_match_is_given_when_it_fails() {
    let mut scrubber = Scrubber::new(set(&["hunter2secret"]));
    let mut out = Vec::new();
    scrubber.feed(b"say hunter2", &mut out);
    assert_eq!(out, b"say ");
    scrubber.feed(b"!", &mut out);
    assert_eq!(out, b"say hunter2!");
    scrubber.feed(b" hunter2secre", &mut out);
    scrubber.finish(&mut out);
    assert_eq!(out, b"say hunter2! hunter2secre");
    assert_eq!(scrubber.found(), 0);
}

#[test]
fn a_value_that_repeats_itself_does_not_pile_up() {
    let set = set(&["aaaaaaaaaa"]);
    let mut scrubber = Scrubber::new(set.clone());
    let mut out = Vec::new();
    for _ in 0..1000 {
        scrubber.feed(&[b'a'; 10], &mut out);
        assert!(scrubber.held.len() <= set.hold_back());
    }
    scrubber.feed(b"b", &mut out);
    assert_eq!(out, format!("{REPLACEMENT}b").as_bytes());
    assert_eq!(scrubber.found(), 1);
}

#[test]
fn counts_what_it_replaced() {
    let mut scrubber = Scrubber::new(set(&["hunter2secret"]));
    let mut out = Vec::new();
    scrubber.feed(b"hunter2secrethunter2secret, hunter2%73ecret", &mut out);
    scrubber.finish(&mut out);
    assert_eq!(
        out,
        format!("{REPLACEMENT}{REPLACEMENT}, {REPLACEMENT}").as_bytes()
    );
    assert_eq!(scrubber.found(), 3);
}
