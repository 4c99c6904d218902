//! Text of one side that the other side shows in a terminal.
//!
//! A client prints what it is sent. Escape sequences in it would reach the terminal of a
//! person, or hide a line that they should see (CVE-2024-52005).

use crate::limits::REASON_OCTETS;

/// Copies text without what steers a terminal: no control characters but `\n`, `\r` and
/// `\t`, no marks that turn the direction of writing. What is not UTF-8 becomes `?`. It never
/// grows.
pub fn copy_printable(octets: &[u8], out: &mut Vec<u8>) {
    if octets
        .iter()
        .all(|octet| matches!(octet, b' '..=b'~' | b'\n' | b'\r' | b'\t'))
    {
        out.extend_from_slice(octets);
        return;
    }
    for chunk in octets.utf8_chunks() {
        for c in chunk.valid().chars().filter(|&c| is_shown(c)) {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
        if !chunk.invalid().is_empty() {
            out.push(b'?');
        }
    }
}

/// One line of at most [`REASON_OCTETS`] octets, safe to show; a break becomes a space.
#[must_use]
pub fn one_line(text: &str) -> String {
    let mut line = String::new();
    for c in text.trim().chars() {
        let c = if matches!(c, '\n' | '\r' | '\t') {
            ' '
        } else {
            c
        };
        if line.len() + c.len_utf8() > REASON_OCTETS {
            break;
        }
        if is_shown(c) {
            line.push(c);
        }
    }
    line
}

/// The same of octets that should be text.
#[must_use]
pub fn one_line_of(octets: &[u8]) -> String {
    one_line(&String::from_utf8_lossy(octets))
}

fn is_shown(c: char) -> bool {
    let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}');
    matches!(c, '\n' | '\r' | '\t') || !(c.is_control() || turns)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(octets: &[u8]) -> String {
        let mut out = Vec::new();
        copy_printable(octets, &mut out);
        assert!(out.len() <= octets.len());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_steers_a_terminal_is_left_out() {
        assert_eq!(shown(b"50%\r100%\n\tdone"), "50%\r100%\n\tdone");
        assert_eq!(
            shown(b"\x1b]0;owned\x07\x1b[2Jred\x7f\0\x08"),
            "]0;owned[2Jred"
        );
        assert_eq!(
            shown("caf\u{e9} \u{9b}31m \u{85}".as_bytes()),
            "caf\u{e9} 31m "
        );
        assert_eq!(shown(b"\x9b31m \xff\xfe"), "?31m ??");
        assert_eq!(shown("a\u{202e}b\u{2066}c".as_bytes()), "abc");
    }

    #[test]
    fn a_reason_is_one_bounded_line() {
        assert_eq!(
            one_line(" no\r\nng refs/heads/x\tok\x1b[0m\n"),
            "no  ng refs/heads/x ok[0m"
        );
        assert_eq!(one_line(&"é".repeat(1000)).len(), REASON_OCTETS);
        assert_eq!(one_line_of(b"\xffx"), "\u{fffd}x");
    }
}
