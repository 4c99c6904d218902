//! What must not reach a provider in a prompt, and what must not come back.

use super::lab::{KEY, Lab};

/// A token of a kind that is known, made when the test runs.
const MAKE: &str = r#"S="ghp_$(python3 -c "
import zlib
body = 'Kq7ZtLw2XvB9nRm4HsPd8JcYfT1gQe'
digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
crc, out = zlib.crc32(body.encode()), ''
while crc: out, crc = digits[crc % 62] + out, crc // 62
print(body + out.rjust(6, '0'))
")"; "#;

fn message(text: &str) -> String {
    format!(
        r#"{MAKE} claude "{{\"model\":\"claude-haiku-4-5\",\"max_tokens\":20,\"messages\":[{{\"role\":\"user\",\"content\":\"{text}\"}}]}}""#
    )
}

fn prompt(lab: &Lab, number: usize) -> String {
    lab.requests()[number]["body"]["messages"].to_string()
}

#[test]
fn a_secret_in_a_prompt_has_a_stable_name_in_its_place() {
    let lab = Lab::with("secrets: redact, capture: true");
    let ended = lab.sh(&message("use $S, I say $S, please"));
    assert!(ended.stdout.contains("Hello"), "{ended}");
    let sent = prompt(&lab, 0);
    assert!(!sent.contains("ghp_"), "{sent}");
    let names: Vec<&str> = sent
        .match_indices("<secret ")
        .filter_map(|(at, _)| sent[at..].split_inclusive('>').next())
        .collect();
    assert_eq!(names.len(), 2, "{sent}");
    assert_eq!(names[0], names[1]);
    assert!(
        sent.contains("use <") && sent.contains(", please"),
        "{sent}"
    );
    let events = lab.events();
    let recorded = events[0]["closing"]["llm"].to_string();
    assert!(!recorded.contains("ghp_"), "{recorded}");
    assert!(
        recorded.contains(names[0]),
        "the same name in the record: {recorded}"
    );
    assert_eq!(events[0]["closing"]["llm"]["redacted"], 2, "{recorded}");
}

#[test]
fn a_secret_blocks_where_the_rule_says_so_and_passes_where_it_only_watches() {
    let lab = Lab::with("secrets: block");
    let ended = lab.sh(&message("use $S"));
    assert!(
        ended.stdout.contains("lets no secret go to a model"),
        "{ended}"
    );
    assert!(!ended.stdout.contains("ghp_"), "{ended}");
    assert_eq!(lab.requests().len(), 0);
    lab.rules("secrets: observe");
    lab.sh(&message("use $S"));
    assert!(prompt(&lab, 0).contains("ghp_"));
    let events = lab.events();
    let findings = events
        .last()
        .map(|event| event["closing"]["llm"]["findings"].to_string());
    assert!(
        findings.unwrap_or_default().contains("github"),
        "{events:?}"
    );
}

#[test]
fn the_results_of_tools_are_searched_as_well() {
    let lab = Lab::with("secrets: redact");
    let script = format!(
        r#"{MAKE} claude "{{\"model\":\"claude-haiku-4-5\",\"max_tokens\":20,\"messages\":[{{\"role\":\"user\",\"content\":\"hi\"}},{{\"role\":\"assistant\",\"content\":[{{\"type\":\"tool_use\",\"id\":\"toolu_1\",\"name\":\"Bash\",\"input\":{{\"command\":\"env\"}}}}]}},{{\"role\":\"user\",\"content\":[{{\"type\":\"tool_result\",\"tool_use_id\":\"toolu_1\",\"content\":\"A=1\\nTOKEN=$S\\n\"}}]}}]}}"
        chat "{{\"model\":\"gpt-5-mini\",\"messages\":[{{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":\"$S\"}}]}}"
        responses "{{\"model\":\"gpt-5-mini\",\"input\":[{{\"type\":\"function_call_output\",\"call_id\":\"c\",\"output\":\"$S\"}}]}}"
        gemini gemini-2.5-flash:generateContent "{{\"contents\":[{{\"role\":\"user\",\"parts\":[{{\"functionResponse\":{{\"name\":\"f\",\"response\":{{\"out\":\"$S\"}}}}}}]}}]}}""#
    );
    let ended = lab.sh(&script);
    let requests = lab.requests();
    assert_eq!(requests.len(), 4, "{ended}");
    for request in requests {
        let body = request["body"].to_string();
        assert!(
            !body.contains("ghp_") && body.contains("<secret "),
            "{body}"
        );
    }
}

#[test]
fn a_key_of_the_gateway_never_goes_to_a_provider_and_never_comes_back() {
    let lab = Lab::with("secrets: observe");
    // Somebody has told the agent the key; it may not even be used as words.
    let ended = lab.sh(&message(&format!("my key is {KEY}")));
    assert!(ended.stdout.contains("Hello"), "{ended}");
    assert!(!prompt(&lab, 0).contains(KEY));
    // A token of the sandbox is worth nothing there, and does not go there either.
    lab.sh(&message("my token is $ANTHROPIC_AUTH_TOKEN"));
    assert!(!prompt(&lab, 1).contains("rf_"));
}
