//! What a body says, and how much of it may be there at once.

use super::*;
use crate::egress::tests::stack::Stack;
use http_body_util::StreamBody;
use ringfence_gateway::http::full;

const READING: Reading = Reading {
    json: true,
    graphql: false,
    octets: 64,
    size: false,
};

async fn read(head: &Parts, body: RequestBody, reading: Reading) -> Result<Read, Unread> {
    let stack = Stack::new("  - allow: { host: api.test }", &[]);
    stack.reader().read(head, body, reading).await
}

async fn read_as(kind: &str, body: &'static str, reading: Reading) -> Result<Read, Unread> {
    let request = http::Request::post("/").header("content-type", kind);
    let (head, ()) = request.body(()).unwrap().into_parts();
    read(&head, full(body), reading).await
}

#[tokio::test]
async fn a_body_that_is_json_is_sent_on_as_it_came() {
    let text = "{ \"n\": 1.10 }";
    let found = read_as("application/vnd.x+json", text, READING).await;
    let found = found.unwrap();
    assert_eq!(found.content.json.unwrap()["n"], 1.1);
    assert_eq!(found.octets, text);
}

#[tokio::test]
async fn what_cannot_be_read_says_why() {
    for (kind, body, why) in [
        ("text/plain", "{}", "not declared as JSON"),
        ("application/json", "{\"a\":1,\"a\":2}", "twice"),
        ("multipart/form-data; boundary=x", "--x", "not declared"),
    ] {
        let found = read_as(kind, body, READING).await.unwrap();
        assert_eq!(found.content.json, None);
        assert!(found.content.fault.unwrap().contains(why));
    }
}

#[tokio::test]
async fn a_body_that_is_too_long_is_not_read_to_its_end() {
    let found = read_as(
        "application/json",
        "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25]",
        READING,
    )
    .await;
    assert_eq!(found.unwrap_err(), Unread::TooLong(64));
}

#[tokio::test]
async fn a_graphql_request_is_written_anew() {
    let reading = Reading {
        graphql: true,
        octets: 1024,
        ..READING
    };
    let body = r#"{"query":"{ viewer { login } } # harmless"}"#;
    let found = read_as("application/json", body, reading).await.unwrap();
    let operation = found.content.graphql.unwrap();
    assert_eq!(operation.fields[0].name, "viewer");
    let sent = std::str::from_utf8(&found.octets).unwrap();
    assert!(sent.contains("viewer") && !sent.contains("harmless"));
}

#[tokio::test]
async fn another_encoding_or_a_query_beside_graphql_is_not_guessed_at() {
    let graphql = Reading {
        graphql: true,
        octets: 1024,
        ..READING
    };
    for (kind, uri, reading, is_read) in [
        ("application/json; charset=UTF-8", "/?a=b", READING, true),
        (
            "application/json; q=1; charset=\"utf-8\"",
            "/",
            graphql,
            true,
        ),
        ("application/json; Charset=utf-7", "/", READING, false),
        ("application/json;charset", "/", READING, false),
        ("application/json", "/?query=%7Bid%7D", graphql, false),
    ] {
        let request = http::Request::post(uri).header("content-type", kind);
        let (head, ()) = request.body(()).unwrap().into_parts();
        let body = full(r#"{"query":"{ viewer { login } }"}"#);
        let found = read(&head, body, reading).await;
        let fault = found.unwrap().content.fault;
        assert_eq!(fault.is_none(), is_read, "{kind} {uri}: {fault:?}");
    }
}

#[tokio::test]
async fn a_compressed_body_is_not_read() {
    let request = http::Request::post("/")
        .header("content-type", "application/json")
        .header("content-encoding", "gzip");
    let (head, ()) = request.body(()).unwrap().into_parts();
    let found = read(&head, full("{}"), READING).await;
    assert!(found.unwrap().content.fault.unwrap().contains("compressed"));
}

#[tokio::test(start_paused = true)]
async fn bodies_that_do_not_end_take_no_more_room_than_there_is() {
    let stack = Stack::new("  - allow: { host: api.test }", &[]);
    let reader = stack.reader();
    let reading = Reading {
        octets: 16 * 1024 * 1024,
        ..READING
    };
    let request = http::Request::post("/").header("content-type", "application/json");
    let (head, ()) = request.body(()).unwrap().into_parts();
    let endless = || RequestBody::new(StreamBody::new(futures_util::stream::pending()));
    let held: [_; 4] = std::array::from_fn(|_| reader.read(&head, endless(), reading));
    let mut held = held.map(Box::pin);
    for read in &mut held {
        assert!(timeout(Duration::ZERO, read).await.is_err());
    }
    let refused = reader.read(&head, full("{}"), reading).await;
    assert_eq!(refused.unwrap_err(), Unread::NoRoom);
    drop(held);
    let read = reader.read(&head, full("{}"), reading).await.unwrap();
    assert!(read.content.json.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_body_that_says_too_much_for_its_length_is_refused_unread() {
    let reading = Reading {
        octets: 4 * 1024 * 1024,
        ..READING
    };
    let body = format!("[{}0]", "{\"\":0},".repeat(100_000));
    let request = http::Request::post("/").header("content-type", "application/json");
    let (head, ()) = request.body(()).unwrap().into_parts();
    let refused = read(&head, full(body), reading).await;
    assert_eq!(refused.unwrap_err(), Unread::NoRoom);
}
