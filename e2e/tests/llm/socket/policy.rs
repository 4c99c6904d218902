//! Rules, budgets and secrets, message by message.

use super::super::lab::Lab;
use super::{messages, python};

#[test]
fn a_message_that_no_rule_allows_is_refused_and_the_connection_goes_on() {
    let lab =
        Lab::with("models: [gpt-5-mini, claude-haiku-4-5, gemini-2.5-flash], maxOutputTokens: 100");
    let ended = python(
        &lab,
        r#"
ws = Socket()
ws.say(model="gpt-5")
told(ws.hear())
ws.say(tools=[{"type": "web_search"}])
told(ws.hear())
ws.say(background=True)
told(ws.hear())
ws.say(max_output_tokens=101)
told(ws.hear())
ws.say()
told(ws.hear())
"#,
    );
    assert_eq!(ended.stdout.matches("error 400").count(), 4, "{ended}");
    for words in [
        "gpt-5",
        "web-search",
        "background",
        "Ringfence refused this",
    ] {
        assert!(ended.stdout.contains(words), "{words}: {ended}");
    }
    assert_eq!(
        ended.stdout.matches("response.completed").count(),
        1,
        "{ended}"
    );
    let messages = messages(&lab);
    assert_eq!(messages.len(), 1, "{ended}");
    assert_eq!(messages[0]["body"]["max_output_tokens"], 100, "{ended}");
}

#[test]
fn a_budget_counts_what_the_provider_adds_from_before() {
    // Enough for the first request with its answer, not for one that has a long one before it.
    let lab = Lab::with("maxOutputTokens: 100, budget: {tokens: 30000, per: run}");
    let ended = python(
        &lab,
        r#"
ws = Socket()
ws.say("x" * 20000, generate=False)
warm = told(ws.hear())["response"]["id"]
ws.say("y", previous_response_id=warm)
told(ws.hear())
ws.say("z")
told(ws.hear())
"#,
    );
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert!(lines[0].starts_with("response.completed"), "{ended}");
    assert!(
        lines[1].starts_with("error") && lines[1].contains("budget"),
        "{ended}"
    );
    assert!(lines[2].starts_with("response.completed"), "{ended}");
}

#[test]
fn secrets_are_taken_out_of_messages_and_of_answers() {
    let lab = Lab::with("secrets: redact");
    let ended = python(
        &lab,
        r#"
ws = Socket()
import zlib
body, digits, out = "Kq7ZtLw2XvB9nRm4HsPd8JcYfT1gQe", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", ""
crc = zlib.crc32(body.encode())
while crc:
    out, crc = digits[crc % 62] + out, crc // 62
ws.say("see ghp_" + body + out.rjust(6, "0"))
told(ws.hear())
ws.say(model="socket-echo")
events = ws.hear()
print(json.dumps(events))
ws.say(model="socket-close")
print(json.dumps(ws.hear()))
"#,
    );
    let messages = messages(&lab);
    assert!(!messages[0].to_string().contains("ghp_"), "{messages:?}");
    assert!(messages[0].to_string().contains("<secret"), "{messages:?}");
    assert!(ended.stdout.contains("the key is "), "{ended}");
    assert!(
        ended.stdout.contains("\"code\": 4001, \"reason\": \"\""),
        "{ended}"
    );
    let scrubbed = |event: &serde_json::Value| event["closing"]["scrubbed"].as_u64() > Some(0);
    assert!(lab.events().iter().any(scrubbed), "{:?}", lab.events());
}

#[test]
fn one_request_is_under_way_at_a_time_and_the_next_waits() {
    let lab = Lab::with("");
    let ended = python(
        &lab,
        r#"
ws = Socket()
for text in ("one", "two", "three"):
    ws.say(text)
for _ in range(3):
    told(ws.hear())
ws.say(model="socket-slow")
ws.say("never")
ws.raw.settimeout(2)
print(len(ws.hear()))
"#,
    );
    assert_eq!(
        ended.stdout.matches("response.completed").count(),
        3,
        "{ended}"
    );
    assert_eq!(messages(&lab).len(), 4, "{ended}");
}

#[test]
fn what_a_cut_answer_took_is_counted_and_its_event_says_so() {
    let lab = Lab::with("maxOutputTokens: 100, budget: {tokens: 30000, per: run}");
    let ended = python(
        &lab,
        "ws = Socket()\nws.say(model='socket-cut')\ntold(ws.hear())\nws = Socket()\nws.say(model='socket-429')\ntold(ws.hear())",
    );
    assert!(ended.stdout.contains("close 1011"), "{ended}");
    assert!(ended.stdout.contains("error 429"), "{ended}");
    let events = lab.events();
    let facts = |model: &str| {
        let found = events
            .iter()
            .find(|event| event["action"]["model"] == model);
        found.unwrap()["closing"].clone()
    };
    assert!(
        facts("socket-cut")["llm"]["estimated"] == true,
        "{events:?}"
    );
    assert!(facts("socket-429")["llm"]["usage"].is_null(), "{events:?}");
    assert_eq!(
        facts("socket-429")["llm"]["failure"]["kind"],
        "rate_limit_exceeded",
        "{events:?}"
    );
}

#[test]
fn a_policy_that_changes_closes_the_connection_and_says_why() {
    let lab = Lab::with("");
    let running = lab.host.run().profile("models").spawn(&[
        "python3",
        "-c",
        &format!(
            "{}\nws = Socket()\nws.say()\ntold(ws.hear())\nopen('ready', 'w').close()\ntold(ws.hear())",
            super::CLIENT
        ),
    ]);
    let ready = lab.host.project().join("ready");
    ringfence_testkit::poll::until("the client", || Ok(ready.exists().then_some(()))).unwrap();
    let ended = lab.host.ringfence(&["credential", "revoke", "openai"]);
    assert_eq!(ended.code, 0, "{ended}");
    let ended = running.wait();
    assert!(ended.stdout.contains("close 1008"), "{ended}");
    assert!(ended.stdout.contains("openai"), "{ended}");
}
