//! One test for each form.

use super::*;

#[test]
fn takes_out_the_value_itself() {
    assert_taken_out(TOKEN, TOKEN);
    assert_taken_out("hunter2!", "hunter2!");
}

#[test]
fn takes_out_base64_at_every_alignment() {
    for before in ["", "u", "us", "use", "user:", "user:x"] {
        for after in ["", "z", "zz", "zzz", "zzzz"] {
            let encoded = base64(format!("{before}{TOKEN}{after}").as_bytes());
            for form in [
                encoded.clone(),
                encoded.replace('+', "-").replace('/', "_"),
                encoded.trim_end_matches('=').to_owned(),
            ] {
                let out = scrubbed(&set(&[TOKEN]), &format!("Basic {form} tail"));
                let kept = base64(before.as_bytes());
                let kept = &kept[..before.len() * 8 / 6];
                assert!(
                    out.starts_with(&format!("Basic {kept}{REPLACEMENT}")),
                    "{out}"
                );
                assert!(out.len() <= "Basic  tail".len() + kept.len() + REPLACEMENT.len() + 8);
            }
        }
    }
}

#[test]
fn takes_out_base64_that_is_broken_into_lines() {
    let secret = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-/".repeat(4);
    for padding in 0..80 {
        let encoded = base64(format!("{}{secret} after", "x".repeat(padding)).as_bytes());
        for end in ["\r\n", "\n", "\n    ", "\\n", "\\r\\n", "%0D%0A", "=\r\n"] {
            let lines: Vec<&str> = encoded
                .as_bytes()
                .chunks(76)
                .map(|line| std::str::from_utf8(line).unwrap())
                .collect();
            let out = scrubbed(&set(&[&secret]), &lines.join(end));
            assert_eq!(out.matches(REPLACEMENT).count(), 1, "{out}");
            assert!(out.len() < 80 * 4 / 3 + 60, "{out}");
        }
    }
}

#[test]
fn takes_out_base64_that_is_escaped() {
    let value = "a??>>~~??b>>~~??subjects";
    let encoded = base64(value.as_bytes());
    assert!(encoded.contains('+') && encoded.contains('/'), "{encoded}");
    assert_taken_out(
        value,
        &encoded
            .replace('+', "%2B")
            .replace('/', "%2f")
            .replace('=', ""),
    );
    assert_taken_out(value, &encoded.replace('/', "\\/").replace('=', ""));
}

#[test]
fn takes_out_hexadecimal_in_any_case() {
    let lower = hexadecimal(TOKEN.as_bytes());
    let mixed: String = lower
        .char_indices()
        .map(|(index, digit)| {
            if index % 3 == 0 {
                digit.to_ascii_uppercase()
            } else {
                digit
            }
        })
        .collect();
    for encoded in [lower.clone(), lower.to_uppercase(), mixed] {
        assert_taken_out(TOKEN, &encoded);
    }
}

#[test]
fn takes_out_utf_16_of_either_order() {
    for little in [true, false] {
        let wide = |text: &str| -> Vec<u8> {
            text.encode_utf16()
                .flat_map(|unit| match little {
                    true => unit.to_le_bytes(),
                    false => unit.to_be_bytes(),
                })
                .collect()
        };
        let text = wide(&format!("{{\"echo\": \"{TOKEN}\"}}"));
        let out = set(&[TOKEN]).scrub(&text).unwrap();
        let narrow: Vec<u8> = out.into_iter().filter(|octet| *octet != 0).collect();
        let expected = format!("{{\"echo\": \"{REPLACEMENT}\"}}");
        assert_eq!(String::from_utf8(narrow).unwrap(), expected);
        let near = wide(&format!("{}!", &TOKEN[..TOKEN.len() - 1]));
        assert!(!set(&[TOKEN]).finds(&near));
        assert!(!set(&["pwd1234"]).finds(&wide("pwd1234")));
    }
}

#[test]
fn takes_out_every_escape_of_every_octet() {
    let escapes: [fn(u8) -> String; 10] = [
        |octet| format!("%{octet:02X}"),
        |octet| format!("%{octet:02x}"),
        |octet| format!("%25{octet:02x}"),
        |octet| format!("\\u{octet:04x}"),
        |octet| format!("\\u{octet:04X}"),
        |octet| format!("\\x{octet:02x}"),
        |octet| format!("&#{octet};"),
        |octet| format!("&#x{octet:x};"),
        |octet| format!("&#X00{octet:X};"),
        |octet| format!("={octet:02X}"),
    ];
    for escape in escapes {
        assert_taken_out(TOKEN, &escaped(TOKEN, &[escape]));
    }
    assert_taken_out(TOKEN, &escaped(TOKEN, &escapes));
}

#[test]
fn takes_out_any_subset_of_escaped_octets() {
    let value = "hunter2secret";
    for subset in 0..1_u32 << value.len() {
        let encoded: String = value
            .bytes()
            .enumerate()
            .map(|(index, octet)| match subset >> index & 1 {
                1 => format!("%{octet:02x}"),
                _ => char::from(octet).into(),
            })
            .collect();
        assert!(set(&[value]).finds(encoded.as_bytes()), "{encoded}");
    }
}

#[test]
fn takes_out_what_json_and_html_writers_make_of_it() {
    let json = TOKEN.replace('\\', "\\\\").replace('"', "\\\"");
    assert_taken_out(TOKEN, &json);
    assert_taken_out(TOKEN, &json.replace('/', "\\/"));
    let json_in_json = json.replace('\\', "\\\\").replace('"', "\\\"");
    assert_taken_out(TOKEN, &json_in_json);
    let html = TOKEN
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;");
    assert_taken_out(TOKEN, &html);
    assert_taken_out(TOKEN, &html.replace('&', "&amp;"));
}

#[test]
fn takes_out_a_form_field_with_plus_for_blank() {
    assert_taken_out("correct horse battery", "correct+horse+battery");
    assert_taken_out("correct horse battery", "correct%20horse%20battery");
}

#[test]
fn takes_out_quoted_printable_with_soft_breaks() {
    assert_taken_out("correct-horse=battery", "correct=\r\n-horse=3Dba=\nttery");
    assert_taken_out("correct-horse=battery", "c=\r\norrect-horse=3Dbattery");
}

#[test]
fn takes_out_characters_beyond_ascii() {
    assert_taken_out("pässwörd€𝄞", "pässwörd€𝄞");
    assert_taken_out("pässwörd€", "p\\u00e4ssw\\u00F6rd\\u20ac");
    assert_taken_out("pässwörd€", "p&#228;ssw%C3%B6rd&#x20AC;");
}

#[test]
fn looks_for_short_values_in_few_forms() {
    assert_taken_out("pw", "pw");
    assert_taken_out("p w", "%70+w");
    assert_clean("pwd7", &base64(b"pwd7"));
    assert_clean("pwd7", &hexadecimal(b"pwd7"));
    assert_taken_out("me:pw", base64(b"me:pw").trim_end_matches('='));
    assert_clean("me:pw", &base64(b"xme:pw"));
    assert_clean("me:pw12", &hexadecimal(b"me:pw12"));
    assert_taken_out("me:pw123", &hexadecimal(b"me:pw123"));
}

#[test]
fn ignores_empty_values_and_repetitions() {
    assert!(set(&[""]).is_empty());
    assert!(set(&[]).is_empty() && ScrubSet::default().is_empty());
    assert_eq!(set(&[""]).scrub(b"anything"), None);
    assert_eq!(
        set(&["", "one"]).hold_back(),
        set(&["one", "one"]).hold_back()
    );
}

#[test]
fn overlapping_values_become_one_replacement() {
    let both = set(&["abcdefgh-ijkl", "ijkl-mnopqrs"]);
    assert_eq!(
        scrubbed(&both, "<abcdefgh-ijkl-mnopqrs>"),
        format!("<{REPLACEMENT}>")
    );
    let inner = set(&["defghijk", "abcdefghijklmnop"]);
    assert_eq!(
        scrubbed(&inner, "<abcdefghijklmnop>"),
        format!("<{REPLACEMENT}>")
    );
    assert_eq!(
        scrubbed(&inner, "<abcdefghijk>"),
        format!("<abc{REPLACEMENT}>")
    );
}

#[test]
fn near_misses_stay() {
    for text in [
        "hunter2secre",
        "Hunter2secret",
        "hunter2_secret",
        "hunter2%73ecre",
        "%68unter2secre%7",
        "hunter2secre\\u007",
    ] {
        assert_clean("hunter2secret", text);
    }
    let encoded = base64(b"hunter2secreT");
    assert_clean("hunter2secret", &encoded);
    assert_clean("hunter2secret", &hexadecimal(b"hunter2secreT"));
}

#[test]
fn a_value_that_looks_like_an_escape_is_found_in_both_readings() {
    for value in [
        "ab%41cdefgh",
        "100%25off==",
        "a\\u0041b\\\\cd",
        "x&amp;y&lt;z",
    ] {
        assert_taken_out(value, value);
        let percent: String = value.bytes().map(|octet| format!("%{octet:02X}")).collect();
        assert_taken_out(value, &percent);
        assert_taken_out(value, &value.replace('%', "%25"));
    }
}

#[test]
fn refuses_too_many_and_too_long_values() {
    use crate::limits::{VALUE_OCTETS, VALUES};
    use crate::scrub::ScrubError;

    let many: Vec<Secret> = (0..=VALUES)
        .map(|index| Secret::new(format!("v{index}")))
        .collect();
    assert_eq!(ScrubSet::new(&many).unwrap_err(), ScrubError::TooManyValues);
    let most = ScrubSet::new(&many[1..]).unwrap();
    assert_eq!(most.merge(&most).unwrap().hold_back(), most.hold_back());
    let other = ScrubSet::new(&many[..1]).unwrap();
    assert_eq!(most.merge(&other).unwrap_err(), ScrubError::TooManyValues);

    let long = [Secret::new(vec![b'x'; VALUE_OCTETS + 1])];
    assert_eq!(ScrubSet::new(&long).unwrap_err(), ScrubError::ValueTooLong);
}

#[test]
fn shows_no_value_when_printed() {
    let shown = format!("{:?}", crate::Scrubber::new(set(&["hunter2secret"])));
    assert!(!shown.contains("hunter2"), "{shown}");
}
