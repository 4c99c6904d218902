//! A server of tools that is run in a sandbox of its own, and a client in the place of the bridge.

use ringfence_e2e::{Ended, Host};
use serde_json::{Value, json};

/// Runs `ringfence mcp serve` by a profile, asks it these methods, and returns what it answered to each.
pub(crate) fn serve(
    host: &Host,
    profile: &str,
    first: &Value,
    asks: &[(&str, Value)],
) -> Vec<Value> {
    let ended = run(host, profile, first, asks);
    assert_eq!(ended.code, 0, "{ended}");
    let answers: Vec<Value> = ended
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(answers.len(), asks.len(), "{ended}");
    answers
}

/// As [`serve`], however it ends.
pub(crate) fn run(host: &Host, profile: &str, first: &Value, asks: &[(&str, Value)]) -> Ended {
    let program = host.program().display().to_string();
    let job = json!({ "program": program, "first": first, "asks": asks });
    host.file("job.json", job.to_string());
    host.file("tools_client.py", include_str!("tools_client.py"));
    let run = host.run().profile(profile).option("--read", &program);
    run.exec(&["python3", "tools_client.py"])
}

/// One call of a tool.
pub(crate) fn call(name: &str, arguments: Value) -> (&'static str, Value) {
    (
        "tools/call",
        json!({ "name": name, "arguments": arguments }),
    )
}

/// What a call found, and whether it failed.
pub(crate) fn text(answer: &Value) -> (&str, bool) {
    let result = &answer["result"];
    let text = result["content"][0]["text"].as_str().unwrap_or_default();
    (text, result["isError"] == true)
}
