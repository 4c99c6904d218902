use super::*;

#[test]
fn patterns_match_by_segment() {
    for (pattern, yes, no) in [
        ("/", &["/"][..], &["/a", "*", ""][..]),
        ("/a", &["/a"], &["/a/", "/A", "/a/b", "/", "/ab"]),
        ("/a/*", &["/a/b", "/a/"], &["/a", "/a/b/c", "/b/b"]),
        ("/a/*/c", &["/a/b/c"], &["/a/c", "/a/b/b/c"]),
        (
            "/a/x-*.tar.*",
            &["/a/x-1.tar.gz", "/a/x-.tar."],
            &["/a/x-1.tgz", "/a/y-1.tar.gz"],
        ),
        ("/**", &["/", "/a", "/a/b/c/"], &["*"]),
        (
            "/a/**",
            &["/a", "/a/", "/a/b", "/a/b/c"],
            &["/", "/ab", "/b/a"],
        ),
        ("/**/z", &["/z", "/a/z", "/a/z/z"], &["/", "/z/", "/az"]),
        (
            "/a/**/b/**/c",
            &["/a/b/c", "/a/x/b/y/z/c", "/a/b/b/c/c"],
            &["/a/c/b", "/a/b"],
        ),
        ("/a!", &["/a!", "/a%21"], &["/a"]),
        ("/a%2A", &["/a*", "/a%2A"], &["/ab"]),
        ("/%C3%A4", &["/%C3%A4"], &["/%C3%A5"]),
    ] {
        let parsed: PathPattern = pattern.parse().unwrap();
        for path in yes {
            assert!(parsed.matches(path), "{pattern} should match {path}");
        }
        for path in no {
            assert!(!parsed.matches(path), "{pattern} should not match {path}");
        }
    }
}

#[test]
fn an_exact_pattern_takes_stars_literally() {
    let pattern = PathPattern::exact("/a/*").unwrap();
    assert!(pattern.matches("/a/*"));
    assert!(!pattern.matches("/a/b"));
}

#[test]
fn paths_with_two_readings_are_refused() {
    for (path, error) in [
        ("", PathError::Relative),
        ("a", PathError::Relative),
        ("*", PathError::Relative),
        ("/..", PathError::Segment),
        ("/a/../b", PathError::Segment),
        ("/a/./b", PathError::Segment),
        ("/a/..;x=1/b", PathError::Segment),
        ("//a", PathError::Segment),
        ("/a//b", PathError::Segment),
        ("/%2e%2e/b", PathError::Escape),
        ("/%2E%2E/b", PathError::Escape),
        ("/%70rojects", PathError::Escape),
        ("/a%2Fb", PathError::Hidden),
        ("/a%5Cb", PathError::Hidden),
        ("/a%00", PathError::Hidden),
        ("/a%252Fb", PathError::Hidden),
        ("/a%252fb", PathError::Hidden),
        ("/%252E%252E/b", PathError::Hidden),
        ("/a%25252Fb", PathError::Hidden),
        ("/a%FF", PathError::Hidden),
        ("/a%C3", PathError::Hidden),
        ("/%C3/%A4", PathError::Hidden),
        ("/a%2", PathError::Escape),
        ("/a%zz", PathError::Escape),
        ("/a%c3", PathError::Escape),
        ("/a\\b", PathError::Character),
        ("/a b", PathError::Character),
        ("/a?b", PathError::Character),
        ("/a#b", PathError::Character),
        ("/a\r\nb", PathError::Character),
        ("/ä", PathError::Character),
    ] {
        assert_eq!(check_canonical(path), Err(error), "{path:?}");
        assert_eq!(path.parse::<PathPattern>(), Err(error), "{path:?}");
    }
    for path in ["/a/b.c/~d/%20/", "/100%25", "/100%25ab", "/%C3%A4"] {
        assert_eq!(check_canonical(path), Ok(()), "{path}");
    }
    let long = format!("/{}", "a".repeat(PATH_OCTETS));
    assert_eq!(check_canonical(&long), Err(PathError::TooLong));
}

#[test]
fn wildcards_are_bounded_and_whole() {
    for (pattern, error) in [
        ("/a**", PathError::Wildcard),
        ("/***", PathError::Wildcard),
        ("/*/*/*/*/*/*/*/*/*", PathError::Wildcards),
    ] {
        assert_eq!(pattern.parse::<PathPattern>(), Err(error), "{pattern}");
    }
}

// An exponential matcher would not come back from this.
#[test]
fn a_hostile_path_does_not_make_matching_explode() {
    let pattern: PathPattern = "/**/*a*a*a*a*b/**/c".parse().unwrap();
    let path = format!("/{}", "a".repeat(PATH_OCTETS - 1));
    assert!(!pattern.matches(&path));
    let path = "/a".repeat(PATH_OCTETS / 2);
    assert!(!pattern.matches(&path));
}
