use ringfence_gateway::http::full;

use super::*;

async fn first(stream: &str, id: i64) -> Option<String> {
    let body = full(stream.as_bytes().to_vec());
    let found = first_answer(body, Some(&Id::Number(id))).await;
    found.map(|it| String::from_utf8(it).unwrap())
}

const ANSWER: &str = r#"{"jsonrpc":"2.0","id":7,"result":{}}"#;

#[tokio::test]
async fn the_answer_is_found_behind_what_comes_before_it() {
    let before = concat!(
        "\u{feff}: a comment\r\rretry: 1\r\n\r\n",
        "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\"}\n\n",
        "data: {\"jsonrpc\":\"2.0\",\"id\":8,\"result\":{}}\n\n",
        "data: {\"jsonrpc\":\"2.0\",\"id\":\"7\",\"result\":{}}\n\n",
        "data: not json\n\n",
    );
    let stream = format!("{before}data: {ANSWER}\n\ndata: {{}}\n\n");
    assert_eq!(first(&stream, 7).await.as_deref(), Some(ANSWER));
}

#[tokio::test]
async fn an_answer_in_several_lines_is_one() {
    let stream = "data: {\"jsonrpc\":\"2.0\",\rdata: \"id\":7,\r\ndata: \"result\":{}}\n\n";
    let found = first(stream, 7).await.unwrap();
    assert_eq!(found, "{\"jsonrpc\":\"2.0\",\n\"id\":7,\n\"result\":{}}");
}

#[tokio::test]
async fn a_stream_without_the_answer_has_none() {
    for stream in ["", "data: {}\n\n", ": only\n\n: comments\n\n", "data: half"] {
        assert_eq!(first(stream, 7).await, None, "{stream}");
    }
    // What does not end with an empty line was not said (WHATWG HTML, section 9.2.6).
    assert_eq!(first(&format!("data: {ANSWER}\n"), 7).await, None);
}
