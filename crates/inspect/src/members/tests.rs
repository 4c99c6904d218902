//! What is taken out of JSON, and that nothing else changes, however it is cut and written.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn removals(entries: &[&str]) -> Removals {
    Removals::new(entries.iter().map(|entry| match entry.split_once('?') {
        Some((member, parameter)) => (member, Some(parameter)),
        None => (*entry, None),
    }))
}

fn run(mut members: Members, text: &[u8], size: usize) -> Result<Vec<u8>, MembersError> {
    let mut out = Vec::new();
    for piece in text.chunks(size.max(1)) {
        members.feed(piece, &mut out)?;
    }
    members.finish(&mut out)?;
    Ok(out)
}

fn strict(entries: &[&str], text: &str) -> Result<String, MembersError> {
    let out = run(Members::new(removals(entries)), text.as_bytes(), text.len())?;
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn a_member_becomes_null_wherever_it_stands_and_however_it_is_written() {
    for (text, expected) in [
        (r#"{"t":"x"}"#, r#"{"t":null}"#),
        (r#"{ "t" : "x" , "u":1}"#, r#"{ "t" : null , "u":1}"#),
        (r#"{"\u0074":"x"}"#, r#"{"\u0074":null}"#),
        (r#"{"t":"x","t":"y"}"#, r#"{"t":null,"t":null}"#),
        (r#"[[{"a":{"t":[1,{"t":2}]}}]]"#, r#"[[{"a":{"t":null}}]]"#),
        (r#"{"t":-1.5e+3}"#, r#"{"t":null}"#),
        (r#"{"t":1,"u":2}"#, r#"{"t":null,"u":2}"#),
        (r#"{"t":[1,"]}",{"t":3}],"u":[]}"#, r#"{"t":null,"u":[]}"#),
        (
            r#"{"t":true,"u":{"t":null}}"#,
            r#"{"t":null,"u":{"t":null}}"#,
        ),
        (r#"{"t":"a\"b\\"}"#, r#"{"t":null}"#),
        (
            r#"["t",{"tt":"t","":"t","T":1}]"#,
            r#"["t",{"tt":"t","":"t","T":1}]"#,
        ),
        (
            r#"{"v":{"t":1},"t":{"v":1}}"#,
            r#"{"v":{"t":null},"t":null}"#,
        ),
        ("", ""),
        (" 1.0 ", " 1.0 "),
    ] {
        assert_eq!(strict(&["t"], text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn a_name_may_have_any_character_and_any_length() {
    let text = r#"{"\ud83d\ude00ä":1,"😀\u00e4":2,"\ud83dä":3}"#;
    let cleaned = strict(&["😀ä"], text);
    let expected = r#"{"\ud83d\ude00ä":null,"😀\u00e4":null,"\ud83dä":3}"#;
    assert_eq!(cleaned.as_deref(), Ok(expected));
    let long = "t".repeat(100_000);
    let text = format!("{{\"{long}\":1,\"t\":2}}");
    let expected = format!("{{\"{long}\":1,\"t\":null}}");
    assert_eq!(strict(&["t"], &text), Ok(expected));
}

#[test]
fn parameters_are_taken_out_of_urls_and_the_rest_stays() {
    for (url, expected) in [
        ("https://a.test/f?token=S", "https://a.test/f"),
        ("https://a.test/f?token=S&x=1", "https://a.test/f?x=1"),
        ("https://a.test/f?x=1&token=S#l", "https://a.test/f?x=1#l"),
        (
            "https://a.test/f?token=S&token=T;token=U",
            "https://a.test/f",
        ),
        ("https://a.test/f?%74oken=S&%2574oken=T", "https://a.test/f"),
        ("https://a.test/f#token=S", "https://a.test/f"),
        ("https://a.test/f?x=1?token=S", "https://a.test/f?x=1"),
        ("https://a.test/f?token", "https://a.test/f"),
        ("https://a.test/f?tokens=S", "https://a.test/f?tokens=S"),
        ("https://a.test/token=S", "https://a.test/token=S"),
        ("", ""),
    ] {
        let text = json!({"u": url, "v": url}).to_string();
        let wanted = json!({"u": expected, "v": url}).to_string();
        assert_eq!(strict(&["u?token"], &text), Ok(wanted), "{url}");
    }
    let escaped = r#"{"u":"https:\/\/a.test\/f\u003ftoken\u003dS\u0026x=\"\n"}"#;
    let cleaned = r#"{"u":"https://a.test/f?x=\"\u000a"}"#;
    assert_eq!(strict(&["u?token"], escaped).as_deref(), Ok(cleaned));
    let untouched = r#"{"u":"https:\/\/a.test\/f"}"#;
    assert_eq!(strict(&["u?token"], untouched).as_deref(), Ok(untouched));
}

#[test]
fn parameters_are_taken_out_of_each_url_of_a_list() {
    let text = r#"{"u":["a?t=1",["a?t=2"],{"u":"a?t=3","v":"a?t=4"},5,null],"v":["a?t=6"]}"#;
    let expected = r#"{"u":["a",["a"],{"u":"a","v":"a?t=4"},5,null],"v":["a?t=6"]}"#;
    assert_eq!(strict(&["u?t"], text).as_deref(), Ok(expected));
    let every = strict(&["u?*"], r#"{"u":"a?x=1&y=2#z"}"#);
    assert_eq!(every.as_deref(), Ok(r#"{"u":"a"}"#));
    let whole = strict(&["u?x", "u"], r#"{"u":"a?x=1"}"#);
    assert_eq!(whole.as_deref(), Ok(r#"{"u":null}"#));
    let both = strict(&["u?x", "u?y"], r#"{"u":"a?x=1&y=2&z=3"}"#);
    assert_eq!(both.as_deref(), Ok(r#"{"u":"a?z=3"}"#));
}

#[test]
fn what_is_not_json_by_the_letter_is_an_error() {
    for text in [
        "{",
        "}",
        "[1,]",
        "[,1]",
        "{,}",
        r#"{"a"}"#,
        r#"{"a":}"#,
        r#"{"a":1,}"#,
        r#"{"a":1 "b":2}"#,
        "{a:1}",
        "{'a':1}",
        "[1 2]",
        "1 2",
        "{}{}",
        "[1}",
        "01",
        "1.",
        ".1",
        "+1",
        "-",
        "1e",
        "1e+",
        "nul",
        "nulls",
        "True",
        "NaN",
        "Infinity",
        "\"",
        "\"\n\"",
        r#""\x""#,
        r#""\u12""#,
        r#""\u12g4""#,
        "// a\n1",
        "[1]]",
        "\u{feff}{}",
        "\u{a0}1",
        "<html>",
        "token",
        " ",
        "--1",
        "1-1",
    ] {
        let refused = strict(&["t"], text);
        assert!(refused.is_err(), "{text}: {refused:?}");
    }
    for octets in [
        &b"\"\xff\""[..],
        b"\"\xc1\xb4\"",
        b"\"\xed\xa0\x80\"",
        b"\"\xf4\x90\x80\x80\"",
        b"\"\xe2\x82\"",
        b"\"\x00\"",
        b"{\x00}",
        b"{\"\xc1\xb4\":1}",
        b"\"\x80\"",
        b"\"\xf8\x88\x80\x80\x80\"",
    ] {
        let refused = run(Members::new(removals(&["t"])), octets, 1);
        assert_eq!(refused, Err(MembersError::Syntax), "{octets:?}");
    }
}

#[test]
fn after_an_error_nothing_goes_on() {
    let mut members = Members::new(removals(&["t"]));
    let mut out = Vec::new();
    assert!(members.feed(b"{\"a\":\"x\"]", &mut out).is_err());
    out.clear();
    assert!(members.feed(b"{\"t\":\"secret\"}", &mut out).is_err());
    assert!(members.finish(&mut out).is_err());
    assert!(out.is_empty());
}

#[test]
fn depth_and_held_texts_are_bounded() {
    let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    assert!(strict(&["t"], &deep(DEPTH)).is_ok());
    assert_eq!(strict(&["t"], &deep(DEPTH + 1)), Err(MembersError::Depth));
    let url = |length: usize| format!("{{\"u\":\"{}\"}}", "x".repeat(length));
    assert!(strict(&["u?t"], &url(URL_TEXT_OCTETS - 1)).is_ok());
    let long = strict(&["u?t"], &url(URL_TEXT_OCTETS));
    assert_eq!(long, Err(MembersError::TooLong));
    assert!(strict(&["u"], &url(100 * URL_TEXT_OCTETS)).is_ok());
    assert!(strict(&["v"], &url(100 * URL_TEXT_OCTETS)).is_ok());
}

#[test]
fn a_text_that_need_not_be_json_goes_on_from_where_it_is_none() {
    for (text, expected) in [
        ("diff --git a/b", Some("diff --git a/b")),
        ("", Some("")),
        ("{\"t\":1} {\"t\":2}", Some("{\"t\":null} {\"t\":2}")),
        ("{\"t\":x", Some("{\"t\":x")),
        ("{\"u\":\"a?t=1", Some("{\"u\":\"a?t=1")),
        ("{\"u\":\"a?t=1\n", Some("{\"u\":\"a?t=1\n")),
        (
            "[{\"t\":1,\"u\":\"a?t=1\"}]",
            Some("[{\"t\":null,\"u\":\"a\"}]"),
        ),
        // A part of it is gone.
        ("{\"t\":{\"a\":x", None),
        ("{\"t\":1", None),
        ("{\"t\":\"", None),
    ] {
        for size in [1, 2, 3, text.len()] {
            let members = Members::lenient(removals(&["t", "u?t"]));
            let out = run(members, text.as_bytes(), size).ok();
            let out = out.map(|out| String::from_utf8(out).unwrap());
            assert_eq!(out.as_deref(), expected, "{text}");
        }
    }
}

#[test]
fn nothing_is_held_back_but_urls() {
    let mut members = Members::new(removals(&["t", "u?t"]));
    for (piece, expected) in [
        ("{\"a\":\"x", "{\"a\":\"x"),
        ("y\",\"t\":\"se", "y\",\"t\":null"),
        ("cret\",\"b", ",\"b"),
        ("\":1,\"u\":\"a?t", "\":1,\"u\":"),
        ("=1\"}", "\"a\"}"),
    ] {
        let mut out = Vec::new();
        members.feed(piece.as_bytes(), &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected, "{piece}");
    }
    assert_eq!(members.removed(), 2);
}

const ENTRIES: [&str; 3] = ["t", "té\"", "u?t"];

/// What the filter is meant to do, on what a library has read.
fn expected(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(expected).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| match name.as_str() {
                "t" | "té\"" => (name, Value::Null),
                "u" => (name, cleaned(value)),
                _ => (name, expected(value)),
            })
            .collect(),
        other => other,
    }
}

fn cleaned(value: Value) -> Value {
    match value {
        Value::String(url) if url == "/?t=1&x=2" => "/?x=2".into(),
        Value::Array(items) => items.into_iter().map(cleaned).collect(),
        other => expected(other),
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        Just("t".to_owned()),
        Just("u".to_owned()),
        Just("té\"".to_owned()),
        Just("/?t=1&x=2".to_owned()),
        "[a-c\"\\\\/\n\u{1}é€😀{}\\[\\]:,]{0,5}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|it| Value::from(f64::from(it) / 4.0)),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((text.clone(), inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Text out of what JSON is made of, mostly none.
fn tricky() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"",
        "\"t\"",
        "\"t\":",
        "\"u\":",
        "\"\\u0074\":",
        "\"a?t=1\"",
        "1",
        "-",
        "0",
        ".",
        "e",
        "+",
        "null",
        "true",
        " ",
        "\n",
        "\\",
        "\\u",
        "d83d",
        "\u{e9}",
        "x",
        "\"x\"",
    ]);
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat().into_bytes())
}

/// Every octet of a text as an escape, where it is inside of quotes and ASCII.
fn escaped(text: &str) -> String {
    let (mut written, mut inside, mut backslash) = (String::new(), false, false);
    for character in text.chars() {
        if inside && !backslash && character.is_ascii_alphanumeric() {
            written += &format!("\\u{:04X}", u32::from(character));
            continue;
        }
        if character == '"' && !backslash {
            inside = !inside;
        }
        // What an escape introduces stays.
        backslash = inside && character == '\\' && !backslash;
        written.push(character);
    }
    written
}

proptest! {
    #[test]
    fn the_output_is_the_input_without_the_members(value in any_json(), pretty: bool) {
        let written = match pretty {
            true => serde_json::to_string_pretty(&value).unwrap(),
            false => value.to_string(),
        };
        let wanted = expected(value);
        let cleaned = strict(&ENTRIES, &written).unwrap();
        prop_assert_eq!(serde_json::from_str::<Value>(&cleaned).unwrap(), wanted);
    }

    #[test]
    fn escapes_make_no_difference(value in any_json()) {
        // A control character is written as an escape by itself, whose digits are none.
        let written = value.to_string();
        prop_assume!(!written.contains("\\u"));
        let cleaned = strict(&ENTRIES, &escaped(&written)).unwrap();
        prop_assert_eq!(serde_json::from_str::<Value>(&cleaned).unwrap(), expected(value));
    }

    #[test]
    fn it_makes_no_difference_where_a_text_is_cut(text in prop_oneof![
        any_json().prop_map(|value| value.to_string().into_bytes()),
        tricky(),
        prop::collection::vec(any::<u8>(), 0..40),
    ], lenient: bool) {
        let make = || match lenient {
            true => Members::lenient(removals(&ENTRIES)),
            false => Members::new(removals(&ENTRIES)),
        };
        let whole = run(make(), &text, text.len());
        for at in 0..=text.len() {
            let (begin, end) = text.split_at(at);
            let mut members = make();
            let mut out = Vec::new();
            let fed = members.feed(begin, &mut out).and_then(|()| members.feed(end, &mut out));
            let cut = fed.and_then(|()| members.finish(&mut out)).map(|()| out);
            prop_assert_eq!(&cut, &whole);
        }
        prop_assert_eq!(&run(make(), &text, 1), &whole);
    }

    #[test]
    fn what_a_library_reads_is_read_and_what_is_given_is_what_a_library_reads(
        text in prop_oneof![tricky(), prop::collection::vec(any::<u8>(), 0..20)],
    ) {
        let read = serde_json::from_slice::<Value>(&text);
        let filtered = run(Members::new(removals(&["t"])), &text, text.len());
        if read.is_ok() {
            prop_assert!(filtered.is_ok(), "{:?}", text);
        }
        if let Ok(out) = filtered && !text.is_empty() {
            let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(&out).is_ok();
            prop_assert!(is_json, "{:?}", text);
        }
    }
}
