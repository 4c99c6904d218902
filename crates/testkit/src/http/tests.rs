use super::*;
use crate::process::{command, run};

fn curl(address: SocketAddr, options: &[&str]) -> String {
    let mut curl = command("curl");
    curl.args(["-sS", "--max-time", "10"]).args(options);
    let output = run(curl.arg(format!("http://{address}/path"))).unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn records_requests_as_they_arrived() {
    let upstream = HttpUpstream::ok().unwrap();
    assert_eq!(
        curl(upstream.address(), &["-H", "X-Odd:  two  spaces"]),
        "ok\n"
    );
    let requests = upstream.requests();
    let text = String::from_utf8(requests[0].clone()).unwrap();
    assert!(text.starts_with("GET /path HTTP/1.1\r\n"), "{text}");
    assert!(text.contains("\r\nX-Odd:  two  spaces\r\n"), "{text}");
}

#[test]
fn tells_requests_on_one_connection_apart() {
    let upstream = HttpUpstream::ok().unwrap();
    let url = format!("http://{}/second", upstream.address());
    let chunked = ["-H", "Transfer-Encoding: chunked", "-d", "body", &url];
    assert_eq!(curl(upstream.address(), &chunked), "ok\nok\n");
    let requests = upstream.requests();
    assert_eq!(requests.len(), 2);
    assert!(
        requests
            .iter()
            .all(|request| request.ends_with(b"4\r\nbody\r\n0\r\n\r\n"))
    );
    assert_eq!(upstream.connections().connections().len(), 1);
}

#[test]
fn measures_requests_by_their_framing() {
    let cases: [(&[u8], Option<usize>); 6] = [
        (b"GET / HTTP/1.1\r\n\r\nnext", Some(18)),
        (b"GET / HTTP/1.1\r\n\r", None),
        (b"PUT / HTTP/1.1\r\nContent-Length: 2\r\n\r\nabc", Some(39)),
        (b"PUT / HTTP/1.1\r\nContent-Length: 4\r\n\r\nabc", None),
        (
            b"PUT / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1;x\r\na\r\n0\r\n\r\nnext",
            Some(59),
        ),
        (
            b"PUT / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n",
            None,
        ),
    ];
    for (octets, expected) in cases {
        let text = String::from_utf8_lossy(octets);
        assert_eq!(request_length(octets), expected, "{text}");
    }
}

#[test]
fn sends_what_the_script_says_even_when_it_is_not_http() {
    let upstream =
        HttpUpstream::once(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort").unwrap();
    let mut curl = command("curl");
    let error = run(curl.args(["-sS", &format!("http://{}/", upstream.address())])).unwrap_err();
    assert!(error.to_string().contains("(18)"), "{error}");
}
