//! Takes what looks like a secret out of a text that is here whole.
//!
//! The rules say that there is a secret at a place, and not where it ends. What is taken out is
//! therefore what can belong to it by its form; if the rules still find it then, the rest of its
//! line goes as well.

use std::ops::Range;

use aho_corasick::Input;

use super::rule::{Form, Rule};
use super::search::around;
use super::{Detector, assigned};
use crate::limits::SECRET_FINDINGS;

/// Octets that a secret on one line has at most here.
const LINE_OCTETS: usize = 4_096;
/// Octets of a private key at most.
const KEY_OCTETS: usize = 64 * 1024;

impl Detector {
    /// The text with `name` in the place of everything that looks like a secret; none where there
    /// is nothing. `name` is given the id of the rule and what is taken out, and says what stands
    /// there instead: text in which no rule finds anything.
    #[must_use]
    pub fn redact(
        &self,
        text: &str,
        name: &mut dyn FnMut(&'static str, &str) -> String,
    ) -> Option<String> {
        let mut redacted = self.pass(text, name, secret)?;
        for wide in [secret as Extent, line] {
            for _ in 0..PASSES {
                match self.pass(&redacted, name, wide) {
                    Some(again) => redacted = again,
                    None => return Some(redacted),
                }
            }
        }
        // Nothing that was found stays, whatever becomes of the rest.
        Some(name("unclear", &redacted))
    }

    fn pass(
        &self,
        text: &str,
        name: &mut dyn FnMut(&'static str, &str) -> String,
        extent: Extent,
    ) -> Option<String> {
        let places = self.places(text, extent);
        if places.is_empty() {
            return None;
        }
        let mut out = String::with_capacity(text.len());
        let mut from = 0;
        for (place, rule) in places {
            out.push_str(text.get(from..place.start).unwrap_or_default());
            let value = text.get(place.clone()).unwrap_or_default();
            out.push_str(&name(rule.id, value));
            from = place.end;
        }
        out.push_str(text.get(from..).unwrap_or_default());
        Some(out)
    }

    /// Where secrets are, in order, none within another.
    fn places(&self, text: &str, extent: Extent) -> Vec<(Range<usize>, &'static Rule)> {
        let octets = text.as_bytes();
        let mut places = Vec::new();
        for found in self.0.anchors.find_overlapping_iter(Input::new(octets)) {
            let Some(rule) = self.0.owners.get(found.pattern().as_usize()) else {
                continue;
            };
            let fits =
                around(octets, found.start(), found.end()).is_some_and(|around| rule.fits(&around));
            if fits {
                let place = extent(text, found.range(), rule);
                places.push((whole_characters(text, place), *rule));
                if places.len() == SECRET_FINDINGS {
                    break;
                }
            }
        }
        places.sort_by_key(|(place, rule)| (place.start, rule.is_guess()));
        let mut apart: Vec<(Range<usize>, &'static Rule)> = Vec::new();
        for (place, rule) in places {
            match apart.last_mut() {
                Some((last, of)) if place.start < last.end => {
                    if of.is_guess() && !rule.is_guess() {
                        *of = rule;
                    }
                    last.end = last.end.max(place.end);
                }
                _ => apart.push((place, rule)),
            }
        }
        apart
    }
}

/// Passes that what was put in place, and what stands beside it now, may need.
const PASSES: usize = 3;

/// What is taken out for a rule that fits around an anchor.
type Extent = fn(&str, Range<usize>, &Rule) -> Range<usize>;

/// What can belong to the secret by its form.
fn secret(text: &str, anchor: Range<usize>, rule: &Rule) -> Range<usize> {
    let octets = text.as_bytes();
    match &rule.form {
        Form::Token(_) | Form::Middle(_) | Form::WebToken | Form::Basic => {
            let start = anchor.start - run_before(octets, anchor.start, is_of_token);
            start..anchor.end + run(octets, anchor.end, LINE_OCTETS, is_of_token)
        }
        Form::KeyBlock | Form::ServiceAccount => {
            let start = anchor.start - run_before(octets, anchor.start, |octet| octet == b'-');
            start..end_of_key(text, anchor.end)
        }
        Form::UrlPassword { .. } => {
            let length = run(octets, anchor.end, LINE_OCTETS, |octet| {
                octet != b'@' && is_of_line(octet) && octet != b' '
            });
            anchor.end..anchor.end + length
        }
        Form::SharedAccess | Form::Assigned(assigned::What::Bearer | assigned::What::Npmrc) => {
            anchor.start..anchor.end + run(octets, anchor.end, LINE_OCTETS, is_of_value)
        }
        Form::Assigned(_) => {
            let name = run(octets, anchor.end, LINE_OCTETS, |octet| {
                octet.is_ascii_alphanumeric() || matches!(octet, b'_' | b'-' | b'.')
            });
            let sign = anchor.end + name;
            let sign = sign
                + run(octets, sign, LINE_OCTETS, |octet| {
                    matches!(
                        octet,
                        b' ' | b'\t' | b':' | b'=' | b'>' | b'"' | b'\'' | b'`' | b'\\'
                    )
                });
            sign..sign + run(octets, sign, LINE_OCTETS, is_of_value)
        }
    }
}

/// The rest of the line, from the anchor on, and before it what belongs to the same word.
fn line(text: &str, anchor: Range<usize>, _: &Rule) -> Range<usize> {
    let octets = text.as_bytes();
    let start = anchor.start - run_before(octets, anchor.start, is_of_value);
    start..anchor.end + run(octets, anchor.end, KEY_OCTETS, is_of_line)
}

/// The end of a private key: behind the line that ends it, else the end of what can be one.
fn end_of_key(text: &str, from: usize) -> usize {
    const END: &str = "-----END";
    let limit = text.len().min(from + KEY_OCTETS);
    let octets = text.as_bytes();
    let rest = octets.get(from..limit).unwrap_or_default();
    let mut ends = rest.windows(END.len());
    let Some(end) = ends.position(|window| window == END.as_bytes()) else {
        return limit;
    };
    let last = from + end + END.len();
    last + run(octets, last, LINE_OCTETS, |octet| {
        octet == b' ' || octet == b'-' || octet.is_ascii_uppercase()
    })
}

fn run(octets: &[u8], from: usize, most: usize, is_part: impl Fn(u8) -> bool) -> usize {
    let rest = octets.get(from..).unwrap_or_default().iter().take(most);
    rest.take_while(|octet| is_part(**octet)).count()
}

fn run_before(octets: &[u8], end: usize, is_part: impl Fn(u8) -> bool) -> usize {
    let before = octets.get(..end).unwrap_or_default().iter().rev();
    let before = before.take(LINE_OCTETS);
    before.take_while(|octet| is_part(**octet)).count()
}

const fn is_of_token(octet: u8) -> bool {
    octet.is_ascii_alphanumeric()
        || matches!(octet, b'-' | b'_' | b'.' | b'+' | b'/' | b'=' | b'~' | b'%')
}

const fn is_of_value(octet: u8) -> bool {
    octet.is_ascii_graphic() && !matches!(octet, b'"' | b'\'' | b'`' | b'<' | b'>') || octet >= 0x80
}

const fn is_of_line(octet: u8) -> bool {
    !matches!(octet, b'\n' | b'\r')
}

/// The place, wide enough to begin and end between characters.
fn whole_characters(text: &str, place: Range<usize>) -> Range<usize> {
    let mut start = place.start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = place.end.clamp(start, text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    start..end
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::samples;
    use super::*;

    fn redact(text: &str) -> Option<String> {
        Detector::new().redact(text, &mut |rule, _| format!("[{rule}]"))
    }

    #[test]
    fn nothing_that_looks_like_a_secret_is_left_of_any_kind() {
        let detector = Detector::new();
        for (rule, text) in samples() {
            let redacted = redact(&text).unwrap_or_else(|| panic!("{rule}: not found"));
            assert!(
                detector.find(redacted.as_bytes()).is_empty(),
                "{rule}: {redacted}"
            );
        }
    }

    #[test]
    fn what_stands_around_a_secret_stays() {
        for (rule, secret) in samples() {
            let text = format!("before it\n{secret}\nand after it");
            let redacted = redact(&text).unwrap();
            assert!(redacted.starts_with("before it\n"), "{rule}: {redacted}");
            assert!(redacted.ends_with("\nand after it"), "{rule}: {redacted}");
        }
    }

    #[test]
    fn a_text_without_secrets_is_as_it_was() {
        assert_eq!(
            redact("let password = read_password()?; // no secret"),
            None
        );
    }

    proptest! {
        #[test]
        fn any_text_can_be_redacted(text in "\\PC{0,200}(password|ghp_|://|-----BEGIN)\\PC{0,200}") {
            let detector = Detector::new();
            if let Some(redacted) = redact(&text) {
                prop_assert!(detector.find(redacted.as_bytes()).is_empty());
            }
        }
    }
}
