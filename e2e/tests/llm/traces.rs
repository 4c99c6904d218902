//! What a run did can be read back: its steps, the tools that the model called, and what that cost.

use super::lab::Lab;

/// A model that calls a tool twice, as a program without telemetry goes about it.
pub(super) const LOOP: &str = r#"python3 - <<'END'
import json, os, subprocess, urllib.request
messages = [{"role": "user", "content": "RUN: echo one\nRUN: curl -sS https://docs.acme.test/"}]
tools = [{"name": "Bash", "description": "Runs a command.", "input_schema": {"type": "object", "properties": {"command": {"type": "string"}}}}]
while True:
    body = {"model": "claude-haiku-4-5", "max_tokens": 100, "messages": messages, "tools": tools}
    request = urllib.request.Request(os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages", json.dumps(body).encode(), {
        "Content-Type": "application/json", "x-api-key": os.environ["ANTHROPIC_AUTH_TOKEN"]})
    answer = json.load(urllib.request.urlopen(request))
    messages.append({"role": "assistant", "content": answer["content"]})
    calls = [part for part in answer["content"] if part["type"] == "tool_use"]
    if not calls:
        break
    results = []
    for call in calls:
        done = subprocess.run(call["input"]["command"], shell=True, capture_output=True, text=True)
        results.append({"type": "tool_result", "tool_use_id": call["id"], "content": done.stdout + done.stderr, "is_error": done.returncode != 0})
    messages.append({"role": "user", "content": results})
END"#;

#[test]
fn a_run_reads_as_steps_with_the_tools_between_them() {
    let lab = Lab::with("");
    let ended = lab.sh(LOOP);
    assert_eq!(ended.code, 0, "{ended}");
    assert_eq!(lab.requests().len(), 3);
    let shown = lab.host.ringfence(&["trace", "show"]);
    assert_eq!(shown.code, 0, "{shown}");
    let text = &shown.stdout;
    let at = |words: &str| {
        text.find(words)
            .unwrap_or_else(|| panic!("{words}: {shown}"))
    };
    assert_eq!(text.matches("claude-haiku-4-5").count(), 3, "{shown}");
    // The first call, its tool, the second call, its tool with what it tried and was denied.
    assert!(text.matches("Bash").count() >= 2, "{shown}");
    assert!(at("Bash") < at("docs.acme.test"), "{shown}");
    let listed = lab.host.ringfence(&["trace", "list"]);
    assert!(listed.stdout.lines().count() >= 1, "{listed}");
}

#[test]
fn a_step_tells_what_came_into_the_context_before_it() {
    let lab = Lab::with("");
    lab.sh(LOOP);
    let shown = lab.host.ringfence(&["trace", "show", "--step", "3"]);
    assert_eq!(shown.code, 0, "{shown}");
    assert!(shown.stdout.contains("Bash"), "{shown}");
    assert!(shown.stdout.contains("docs.acme.test"), "{shown}");
}

#[test]
fn no_text_is_anywhere_that_no_rule_captures() {
    let lab = Lab::with("");
    let ask = |model: &str, more: &str| {
        format!(
            r#"claude '{{"model":"{model}","max_tokens":9,"messages":[{{"role":"user","content":"the plan Kestrel-Vole-7"}}{more}],
            "tools":[{{"name":"Bash","description":"Kestrel-Vole-7","input_schema":{{"type":"object"}}}}]}}'"#
        )
    };
    let more = r#",{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"Bash","input":{"command":"Kestrel-Vole-7"}}]},
        {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"Kestrel-Vole-7"}]}"#;
    let run = "{\"role\":\"user\",\"content\":\"RUN: echo Kestrel-Vole-7\"}";
    let ended = lab.sh(&format!(
        "{}\n{}\n{}",
        ask("claude-haiku-4-5", more),
        ask("claude-haiku-4-5", &format!(",{run}")),
        ask("fail-echo", "")
    ));
    assert!(
        ended.stdout.matches("Kestrel-Vole-7").count() >= 3,
        "{ended}"
    );
    let mut told = vec![lab.host.ringfence(&["trace", "show"]).stdout];
    told.push(lab.host.ringfence(&["trace", "show", "--json"]).stdout);
    told.push(lab.host.ringfence(&["trace", "export", "--json"]).stdout);
    told.push(lab.host.ringfence(&["events", "--json"]).stdout);
    for text in &told {
        assert!(text.contains("claude-haiku-4-5"), "{text}");
        // The command of the run itself, which is on record, holds the words of this test.
        assert!(!text.contains("not understood"), "{text}");
    }
    let events: Vec<_> = lab.events();
    assert_eq!(events.len(), 3, "{ended}");
    for event in events {
        assert!(!event.to_string().contains("Kestrel"), "{event}");
        assert!(!event.to_string().contains("Vole"), "{event}");
    }
}
