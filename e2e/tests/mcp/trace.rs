//! Which span a message belongs to: what the agent says of it is read and stays here, what the server is told is ours.

use serde_json::Value;

use super::lab::{ALL, ERAS, Lab};

const THEIRS: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// A call with all that W3C has, in every spelling, and one with nothing.
const CALLS: &str = r#"
c = connect("lab", ERA)
meta = {"traceparent": THEIRS, "Tracestate": "acme=x4bf92f", "baggage": "who=x4bf92f", "progressToken": "p"}
headers = {"traceparent": THEIRS, "tracestate": "acme=x4bf92f", "baggage": "who=x4bf92f"}
show(c.ask("tools/call", {"name": "do", "arguments": {"what": "echo"}, "_meta": meta}, headers=headers))
show(c.ask("tools/call", {"name": "do", "arguments": {"what": "echo"}}))
"#;

impl Lab {
    /// Has an agent make the calls. Gives them as they reached the server.
    fn traced(&self, era: &str) -> Vec<Value> {
        let source = CALLS
            .replace("ERA", era)
            .replace("THEIRS", &format!("{THEIRS:?}"));
        let told = self.agent(&source);
        for answer in &told.shown {
            assert!(answer["result"].is_object(), "{}", told.ended);
        }
        for request in self.requests() {
            let request = request.to_string();
            assert!(!request.contains("4bf92f"), "{request}");
        }
        let mut calls = self.calls();
        calls.split_off(calls.len() - 2)
    }
}

fn meta(call: &Value) -> Value {
    let body: Value = serde_json::from_str(call["body"].as_str().unwrap()).unwrap();
    body["params"]["_meta"].clone()
}

#[test]
fn a_server_is_told_of_no_span_unless_the_profile_says_so() {
    let lab = Lab::hostile(ALL);
    for era in ERAS {
        let calls = lab.traced(era);
        assert_eq!(meta(&calls[0])["progressToken"], "p");
        for call in &calls {
            assert!(meta(call)["traceparent"].is_null(), "{call}");
        }
    }
    let spans = lab.events();
    let said = spans
        .iter()
        .filter(|it| it["closing"]["mcp"]["trace"]["span"] == "00f067aa0ba902b7");
    assert_eq!(said.count(), 2, "what the agent said is on record");
}

#[test]
fn a_server_that_is_to_know_is_told_the_span_of_the_record() {
    let lab = Lab::hostile(ALL);
    let path = lab.host.profile("mcp", "");
    lab.rules(&[&format!("allow: {{id: lab, server: lab, {ALL}}}")]);
    let document = std::fs::read_to_string(&path).unwrap();
    let traced = document.replace("credential: lab}", "credential: lab, trace: true}");
    assert_ne!(document, traced);
    lab.host.profile("mcp", &traced);
    for era in ERAS {
        for call in lab.traced(era) {
            let said = meta(&call)["traceparent"].as_str().unwrap().to_owned();
            let parts: Vec<&str> = said.split('-').collect();
            let events = lab.events();
            let of = events.iter().find(|event| {
                let id = event["id"].as_str().unwrap().replace('-', "");
                id.ends_with(parts[2])
            });
            let of = of.unwrap_or_else(|| panic!("{said} is no span of the record"));
            assert_eq!(of["action"]["target"], "do");
            assert_eq!(of["run"].as_str().unwrap().replace('-', ""), parts[1]);
        }
    }
}
