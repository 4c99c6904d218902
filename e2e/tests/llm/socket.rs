//! OpenAI's Responses over a WebSocket: each message is decided on as a request by HTTP is, and nothing gets through between two.

mod hostile;
mod policy;

use ringfence_e2e::Ended;
use serde_json::Value;

use super::lab::{KEY, Lab};

const CLIENT: &str = include_str!("socket.py");

/// Runs a script with the client in a sandbox by the profile `models`.
fn python(lab: &Lab, script: &str) -> Ended {
    let run = lab.host.run().profile("models");
    let ended = run.python(&format!("{CLIENT}\n{script}"));
    assert!(!ended.to_string().contains(KEY), "{ended}");
    ended
}

/// The messages that reached the provider.
fn messages(lab: &Lab) -> Vec<Value> {
    let mut requests = lab.requests();
    requests.retain(|request| request["method"] == "MESSAGE");
    requests
}

#[test]
fn requests_go_over_one_connection_with_the_key_that_no_sandbox_sees() {
    let lab = Lab::with("budget: {tokens: 1000000, per: run}");
    let ended = python(
        &lab,
        r#"
ws = Socket(fields=["Sec-WebSocket-Extensions: permessage-deflate", "Sec-WebSocket-Protocol: realtime, openai-insecure-api-key." + KEY])
print(ws.status, sorted(name for name in ws.fields if name.startswith("sec-websocket-ext")))
first = told(ws.hear() if ws.say("one") else ws.hear())
ws.say([{"role": "user", "content": "two"}], previous_response_id=first["response"]["id"])
second = ws.hear()
told(second)
print(second[-1]["response"]["output"][0]["content"][0]["text"])
ws.frame(8, struct.pack(">H", 1000))
print(ws.next())
"#,
    );
    assert_eq!(ended.code, 0, "{ended}\n{}", lab.provider.log());
    assert!(ended.stdout.starts_with("101 []"), "{ended}");
    assert_eq!(
        ended.stdout.matches("response.completed").count(),
        2,
        "{ended}"
    );
    assert!(ended.stdout.contains("Hello, I am no model."), "{ended}");
    assert!(ended.stdout.contains("(8, b'\\x03\\xe8')"), "{ended}");
    let requests = lab.requests();
    let handshake = requests[0]["headers"].to_string();
    assert!(handshake.contains(KEY), "{handshake}");
    assert!(!handshake.contains("rf_"), "{handshake}");
    assert!(
        !handshake.to_lowercase().contains("openai-insecure"),
        "{handshake}"
    );
    assert!(!handshake.contains("permessage-deflate"), "{handshake}");
    assert_eq!(messages(&lab).len(), 2);
}

#[test]
fn each_message_is_an_event_of_its_own_within_that_of_the_connection() {
    let lab = Lab::with("capture: true");
    let ended = python(
        &lab,
        "ws = Socket()\nws.say('tell me')\ntold(ws.hear())\nws.say('again')\ntold(ws.hear())",
    );
    assert_eq!(ended.code, 0, "{ended}");
    let events = lab.events();
    let of = |endpoint: &str| -> Vec<&Value> {
        let is_of = |event: &&Value| event["action"]["endpoint"] == endpoint;
        events.iter().filter(is_of).collect()
    };
    let (opened, asked) = (of("responses-socket"), of("responses"));
    assert_eq!((opened.len(), asked.len()), (1, 2), "{events:?}");
    for event in asked {
        assert_eq!(event["parent"], opened[0]["id"], "{event}");
        let facts = &event["closing"]["llm"];
        assert_eq!(facts["usage"]["input"], 1200, "{event}");
        assert_eq!(facts["usage"]["output"], 25, "{event}");
        assert_eq!(facts["answer"]["text"], "Hello, I am no model.", "{event}");
        assert!(facts["cost"].as_u64() > Some(0), "{event}");
    }
}

#[test]
fn a_response_is_gone_on_from_where_it_was_made_alone() {
    let lab = Lab::with("");
    let ended = python(
        &lab,
        r#"
one, two = Socket(), Socket()
one.say("one")
made = one.hear()[-1]["response"]["id"]
two.say("two", previous_response_id=made)
told(two.hear())
one.say("three", previous_response_id="resp_of_another")
told(one.hear())
one.say("four", conversation="conv_1")
told(one.hear())
one.say("five", previous_response_id=made)
told(one.hear())
"#,
    );
    assert_eq!(
        ended.stdout.matches("not allow stored-response").count(),
        3,
        "{ended}"
    );
    assert_eq!(
        ended.stdout.matches("response.completed").count(),
        1,
        "{ended}"
    );
    assert_eq!(messages(&lab).len(), 2, "{ended}");
}

#[test]
fn what_the_provider_says_of_the_handshake_is_passed_on() {
    let lab = Lab::with("");
    let ended = python(
        &lab,
        r#"
print(Socket(fields=["x-test-refuse: 503"]).status)
print(Socket(fields=["x-test-extension: 1"]).status)
"#,
    );
    assert!(ended.stdout.starts_with("503\n"), "{ended}");
    assert!(!ended.stdout.contains("101"), "{ended}");
}

#[test]
fn where_it_is_not_for_responses_the_client_is_told_to_do_without() {
    let lab = Lab::with("endpoints: [chat-completions, messages, generate-content]");
    let ended = python(
        &lab,
        r#"
for path in ["/v1/responses", "/v1/chat/completions", "/v1/responses/compact", "/v1/realtime"]:
    print(Socket(path).status)
"#,
    );
    assert_eq!(ended.stdout, "426\n426\n426\n426\n", "{ended}");
    assert_eq!(lab.requests().len(), 0);
}

/// Plain HTTP within the sandbox, straight and through the proxy.
#[test]
fn it_is_served_at_the_gateways_short_name() {
    let lab = Lab::with("");
    let ended = python(
        &lab,
        r#"
class Plain(Socket):
    def __init__(self, at, target, name="llm.ringfence.internal"):
        self.raw = socket.create_connection(at, timeout=30)
        self.ask(target, name, KEY, ())

base = urlsplit(os.environ["OPENAI_BASE_URL"])
straight = Plain((base.hostname, 80), base.path + "/responses")
proxy = urlsplit(os.environ["http_proxy"])
through = Plain((proxy.hostname, proxy.port), os.environ["OPENAI_BASE_URL"] + "/responses")
for ws in (straight, through):
    print(ws.status, ws.body)
    ws.say()
    told(ws.hear())
print(Plain((proxy.hostname, proxy.port), os.environ["OPENAI_BASE_URL"] + "/chat/completions").status)
print(Plain((proxy.hostname, proxy.port), "http://web.acme.test/", "web.acme.test").status)
"#,
    );
    assert_eq!(
        ended.stdout.matches("response.completed").count(),
        2,
        "{ended}"
    );
    assert!(ended.stdout.ends_with("426\n403\n"), "{ended}");
}
