//! Request heads.

use ringfence_model::Scheme;

use super::*;
const HOST: &str = "Host: a.example";
const GET: &str = "GET / HTTP/1.1";
const POST: &str = "POST / HTTP/1.1";

fn authority(text: &str) -> Authority {
    Authority::read(text).unwrap()
}

#[test]
fn reads_a_request_at_every_split() {
    let lines = [
        "PUT /a/b?c=d HTTP/1.1",
        "Host: a.example:8080",
        "Accept: */*",
        "X-Empty:",
        "Accept: \t text/html ; q=1 \t",
        "Content-Length: 3",
    ];
    let wire = [&joined(&lines)[..], b"abcGET / HTTP/1.1\r\n"].concat();
    let length = wire.len() - 19;
    let mut reader = RequestReader::default();
    for end in 0..length {
        assert_eq!(read_request(&wire[..end]), Ok(None));
        assert_eq!(reader.read(&wire[..end]), Ok(None));
    }
    let (head, used) = read_request(&wire).unwrap().unwrap();
    assert_eq!(reader.read(&wire), Ok(Some((head.clone(), used))));
    assert_eq!(used, length);
    assert_eq!(head.method, "PUT");
    assert_eq!(head.target.path(), Some("/a/b"));
    assert_eq!(head.target.query(), Some("c=d"));
    assert_eq!(head.authority, authority("a.example:8080"));
    assert_eq!(head.body, BodyKind::Length(3));
    assert_eq!(names(&head.headers), ["Accept", "X-Empty", "Accept"]);
    assert_eq!(head.headers.get("accept"), Some(&b"*/*"[..]));
    assert_eq!(head.headers.get("x-empty"), Some(&b""[..]));
    let values: Vec<_> = head.headers.iter().map(|(_, value)| value).collect();
    assert_eq!(values[2], b"text/html ; q=1");
    assert!(head.keep_alive && !head.expect_continue);
}

#[test]
fn reads_the_four_forms_of_a_target() {
    let head = request(&["GET http://A.Example/x?y HTTP/1.1", "Host: a.example"]).unwrap();
    let expected = Target::Absolute {
        scheme: Scheme::Http,
        authority: "a.example:80".parse().unwrap(),
        path: "/x".to_owned(),
        query: Some("y".to_owned()),
    };
    assert_eq!(head.target, expected);
    let head = request(&["CONNECT a.example:443 HTTP/1.1", "Host: a.example:443"]).unwrap();
    let expected = Target::Authority("a.example:443".parse().unwrap());
    assert_eq!(head.target, expected);
    let head = request(&["OPTIONS * HTTP/1.1", HOST]).unwrap();
    assert_eq!(head.target, Target::Asterisk);
    assert_eq!(head.target.path(), Some("*"));
    for (target, path, query) in [
        ("HTTPS://a.example:443/", "/", None),
        ("http://a.example:443", "/", None),
        ("http://a.example:443?q", "/", Some("q")),
    ] {
        let head = request(&[&format!("GET {target} HTTP/1.1"), "Host: a.example:443"]).unwrap();
        assert_eq!(head.target.path(), Some(path));
        assert_eq!(head.target.query(), query);
    }
}

#[test]
fn refuses_what_no_request_line_is() {
    for (line, expected) in [
        ("GET /", HttpError::StartLine),
        ("GET", HttpError::StartLine),
        ("GET  / HTTP/1.1", HttpError::StartLine),
        ("GET / HTTP/1.1 ", HttpError::StartLine),
        (" GET / HTTP/1.1", HttpError::StartLine),
        ("GET\t/ HTTP/1.1", HttpError::StartLine),
        ("GET / b HTTP/1.1", HttpError::StartLine),
        ("GET / http/1.1", HttpError::StartLine),
        ("GET /\u{e9} HTTP/1.1", HttpError::StartLine),
        ("GET /\0 HTTP/1.1", HttpError::StartLine),
        ("GET /\r HTTP/1.1", HttpError::StartLine),
        ("GET /\x7f HTTP/1.1", HttpError::StartLine),
        ("GET / HTTP/2.0", HttpError::Version),
        ("GET / HTTP/1.2", HttpError::Version),
        ("GET / HTTP/0.9", HttpError::Version),
        ("GET / HTTP/1.10", HttpError::Version),
        ("G(T / HTTP/1.1", HttpError::Method),
        ("G\u{2f}T / HTTP/1.1", HttpError::Method),
        ("* * HTTP/1.1", HttpError::Method),
        ("GET * HTTP/1.1", HttpError::Method),
        ("GET *.example HTTP/1.1", HttpError::Target),
        ("GET a HTTP/1.1", HttpError::Target),
        ("GET a.example:80 HTTP/1.1", HttpError::Target),
        ("GET ?q HTTP/1.1", HttpError::Target),
        ("GET /#f HTTP/1.1", HttpError::Target),
        ("GET /?q#f HTTP/1.1", HttpError::Target),
        ("GET http://a.example#f HTTP/1.1", HttpError::Target),
        ("GET http:// HTTP/1.1", HttpError::Target),
        ("GET http:///x HTTP/1.1", HttpError::Target),
        ("GET http:/a.example HTTP/1.1", HttpError::Target),
        ("GET ftp://a.example/ HTTP/1.1", HttpError::Target),
        ("GET ws://a.example/ HTTP/1.1", HttpError::Target),
        ("GET http://user@a.example/ HTTP/1.1", HttpError::Target),
        (
            "GET http://a.example:80@b.example/ HTTP/1.1",
            HttpError::Target,
        ),
        (
            "GET http://a.example\\@b.example/ HTTP/1.1",
            HttpError::PathAmbiguous,
        ),
        ("GET http://a.example:0/ HTTP/1.1", HttpError::Target),
        ("GET http://a.example:/ HTTP/1.1", HttpError::Target),
        ("GET http://a.example:65536/ HTTP/1.1", HttpError::Target),
        ("GET http://a%2eexample/ HTTP/1.1", HttpError::Target),
        ("GET http://127.1/ HTTP/1.1", HttpError::Target),
        ("OPTIONS http://a.example HTTP/1.1", HttpError::Target),
        ("CONNECT a.example HTTP/1.1", HttpError::Target),
        ("CONNECT /x HTTP/1.1", HttpError::Target),
        ("CONNECT * HTTP/1.1", HttpError::Target),
        ("CONNECT http://a.example/ HTTP/1.1", HttpError::Target),
        ("CONNECT a.example:443/x HTTP/1.1", HttpError::Target),
        ("CONNECT 2001:db8::1:443 HTTP/1.1", HttpError::Target),
    ] {
        assert_eq!(request_error(&[line, HOST]), expected, "{line:?}");
    }
}

#[test]
fn names_http2_without_tls_as_such() {
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    assert_eq!(read_request(preface), Err(HttpError::Http2Preface));
    assert_eq!(read_request(&preface[..16]), Err(HttpError::Http2Preface));
    assert_eq!(HttpError::Http2Preface.status(), 505);
}

#[test]
fn refuses_protocol_upgrades() {
    for upgrade in [
        "websocket",
        "TLS/1.2",
        "h2",
        "h2c, websocket",
        "websocket, h2c",
        "h2c,",
        "h2cx",
        "",
    ] {
        let upgrade = format!("uPgrade: {upgrade}");
        let found = request_error(&[GET, HOST, "Connection: Upgrade", &upgrade]);
        assert_eq!(found, HttpError::Upgrade);
        assert_eq!(request_error(&[GET, HOST, &upgrade]), HttpError::Upgrade);
        let twice = request_error(&[GET, HOST, &upgrade, "Upgrade: h2c"]);
        assert_eq!(twice, HttpError::Upgrade);
    }
}

#[test]
fn an_offer_of_http2_in_clear_text_is_ignored_and_goes_no_further() {
    let head = request(&[
        GET,
        HOST,
        "Connection: Upgrade, HTTP2-Settings",
        "Upgrade: H2C ",
        "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
        "X: y",
    ]);
    let head = head.unwrap();
    assert!(head.keep_alive);
    let mut out = Vec::new();
    write_request(&head, TargetForm::Origin, &mut out);
    let out = String::from_utf8(out).unwrap();
    assert_eq!(out, "GET / HTTP/1.1\r\nHost: a.example\r\nX: y\r\n\r\n");
}

#[test]
fn refuses_line_ends_that_servers_disagree_on() {
    for wire in [
        &b"GET / HTTP/1.1\nHost: a.example\r\n\r\n"[..],
        b"GET / HTTP/1.1\r\nHost: a.example\nX: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a.example\r\n\n",
        b"GET / HTTP/1.1\n",
    ] {
        assert_eq!(read_request(wire), Err(HttpError::LineEnding), "{wire:?}");
    }
    for value in ["a\rb", "a\r", "\ra", "a\0b", "a\x0bb", "\x7f", "a\x1b[0m"] {
        let field = format!("X: {value}");
        assert_eq!(request_error(&[GET, HOST, &field]), HttpError::HeaderValue);
    }
    assert_eq!(
        read_request(b"\r\nGET / HTTP/1.1\r\n"),
        Err(HttpError::StartLine)
    );
    assert_eq!(read_request(b"\r\n"), Err(HttpError::StartLine));
}

#[test]
fn refuses_field_names_that_servers_disagree_on() {
    for (field, expected) in [
        ("X-Name : y", HttpError::HeaderName),
        ("X Name: y", HttpError::HeaderName),
        (": y", HttpError::HeaderName),
        ("no colon", HttpError::HeaderName),
        ("X\u{e9}: y", HttpError::HeaderName),
        ("X\0: y", HttpError::HeaderName),
        ("X\r: y", HttpError::HeaderName),
        ("\"X\": y", HttpError::HeaderName),
        ("Content-Length : 3", HttpError::HeaderName),
        ("Transfer-Encoding\t: chunked", HttpError::HeaderName),
        ("Content_Length: 3", HttpError::HeaderName),
        ("TRANSFER_ENCODING: chunked", HttpError::HeaderName),
        (" folded", HttpError::ObsoleteFold),
        ("\tfolded: x", HttpError::ObsoleteFold),
    ] {
        assert_eq!(request_error(&[POST, HOST, field]), expected, "{field:?}");
    }
}

#[test]
fn reads_values_beyond_ascii_as_octets() {
    let head = read_whole_request(b"GET / HTTP/1.1\r\nHost: a.example\r\nX: \xe9\xff\r\n\r\n");
    assert_eq!(head.unwrap().headers.get("x"), Some(&b"\xe9\xff"[..]));
}

#[test]
fn needs_exactly_one_sound_host() {
    assert_eq!(request_error(&[GET]), HttpError::Host);
    assert_eq!(request_error(&["GET / HTTP/1.0"]), HttpError::Host);
    assert_eq!(request_error(&[GET, HOST, HOST]), HttpError::Host);
    assert_eq!(
        request_error(&[GET, HOST, "host: b.example"]),
        HttpError::Host
    );
    for host in [
        "",
        " ",
        "a.example, b.example",
        "a.example b.example",
        "a.example:",
        "a.example:0",
        "a.example:+80",
        "a.example:65536",
        "a.example:80:80",
        "a.example:http",
        "user@a.example",
        "a.example/",
        "a.example#",
        "a.example\\",
        "http://a.example",
        "a_b.example",
        "a%2eexample",
        "127.1",
        "0x7f000001",
        "2001:db8::1",
        "[2001:db8::1",
        "[2001:db8::1]80",
        "[fe80::1%25eth0]",
        "[192.0.2.1]",
        "[a.example]",
        "b\u{fc}cher.example",
    ] {
        assert_eq!(
            request_error(&[GET, &format!("Host: {host}")]),
            HttpError::Host,
            "{host:?}"
        );
    }
}

#[test]
fn reads_every_form_of_host() {
    for (host, name, port) in [
        ("a.example", "a.example", None),
        ("A.EXAMPLE.", "a.example", None),
        ("a.example:8080", "a.example", Some(8080)),
        ("192.0.2.1:80", "192.0.2.1", Some(80)),
        ("[2001:DB8::1]", "2001:db8::1", None),
        ("[::ffff:192.0.2.1]:443", "192.0.2.1", Some(443)),
    ] {
        let head = request(&[GET, &format!("Host: {host}")]).unwrap();
        assert_eq!(head.authority.host.to_string(), name);
        assert_eq!(head.authority.port, port);
        let destination = head.authority.destination(80).unwrap();
        assert_eq!(destination.port, port.unwrap_or(80));
    }
}

#[test]
fn refuses_a_host_that_differs_from_the_target() {
    for (target, host) in [
        ("GET http://a.example/", "b.example"),
        ("GET http://a.example/", "a.example:8080"),
        ("GET http://a.example:8080/", "a.example"),
        ("GET https://a.example/", "a.example:80"),
        ("GET http://192.0.2.1/", "a.example"),
        ("CONNECT a.example:443", "b.example:443"),
        ("CONNECT a.example:443", "a.example:80"),
    ] {
        let line = format!("{target} HTTP/1.1");
        let found = request_error(&[&line, &format!("Host: {host}")]);
        assert_eq!(found, HttpError::HostMismatch, "{target} {host}");
    }
    for (target, host) in [
        ("GET http://a.example:80/", "a.example"),
        ("GET http://a.example/", "A.example.:80"),
        ("GET https://a.example/", "a.example:443"),
        ("GET http://[::ffff:192.0.2.1]/", "192.0.2.1"),
        ("CONNECT a.example:443", "a.example"),
    ] {
        let line = format!("{target} HTTP/1.1");
        assert!(
            request(&[&line, &format!("Host: {host}")]).is_ok(),
            "{target}"
        );
    }
}

#[test]
fn takes_the_host_of_old_clients_from_the_target() {
    let head = request(&["CONNECT a.example:443 HTTP/1.0"]).unwrap();
    assert_eq!(head.authority, authority("a.example:443"));
    let head = request(&["GET http://a.example/ HTTP/1.0"]).unwrap();
    assert_eq!(head.authority, authority("a.example:80"));
    assert_eq!(
        request_error(&["CONNECT a.example:443 HTTP/1.1"]),
        HttpError::Host
    );
    assert_eq!(
        request_error(&["GET http://a.example/ HTTP/1.1"]),
        HttpError::Host
    );
    let line = "GET http://a.example/ HTTP/1.0";
    assert_eq!(
        request_error(&[line, "Host: b.example"]),
        HttpError::HostMismatch
    );
}
