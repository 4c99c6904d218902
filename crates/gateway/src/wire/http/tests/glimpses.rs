//! What refused heads say about where they were to go.

use super::*;

fn tried(head: impl AsRef<[u8]>) -> Option<String> {
    Some(match glimpse(head.as_ref())? {
        Glimpse::Request(
            method,
            Target::Absolute {
                scheme,
                authority,
                path,
                ..
            },
        ) => {
            format!("{method} {}://{authority}{path}", scheme.as_str())
        }
        Glimpse::Request(method, Target::Authority(destination)) => {
            format!("{method} {destination}")
        }
        Glimpse::Request(method, _) => method,
        Glimpse::Place(destination) => destination.to_string(),
    })
}

#[test]
fn a_sound_first_line_is_what_was_wanted() {
    for (head, expected) in [
        (
            "GET http://a.example/x HTTP/1.1\r\n",
            "GET http://a.example:80/x",
        ),
        (
            "GET http://a.example/x HTTP/1.1\nHost",
            "GET http://a.example:80/x",
        ),
        (
            "GET https://a.example/x HTTP/9\r\n",
            "GET https://a.example:443/x",
        ),
        ("GET http://a.example/x\r\n", "GET http://a.example:80/x"),
        (
            "CONNECT a.example:443 HTTP/1.1\r\n",
            "CONNECT a.example:443",
        ),
        ("GET / HTTP/1.1\r\n", "GET"),
    ] {
        assert_eq!(tried(head).as_deref(), Some(expected), "{head}");
    }
}

#[test]
fn a_sound_authority_is_known_where_the_rest_is_not_sound() {
    for head in [
        "GET http://a.example/x/../y HTTP/1.1\r\n",
        "GET http://a.example/\0 HTTP/1.1\r\n",
        "GET http://a.example/\u{e9} HTTP/1.1\r\n",
        "GET http://a.example/?\u{e9} HTTP/1.1\r\n",
        "GET http://a.example#f HTTP/1.1\r\n",
        "GET http://a.example/and so on, with no end of the line",
        "OPTIONS http://a.example HTTP/1.1\r\n",
    ] {
        assert_eq!(tried(head).as_deref(), Some("a.example:80"), "{head}");
    }
    let long = format!("GET http://a.example/{} HTTP/1.1\r\n", "x".repeat(20_000));
    assert_eq!(tried(long).as_deref(), Some("a.example:80"));
}

#[test]
fn nothing_is_known_where_no_authority_is_sound() {
    for head in [
        "",
        "\r\n",
        "GET",
        "GET \r\n",
        "what is this\r\n",
        "G@T http://a.example/ HTTP/1.1\r\n",
        "GET http://user@a.example/ HTTP/1.1\r\n",
        "GET http://evil\0.a.example/ HTTP/1.1\r\n",
        "GET http://\u{e9}.example/ HTTP/1.1\r\n",
        "GET http://a.example",
        "GET ftp://a.example/ HTTP/1.1\r\n",
        "CONNECT a.example HTTP/1.1\r\n",
        "CONNECT evil\0.a.example:443 HTTP/1.1\r\n",
        "CONNECT a.example:443",
    ] {
        assert_eq!(tried(head), None, "{head}");
    }
    assert_eq!(tried(b"\x16\x03\x01\x02\x00\x01\xff"), None);
}
