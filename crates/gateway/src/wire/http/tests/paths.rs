//! The canonical path: one spelling for one resource, and nothing that has several readings.

use proptest::prelude::*;

use super::*;

fn canonical(path: &str) -> Result<String, HttpError> {
    path::canonical(path)
}

#[test]
fn spells_a_path_in_one_way() {
    for (given, expected) in [
        ("/", "/"),
        ("/a", "/a"),
        ("/a/", "/a/"),
        ("/%70rojects", "/projects"),
        ("/%41%5a%5A%61%30%2d%5f%7e", "/AZZa0-_~"),
        ("/a%20b%c3%a9", "/a%20b%C3%A9"),
        ("/a%3fb%23c%25", "/a%3Fb%23c%25"),
        ("/a!$&'()*+,;=:@b", "/a!$&'()*+,;=:@b"),
        ("/.a/a./...", "/.a/a./..."),
        ("/a%2eb", "/a.b"),
        ("/a;b=c/d", "/a;b=c/d"),
        ("/@acme%2fweb", "/@acme%2Fweb"),
        ("/-/@a.b_c-d~e%2Fw.js/x", "/-/@a.b_c-d~e%2Fw.js/x"),
        ("/100%25", "/100%25"),
        ("/100%25a", "/100%25a"),
        ("/100%2561", "/100%2561"),
    ] {
        assert_eq!(canonical(given).as_deref(), Ok(expected), "{given}");
    }
}

#[test]
fn refuses_paths_with_several_readings() {
    for path in [
        "//",
        "//a",
        "/a//b",
        "/a//",
        "/.",
        "/..",
        "/./a",
        "/a/..",
        "/a/../b",
        "/%2e%2e/a",
        "/%2E./a",
        "/a/.%2e",
        "/..;/a",
        "/.;x=y/a",
        "/..%3b/a",
        "/..%3B.txt",
        "/a%2fb",
        "/a%2Fb",
        "/@a%2f",
        "/@%2fb",
        "/@a%2f..",
        "/@a%2f.b",
        "/@.a%2fb",
        "/@a%2fb%2fc",
        "/@a%2f%2fb",
        "/@a%2fb%20",
        "/@%61%2fb",
        "/%40a%2fb",
        "/@a%252fb",
        "/@a%2fb;c",
        "/@a%2fb/..",
        "/a@b%2fc",
        "/a%5cb",
        "/a\\b",
        "/a%00",
        "/a%0a",
        "/a%0d%0aX:%20y",
        "/a%1f",
        "/a%7f",
        "/%ff",
        "/%c0%af",
        "/%c0%ae%c0%ae/",
        "/%e9",
        "/%ed%a0%80",
        "/%c3/%a9",
        "/%252e%252e/a",
        "/a%252fb",
        "/a%255Cb",
        "/a%25252fb",
        "/a%2500",
    ] {
        assert_eq!(canonical(path), Err(HttpError::PathAmbiguous), "{path}");
    }
}

#[test]
fn refuses_what_no_path_is() {
    for path in [
        "", "a", "*", "/%", "/%2", "/%g0", "/%0g", "/% 1", "/%+1", "/a b", "/a\"b", "/<a>", "/a^b",
        "/a`b", "/{a}", "/a|b", "/[a]", "/a?b", "/a#b", "/\u{e9}", "/a\tb",
    ] {
        assert_eq!(canonical(path), Err(HttpError::Target), "{path}");
    }
}

#[test]
fn keeps_a_sound_query_as_it_came() {
    for query in [
        "",
        "a=b&c=%2f..//%70",
        "filter[x]=1",
        "q={}|\\^`\"<>",
        "?",
        "/../",
    ] {
        let head = request(&[&format!("GET /?{query} HTTP/1.1"), "Host: a.example"]).unwrap();
        assert_eq!(head.target.query(), Some(query));
    }
    for query in ["%", "a=%1", "%zz", "#", "a#b"] {
        let line = format!("GET /?{query} HTTP/1.1");
        assert_eq!(
            request(&[&line, "Host: a.example"]),
            Err(HttpError::Target),
            "{query}"
        );
    }
}

/// Paths out of pieces that tend to be read differently.
fn tricky() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("/".to_owned()),
        Just(".".to_owned()),
        Just("%2e".to_owned()),
        Just("%".to_owned()),
        Just("%25".to_owned()),
        Just(";".to_owned()),
        Just("%3b".to_owned()),
        "[a-z0-9]",
        any::<u8>().prop_map(|octet| format!("%{octet:02x}")),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| format!("/{}", pieces.concat()))
}

fn decode(path: &str) -> String {
    let mut octets = Vec::new();
    let mut rest = path.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            b'%' => {
                let digits = std::str::from_utf8(&rest[..2]).unwrap();
                octets.push(u8::from_str_radix(digits, 16).unwrap());
                rest = &rest[2..];
            }
            octet => octets.push(*octet),
        }
    }
    String::from_utf8(octets).unwrap()
}

proptest! {
    #[test]
    fn a_canonical_path_is_its_own_canonical_form(path in tricky()) {
        if let Ok(once) = canonical(&path) {
            prop_assert_eq!(canonical(&once), Ok(once.clone()));
            prop_assert_eq!(decode(&once), decode(&path));
            prop_assert_eq!(decode(&once).matches('/').count(), path.matches('/').count());
            let clean = decode(&once).split('/').all(|s| s != "." && s != "..");
            prop_assert!(clean);
        }
    }

    #[test]
    fn one_decoded_path_has_one_spelling(left in tricky(), right in tricky()) {
        if let (Ok(left), Ok(right)) = (canonical(&left), canonical(&right)) {
            // Reserved characters mean something else when they are escaped.
            let reserved = |path: &str| path.contains([';', '%']);
            if decode(&left) == decode(&right) && !reserved(&left) && !reserved(&right) {
                prop_assert_eq!(left, right);
            }
        }
    }
}
