//! What a rule removes from responses, and which responses it does not let through for it.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::upstream::{Ca, Upstream};
use super::world::{SECRET, World, get, read, request};

const RULES: &str = "api:\n  - allow: { id: all, host: api.test, methods: [GET, HEAD], credential: github, response: { remove: [token, \"url?sig\"], notJson: [\"text/*\", \"application/*\"] } }";

const BODY: &str =
    r#"{"token":"S1","url":"https://a.test/f?sig=S2&x=1","k":[{"t\u006fken":{"a":"S3"}}]}"#;
const CLEAN: &str = r#"{"token":null,"url":"https://a.test/f?x=1","k":[{"t\u006fken":null}]}"#;

/// A gateway before an upstream that answers with this head and this body.
async fn world(ca: &Ca, head: &str, body: &[u8]) -> (World, Upstream) {
    let length = format!("content-length: {}\r\n", body.len());
    let framed = head.contains("transfer-encoding") || head.contains("HTTP/1.1 304");
    let length = if framed { "" } else { &length };
    let status = if head.starts_with("HTTP/") {
        ""
    } else {
        "HTTP/1.1 200 OK\r\n"
    };
    let head = format!("{status}{head}{length}\r\n");
    let upstream = Upstream::saying(ca, [head.as_bytes(), body].concat()).await;
    let world = World::new(ca, &upstream, RULES);
    (world, upstream)
}

fn zipped(text: &str) -> Vec<u8> {
    let mut zipped = GzEncoder::new(Vec::new(), Compression::best());
    zipped.write_all(text.as_bytes()).unwrap();
    zipped.finish().unwrap()
}

#[tokio::test]
async fn members_are_taken_out_however_the_body_is_sent() {
    let ca = Ca::new();
    let chunked: String = BODY
        .chars()
        .map(|octet| format!("1\r\n{octet}\r\n"))
        .chain(["0\r\n\r\n".to_owned()])
        .collect();
    let json = "content-type: application/json\r\n";
    for (head, body) in [
        (json.to_owned(), BODY.as_bytes().to_vec()),
        (
            "content-type: Application/Vnd.X+JSON; charset=UTF-8\r\n".to_owned(),
            BODY.into(),
        ),
        ("content-type: text/plain\r\n".to_owned(), BODY.into()),
        (format!("{json}content-encoding: gzip\r\n"), zipped(BODY)),
        (
            format!("{json}transfer-encoding: chunked\r\n"),
            chunked.into(),
        ),
    ] {
        let (world, _upstream) = world(&ca, &head, &body).await;
        let got = world.send(get("https://api.test/x")).await.unwrap();
        assert_eq!(got.text(), CLEAN, "{head}");
        assert!(got.headers.get("content-length").is_none());
        assert!(got.headers.get("content-encoding").is_none());
    }
}

#[tokio::test]
async fn the_credential_is_found_in_what_a_removal_leaves() {
    let ca = Ca::new();
    // Parted by a value that goes, it is none that an upstream echoes; as a whole it is.
    let body = format!("{{\"a\":\"{SECRET}\",\"token\":\"{SECRET}\"}}");
    let (world, _upstream) =
        world(&ca, "content-type: application/json\r\n", body.as_bytes()).await;
    let got = world.send(get("https://api.test/x")).await.unwrap();
    assert_eq!(
        got.text(),
        "{\"a\":\"REDACTED-BY-RINGFENCE\",\"token\":null}"
    );
}

#[tokio::test]
async fn what_cannot_be_read_as_json_is_refused_by_its_head() {
    let ca = Ca::new();
    for head in [
        "",
        "content-type: image/png\r\n",
        "content-type: application/json; charset=utf-16\r\n",
        "content-type: text/plain; charset=\"latin1\"\r\n",
        "content-type: application/json\r\ncontent-type: text/plain\r\n",
    ] {
        let (world, _upstream) = world(&ca, head, BODY.as_bytes()).await;
        let (code, reason) = world.stopped(get("https://api.test/x")).await;
        assert_eq!(code, "response-refused", "{head}");
        assert!(
            reason.contains("what the rule removes cannot be found"),
            "{reason}"
        );
    }
}

#[tokio::test]
async fn what_turns_out_to_be_no_json_is_cut() {
    let ca = Ca::new();
    for body in [
        "{'token':'S1'}",
        "{}{\"token\":\"S1\"}",
        "{\"token\":\"S1\"",
        "S1",
        "[\"token\":1]",
    ] {
        let (world, _upstream) =
            world(&ca, "content-type: application/json\r\n", body.as_bytes()).await;
        let response = world.forward(get("https://api.test/x")).await.unwrap();
        assert!(read(response).await.is_err(), "{body}");
        let closing = world.closing();
        let outcome = format!("{:?}", closing.outcome);
        assert_eq!(outcome, "Refused(ResponseRefused)", "{body}");
        assert!(!world.record().contains("S1"), "{body}");
    }
}

#[tokio::test]
async fn a_response_without_a_body_passes_whatever_its_type() {
    let ca = Ca::new();
    for head in [
        "content-type: image/png\r\n",
        "HTTP/1.1 204 No Content\r\ncontent-type: image/png\r\n",
        "HTTP/1.1 304 Not Modified\r\netag: \"x\"\r\n",
    ] {
        let (world, _upstream) = world(&ca, head, b"").await;
        let got = world.send(get("https://api.test/x")).await.unwrap();
        assert_eq!(got.text(), "", "{head}");
    }
    let (world, _upstream) = world(&ca, "content-type: image/png\r\n", b"").await;
    let head = request("HEAD", "https://api.test/x", &[], "");
    assert_eq!(world.send(head).await.unwrap().status, 200);
}
