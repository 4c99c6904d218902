use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::limits::ANSWERED_OCTETS;

fn answer(result: &Json) -> Frame {
    let text = json!({"jsonrpc": "2.0", "id": 1, "result": result}).to_string();
    Frame::read(text.as_bytes(), ANSWERED_OCTETS).unwrap()
}

fn shown(frame: &Frame) -> Json {
    let written: Json = serde_json::from_slice(&frame.write().unwrap()).unwrap();
    written["result"].clone()
}

#[test]
fn what_is_hidden_is_not_there_and_all_else_is_as_it_was() {
    let mut frame = answer(
        &json!({"tools": [{"name": "a", "x": 1}, {"name": "b"}, {"name": "c", "_meta": {}}], "ttlMs": 3}),
    );
    let gone = keep(&mut frame, ListOf::Tools, &|name| match name {
        "b" => Kept::Hidden,
        _ => Kept::As,
    });
    assert_eq!(gone, 1);
    assert_eq!(
        shown(&frame),
        json!({"tools": [{"name": "a", "x": 1}, {"name": "c", "_meta": {}}], "ttlMs": 3})
    );
}

#[test]
fn an_entry_without_a_name_is_not_shown() {
    let mut frame = answer(&json!({"tools": [{"name": 1}, {}, "x", {"Name": "a"}]}));
    assert_eq!(keep(&mut frame, ListOf::Tools, &|_| Kept::As), 4);
    assert_eq!(shown(&frame), json!({"tools": []}));
}

#[test]
fn a_tool_is_shown_with_the_arguments_that_it_may_be_called_with() {
    let own = json!({"type": "object", "properties": {
        "repo": {"type": "string", "description": "Which one"},
        "title": {"type": "string", "maxLength": 100},
        "labels": {"type": "array"},
    }, "required": ["title"]});
    let also = json!({"type": "object", "properties": {
        "repo": {"const": "acme/web"}, "title": {"maxLength": 20},
    }, "required": ["repo"]});
    let mut frame = answer(&json!({"tools": [{"name": "a", "inputSchema": own}]}));
    keep(&mut frame, ListOf::Tools, &|_| Kept::Narrowed(also.clone()));
    assert_eq!(
        shown(&frame)["tools"][0]["inputSchema"],
        json!({"type": "object", "properties": {
            "repo": {"type": "string", "description": "Which one", "const": "acme/web"},
            "title": {"type": "string", "maxLength": 100, "allOf": [{"maxLength": 20}]},
            "labels": {"type": "array"},
        }, "required": ["title", "repo"]})
    );
}

#[test]
fn arguments_that_are_not_taken_are_not_shown() {
    let own = json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {}}});
    let also = json!({"properties": {"a": true}, "additionalProperties": false});
    let narrow = narrowed(&own, &also);
    assert_eq!(
        narrow,
        json!({"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": false})
    );
    let none = narrowed(&own, &json!({"properties": {"b": false}}));
    assert_eq!(none["properties"]["b"], json!(false));
}

#[test]
fn a_place_in_a_list_is_replaced() {
    let mut frame = answer(&json!({"tools": [], "nextCursor": "page 2"}));
    assert_eq!(next_cursor(&frame).unwrap(), "page 2");
    set_text(&mut frame, false, "nextCursor", Some("sealed \"x\""));
    assert_eq!(shown(&frame)["nextCursor"], json!("sealed \"x\""));
    set_text(&mut frame, false, "nextCursor", None);
    assert!(shown(&frame).get("nextCursor").is_none());
}

proptest! {
    #[test]
    fn no_hidden_name_is_left(names in prop::collection::vec("[ab\\\\\"\u{e9}]{0,3}", 0..8), hide in "[ab]") {
        let tools: Vec<Json> = names.iter().map(|name| json!({"name": name, "title": [1, {"k": name}]})).collect();
        let mut frame = answer(&json!({"x": 1, "tools": tools, "y": [null]}));
        keep(&mut frame, ListOf::Tools, &|name| if name.contains(&hide) { Kept::Hidden } else { Kept::As });
        let kept: Vec<Json> = tools.into_iter().filter(|it| !it["name"].as_str().unwrap().contains(&hide)).collect();
        prop_assert_eq!(shown(&frame), json!({"x": 1, "tools": kept, "y": [null]}));
    }
}
