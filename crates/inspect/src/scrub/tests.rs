//! Scrubbing: every form is taken out, nothing else is, and pieces do not matter.

mod forms;
mod oracle;
mod properties;
mod stream;

use ringfence_model::Secret;

use super::{REPLACEMENT, ScrubSet};

/// A value with octets that every encoding treats in its own way.
const TOKEN: &str = r#"sk-t3st/ab+c=d&e%f"g\h i<j>k_L.m~9"#;

fn set(values: &[&str]) -> ScrubSet {
    let values: Vec<Secret> = values.iter().map(|value| Secret::new(*value)).collect();
    ScrubSet::new(&values).unwrap()
}

fn scrubbed(set: &ScrubSet, text: &str) -> String {
    let text = set.scrub(text.as_bytes()).unwrap_or_else(|| text.into());
    String::from_utf8_lossy(&text).into_owned()
}

/// The text is all gone but what is around it.
#[track_caller]
fn assert_taken_out(value: &str, encoded: &str) {
    let set = set(&[value]);
    let text = format!("{{\"echo\": \"{encoded}\"}} tail");
    let expected = format!("{{\"echo\": \"{REPLACEMENT}\"}} tail");
    assert_eq!(scrubbed(&set, &text), expected, "{encoded}");
}

#[track_caller]
fn assert_clean(value: &str, text: &str) {
    assert_eq!(set(&[value]).scrub(text.as_bytes()), None, "{text}");
}

/// Escapes each octet with the escape of that turn.
fn escaped(value: &str, escapes: &[fn(u8) -> String]) -> String {
    value
        .bytes()
        .zip(escapes.iter().cycle())
        .map(|(octet, escape)| escape(octet))
        .collect()
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(octets: &[u8]) -> String {
    let mut text = String::new();
    for group in octets.chunks(3) {
        let bits = (0..3).fold(0, |bits, index| {
            bits << 8 | u32::from(*group.get(index).unwrap_or(&0))
        });
        for index in 0..4 {
            let symbol = ALPHABET[(bits >> (18 - 6 * index)) as usize & 63];
            text.push(if index <= group.len() {
                symbol.into()
            } else {
                '='
            });
        }
    }
    text
}

fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[test]
fn a_set_covers_another_where_it_has_its_values() {
    let (one, both) = (set(&["value-one"]), set(&["value-two", "value-one"]));
    assert!(both.covers(&one) && one.covers(&one.clone()) && one.covers(&set(&["value-one"])));
    assert!(!one.covers(&both) && !one.covers(&set(&["value-two"])));
    assert!(one.covers(&ScrubSet::default()) && !ScrubSet::default().covers(&one));
}
