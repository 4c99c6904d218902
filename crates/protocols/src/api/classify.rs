//! What one request is: its head in the terms of policy. The head was checked where it was read,
//! the same way for every version of HTTP; here it only changes its form.

use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use ringfence_gateway::without_tokens;
use ringfence_model::{Content, Destination, HttpRequest, Scheme};

/// The action of a request to `destination`, as far as its head tells.
pub(super) fn classify(head: &Parts, destination: &Destination, scheme: Scheme) -> HttpRequest {
    HttpRequest {
        destination: destination.clone(),
        scheme,
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().map(without_tokens),
        headers: headers(head),
        content: content(head),
    }
}

/// The media type of a message without its parameters, in lower case.
pub(super) fn media_type(head: &Parts) -> Option<String> {
    let value = head.headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let essence = value.split(';').next().unwrap_or_default().trim();
    Some(essence.to_ascii_lowercase())
}

fn headers(head: &Parts) -> Vec<(String, String)> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let fields = head.headers.iter();
    fields
        .map(|(name, value)| (name.as_str().to_owned(), text(value)))
        .collect()
}

fn content(head: &Parts) -> Option<Content> {
    let length = head.headers.get(CONTENT_LENGTH);
    let length = length.and_then(|value| value.to_str().ok()?.parse().ok());
    let media_type = media_type(head);
    (length.is_some() || media_type.is_some()).then(|| Content {
        media_type,
        octets: length.unwrap_or(0),
        ..Content::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classified(request: http::request::Builder) -> HttpRequest {
        let (head, ()) = request.body(()).unwrap().into_parts();
        classify(&head, &"api.test:443".parse().unwrap(), Scheme::Https)
    }

    #[test]
    fn a_head_is_an_action() {
        let request = http::Request::post("https://api.test/repos/a?state=open")
            .header("Content-Type", "Application/JSON; charset=utf-8")
            .header("Content-Length", "17")
            .header("X-Twice", "1")
            .header("x-twice", "2");
        let action = classified(request);
        assert_eq!(action.method, "POST");
        assert_eq!(action.path, "/repos/a");
        assert_eq!(action.query.as_deref(), Some("state=open"));
        let content = action.content.unwrap();
        assert_eq!(content.media_type.as_deref(), Some("application/json"));
        assert_eq!(content.octets, 17);
        let twice = action.headers.iter().filter(|(name, _)| name == "x-twice");
        assert_eq!(
            twice.map(|(_, value)| value).collect::<Vec<_>>(),
            ["1", "2"]
        );
    }

    #[test]
    fn a_token_in_a_query_is_not_recorded() {
        let token = format!("rf_{}", "aB3-_".repeat(9).get(..43).unwrap());
        let uri = format!(
            "https://api.test/a?x=rf_short&key={token}&y=%72{}",
            &token[1..]
        );
        let query = classified(http::Request::get(uri)).query.unwrap();
        assert_eq!(query, "x=rf_short&key=rf_&y=rf_");
    }

    #[test]
    fn a_longer_word_is_decided_on_and_recorded_whole() {
        let token = format!("rf_{}", "aB3-_".repeat(9).get(..43).unwrap());
        let uri = format!("https://api.test/a?y={token}z");
        let query = classified(http::Request::get(uri)).query.unwrap();
        assert_eq!(query, format!("y={token}z"));
    }

    #[test]
    fn a_request_without_a_body_has_no_content() {
        assert_eq!(
            classified(http::Request::get("https://api.test/")).content,
            None
        );
    }
}
