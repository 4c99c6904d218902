use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::client::Request;
use crate::error::CallError;

fn get(path: &str) -> Http {
    let (base, rest) = Base::read(path).unwrap();
    Http {
        method: Method::GET,
        base,
        path: segments(rest).unwrap(),
        query: Vec::new(),
        headers: Vec::new(),
        body: Body::None,
        token: None,
    }
}

fn request(http: &Http, arguments: Value) -> Result<Request, CallError> {
    http.request(arguments.as_object().unwrap(), &BTreeMap::new())
}

fn target(http: &Http, arguments: Value) -> Result<String, CallError> {
    Ok(request(http, arguments)?.target)
}

#[test]
fn a_host_is_written_out() {
    for url in [
        "https://{host}/",
        "https://{a}.acme.test/",
        "https://acme.test:{port}/",
        "https://user@acme.test/",
        "https://acme.test@evil.test/",
        "https://acme.test\\@evil.test/",
        "https:///x",
        "https://",
        "//acme.test/",
        "/x",
        "ftp://acme.test/",
        "{scheme}://acme.test/",
        "https://acme%2etest/",
        "https://acme.test/#x",
        "https://a b/",
    ] {
        assert!(Base::read(url).is_err(), "{url}");
    }
    let (base, rest) = Base::read("http://ACME.test:8080/a/{b}").unwrap();
    assert_eq!(
        (base.authority().as_str(), rest),
        ("acme.test:8080", "/a/{b}")
    );
    assert_eq!(
        Base::read("https://acme.test").unwrap().0.authority(),
        "acme.test"
    );
}

#[test]
fn a_value_in_the_path_is_one_segment_of_it() {
    let http = get("https://acme.test/a/{id}/b-{id}");
    assert_eq!(
        target(&http, json!({"id": "x y?z#@é"})).unwrap(),
        "/a/x%20y%3Fz%23%40%C3%A9/b-x%20y%3Fz%23%40%C3%A9"
    );
    for id in [
        "", ".", "..", "../x", "a/b", "a\\b", "%2e%2e", "a%2fb", "a\r\nb", "a\u{85}b", "\0",
    ] {
        assert!(target(&http, json!({"id": id})).is_err(), "{id:?}");
    }
    assert!(segments("/a/../b").is_err());
}

#[test]
fn a_value_in_the_query_is_one_value() {
    let mut http = get("https://acme.test/");
    let parameter = |name: &str, value: &str, style| Parameter {
        name: name.to_owned(),
        value: Template::read(value).unwrap(),
        style,
    };
    http.query = vec![
        parameter("q", "{q?}", Style::Repeated),
        parameter("fixed", "a b", Style::Repeated),
        parameter("j", "{j?}", Style::Joined(',')),
        parameter("p", "{p?}", Style::Joined('|')),
        parameter("d", "{d?}", Style::Deep),
        parameter("o", "{o?}", Style::Json),
    ];
    for (arguments, expected) in [
        (json!({}), "/?fixed=a%20b"),
        (
            json!({"q": "x&admin=1\r\n"}),
            "/?q=x%26admin%3D1%0D%0A&fixed=a%20b",
        ),
        (json!({"q": ["a", 1]}), "/?q=a&q=1&fixed=a%20b"),
        (json!({"j": ["a,b", "c"]}), "/?fixed=a%20b&j=a%2Cb,c"),
        (json!({"p": ["a", "b"]}), "/?fixed=a%20b&p=a%7Cb"),
        (json!({"d": {"x&": "1"}}), "/?fixed=a%20b&d%5Bx%26%5D=1"),
        (
            json!({"o": {"x": [1]}}),
            "/?fixed=a%20b&o=%7B%22x%22%3A%5B1%5D%7D",
        ),
    ] {
        assert_eq!(
            target(&http, arguments.clone()).unwrap(),
            expected,
            "{arguments}"
        );
    }
    assert!(
        target(&http, json!({"q": {"x": "1"}})).is_err(),
        "an object is no parameter"
    );
    assert!(
        target(
            &http,
            json!({"q": "x".repeat(crate::limits::TARGET_OCTETS)})
        )
        .is_err()
    );
}

#[test]
fn a_value_in_a_header_is_one_line() {
    let mut http = get("https://acme.test/");
    let value = Template::read("v-{a?}").unwrap();
    http.headers = vec![(header("X-Trace").unwrap(), value, Style::Joined(','))];
    let sent = request(&http, json!({"a": "x é"})).unwrap();
    assert_eq!(
        sent.headers.get("x-trace").unwrap().as_bytes(),
        "v-x é".as_bytes()
    );
    for value in ["a\r\nX-Admin: 1", "a\nb", "a\rb", "a\u{7f}b", "a\tb"] {
        assert!(request(&http, json!({"a": value})).is_err(), "{value:?}");
    }
    assert!(
        !request(&http, json!({}))
            .unwrap()
            .headers
            .contains_key("x-trace")
    );
}

#[test]
fn headers_that_frame_route_or_authenticate_are_not_a_tools() {
    for name in [
        "Authorization",
        "cookie",
        "Proxy-Authorization",
        "Host",
        "Content-Length",
        "transfer-encoding",
        "Connection",
        "TE",
        "Upgrade",
        "Proxy-Anything",
        "a b",
        "a:b",
        "a\r\nb",
        "",
    ] {
        assert!(header(name).is_err(), "{name}");
    }
}

#[test]
fn values_of_a_body_stay_values() {
    let mut http = get("https://acme.test/");
    let body =
        json!({"a": "{a}", "text": "by {b}", "list": ["{a}", "{c?}"], "maybe": "{c?}", "n": 1});
    http.body = Body::Json(Node::read(&body).unwrap());
    let sent = request(&http, json!({"a": {"x": null}, "b": "\"}, {b}"})).unwrap();
    let sent: Value = serde_json::from_slice(&sent.body).unwrap();
    assert_eq!(
        sent,
        json!({"a": {"x": null}, "text": "by \"}, {b}", "list": [{"x": null}], "n": 1})
    );
    http.body = Body::Form(vec![("a".to_owned(), Template::read("{a}").unwrap())]);
    let sent = request(&http, json!({"a": "x&admin=1"})).unwrap();
    assert_eq!(&sent.body[..], b"a=x%26admin%3D1");
    http.body = Body::FormOf(Template::place("a", crate::template::Form::Required));
    let sent = request(&http, json!({"a": {"k&": ["1", "2"], "none": null}})).unwrap();
    assert_eq!(&sent.body[..], b"k%26=1&k%26=2");
    assert!(request(&http, json!({"a": {"k": {"deep": 1}}})).is_err());
}

#[test]
fn a_token_comes_from_the_variable_that_is_named() {
    let mut http = get("https://acme.test/");
    http.token = Some("CRM_TOKEN".to_owned());
    let variables = BTreeMap::from([("CRM_TOKEN".to_owned(), "rf_x".to_owned())]);
    let sent = http.request(&serde_json::Map::new(), &variables).unwrap();
    assert_eq!(sent.headers.get("authorization").unwrap(), "Bearer rf_x");
    assert!(request(&http, json!({})).is_err());
}

proptest! {
    #[test]
    fn no_value_leaves_its_segment_or_its_parameter(value in "\\PC{0,40}|[/.%\\\\?#&=@\r\n]{0,8}") {
        let mut http = get("https://acme.test/a/{x}/b");
        http.query = vec![Parameter { name: "q".to_owned(), value: Template::read("{q}").unwrap(), style: Style::Repeated }];
        if let Ok(target) = target(&http, json!({"x": value, "q": value})) {
            let (path, query) = target.split_once('?').unwrap();
            let segments: Vec<&str> = path.split('/').collect();
            prop_assert_eq!(segments.len(), 4);
            prop_assert!(!matches!(segments[2], "" | "." | ".."));
            prop_assert_eq!(query.matches('&').count() + query.matches('#').count(), 0);
            let is_plain = |octet: u8| octet.is_ascii_graphic();
            prop_assert!(target.bytes().all(is_plain));
        }
    }
}
