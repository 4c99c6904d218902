use super::*;

#[test]
fn a_repository_is_named_with_its_server() {
    let pattern: RepoPattern = "github/acme/{web,api}.git".parse().unwrap();
    assert_eq!(pattern.upstream().as_str(), "github");
    assert_eq!(pattern.alternatives(), ["acme/web.git", "acme/api.git"]);
    for text in [
        "",
        "github",
        "github/",
        "/acme/web",
        "*/acme/web",
        "GitHub/acme/web",
        "https://github.com/acme/web",
    ] {
        assert!(text.parse::<RepoPattern>().is_err(), "{text}");
    }
}

#[test]
fn a_ref_is_named_in_full_and_its_namespace_is_written_out() {
    for text in [
        "refs/heads/main",
        "refs/heads/agent/**",
        "refs/tags/v*",
        "refs/notes/*",
    ] {
        assert!(text.parse::<RefPattern>().is_ok(), "{text}");
    }
    for (text, error) in [
        ("main", GitPatternError::NotFull),
        ("heads/main", GitPatternError::NotFull),
        ("refs/heads", GitPatternError::NotFull),
        ("refs/", GitPatternError::NotFull),
        ("refs/heads/", GitPatternError::NotFull),
        ("refs//main", GitPatternError::NotFull),
        ("refs/**", GitPatternError::NotFull),
        ("refs/*/main", GitPatternError::Namespace),
        ("refs/**/main", GitPatternError::Namespace),
        ("refs/{heads,meta}/x", GitPatternError::Namespace),
        ("refs/heads/../x", GitPatternError::Glob(GlobError::Segment)),
    ] {
        assert_eq!(text.parse::<RefPattern>().unwrap_err(), error, "{text}");
    }
}

#[test]
fn an_expression_is_held_by_its_anchors() {
    let regex = |text: &str| text.parse::<RepoRegex>().unwrap().compile(false).unwrap();
    let either = regex("github/acme/(web|api)-[0-9]+");
    for (path, expected) in [
        ("acme/web-1", true),
        ("acme/api-22", true),
        ("acme/web-1x", false),
        ("xacme/web-1", false),
        ("acme/web-1\n", false),
    ] {
        assert_eq!(either.is_match(path), expected, "{path:?}");
    }
    let top = regex("github/acme/a|evil/b");
    assert!(!top.is_match("evil/bc") && !top.is_match("xevil/b"));
    let lines = regex("github/(?m)^acme/web$");
    assert!(!lines.is_match("evil/x\nacme/web"));
    for text in [
        "github/acme/a)|(?:b",
        "github/acme/(",
        "github/(?x)acme/web #",
        r"github/(a)\1",
        "github/(?=a)a",
        "github/(a{1000}){1000}",
    ] {
        assert!(text.parse::<RepoRegex>().is_err(), "{text}");
    }
}

#[test]
fn an_expression_takes_linear_time_on_a_long_path() {
    let hard: RepoRegex = "github/(a|a)*(a+)*b".parse().unwrap();
    let hard = hard.compile(true).unwrap();
    let started = std::time::Instant::now();
    assert!(!hard.is_match(&"a".repeat(10_000)));
    assert!(started.elapsed() < std::time::Duration::from_secs(2));
}
