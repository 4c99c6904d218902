//! Streams: how much is held back, and until when.

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
fn a_value_that_repeats_itself_does_not_pile_up() {
    let set = set(&["aaaaaaaaaa"]);
    let mut scrubber = Scrubber::new(set.clone());
    let mut out = Vec::new();
    for _ in 0..1000 {
        scrubber.feed(&[b'a'; 10], &mut out);
        assert!(scrubber.held() <= set.hold_back());
    }
    scrubber.feed(b"b", &mut out);
    scrubber.finish(&mut out);
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

#[test]
fn the_end_is_held_back_whatever_it_is() {
    let set = set(&["hunter2secret"]);
    let keep = set.hold_back();
    assert_eq!(keep, 13 * 12);
    for end in ["", "hunter2secre", "unter2secret", "%68unter2", "=\n"] {
        let mut scrubber = Scrubber::new(set.clone());
        let mut out = Vec::new();
        let text = format!("{}{end}", ".".repeat(1000 - end.len()));
        scrubber.feed(text.as_bytes(), &mut out);
        assert_eq!(out.len(), 1000 - keep, "{end}");
        scrubber.feed(b"and so on", &mut out);
        assert_eq!(out.len(), 1009 - keep, "{end}");
        scrubber.flush(9, &mut out);
        assert_eq!(out.len(), 1000, "{end}");
    }
}

#[test]
fn what_was_flushed_is_over_and_the_stream_goes_on() {
    let mut scrubber = Scrubber::new(set(&["hunter2secret"]));
    let mut out = Vec::new();
    scrubber.feed(b"one hunter2secret\n\ntwo hunter2", &mut out);
    assert_eq!(out, b"");
    scrubber.flush("two hunter2".len(), &mut out);
    assert_eq!(out, format!("one {REPLACEMENT}\n\n").as_bytes());
    scrubber.feed(b"secret, three hunter2", &mut out);
    scrubber.flush(0, &mut out);
    let so_far = format!("one {REPLACEMENT}\n\ntwo {REPLACEMENT}, three hunter2");
    assert_eq!(out, so_far.as_bytes());
    scrubber.feed(b"secret hunter2secret", &mut out);
    scrubber.flush(4, &mut out);
    scrubber.finish(&mut out);
    assert_eq!(out, format!("{so_far}secret {REPLACEMENT}").as_bytes());
}

#[test]
fn a_match_that_is_whole_is_taken_out_though_only_its_beginning_is_flushed() {
    let mut scrubber = Scrubber::new(set(&["hunter2secret"]));
    let mut out = Vec::new();
    scrubber.feed(b"hunter2secret!", &mut out);
    scrubber.flush(6, &mut out);
    scrubber.finish(&mut out);
    assert_eq!(out, format!("{REPLACEMENT}!").as_bytes());
}

#[test]
fn whole_lines_are_flushed_where_no_value_spans_them() {
    for (values, expected) in [
        (&["hunter2secret"][..], "a line\nanother\n"),
        (&["hunter2secret", "two\nlines"], ""),
    ] {
        let mut scrubber = Scrubber::new(set(values));
        let mut out = Vec::new();
        scrubber.feed(b"a line\nanother\nhunter2", &mut out);
        scrubber.flush_lines(&mut out);
        scrubber.flush_lines(&mut out);
        assert_eq!(out, expected.as_bytes());
        scrubber.feed(b"secret", &mut out);
        scrubber.finish(&mut out);
        assert_eq!(out, format!("a line\nanother\n{REPLACEMENT}").as_bytes());
    }
}

#[test]
fn a_line_after_which_a_value_could_go_on_is_not_flushed() {
    for (text, flushed) in [
        ("GET /x 200\nserver at 10.0.0.1\n", 30),
        ("{\"id\":\"abcdefghijklmnop\"}\n", 26),
        // A line of base64, with what may stand in the gap after it.
        ("key: 1\nQUJDREVGR0hJSktM\n", 7),
        ("key: 1\nQUJDREVGR0hJSktM \r\n\n\t\n", 7),
        ("key: 1\nQUJDREVGR0hJSktM=\r\n", 7),
        ("key: 1\nQUJDREVGR0hJSktM\\n\n", 7),
        ("key: 1\n%51%55%4a%44\n", 7),
        ("key: 1\nhunt=\n", 7),
        ("key: 1\nhunt =\n", 7),
        // What was before is not known.
        ("\n\n", 0),
        ("no end", 0),
        ("", 0),
    ] {
        let mut scrubber = Scrubber::new(set(&["hunter2secret"]));
        let mut out = Vec::new();
        scrubber.feed(text.as_bytes(), &mut out);
        scrubber.flush_lines(&mut out);
        assert_eq!(out.len(), flushed, "{text:?}");
    }
}

#[test]
fn a_value_in_two_lines_of_base64_is_found_though_lines_are_flushed_between_them() {
    let secret = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-/".repeat(2);
    let set = set(&[&secret]);
    for width in 12..77 {
        let encoded = base64(format!("a longer text with {secret} in it").as_bytes());
        let lines: Vec<&str> = encoded
            .as_bytes()
            .chunks(width)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        let text = format!("it is\n{}", lines.join("\n"));
        for cut in 0..text.len() {
            let mut scrubber = Scrubber::new(set.clone());
            let mut out = Vec::new();
            let (one, two) = text.as_bytes().split_at(cut);
            scrubber.feed(one, &mut out);
            scrubber.flush_lines(&mut out);
            scrubber.feed(two, &mut out);
            scrubber.finish(&mut out);
            assert_eq!(scrubber.found(), 1, "{width} {cut}");
        }
    }
}

#[test]
fn says_whether_a_line_end_can_be_inside_a_value() {
    assert!(set(&["one", "-----BEGIN\nkey"]).spans_lines());
    assert!(!set(&["one", "two"]).spans_lines());
}

#[test]
fn a_mask_leaves_every_other_octet_where_it_was() {
    let set = set(&["hunter2secret", "secret-two"]);
    for (text, expected) in [
        ("a hunter2secret b", "a ************* b"),
        ("hunter2secret-two", "*****************"),
        ("hunter2%73ecret!", "***************!"),
        ("nothing", "nothing"),
    ] {
        for split in 0..=text.len() {
            let mut scrubber = Scrubber::new(set.clone()).masking();
            let mut out = Vec::new();
            scrubber.feed(&text.as_bytes()[..split], &mut out);
            scrubber.feed(&text.as_bytes()[split..], &mut out);
            scrubber.finish(&mut out);
            assert_eq!(
                String::from_utf8(out).unwrap(),
                expected,
                "split at {split}"
            );
        }
    }
}
