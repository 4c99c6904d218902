//! The forms in which a secret could be somewhere, and the search for them with `grep`.

use std::path::Path;

use ringfence_e2e::Host;
use ringfence_testkit::process::command;

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The secret as it is, in base64 at any alignment, in hexadecimal, percent-encoded and JSON-escaped.
pub(crate) fn encodings(secret: &str) -> Vec<String> {
    let octets = secret.as_bytes();
    let each = |write: &dyn Fn(u8) -> String| octets.iter().map(|octet| write(*octet)).collect();
    let mut forms: Vec<String> = vec![
        secret.to_owned(),
        each(&|octet| format!("{octet:02x}")),
        each(&|octet| format!("{octet:02X}")),
        each(&|octet| format!("%{octet:02x}")),
        each(&|octet| format!("%{octet:02X}")),
        each(&|octet| format!("\\u{octet:04x}")),
        percent(octets),
        secret.replace('/', "\\/"),
    ];
    for before in 0..3 {
        let text = base64(octets, before);
        forms.push(text.replace('+', "-").replace('/', "_"));
        forms.push(text);
    }
    forms.sort();
    forms.dedup();
    forms
}

/// Only what must be escaped in a query is.
fn percent(octets: &[u8]) -> String {
    let escape = |octet: &u8| match octet {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(*octet).to_string()
        }
        _ => format!("%{octet:02X}"),
    };
    octets.iter().map(escape).collect()
}

/// The symbols of base64 that depend on these octets alone, where so many others stand before them.
fn base64(octets: &[u8], before: usize) -> String {
    let bits: Vec<u8> = octets
        .iter()
        .flat_map(|octet| (0..8).rev().map(move |bit| octet >> bit & 1))
        .collect();
    let first = (6 - before * 8 % 6) % 6;
    bits[first..].chunks_exact(6).map(symbol).collect()
}

/// Base64 as it is written, padding and all.
pub(crate) fn whole_base64(octets: &[u8]) -> String {
    let groups = octets.chunks(3).map(|three| {
        let bits = three
            .iter()
            .flat_map(|octet| (0..8).rev().map(move |bit| octet >> bit & 1));
        let mut bits: Vec<u8> = bits.collect();
        bits.resize(bits.len().next_multiple_of(6), 0);
        let text: String = bits.chunks(6).map(symbol).collect();
        format!("{text:=<4}")
    });
    groups.collect()
}

fn symbol(six: &[u8]) -> char {
    let value = six.iter().fold(0, |value, bit| value << 1 | bit);
    char::from(BASE64[usize::from(value)])
}

/// The files at or below the paths that hold the secret in any form.
pub(crate) fn places(host: &Host, secret: &str, paths: &[&Path]) -> Vec<String> {
    let patterns = encodings(secret).join("\n");
    let patterns = host.workdir().file("patterns", patterns).unwrap();
    let mut grep = command("grep");
    grep.args(["-rlaF", "-f"]).arg(&patterns).arg("--");
    let output = grep.env("LC_ALL", "C").args(paths).output().unwrap();
    let code = output.status.code();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(matches!(code, Some(0 | 1)) && said.is_empty(), "{said}");
    let found = String::from_utf8(output.stdout).unwrap();
    found.lines().map(str::to_owned).collect()
}

#[test]
fn every_form_of_a_secret_is_found() {
    let host = Host::new();
    let forms = [
        ("raw", "a s3cret/Key b"),
        ("base64", "eHMzY3JldC9LZXk="),    // xs3cret/Key
        ("base64url", "PHMzY3JldC9LZXk_"), // <s3cret/Key?
        ("hex", "7333637265742f4b6579"),
        ("percent", "s3cret%2FKey"),
        ("json", "s3cret\\/Key"),
    ];
    for (name, text) in forms {
        host.file(format!("found/{name}"), text);
    }
    host.file("found/none", "s3cret-Key");
    let found = places(&host, "s3cret/Key", &[&host.project().join("found")]);
    assert_eq!(found.len(), forms.len(), "{found:?}");
}
