//! Host names and patterns against tables and a naive oracle.

use proptest::prelude::*;

use super::*;

fn name(text: &str) -> HostName {
    text.parse().unwrap_or_else(|e| panic!("{text:?}: {e}"))
}

#[test]
fn names_have_one_spelling() {
    for (given, canonical) in [
        ("Example.COM", "example.com"),
        ("example.com.", "example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        ("r3---sn-x.example", "r3---sn-x.example"),
        ("localhost", "localhost"),
    ] {
        assert_eq!(name(given).as_str(), canonical);
    }
}

#[test]
fn refuses_what_another_parser_could_read_differently() {
    for bad in [
        "",
        ".",
        "..",
        "a..b",
        ".a",
        "a_b.example",
        "a b",
        "a\0.example",
        "evil\0.google.com",
        "a/b",
        "a@b",
        "a%2eb",
        "-a.example",
        "a-.example",
        "127.1",
        "0x7f.1",
        "2130706433",
        "1.2.3.4.5",
        "a.0x7F",
        "127.0.0.1",
        "::1",
        "[::1]",
        "a:80",
        "xn--a.example",
        "*.a.example",
        "a\u{ad}\u{2025}b",
        "ａ\u{ff0f}b.example",
        "a\r\nb",
    ] {
        assert!(
            bad.parse::<HostName>().is_err(),
            "{bad:?} was read as {:?}",
            bad.parse::<HostName>()
        );
    }
    assert!("a".repeat(64).parse::<HostName>().is_err());
    assert!(["a"; 127].join(".").parse::<HostName>().is_ok());
    assert!(["a"; 128].join(".").parse::<HostName>().is_err());
}

#[test]
fn wildcards_cover_what_is_below_and_nothing_else() {
    let pattern: HostPattern = "*.example.com".parse().unwrap();
    for (candidate, expected) in [
        ("a.example.com", true),
        ("a.b.example.com", true),
        ("example.com", false),
        ("badexample.com", false),
        ("example.com.evil.test", false),
    ] {
        assert_eq!(pattern.matches(&name(candidate)), expected, "{candidate}");
    }
}

#[test]
fn wildcards_below_public_suffixes_are_refused() {
    for bad in [
        "*.com",
        "*.co.uk",
        "*.github.io",
        "*.test",
        "*.s3.amazonaws.com",
    ] {
        assert_eq!(
            bad.parse::<HostPattern>(),
            Err(HostError::PublicSuffix),
            "{bad}"
        );
    }
    for bad in [
        "*",
        "a.*.com",
        "*a.example.com",
        "*.*.example.com",
        "a*.example.com",
    ] {
        assert!(bad.parse::<HostPattern>().is_err(), "{bad}");
    }
}

#[test]
fn destinations_read_the_authority_form_only() {
    assert_eq!(
        "Example.com:443"
            .parse::<Destination>()
            .unwrap()
            .to_string(),
        "example.com:443"
    );
    assert_eq!(
        "[::1]:80".parse::<Destination>().unwrap().to_string(),
        "[::1]:80"
    );
    assert_eq!(
        "[::ffff:10.0.0.1]:80"
            .parse::<Destination>()
            .unwrap()
            .to_string(),
        "10.0.0.1:80"
    );
    for bad in [
        "a", "a:", "a:0", "a:+1", "a:65536", "a:1:2", "::1:80", "[::1]", "[::1", "a: 80", ":80",
        "u@h:1",
    ] {
        assert!(bad.parse::<Destination>().is_err(), "{bad:?}");
    }
}

/// The definition of the pattern language, written as slowly and plainly as possible.
fn oracle(pattern: &str, name: &str) -> bool {
    let pattern: Vec<&str> = pattern.split('.').collect();
    let name: Vec<&str> = name.split('.').collect();
    match pattern.split_first() {
        Some((&"*", zone)) => name.len() > zone.len() && name[name.len() - zone.len()..] == *zone,
        _ => pattern == name,
    }
}

proptest! {
    #[test]
    fn patterns_agree_with_the_oracle(
        star in any::<bool>(),
        zone in "[ab]{1,2}\\.(example|test)\\.org",
        below in "([ab]{1,2}\\.){0,3}",
        other in "[ab]{1,2}\\.(example|test)\\.org",
    ) {
        let text = if star { format!("*.{zone}") } else { zone };
        let pattern: HostPattern = text.parse().unwrap();
        let candidate = format!("{below}{other}");
        prop_assert_eq!(pattern.matches(&name(&candidate)), oracle(&text, &candidate));
    }

    #[test]
    fn a_parsed_name_parses_to_itself(text in "\\PC{0,40}") {
        if let Ok(parsed) = text.parse::<HostName>() {
            prop_assert_eq!(&parsed.as_str().parse::<HostName>().unwrap(), &parsed);
        }
    }
}
