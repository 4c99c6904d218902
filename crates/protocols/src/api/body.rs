//! Reads the body of a request where the decision on it needs to know what it says. What is sent
//! on afterwards is what was read, or the same written anew.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_ENCODING;
use http::request::Parts;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use ringfence_gateway::Reading;
use ringfence_gateway::http::RequestBody;
use ringfence_model::Content;
use tokio::time::timeout;

use super::limits::BODY_OCTETS;
use super::{classify, graphql, json};

/// A body that was read, and what it says.
#[derive(Debug)]
pub(super) struct Read {
    /// What policy may know.
    pub(super) content: Content,
    /// What is sent on.
    pub(super) octets: Bytes,
}

/// Why a body was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unread {
    /// It is longer than what is read.
    #[error("the body is longer than {0} octets, and a rule has to read it")]
    TooLong(u64),
    /// It did not come in time.
    #[error("the body did not arrive in time")]
    TimedOut,
    /// The client broke off.
    #[error("the client broke off: {0}")]
    Broken(String),
}

/// Reads the body of a request as far as `reading` asks, within `wait`.
pub(super) async fn read(
    head: &Parts,
    body: RequestBody,
    reading: Reading,
    wait: Duration,
) -> Result<Read, Unread> {
    let most = match reading.octets {
        0 => BODY_OCTETS,
        octets => octets,
    };
    let limit = usize::try_from(most).unwrap_or(usize::MAX);
    let whole = timeout(wait, Limited::new(body, limit).collect())
        .await
        .map_err(|_| Unread::TimedOut)?;
    let octets = match whole {
        Ok(collected) => collected.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(Unread::TooLong(most)),
        Err(error) => return Err(Unread::Broken(error.to_string())),
    };
    Ok(understand(head, octets, reading))
}

/// What the octets say. What cannot be read says why, and only rules that do not ask allow it.
fn understand(head: &Parts, octets: Bytes, reading: Reading) -> Read {
    let mut content = Content {
        media_type: classify::media_type(head),
        octets: octets.len() as u64,
        ..Content::default()
    };
    let mut sent = octets;
    if head.headers.contains_key(CONTENT_ENCODING) {
        content.fault = Some("the body is compressed, and a rule has to read it".to_owned());
    } else if !content.media_type.as_deref().is_some_and(is_json) {
        content.fault = Some("the body is not declared as JSON".to_owned());
    } else if !is_utf8(head) {
        // Readers that believe it see other texts than this one does.
        content.fault = Some("the body is declared in another encoding than UTF-8".to_owned());
    } else if reading.graphql && head.uri.query().is_some() {
        // Some servers let what is there win over the body.
        content.fault = Some("a part of the GraphQL request may be in the query".to_owned());
    } else {
        match json::read(&sent) {
            Err(error) => content.fault = Some(error.to_string()),
            Ok(value) if reading.graphql => match graphql::read(&value) {
                Err(error) => content.fault = Some(error.to_string()),
                Ok(request) => {
                    sent = request.body.to_string().into();
                    content.octets = sent.len() as u64;
                    content.graphql = Some(request.operation);
                    content.json = Some(request.body);
                }
            },
            Ok(value) => content.json = Some(value),
        }
    }
    Read {
        content,
        octets: sent,
    }
}

/// Whether no parameter of the media type says that the text is not UTF-8 (RFC 8259, section 8.1).
fn is_utf8(head: &Parts) -> bool {
    let value = head.headers.get(http::header::CONTENT_TYPE);
    let value = value.and_then(|value| value.to_str().ok());
    let mut parameters = value.unwrap_or_default().split(';').skip(1);
    parameters.all(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let value = value.trim().trim_matches('"');
        !name.trim().eq_ignore_ascii_case("charset") || value.eq_ignore_ascii_case("utf-8")
    })
}

fn is_json(media_type: &str) -> bool {
    media_type == "application/json"
        || media_type == "application/graphql+json"
        || (media_type.starts_with("application/") && media_type.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringfence_gateway::http::full;

    const READING: Reading = Reading {
        json: true,
        graphql: false,
        octets: 64,
        size: false,
    };

    async fn read_as(kind: &str, body: &'static str, reading: Reading) -> Result<Read, Unread> {
        let request = http::Request::post("/").header("content-type", kind);
        let (head, ()) = request.body(()).unwrap().into_parts();
        read(&head, full(body), reading, Duration::from_secs(9)).await
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
            let found = read(&head, body, reading, Duration::from_secs(9)).await;
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
        let found = read(&head, full("{}"), READING, Duration::from_secs(9)).await;
        assert!(found.unwrap().content.fault.unwrap().contains("compressed"));
    }
}
