//! Members that are taken out of JSON: the same in one piece and in many, JSON if it was JSON, and nothing left of what is
//! taken out. The first octet chooses the size of the pieces.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ringfence_inspect::{Members, MembersError, Removals};
use serde_json::Value;

fuzz_target!(|input: &[u8]| {
    let [size, text @ ..] = input else {
        return;
    };
    let removals = || Removals::new([("t", None), ("u", Some("t")), ("v", Some("*"))]);
    let whole = run(Members::new(removals()), text, text.len());
    let pieces = run(Members::new(removals()), text, usize::from(*size));
    assert_eq!(whole, pieces);
    let read = serde_json::from_slice::<Value>(text);
    match whole {
        Ok(out) if !text.is_empty() => {
            if let Ok(value) = read {
                let given = serde_json::from_slice::<Value>(&out).expect("JSON stays JSON");
                assert_clean(&given);
                assert_eq!(shape(&value), shape(&given));
            }
            // What was taken out once is gone.
            assert_eq!(
                run(Members::new(removals()), &out, out.len()).as_ref(),
                Ok(&out)
            );
        }
        Ok(out) => assert!(out.is_empty()),
        Err(MembersError::Depth | MembersError::TooLong) => {}
        Err(_) => assert!(read.is_err()),
    }
    let lenient = run(Members::lenient(removals()), text, text.len());
    assert_eq!(
        lenient,
        run(Members::lenient(removals()), text, usize::from(*size))
    );
});

fn assert_clean(value: &Value) {
    match value {
        Value::Array(items) => items.iter().for_each(assert_clean),
        Value::Object(members) => {
            for (name, value) in members {
                match (name.as_str(), value) {
                    ("t", value) => assert!(value.is_null()),
                    ("v", Value::String(url)) => assert!(!url.contains(['?', '#'])),
                    _ => assert_clean(value),
                }
            }
        }
        _ => {}
    }
}

/// Names and brackets, without the values and what is below `t`.
fn shape(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(shape).collect::<String>()),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| match name.as_str() {
                "t" => "t".to_owned(),
                _ => format!("{name:?}{}", shape(value)),
            };
            format!("{{{}}}", members.iter().map(member).collect::<String>())
        }
        _ => "0".to_owned(),
    }
}

fn run(mut members: Members, text: &[u8], size: usize) -> Result<Vec<u8>, MembersError> {
    let mut out = Vec::new();
    for piece in text.chunks(size.max(1)) {
        members.feed(piece, &mut out)?;
    }
    members.finish(&mut out)?;
    Ok(out)
}
