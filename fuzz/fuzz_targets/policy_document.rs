//! A policy document: what is read survives being stored, and compiles or is refused.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ringfence_model::Generation;
use ringfence_policy::{Profile, Snapshot};

fuzz_target!(|text: &str| {
    let Ok(profiles) = Profile::parse("fuzz", text) else {
        return;
    };
    let stored = serde_json::to_string(&profiles).unwrap();
    let again: Vec<Profile> = serde_json::from_str(&stored).unwrap();
    assert_eq!(again, profiles);
    let first = Snapshot::compile(Generation(1), &profiles).is_ok();
    assert_eq!(Snapshot::compile(Generation(2), &again).is_ok(), first);
});
