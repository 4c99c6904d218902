//! What holds for any text and any values: compared with a search at every place, and with decoders.

#![expect(
    clippy::cast_possible_truncation,
    reason = "test data is drawn from any number"
)]

use proptest::prelude::*;

use super::*;
use crate::Scrubber;
use crate::scrub::unit::Text;

/// Values that share octets, repeat themselves and look like escapes.
fn values() -> impl Strategy<Value = Vec<String>> {
    let value = prop_oneof![
        "[ab]{1,9}",
        "[A-Za-z0-9+/=_-]{8,40}",
        "[%25=&;\\\\u0-9a\" ]{3,14}",
        "[ -~]{1,24}",
        "[aä€ ]{2,9}",
    ];
    prop::collection::vec(value, 1..4)
}

/// How a value is written into a text.
fn forms() -> impl Strategy<Value = Vec<(u8, u64)>> {
    prop::collection::vec((0..16_u8, any::<u64>()), 1..8)
}

fn write(value: &str, form: u8, seed: u64) -> String {
    let octets = value.as_bytes();
    let prefix = "user:x".get(..seed as usize % 6).unwrap();
    let encoded = base64(&[prefix.as_bytes(), octets].concat());
    let wrapped = |end: &str| {
        let line = 12 + seed as usize % 20;
        let lines: Vec<&[u8]> = encoded.as_bytes().chunks(line).collect();
        lines
            .iter()
            .map(|line| String::from_utf8_lossy(line).into_owned() + end)
            .collect()
    };
    match form {
        0 => value.to_owned(),
        1 => encoded,
        2 => encoded.replace('+', "-").replace('/', "_").replace('=', ""),
        3 => hexadecimal(octets),
        4 => hexadecimal(octets).to_uppercase(),
        5 => some(octets, seed, |octet| format!("%{octet:02x}")),
        6 => some(octets, seed, |octet| format!("\\u{octet:04x}")),
        7 => some(octets, seed, |octet| format!("&#{octet};")),
        8 => some(octets, seed, |octet| format!("%25{octet:02X}")),
        9 => some(encoded.as_bytes(), seed, |octet| format!("%{octet:02x}")),
        10 => wrapped("\r\n"),
        11 => wrapped("\\n"),
        13 => broken(&encoded),
        14 => octets.iter().fold(String::new(), |text, octet| {
            text + "\0" + char::from(*octet).encode_utf8(&mut [0; 4])
        }),
        12 => value.get(..value.len() - 1).unwrap_or("{").to_owned(),
        _ => ["{\"x\": \"", "\n", "=\r\n", "%", "\\", "==", " & "][seed as usize % 7].to_owned(),
    }
}

/// With a soft line break after each character.
fn broken(text: &str) -> String {
    text.chars()
        .flat_map(|symbol| [symbol, '=', '\n'])
        .collect()
}

/// Escapes the octets that the seed names.
fn some(octets: &[u8], seed: u64, escape: fn(u8) -> String) -> String {
    let mut text = Vec::new();
    for (index, octet) in octets.iter().enumerate() {
        match seed >> (index % 64) & 1 {
            1 if octet.is_ascii() => text.extend(escape(*octet).bytes()),
            _ => text.push(*octet),
        }
    }
    String::from_utf8(text).unwrap()
}

fn text_of(values: &[String], forms: &[(u8, u64)]) -> String {
    forms
        .iter()
        .map(|(form, seed)| write(&values[(seed / 7) as usize % values.len()], *form, *seed))
        .collect()
}

fn set_of(values: &[String]) -> ScrubSet {
    set(&values.iter().map(String::as_str).collect::<Vec<_>>())
}

fn in_pieces(set: &ScrubSet, text: &[u8], sizes: &[usize]) -> (Vec<u8>, u64) {
    let mut scrubber = Scrubber::new(set.clone());
    let mut out = Vec::new();
    let mut rest = text;
    let mut sizes = sizes.iter().cycle();
    while !rest.is_empty() {
        let (piece, later) = rest.split_at(rest.len().min(*sizes.next().unwrap()));
        scrubber.feed(piece, &mut out);
        assert!(scrubber.held() <= set.hold_back());
        rest = later;
    }
    scrubber.finish(&mut out);
    (out, scrubber.found())
}

fn whole(set: &ScrubSet, text: &[u8]) -> Vec<u8> {
    set.scrub(text).unwrap_or_else(|| text.to_vec())
}

/// Octets of the longest match.
fn longest(set: &ScrubSet, octets: &[u8]) -> usize {
    let text = Text { octets };
    let starts = 0..octets.len();
    let matches = starts.filter_map(|start| set.0.first_of(text, start, start + 1));
    matches.map(|found| found.len()).max().unwrap_or(0)
}

proptest! {
    #[test]
    fn pieces_do_not_matter(
        values in values(),
        forms in forms(),
        sizes in prop::collection::vec(1_usize..40, 1..6),
        edge in 0_usize..12,
    ) {
        let text = text_of(&values, &forms).into_bytes();
        let text = &text[edge.min(text.len())..];
        let set = set_of(&values);
        prop_assume!(longest(&set, text) <= set.hold_back());
        let expected = whole(&set, text);
        prop_assert_eq!(&in_pieces(&set, text, &[1]).0, &expected);
        prop_assert_eq!(&in_pieces(&set, text, &sizes).0, &expected);
        prop_assert_eq!(&in_pieces(&set, text, &[text.len().div_ceil(2).max(1)]).0, &expected);
    }

    #[test]
    fn the_filter_misses_nothing(values in values(), forms in forms(), from in 0_usize..9) {
        let text = text_of(&values, &forms).into_bytes();
        let set = set_of(&values);
        let from = from.min(text.len());
        for end in (from..=text.len()).step_by(7) {
            let text = Text { octets: &text[..end] };
            let anywhere = set.0.first_of(text, 0, end).is_some();
            prop_assert_eq!(set.finds(text.octets), anywhere);
            for to in [from + (end - from) / 2, end] {
                prop_assert_eq!(set.0.find(text, from, to), set.0.first_of(text, from, to));
            }
        }
    }

    #[test]
    fn nothing_is_left_in_any_form(values in values(), forms in forms()) {
        let text = text_of(&values, &forms);
        let set = set_of(&values);
        let out = whole(&set, text.as_bytes());
        // The replacement may hold a value of one or two letters.
        let out = String::from_utf8_lossy(&out).replace(REPLACEMENT, "\0");
        prop_assert!(!set.finds(out.as_bytes()));
        for value in values.iter().filter(|value| value.len() >= 8) {
            let value = value.as_bytes();
            for decoded in decoded(out.as_bytes()) {
                prop_assert!(!decoded.windows(value.len()).any(|window| window == value));
            }
        }
    }

    #[test]
    fn clean_octets_pass(text in prop::collection::vec(any::<u8>(), 0..600), size in 1_usize..80) {
        let set = set(&["hunter2secret", "0123456789abcdef0123456789abcdef"]);
        let (out, found) = in_pieces(&set, &text, &[size]);
        prop_assert_eq!(found, 0);
        prop_assert_eq!(out, text);
    }
}

/// What simple decoders make of a text: each undoes one encoding everywhere.
fn decoded(text: &[u8]) -> Vec<Vec<u8>> {
    let percent = undo_percent(text);
    let mut all = vec![text.to_vec(), undo_percent(&percent)];
    for skipped in 0..4 {
        all.push(undo_base64(text, skipped));
        all.push(undo_base64(&percent, skipped));
    }
    for skipped in 0..2 {
        all.push(undo_hexadecimal(text.get(skipped..).unwrap_or_default()));
    }
    all.push(percent);
    all
}

fn digit(octet: u8) -> Option<u8> {
    char::from(octet).to_digit(16).map(|digit| digit as u8)
}

fn undo_percent(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        (rest, _) = match (first, tail) {
            (b'%', [high, low, after @ ..]) if digit(*high).is_some() && digit(*low).is_some() => (
                after,
                out.push(digit(*high).unwrap() << 4 | digit(*low).unwrap()),
            ),
            _ => (tail, out.push(*first)),
        };
    }
    out
}

/// Each run of base64 symbols, without its first ones; runs are kept apart.
fn undo_base64(text: &[u8], skipped: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for run in text.split(|octet| !octet.is_ascii_alphanumeric() && !b"+/-_\r\n".contains(octet)) {
        let symbols: Vec<u32> = run
            .iter()
            .filter(|octet| !b"\r\n".contains(octet))
            .filter_map(|octet| {
                let octet = match octet {
                    b'-' => b'+',
                    b'_' => b'/',
                    other => *other,
                };
                ALPHABET
                    .iter()
                    .position(|symbol| *symbol == octet)
                    .map(|at| at as u32)
            })
            .skip(skipped)
            .collect();
        let bits: Vec<u32> = symbols
            .iter()
            .flat_map(|symbol| (0..6).map(move |bit| symbol >> (5 - bit) & 1))
            .collect();
        out.extend(
            bits.chunks_exact(8)
                .map(|bits| bits.iter().fold(0, |octet, bit| octet << 1 | *bit as u8)),
        );
        out.push(0);
    }
    out
}

fn undo_hexadecimal(text: &[u8]) -> Vec<u8> {
    text.chunks_exact(2)
        .map(|pair| match (digit(pair[0]), digit(pair[1])) {
            (Some(high), Some(low)) => high << 4 | low,
            _ => 0,
        })
        .collect()
}
