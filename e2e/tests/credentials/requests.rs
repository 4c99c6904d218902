//! Requests inside TLS that two readers could understand differently, and what a client sends to authenticate itself in another way.

use ringfence_testkit::api::{Api, echo};

use super::desk::{Desk, SECRET, acme_profile};

const PROFILE_FIELDS: &str =
    "methods: [GET, POST], paths: [\"/repos/acme/web\", \"/repos/acme/web/**\"]";

/// Sends octets inside TLS and prints status and reason.
const SEND: &str = r#"
from wire import *
context = ssl.create_default_context()

def send(octets):
    with context.wrap_socket(connect("api.acme.test", 443), server_hostname="api.acme.test") as tls:
        try:
            tls.sendall(octets)
            answer = all_of(tls)
        except OSError:
            answer = b""
    reason = answer.lower().partition(b"x-ringfence-reason: ")[2].partition(b"\r\n")[0]
    show(answer[9:12] + b" " + reason)

def get(target, fields=b"Host: api.acme.test\r\n", method=b"GET", body=b""):
    send(method + b" " + target + b" HTTP/1.1\r\nConnection: close\r\n" + fields + b"\r\n" + body)
"#;

/// Calls in Python, with the status and reason that each must get.
const ATTACKS: &[(&str, &str)] = &[
    ("get(b'/repos/acme/web')", "200 "),
    // Whose request is it?
    (
        "get(b'/repos/acme/web', b'Host: evil.test\\r\\n')",
        "400 host-mismatch",
    ),
    (
        "get(b'/repos/acme/web', b'Host: api.acme.test:8443\\r\\n')",
        "400 host-mismatch",
    ),
    ("get(b'/repos/acme/web', b'')", "400 malformed"),
    (
        "get(b'/repos/acme/web', b'Host: api.acme.test\\r\\nHost: evil.test\\r\\n')",
        "400 malformed",
    ),
    (
        "get(b'/repos/acme/web', b'Host: api.acme.test\\r\\nHost: api.acme.test\\r\\n')",
        "400 malformed",
    ),
    (
        "get(b'/repos/acme/web', b'Host: api.acme.test/#@evil.test\\r\\n')",
        "400 malformed",
    ),
    (
        "get(b'/repos/acme/web', b'Host: api.acme.test@evil.test\\r\\n')",
        "400 malformed",
    ),
    ("get(b'https://evil.test/repos/acme/web')", "4"),
    // Which resource is it?
    ("get(b'/repos/acme/payroll')", "403 path-not-allowed"),
    ("get(b'/repos/acme/web/../payroll')", "4"),
    ("get(b'/repos/acme/web/%2e%2e/payroll')", "4"),
    ("get(b'/repos/acme/web/..%2fpayroll')", "4"),
    ("get(b'/repos/acme/web%2F..%2Fpayroll')", "4"),
    ("get(b'/repos/acme/web/%252e%252e/payroll')", "4"),
    ("get(b'/repos/acme/web/..;/payroll')", "4"),
    ("get(b'/repos//acme/web')", "4"),
    ("get(b'/repos/acme/web/\\xff')", "4"),
    ("get(b'/repos/acme/web\\\\..\\\\payroll')", "4"),
    ("get(b'/repos/acme/web/a%00b')", "4"),
    // Where does it end?
    (
        "get(b'/repos/acme/web', b'Host: api.acme.test\\r\\nContent-Length: 4\\r\\nTransfer-Encoding: chunked\\r\\n', b'POST', b'0\\r\\n\\r\\n')",
        "400 malformed",
    ),
    (
        "get(b'/repos/acme/web', b'Host: api.acme.test\\r\\nContent-Length: 4\\r\\nContent-Length: 5\\r\\n', b'POST', b'aaaa')",
        "400 malformed",
    ),
    (
        "get(b'/repos/acme/web', b'Host: api.acme.test\\r\\nTransfer-Encoding: xchunked\\r\\n', b'POST', b'0\\r\\n\\r\\n')",
        "4",
    ),
    (
        "get(b'/repos/acme/web', b'Host: api.acme.test\\r\\nX-A: b\\nAuthorization: c\\r\\n')",
        "400 malformed",
    ),
    (
        "get(b'/repos/acme/web', b'Host: api.acme.test\\r\\nX-A : b\\r\\n')",
        "400 malformed",
    ),
    // Is it this request at all?
    (
        "get(b'/repos/acme/web', method=b'DELETE')",
        "403 method-not-allowed",
    ),
    (
        "get(b'/repos/acme/web', method=b'get')",
        "403 method-not-allowed",
    ),
    ("get(b'api.acme.test:443', method=b'CONNECT')", "4"),
    (
        "get(b'/repos/acme/web', b'Host: api.acme.test\\r\\nUpgrade: h2c\\r\\nConnection: Upgrade\\r\\n')",
        "200 ",
    ),
    (
        "send(b\'PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n')",
        "505 upgrade-refused",
    ),
    (
        "send(b'GET /repos/acme/web HTTP/1.1\\r\\nHost: api.acme.test\\r\\n\\r\\nGET /repos/acme/payroll HTTP/1.1\\r\\nHost: api.acme.test\\r\\nConnection: close\\r\\n\\r\\n')",
        "200 ",
    ),
];

#[test]
fn what_can_be_read_in_two_ways_is_refused() {
    let (desk, api) = desk();
    let calls: Vec<&str> = ATTACKS.iter().map(|(call, _)| *call).collect();
    let ended = desk
        .host
        .run()
        .profile("api")
        .python(&format!("{SEND}{}\n", calls.join("\n")));
    assert_eq!(ended.code, 0, "{ended}");
    let answers: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(answers.len(), ATTACKS.len(), "{ended}");
    for ((call, expected), answer) in ATTACKS.iter().zip(answers) {
        assert!(
            answer.starts_with(expected),
            "{call}: {answer}, not {expected}: {ended}"
        );
    }
    // The first, the one that asks for another protocol, which is not passed on, and the first of the two in a row.
    let paths: Vec<String> = api.requests().iter().map(|it| it.path.clone()).collect();
    assert_eq!(paths, ["/repos/acme/web"; 3], "{ended}");
    assert!(
        api.requests()
            .iter()
            .all(|it| it.header("upgrade").is_none()),
        "{ended}"
    );
    let not_allowed = |code: &String| code == "path-not-allowed";
    assert!(
        ended
            .codes()
            .iter()
            .filter(|code| not_allowed(code))
            .count()
            >= 2,
        "{ended}"
    );
}

#[test]
fn what_the_agent_would_authenticate_itself_with_is_dropped() {
    let (desk, api) = desk();
    let ended = desk.host.run().profile("api").sh(
        "for version in --http1.1 --http2; do
             curl -sS --fail -o /dev/null $version -H 'Authorization: Bearer mine' -H 'Cookie: session=mine' -H 'X-Api-Key: mine' -H 'Api-Key: mine' \
                 -H 'X-Auth-Token: mine' -H 'Proxy-Authorization: Basic bWluZQ==' -H 'X-GitHub-OTP: mine' \
                 -H 'X-HTTP-Method-Override: DELETE' -H 'X-HTTP-Method: DELETE' -H 'X-Method-Override: DELETE' \
                 -H 'X-Forwarded-Host: evil.test' -H 'X-Kept: kept' \
                 -d body \"https://api.acme.test/repos/acme/web?access_token=$API_TOKEN&page=2\" || exit 1
         done",
    );
    assert_eq!(ended.code, 0, "{ended}");
    let requests = api.requests();
    assert_eq!(requests.len(), 2);
    let expected = format!("Bearer {SECRET}");
    for request in requests {
        let fields = |name: &str| {
            request
                .headers
                .iter()
                .filter(|(known, _)| known == name)
                .count()
        };
        assert_eq!(request.header("authorization"), Some(expected.as_str()));
        assert_eq!(fields("authorization"), 1);
        assert_eq!(request.header("x-kept"), Some("kept"));
        for name in [
            "cookie",
            "x-api-key",
            "api-key",
            "x-auth-token",
            "proxy-authorization",
            "x-github-otp",
            "x-http-method-override",
            "x-http-method",
            "x-method-override",
        ] {
            assert_eq!(fields(name), 0, "{name}: {request:?}");
        }
        assert_eq!(
            (request.method.as_str(), request.body.as_slice()),
            ("POST", &b"body"[..])
        );
        assert_eq!(
            request.query, "page=2",
            "a token of ours is nothing for an upstream"
        );
    }
}

#[test]
fn a_body_that_a_rule_must_read_and_cannot_is_refused() {
    let mut desk = Desk::new();
    let api = desk.api("api.acme.test", echo);
    desk.acme("methods: [POST], content: { types: [application/json], octets: 1000, json: { type: object, properties: { safe: { const: true } }, required: [safe] } }");
    let ended = desk.host.run().profile("api").python(BODIES);
    assert_eq!(ended.code, 0, "{ended}");
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(lines[0], "200", "{ended}");
    assert!(lines.len() > 8, "{ended}");
    for line in &lines[1..] {
        assert!(line.starts_with('4'), "{line}: {ended}");
    }
    assert_eq!(api.requests().len(), 1);
}

/// The first body is what the rule wants; the others only look so to one reader or another.
const BODIES: &str = r#"
import gzip, urllib.error, urllib.request

def post(body, **headers):
    fields = {"Content-Type": "application/json"}
    fields.update({name.replace("_", "-"): value for name, value in headers.items()})
    request = urllib.request.Request("https://api.acme.test/", body, fields)
    try:
        print(urllib.request.urlopen(request, timeout=20).status)
    except urllib.error.HTTPError as error:
        print(error.status, error.headers["X-Ringfence-Reason"])

good = b'{"safe": true}'
post(good)
post(b'{"safe": false}')
post(b'{"safe": true, "safe": false}')
post(b'{"safe": true, "s\\u0061fe": false}')
post(good + good)
post(b'\xef\xbb\xbf' + good)
post('{"safe": true}'.encode("utf-16"))
post(gzip.compress(good), Content_Encoding="gzip")
post(gzip.compress(good))
post(good, Content_Type="text/plain")
post(good, Content_Type="application/json; charset=utf-7")
post(b'{"safe": true, "x": "' + b"a" * 2000 + b'"}')
post(b"[" * 900 + b"]" * 90)
post(b"--b\r\n\r\n" + good + b"\r\n--b--", Content_Type="multipart/form-data; boundary=b")
"#;

fn desk() -> (Desk, Api) {
    let mut desk = Desk::new();
    let api = desk.api("api.acme.test", echo);
    desk.add("acme", "bearer", "api.acme.test", SECRET);
    desk.host.profile("api", &acme_profile(PROFILE_FIELDS));
    (desk, api)
}
