use serde_json::json;

use super::*;

fn refused(source: Value) -> String {
    Schema::new(source, Strictness::Own).unwrap_err()
}

#[test]
fn references_within_the_schema_are_followed_also_round_a_cycle() {
    let schema = json!({
        "type": "object",
        "properties": { "tree": { "$ref": "#/$defs/tree" } },
        "$defs": { "tree": { "type": "object", "properties": { "left": { "$ref": "#/$defs/tree" } }, "additionalProperties": false } },
    });
    let schema = Schema::new(schema, Strictness::Own).unwrap();
    assert_eq!(schema.fault(&json!({"tree": {"left": {"left": {}}}})), None);
    let fault = schema
        .fault(&json!({"tree": {"left": {"right": 1}}}))
        .unwrap();
    assert!(fault.starts_with("`/tree/left`"), "{fault}");
}

#[test]
fn nothing_is_ever_fetched() {
    for reference in [
        "https://evil.test/a.json",
        "http://127.0.0.1:1/",
        "file:///etc/passwd",
        "other.json",
        "//x",
        "#anchor",
    ] {
        let fault = refused(json!({"properties": {"a": {"$ref": reference}}}));
        assert!(fault.contains("nothing is fetched"), "{fault}");
    }
    for word in [
        "$id",
        "$anchor",
        "$dynamicRef",
        "$dynamicAnchor",
        "$recursiveRef",
    ] {
        refused(json!({"properties": {"a": {word: "#a"}}}));
    }
    refused(json!({"$schema": "http://json-schema.org/draft-04/schema#"}));
}

#[test]
fn a_reference_that_leads_to_itself_is_refused_before_it_is_followed() {
    for defs in [
        json!({"a": {"$ref": "#/$defs/a"}}),
        json!({"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}),
        json!({"a": {"allOf": [{"anyOf": [{"$ref": "#/$defs/a"}]}]}}),
        json!({"a": {"not": {"$ref": "#/$defs/a"}}}),
        json!({"a": {"if": {"$ref": "#/$defs/a"}}}),
        json!({"a": {"dependentSchemas": {"x": {"$ref": "#/$defs/a"}}}}),
    ] {
        let fault = refused(json!({"$defs": defs, "properties": {"x": {"$ref": "#/$defs/a"}}}));
        assert!(fault.contains("leads to itself"), "{fault}");
    }
    assert!(refused(json!({"allOf": [{"$ref": "#"}]})).contains("itself"));
    assert!(refused(json!({"properties": {"x": {"$ref": "#/$defs/none"}}})).contains("nowhere"));
}

#[test]
fn a_bomb_is_refused() {
    let mut deep = json!({});
    for _ in 0..200 {
        deep = json!({"items": deep});
    }
    assert!(refused(deep).contains("levels"));
    assert!(refused(json!({"description": "x".repeat(SCHEMA_OCTETS)})).contains("octets"));
    assert!(refused(json!({"pattern": "(x{1000}){1000}"})).contains("JSON Schema"));
    refused(json!({"format": "no-such-format"}));
}
