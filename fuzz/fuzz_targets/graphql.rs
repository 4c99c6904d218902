//! A GraphQL query: never a panic, and what is sent on says what was read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringfence_protocols::api::graphql::read;
use serde_json::json;

fuzz_target!(|query: &str| {
    let variables = json!({"a": "x", "b": {"c": [1, null]}});
    let Ok(request) = read(&json!({"query": query, "variables": variables})) else {
        return;
    };
    let again = read(&request.body).expect("what is sent on can be read");
    assert_eq!(again.operation, request.operation);
    assert!(!request.operation.fields.is_empty());
});
