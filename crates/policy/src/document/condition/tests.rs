use serde_json::json;

use super::*;
use crate::limits::{CONDITION_TEXT_OCTETS, CONDITION_VALUES};

fn holds(text: &str, document: &Value) -> Option<bool> {
    text.parse::<Condition>().expect(text).holds(document)
}

fn document() -> Value {
    json!({
        "method": "POST",
        "scheme": "https",
        "host": "api.test",
        "port": 443,
        "path": "/a",
        "query": {"state": ["open"]},
        "headers": {"accept": ["application/json", "text/html"]},
        "content": {
            "type": "application/json",
            "octets": 500,
            "json": {"title": "x", "labels": ["a", "b"], "size": 1.5, "big": u64::MAX},
        },
        "graphql": {"viewer": {}},
    })
}

#[test]
fn expressions_look_at_the_whole_request() {
    for (text, expected) in [
        ("request.content.octets < 1000", Some(true)),
        ("request.content.octets + 1 == 501", Some(true)),
        (
            "request.method == 'POST' && request.port == 443",
            Some(true),
        ),
        ("request.method in ['GET', 'HEAD']", Some(false)),
        ("request.path.startsWith('/a')", Some(true)),
        ("request.query.state[0] == 'open'", Some(true)),
        ("request.query['state'] == ['open', 'closed']", Some(false)),
        (
            "request.headers.accept.exists(v, v == 'text/html')",
            Some(true),
        ),
        (
            "request.headers.accept.all(v, v.contains('json'))",
            Some(false),
        ),
        (
            "request.content.json.labels.exists_one(l, l == 'a')",
            Some(true),
        ),
        ("has(request.content.json.title)", Some(true)),
        ("has(request.content.json.other)", Some(false)),
        ("has(request.graphql.viewer)", Some(true)),
        ("size(request.content.json.title) <= 10", Some(true)),
        ("request.content.json.size > 1.0", Some(true)),
        ("request.content.json.big > 0u", Some(true)),
        ("request.port > 1000 ? false : true", Some(true)),
    ] {
        assert_eq!(holds(text, &document()), expected, "{text}");
    }
}

#[test]
fn what_cannot_be_told_is_not_true() {
    for text in [
        "request.content.json.other == 1",
        "request.content.octets < 'x'",
        "request.content.octets",
        "request.query.state[7] == 'open'",
        "request.content.octets / 0 == 1",
        "9223372036854775807 + request.port > 0",
        "request.path.startsWith(1)",
    ] {
        assert_eq!(holds(text, &document()), None, "{text}");
    }
    let empty = json!({"method": "GET"});
    for text in [
        "request.content.octets < 1000",
        "request.graphql.viewer == {}",
        "!request.path.startsWith('/admin')",
    ] {
        assert_eq!(holds(text, &empty), None, "{text}");
    }
}

#[test]
fn what_an_expression_looks_at_is_known_when_it_is_read() {
    let needs = |text: &str| text.parse::<Condition>().unwrap().needs();
    let none = Needs::default();
    assert_eq!(needs("request.method == 'GET'"), none);
    assert!(needs("request.headers.accept[0] == ''").headers);
    assert!(needs("has(request.graphql.viewer)").graphql);
    assert!(needs("has(request.graphql)").graphql);
    assert!(needs("request.content.json.a == 1").json);
    assert!(needs("has(request.content.json)").json);
    assert!(needs("[1].exists(x, request.content.json.a == x)").json);
    let size = needs("request.content.octets < 5");
    assert!(size.octets && !size.json);
    let media_type = needs("request.content.type == 'text/plain'");
    assert!(media_type.content && !media_type.octets && !media_type.json);
}

#[test]
fn expressions_that_hide_what_they_look_at_are_refused() {
    for text in [
        "request == request",
        "request['content'].octets < 5",
        "request.content['json'] == 1",
        "request.content == {}",
        "size(request) > 0",
        "[request].exists(r, r.content.json.a == 1)",
        "'json' in request.content",
        "has(request.content)",
    ] {
        let refused = text.parse::<Condition>().unwrap_err();
        assert!(
            matches!(refused, ConditionError::Name(_)),
            "{text}: {refused}"
        );
    }
}

#[test]
fn mistakes_are_named() {
    for (text, message) in [
        ("reqest.method == 'GET'", "`reqest` is not known here"),
        ("request.metod == 'GET'", "a request has no field `metod`"),
        ("request.content.size < 5", "no field `content.size`"),
        ("request.path.matches('.*')", "no function `matches`"),
        ("now() > 5", "no function `now`"),
        ("duration('1s') > duration('2s')", "no function `duration`"),
        ("request.path ==", "not a CEL expression"),
        ("", "not a CEL expression"),
        ("request.path = '/'", "not a CEL expression"),
        ("true", "this is a value"),
        ("'x'", "this is a value"),
        ("[request.path]", "this is a value"),
        ("Request{a: 1}.a == 1", "makes no structures"),
        (
            "[1, 2].map(x, x + 1) == [2, 3]",
            "`all`, `exists` and `exists_one`",
        ),
        (
            "[1, 2].filter(x, x > 1) == [2]",
            "`all`, `exists` and `exists_one`",
        ),
        (
            "[1].all(x, [2].all(y, x < y))",
            "`all`, `exists` and `exists_one`",
        ),
    ] {
        let refused = text.parse::<Condition>().expect_err(text).to_string();
        assert!(refused.contains(message), "{text}: {refused}");
    }
}

#[test]
fn length_and_nesting_are_bounded_before_anything_is_parsed() {
    let long = format!("request.path == '{}'", "a".repeat(CONDITION_OCTETS));
    assert_eq!(long.parse::<Condition>(), Err(ConditionError::Long));
    for (open, close) in [("(", ")"), ("[", "]"), ("!", ""), ("-", ""), ("{1:", "}")] {
        let text = format!("{}1{}", open.repeat(200), close.repeat(200));
        assert_eq!(
            text.parse::<Condition>(),
            Err(ConditionError::Deep),
            "{open}"
        );
    }
    let chain = format!("{}true", "true ? true : ".repeat(70));
    assert_eq!(chain.parse::<Condition>(), Err(ConditionError::Deep));
    let selects = format!("request.content.json{} == 1", ".a".repeat(200));
    assert_eq!(selects.parse::<Condition>(), Err(ConditionError::Deep));
}

#[test]
fn a_request_with_more_than_may_be_looked_at_is_not_looked_at() {
    let with = |json: Value| json!({"method": "POST", "content": {"json": json}});
    let text = "request.content.json.all(x, x == x) || true";
    assert_eq!(holds(text, &with(json!([1, 2]))), Some(true));
    let many = with(json!(vec![1; CONDITION_VALUES + 1]));
    assert_eq!(holds(text, &many), None);
    let long = with(json!(["x".repeat(CONDITION_TEXT_OCTETS + 1)]));
    assert_eq!(holds(text, &long), None);
    // What an expression does not mention is not looked at.
    assert_eq!(holds("request.method == 'POST'", &many), Some(true));
}

// Quadratic in the request as far as the language allows it; this must come back at once.
#[test]
fn the_most_expensive_expression_is_affordable() {
    let list = vec!["a"; CONDITION_VALUES - 8];
    let document = json!({"content": {"json": {"l": list}}});
    let text = "request.content.json.l.all(x, x in request.content.json.l && request.content.json.l == request.content.json.l)";
    let start = std::time::Instant::now();
    assert_eq!(holds(text, &document), Some(true));
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

proptest::proptest! {
    #[test]
    fn no_text_makes_reading_a_condition_panic(text in "\\PC{0,200}") {
        let _ = text.parse::<Condition>();
    }

    #[test]
    fn no_mix_of_the_language_makes_a_condition_panic(
        parts in proptest::collection::vec(
            proptest::sample::select(vec![
                "request", ".content", ".json", ".octets", ".headers", "[", "]", "(", ")", "{", "}",
                "'a'", "1", "-", "!", " in ", " == ", " && ", " || ", "?", ":", ".all(x, x", ".exists(x,",
                "has(", "size(", ".", ",", "u", "0x", "b'\\xff'", "r'\\'", "null", "1e400", "\"", "$", "@in",
            ]),
            0..24,
        )
    ) {
        let text: String = parts.concat();
        if let Ok(condition) = text.parse::<Condition>() {
            let _ = condition.holds(&document());
        }
    }
}
