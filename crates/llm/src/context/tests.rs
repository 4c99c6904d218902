use bytes::Bytes;
use ringfence_model::llm::{LlmProvider, Purpose};
use serde_json::{Value, json};

use super::*;
use crate::{request, target};

fn anthropic(body: &Value) -> Request {
    let provider = LlmProvider::builtin().remove(0);
    let target = target::classify(&provider, "POST", "/v1/messages", None).unwrap();
    request::read(&target, Bytes::from(body.to_string())).unwrap()
}

fn talk(system: &str, messages: &[(&str, &str)]) -> Request {
    let message = |(role, text): &(&str, &str)| json!({"role": role, "content": [{"type": "text", "text": text, "cache_control": {"type": text}}]});
    let messages: Vec<Value> = messages.iter().map(message).collect();
    anthropic(
        &json!({"model": "m", "max_tokens": 9, "system": system, "messages": messages, "tools": [{"name": "Bash"}]}),
    )
}

fn told(memory: &mut Conversations, request: &Request) -> Vec<String> {
    let new = memory.new_items(request, Capture::Texts);
    new.into_iter().map(|it| it.text.text.unwrap()).collect()
}

#[test]
fn what_was_told_before_is_not_told_again() {
    let mut memory = Conversations::default();
    let first = talk("s", &[("user", "a")]);
    assert_eq!(told(&mut memory, &first), ["s", "a"]);
    let second = talk("s", &[("user", "a"), ("assistant", "b"), ("user", "a")]);
    assert_eq!(told(&mut memory, &second), ["b", "a"]);
    assert_eq!(told(&mut memory, &second), [""; 0]);
}

#[test]
fn instructions_alone_are_told_once() {
    let mut memory = Conversations::default();
    assert_eq!(told(&mut memory, &talk("s", &[])), ["s"]);
    assert_eq!(told(&mut memory, &talk("s", &[])), [""; 0]);
    assert_eq!(told(&mut memory, &talk("t", &[])), ["t"]);
}

#[test]
fn conversations_beside_each_other_are_told_apart() {
    let mut memory = Conversations::default();
    told(&mut memory, &talk("s", &[("user", "one")]));
    assert_eq!(
        told(&mut memory, &talk("s", &[("user", "two")])),
        ["s", "two"]
    );
    let one = talk("s", &[("user", "one"), ("assistant", "x")]);
    assert_eq!(told(&mut memory, &one), ["x"]);
    let two = talk("s", &[("user", "two"), ("assistant", "y")]);
    assert_eq!(told(&mut memory, &two), ["y"]);
}

#[test]
fn an_item_that_was_taken_out_does_not_make_the_rest_new() {
    let mut memory = Conversations::default();
    told(
        &mut memory,
        &talk("s", &[("user", "a"), ("user", "hint"), ("assistant", "b")]),
    );
    let without = talk("s", &[("user", "a"), ("assistant", "b"), ("user", "c")]);
    assert_eq!(told(&mut memory, &without), ["c"]);
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut memory = Conversations::default();
    for turn in 0..200 {
        let texts: Vec<String> = (0..1000).map(|it| format!("{turn} {it}")).collect();
        let messages: Vec<(&str, &str)> = texts.iter().map(|it| ("user", it.as_str())).collect();
        assert_eq!(told(&mut memory, &talk("s", &messages)).len(), NEW_ITEMS);
        assert!(memory.known.len() <= CONVERSATIONS && memory.items() <= REMEMBERED_ITEMS);
    }
}

#[test]
fn what_is_recorded_has_the_changes_in_it() {
    let mut request = talk("s", &[("user", "my secret")]);
    request.texts(&mut |_, text| text.contains("secret").then(|| "my ***".to_owned()));
    let mut memory = Conversations::default();
    assert_eq!(told(&mut memory, &request), ["s", "my ***"]);
    let digests = Conversations::default().new_items(&request, Capture::Digests);
    assert_eq!(digests[1].text.text, None);
    assert_eq!(digests[1].text.octets, 6);
}

#[test]
fn a_purpose_is_told_by_shape_and_known_words() {
    let plain = |system: &str, text: &str, tools: Value| {
        anthropic(
            &json!({"model": "m", "max_tokens": 50, "system": system, "tools": tools,
            "messages": [{"role": "user", "content": text}]}),
        )
    };
    let tools = json!([{"name": "Bash"}]);
    for (request, expected) in [
        (plain("s", "do it", tools.clone()), Some(Purpose::Step)),
        (plain("s", "do it", json!([])), None),
        (
            plain("You are a title generator. You output", "do it", json!([])),
            Some(Purpose::Title),
        ),
        (
            plain(
                "You are a title generator. You output",
                "do it",
                tools.clone(),
            ),
            Some(Purpose::Step),
        ),
        (
            plain(
                "s",
                "Your task is to create a detailed summary of the conversation so far",
                tools,
            ),
            Some(Purpose::Summary),
        ),
        (
            anthropic(
                &json!({"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "quota"}]}),
            ),
            Some(Purpose::Probe),
        ),
    ] {
        assert_eq!(purpose(&request), expected);
    }
}
