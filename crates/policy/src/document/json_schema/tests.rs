use serde_json::json;

use super::*;

fn schema(source: Value) -> Schema {
    Schema::new(source).unwrap()
}

#[test]
fn a_schema_tells_values_apart() {
    let schema = schema(json!({
        "type": "object",
        "required": ["title"],
        "additionalProperties": false,
        "properties": {
            "title": {"type": "string", "maxLength": 5},
            "base": {"enum": ["main"]},
            "head": {"pattern": "^agent/"},
            "on": {"format": "date"},
        },
    }));
    for (value, accepted) in [
        (json!({"title": "x"}), true),
        (
            json!({"title": "x", "base": "main", "head": "agent/1"}),
            true,
        ),
        (json!({"title": "x", "on": "2026-01-31"}), true),
        (json!({"title": "longer"}), false),
        (json!({"title": "x", "base": "prod"}), false),
        (json!({"title": "x", "head": "other:agent/1"}), false),
        (json!({"title": "x", "on": "tomorrow"}), false),
        (json!({"title": "x", "more": 1}), false),
        (json!({}), false),
        (json!("title"), false),
        (json!(null), false),
    ] {
        assert_eq!(schema.accepts(&value), accepted, "{value}");
    }
}

#[test]
fn the_place_of_a_fault_is_known() {
    let schema = schema(json!({"required": ["a"], "properties": {"a": {"items": {"const": 1}}}}));
    for (value, fault) in [
        (json!({"a": [1]}), None),
        (json!({"a": [1, 2]}), Some("/a/1")),
        (json!({}), Some("")),
    ] {
        assert_eq!(schema.fault(&value).as_deref(), fault, "{value}");
    }
}

#[test]
fn a_word_that_would_check_nothing_is_refused() {
    for (source, keyword) in [
        (json!({"requierd": ["a"]}), "requierd"),
        (json!({"properties": {"a": {"maxlength": 1}}}), "maxlength"),
        (json!({"items": {"minimun": 1}}), "minimun"),
        (json!({"anyOf": [{"typ": "string"}]}), "typ"),
        (
            json!({"not": {"contentEncoding": "base64"}}),
            "contentEncoding",
        ),
        (json!({"if": {"x": 1}}), "x"),
    ] {
        assert_eq!(
            Schema::new(source),
            Err(SchemaError::Keyword(keyword.to_owned()))
        );
    }
    // Names of properties and constants are free.
    schema(json!({"properties": {"requierd": {"const": {"typ": 1}}}}));
}

#[test]
fn references_and_other_drafts_are_refused() {
    for source in [
        json!({"$ref": "https://schemas.test/x.json"}),
        json!({"$ref": "#"}),
        json!({"properties": {"a": {"$ref": "#/$defs/a"}}}),
        json!({"$defs": {}}),
        json!({"$schema": "http://json-schema.org/draft-04/schema#"}),
        json!({"$id": "file:///etc/passwd"}),
        json!({"$dynamicRef": "#x"}),
        json!({"definitions": {}}),
    ] {
        assert!(
            matches!(Schema::new(source.clone()), Err(SchemaError::Reference(_))),
            "{source}"
        );
    }
}

#[test]
fn a_schema_that_is_none_is_refused() {
    for source in [json!(true), json!([]), json!("object"), json!(null)] {
        assert_eq!(Schema::new(source), Err(SchemaError::Shape));
    }
    for source in [
        json!({"type": "text"}),
        json!({"required": "title"}),
        json!({"properties": []}),
        json!({"pattern": "("}),
        json!({"pattern": "(a)\\1"}),
        json!({"pattern": "(((a{100}){100}){100}){100}"}),
        json!({"format": "unknown-format"}),
        json!({"allOf": [3]}),
    ] {
        assert!(
            matches!(Schema::new(source.clone()), Err(SchemaError::Invalid(_))),
            "{source}"
        );
    }
}

#[test]
fn size_and_depth_are_bounded() {
    let mut deep = json!({});
    for _ in 0..SCHEMA_DEPTH {
        deep = json!({"items": deep});
    }
    assert_eq!(Schema::new(deep), Err(SchemaError::Size));
    let long = json!({"enum": ["x".repeat(SCHEMA_OCTETS)]});
    assert_eq!(Schema::new(long), Err(SchemaError::Size));
}

#[test]
fn a_pattern_takes_time_in_proportion_to_the_text() {
    let schema = schema(json!({"pattern": "^(a+)+$"}));
    let text = format!("{}b", "a".repeat(100_000));
    assert!(!schema.accepts(&json!(text)));
}

#[test]
fn a_name_that_some_readers_take_for_one_of_the_schema_is_found() {
    let schema = schema(json!({
        "properties": {"repo": {"const": "acme/web"}, "in": {"properties": {"user_id": {}}}},
        "required": ["Title"],
    }));
    for (value, place) in [
        (json!({"repo": "acme/web", "Title": 1}), None),
        (json!({"other": {"x": [1, {"y": 2}]}}), None),
        (json!({"Repo": 1}), Some("/Repo")),
        (json!({"re_po": 1}), Some("/re_po")),
        (json!({"title": 1}), Some("/title")),
        (json!({"a": [{"userId": 1}]}), Some("/a/0/userId")),
        (
            json!({"a/b": {"u\u{17f}er_id": 1}}),
            Some("/a~1b/u\u{17f}er_id"),
        ),
    ] {
        assert_eq!(schema.misspelled(&value).as_deref(), place, "{value}");
    }
}
