use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

fn matches(pattern: &str, name: &str) -> bool {
    let globs = Glob::all(pattern).unwrap();
    globs.iter().any(|glob| glob.matches(name.as_bytes()))
}

#[test]
fn a_star_stays_in_its_segment_and_two_take_any_number_of_them() {
    for (pattern, name, expected) in [
        ("acme/docs", "acme/docs", true),
        ("acme/docs", "acme/docsx", false),
        ("acme/docs", "xacme/docs", false),
        ("acme/*", "acme/docs", true),
        ("acme/*", "acme/a/b", false),
        ("acme/*", "acme", false),
        ("acme/**", "acme", true),
        ("acme/**", "acme/a/b/c", true),
        ("acme/**", "acmes/a", false),
        ("**/x", "x", true),
        ("**/x", "a/b/x", true),
        ("**/x", "a/b/xy", false),
        ("a/**/z", "a/z", true),
        ("a/**/b/**/z", "a/c/b/d/b/z", true),
        ("a/**/b/**/z", "a/c/d/z", false),
        ("azure-pipelines*.yml", "azure-pipelines-x.yml", true),
        ("azure-pipelines*.yml", "azure-pipelines.yml", true),
        ("azure-pipelines*.yml", "a/azure-pipelines.yml", false),
        ("*a*a", "xaya", true),
        ("*a*a", "xayab", false),
        ("acme/{web,api}", "acme/web", true),
        ("acme/{web,api}", "acme/api", true),
        ("acme/{web,api}", "acme/webapi", false),
        ("{a,b}/{c,d}", "b/c", true),
        ("acme/web{,-api}", "acme/web", true),
        ("acme/web{,-api}", "acme/web-api", true),
    ] {
        assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
    }
}

#[test]
fn case_counts_unless_the_pattern_is_folded() {
    let glob = Glob::new(".github/Workflows/**").unwrap();
    assert!(!glob.matches(b".GitHub/workflows/a.yml"));
    assert!(glob.folded().matches(b".GITHUB/WORKFLOWS/a.yml"));
}

#[test]
fn patterns_with_several_readings_are_refused() {
    for (pattern, error) in [
        ("", GlobError::Segment),
        ("/a", GlobError::Segment),
        ("a/", GlobError::Segment),
        ("a//b", GlobError::Segment),
        ("a/../b", GlobError::Segment),
        ("a/./b", GlobError::Segment),
        ("a/{,b}", GlobError::Segment),
        ("a/x**", GlobError::Wildcard),
        ("a/***", GlobError::Wildcard),
        ("a\\b", GlobError::Character),
        ("a\nb", GlobError::Character),
        ("a/{b", GlobError::Braces),
        ("a/b}", GlobError::Braces),
        ("a/{b}", GlobError::Braces),
        ("a/{b,{c,d}}", GlobError::Braces),
        ("*/*/*/*/*/*/*/*/*", GlobError::Wildcards),
        (
            "{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}",
            GlobError::Alternatives,
        ),
    ] {
        assert_eq!(Glob::all(pattern).unwrap_err(), error, "{pattern}");
    }
    let long = "a".repeat(PATTERN_OCTETS + 1);
    assert_eq!(Glob::all(&long).unwrap_err(), GlobError::TooLong);
}

#[test]
fn a_name_of_any_length_costs_time_linear_in_it() {
    let patterns = [
        "**/a/**/a/**/a/**/b",
        "*a*a*a*a*a*a*a*b",
        "**/*a*a/**/*a*b",
        "**/**/**/**/**/**/**/**",
    ];
    for pattern in patterns {
        let glob = Glob::new(pattern).unwrap();
        for name in ["a/".repeat(500_000) + "c", "a".repeat(1_000_000)] {
            let started = Instant::now();
            glob.matches(name.as_bytes());
            // A million octets: a quadratic match would take hours.
            assert!(started.elapsed() < Duration::from_secs(5), "{pattern}");
        }
    }
}

/// The definition, without care for time.
fn naive(pattern: &[&str], name: &[&str]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), _) => (0..=name.len()).any(|taken| naive(rest, &name[taken..])),
        (Some((first, rest)), Some((segment, tail))) => {
            naive_segment(first.as_bytes(), segment.as_bytes()) && naive(rest, tail)
        }
        _ => false,
    }
}

fn naive_segment(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => {
            (0..=text.len()).any(|taken| naive_segment(rest, &text[taken..]))
        }
        (Some((wanted, rest)), Some((octet, tail))) => wanted == octet && naive_segment(rest, tail),
        _ => false,
    }
}

proptest! {
    #[test]
    fn a_match_is_what_the_definition_says(
        pattern in prop::collection::vec(
            prop_oneof![Just("**"), Just("*"), Just("a"), Just("b"), Just("a*"), Just("*b"), Just("a*b*a")],
            1..5,
        ),
        name in prop::collection::vec("[ab]{1,4}", 1..6),
    ) {
        let glob = Glob::new(&pattern.join("/"));
        prop_assume!(glob.is_ok());
        let name: Vec<&str> = name.iter().map(String::as_str).collect();
        prop_assert_eq!(
            glob.unwrap().matches(name.join("/").as_bytes()),
            naive(&pattern, &name)
        );
    }
}
