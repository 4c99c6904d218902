//! An upstream that sends back all that it was sent, in every form: the agent sees nothing of the credential.

use std::io::Write as _;
use std::sync::{Arc, Mutex};

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use ringfence_testkit::api::{ApiRequest, ApiResponse, echo};

use super::desk::{Desk, SECRET, acme_profile};
use super::encodings::{encodings, places, whole_base64};

/// Fetches each form by both versions of HTTP, and keeps the octets that arrived, head and body.
const FETCH: &str = "
for version in --http1.1 --http2; do
    for path in echo forms many error redirect cookie; do
        curl -sS -i $version -o received$version-$path \"https://api.acme.test/$path?access_token=$API_TOKEN\" -H \"X-Api-Key: $API_TOKEN\" -d body || exit 1
    done
    for coding in gzip deflate; do
        curl -sS -i $version -o received$version-$coding -H \"Accept-Encoding: $coding\" https://api.acme.test/$coding || exit 1
        curl -sS --compressed $version -o received$version-decoded-$coding https://api.acme.test/$coding || exit 1
    done
    curl -sS -i $version -o received$version-broken -H 'Accept-Encoding: gzip' https://api.acme.test/broken
done
for path in utf16 wide; do
    curl -sS -H 'Accept: application/json;charset=UTF-16LE' -H 'Accept-Charset: utf-16' https://api.acme.test/$path | tr -d '\\0' > received-$path
done
curl -sS -o whole https://api.acme.test/plain
";

/// Answers with the value of the credential, as different upstreams would show it.
fn reflect(request: &ApiRequest) -> ApiResponse {
    let value = request.header("authorization").unwrap_or_default();
    let secret = value.trim_start_matches("Bearer ");
    let forms = as_written(secret).join("\n");
    match request.path.as_str() {
        "/forms" => ApiResponse::new(200, forms).with("Content-Type", "text/plain"),
        // Longer than any buffer on the way, so that some copies stand across the end of one.
        "/many" => ApiResponse::new(200, format!("{secret}.").repeat(20_000)),
        "/error" => ApiResponse::new(500, format!("<h1>Bad token {secret}</h1>")),
        "/redirect" => {
            let target = format!("https://api.acme.test/?access_token={secret}");
            ApiResponse::new(302, "").with("Location", &target)
        }
        "/cookie" => ApiResponse::new(200, "")
            .with("Set-Cookie", &format!("session={secret}; HttpOnly"))
            .with(
                "Set-Cookie",
                &format!("b64={}", whole_base64(secret.as_bytes())),
            ),
        "/gzip" => compressed("gzip", &forms),
        "/deflate" => compressed("deflate", &forms),
        // What calls itself compressed and is not must not be passed on unread.
        "/broken" => ApiResponse::new(200, forms).with("Content-Encoding", "gzip"),
        // Another alphabet, where it is said and where it is not.
        "/utf16" => ApiResponse::new(200, wide(secret))
            .with("Content-Type", "application/json;charset=UTF-16LE"),
        "/wide" => ApiResponse::new(200, wide(secret)),
        "/plain" => ApiResponse::new(200, "nothing of it"),
        _ => echo(request),
    }
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// The forms that upstreams write, base64 whole and with something before and behind.
fn as_written(secret: &str) -> Vec<String> {
    let is_escape = |form: &String| form.len() > secret.len() * 3 / 2 || form.contains('%');
    let mut forms: Vec<String> = encodings(secret).into_iter().filter(is_escape).collect();
    forms.push(secret.to_owned());
    forms.push(format!("{{\"token\":\"{}\"}}", secret.replace('/', "\\/")));
    for (before, behind) in [
        ("", ""),
        ("x", ""),
        ("xy", "z"),
        ("user:", ""),
        ("", "\n"),
        ("Bearer ", ".."),
    ] {
        let text = whole_base64(format!("{before}{secret}{behind}").as_bytes());
        forms.push(text.replace('+', "-").replace('/', "_"));
        forms.push(text.trim_end_matches('=').to_owned());
        forms.push(text);
    }
    forms
}

fn compressed(coding: &str, text: &str) -> ApiResponse {
    let body = if coding == "gzip" {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    } else {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    ApiResponse::new(200, body).with("Content-Encoding", coding)
}

#[test]
fn an_upstream_that_sends_everything_back_reveals_nothing() {
    let mut desk = Desk::new();
    let api = desk.api("api.acme.test", reflect);
    desk.acme("methods: [GET, POST]");
    let ended = desk.host.run().profile("api").sh(FETCH);
    assert_eq!(desk.read("whole"), "nothing of it", "{ended}");
    let project = desk.host.project().to_owned();
    desk.host.file("said", ended.to_string());
    // The search can find it, so that finding nothing means something.
    desk.host.file("planted", format!("x{SECRET}y"));
    let found = places(&desk.host, SECRET, &[&project]);
    assert_eq!(
        found,
        [project.join("planted").display().to_string()],
        "{ended}"
    );
    let expected = format!("Bearer {SECRET}");
    for request in api.requests() {
        assert_eq!(request.header("authorization"), Some(expected.as_str()));
    }
    assert!(api.requests().len() >= 18, "{ended}");
    for name in ["--http1.1-many", "--http2-many", "--http1.1-decoded-gzip"] {
        let received = desk.read(format!("received{name}"));
        assert!(!received.is_empty(), "{name}: {ended}");
    }
    assert!(desk.read("received-utf16").contains("alphabet"), "{ended}");
    assert_eq!(
        desk.read("received-wide"),
        "REDACTED-BY-RINGFENCE",
        "{ended}"
    );
    for request in api.requests() {
        assert_eq!(request.header("accept-encoding"), Some("identity"));
        assert_eq!(request.header("accept-charset"), None);
    }
    let scrubbed = |event: &&serde_json::Value| event["closing"]["scrubbed"].as_u64() > Some(0);
    assert!(
        ended.events.iter().filter(scrubbed).count() >= 12,
        "{ended}"
    );
    let findings = desk.findings();
    assert!(
        findings
            .iter()
            .any(|(code, detail)| code == "credential-echoed" && detail.contains("acme")),
        "{findings:?}"
    );
}

/// Two hosts of one upstream that keeps what it is sent: what it was sent with the credential, it shows to requests without one.
#[test]
fn what_was_sent_by_one_rule_is_shown_by_no_other() {
    let mut desk = Desk::new();
    let kept = Arc::new(Mutex::new(String::new()));
    let keeping = Arc::clone(&kept);
    let _api = desk.api("api.acme.test", move |request| {
        let sent = request.header("authorization").unwrap_or_default();
        keeping.lock().unwrap().push_str(sent);
        ApiResponse::new(200, "kept")
    });
    let showing = Arc::clone(&kept);
    let _other = desk.api("other.acme.test", move |_| {
        let kept = showing.lock().unwrap().clone();
        ApiResponse::new(200, format!("[{kept}]")).with("X-Kept", &kept)
    });
    desk.add("acme", "bearer", "api.acme.test", SECRET);
    let rules =
        "  - allow: { id: shown, host: other.acme.test, methods: [GET], paths: [\"/**\"] }\n";
    let profile = format!("{}{rules}", acme_profile("methods: [GET]"));
    desk.host.profile("api", &profile);
    let script = "curl -sS https://other.acme.test/ > before && curl -sS https://api.acme.test/ \
                  && curl -sS -i https://other.acme.test/ > after";
    let ended = desk.host.run().profile("api").sh(script);
    assert_eq!(*kept.lock().unwrap(), format!("Bearer {SECRET}"), "{ended}");
    assert_eq!(desk.read("before"), "[]", "{ended}");
    let after = desk.read("after");
    assert!(after.ends_with("[Bearer REDACTED-BY-RINGFENCE]"), "{after}");
    assert!(
        after.contains("Bearer REDACTED-BY-RINGFENCE\r\n"),
        "{after}"
    );
    desk.assert_not_inside(&[SECRET]);
    let findings = desk.findings();
    let is_told = |(code, detail): &(String, String)| {
        code == "credential-echoed" && detail.contains("other.acme.test")
    };
    assert!(findings.iter().any(is_told), "{findings:?}");
}
