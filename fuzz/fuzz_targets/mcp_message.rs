//! A message of the Model Context Protocol, from either side: never a panic, never long; what goes on
//! is the same message to whoever reads it, and shows nothing that was to be hidden.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringfence_mcp::ask::{self, Headers};
use ringfence_mcp::definition::{self, differences};
use ringfence_mcp::frame::Frame;
use ringfence_mcp::list::{Kept, keep, next_cursor, set_text};
use ringfence_mcp::method::ListOf;
use ringfence_mcp::suspicion::suspicions;
use ringfence_mcp::texts;
use ringfence_mcp::version::{Era, Version};

const LONGEST: usize = 1 << 16;

fuzz_target!(|input: &[u8]| {
    let Ok(frame) = Frame::read(input, LONGEST) else {
        return;
    };
    same(&frame);
    asked(&frame);
    listed(&frame);
    masked(frame);
});

/// What is written is read as the same, by this reader and by another.
fn same(frame: &Frame) {
    let written = frame.write().unwrap();
    let again = Frame::read(&written, LONGEST).unwrap();
    assert_eq!(again.body(), frame.body());
    assert_eq!(again.write().unwrap(), written);
    // A number may be larger than the other reader holds.
    let Ok(other) = serde_json::from_slice::<serde_json::Value>(&written) else {
        return;
    };
    let method = other.get("method").and_then(serde_json::Value::as_str);
    assert_eq!(method, frame.method());
}

fn asked(frame: &Frame) {
    for era in [Era::Sessions, Era::Stateless] {
        if let Ok(asked) = ask::of_client(frame, era) {
            assert!(asked.targets.iter().all(|it| !it.contains(char::is_control)));
        }
    }
    let _ = ask::of_server(frame);
    let _ = ask::version(frame, Headers::default(), None);
    for (_, value) in ask::headers(frame, Some(Version::LATEST)) {
        assert!(value.bytes().all(|octet| (0x20..=0x7e).contains(&octet)));
    }
    if let Some(result) = frame.result() {
        let _ = ask::inputs(result);
    }
}

fn listed(frame: &Frame) {
    let Some(result) = frame.result() else { return };
    let _ = definition::of_server(result);
    for of in [ListOf::Tools, ListOf::Resources, ListOf::Templates, ListOf::Prompts] {
        let Ok(known) = definition::of_list(result, of) else {
            continue;
        };
        for definition in &known {
            std::hint::black_box(suspicions(&definition.canonical));
            assert!(differences(&definition.canonical, &definition.canonical).is_empty());
        }
        let mut shown = frame.clone();
        let hides = |name: &str| name.len() % 2 == 1;
        keep(&mut shown, of, &|name| match hides(name) {
            true => Kept::Hidden,
            false => Kept::Narrowed(serde_json::json!({"required": ["a"], "properties": {"a": {"const": 1}}})),
        });
        if next_cursor(frame).is_some() {
            set_text(&mut shown, false, "nextCursor", Some("sealed"));
        }
        let written = shown.write().unwrap();
        let again = Frame::read(&written, 4 * LONGEST).unwrap();
        let left = definition::of_list(again.result().unwrap(), of).unwrap();
        assert!(left.iter().all(|it| !hides(&it.name)));
    }
}

/// Every text is found: none of them holds the mark any more where it can be written.
fn masked(mut frame: Frame) {
    texts::each(&mut frame, &mut |found| {
        found.text.contains('q').then(|| found.text.replace('q', "_"))
    });
    // A name that was changed may be one that some readers take for another: such a message is none.
    let written = frame.write().ok();
    let again = written.and_then(|it| Frame::read(&it, 4 * LONGEST).ok());
    if let Some(mut again) = again {
        texts::each(&mut again, &mut |found| {
            // What is encoded has other letters than what it stands for.
            let place = found.place().to_string();
            let is_encoded = place.ends_with("data") || place.ends_with("blob");
            assert!(is_encoded || !found.text.contains('q'), "{place}");
            None
        });
    }
}
