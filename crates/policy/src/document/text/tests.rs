use super::*;

#[test]
fn a_star_stands_for_any_text_and_all_else_for_itself() {
    for (pattern, yes, no) in [
        ("open", &["open"][..], &["Open", "opens", ""][..]),
        (
            "application/*",
            &["application/json", "application/"],
            &["text/json", "xapplication/json"],
        ),
        (
            "*@acme.test",
            &["me@acme.test", "@acme.test"],
            &["me@acme.test.evil"],
        ),
        (
            "a*b*c",
            &["abc", "a-b-c", "abbc", "abcbc"],
            &["ac", "acb", "ab", "a-c"],
        ),
        ("ab*ba", &["abba", "ab-ba"], &["aba"]),
        ("**x", &["x", "yx"], &["xy"]),
        ("", &[""], &["a"]),
    ] {
        let parsed: TextPattern = pattern.parse().unwrap();
        for value in yes {
            assert!(parsed.matches(value), "{pattern} should match {value}");
        }
        for value in no {
            assert!(!parsed.matches(value), "{pattern} should not match {value}");
        }
    }
    assert_eq!("*".parse::<TextPattern>(), Err(TextError::Everything));
    for text in ["a*".repeat(9).as_str(), "a\n", &"a".repeat(513)] {
        assert_eq!(
            text.parse::<TextPattern>(),
            Err(TextError::Pattern),
            "{text}"
        );
    }
}

#[test]
fn media_types_are_whole_or_of_one_kind() {
    let all: MediaPattern = "text/*".parse().unwrap();
    assert!(all.matches("text/html") && !all.matches("textual/html"));
    let one: MediaPattern = "application/vnd.github+json".parse().unwrap();
    assert!(one.matches("application/vnd.github+json") && !one.matches("application/json"));
    for text in [
        "*/*",
        "text",
        "text/",
        "/html",
        "Text/html",
        "text/html; charset=utf-8",
        "a/b/c",
        "*/html",
    ] {
        assert_eq!(
            text.parse::<MediaPattern>(),
            Err(TextError::Media),
            "{text}"
        );
    }
}

#[test]
fn statuses_are_codes_and_ranges() {
    for (text, codes) in [
        ("200", 200..=200),
        ("200-299", 200..=299),
        ("404", 404..=404),
    ] {
        let range: StatusRange = text.parse().unwrap();
        assert_eq!(range.codes(), &codes);
        assert_eq!(String::from(range), text);
    }
    for text in [
        "",
        "2xx",
        "99",
        "600",
        "299-200",
        "200-",
        "+200",
        "0200",
        "200-299-300",
    ] {
        assert_eq!(
            text.parse::<StatusRange>(),
            Err(TextError::Status),
            "{text}"
        );
    }
}

#[test]
fn names_pointers_and_targets_are_checked() {
    assert!("x-api-version".parse::<HeaderName>().is_ok());
    for text in ["", "Accept", "a b", "a:", "a\r\n"] {
        assert_eq!(
            text.parse::<HeaderName>(),
            Err(TextError::Header),
            "{text:?}"
        );
    }
    for text in ["/a", "/a/0/b~0c~1d", "/"] {
        assert!(text.parse::<Pointer>().is_ok(), "{text}");
    }
    for text in ["", "a", "/a~", "/a~2"] {
        assert_eq!(text.parse::<Pointer>(), Err(TextError::Pointer), "{text}");
    }
    for text in ["/", "/repos/acme/web?per_page=1"] {
        assert!(text.parse::<Target>().is_ok(), "{text}");
    }
    for text in [
        "",
        "repos",
        "/a/../b",
        "//evil.test/",
        "/a#b",
        "/a?b c",
        "/a?b\r\n",
        "https://a.test/",
    ] {
        assert_eq!(text.parse::<Target>(), Err(TextError::Target), "{text:?}");
    }
}
