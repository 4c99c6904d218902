//! The words of a refusal.

use ringfence_gateway::wire::http::read_request;
use ringfence_model::{Decision, Effect, Generation, RuleRef};

use super::*;

fn refusal() -> Stopped {
    let event = "0192f0c1-2345-7000-8000-000000000001".parse().unwrap();
    Stopped::Refused(Refusal {
        event: Some(event),
        tried: "connect evil.test:443".to_owned(),
        decision: Box::new(Decision {
            effect: Effect::Deny,
            code: ReasonCode::Forbidden,
            reason: "a rule forbids evil.test".to_owned(),
            rule: Some(RuleRef("base/network/no-evil".to_owned())),
            generation: Generation(7),
            next_step: Some("ask for another host".to_owned()),
            credential: None,
            access: None,
        }),
    })
}

fn request(head: &str) -> RequestHead {
    read_request(head.as_bytes()).unwrap().unwrap().0
}

#[test]
fn a_refusal_says_what_why_by_which_rule_and_what_next() {
    let answer = String::from_utf8(Answer::of(&refusal()).close().write(None)).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert_eq!(
        head,
        format!(
            "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Cache-Control: no-store\r\nX-Ringfence-Reason: forbidden\r\n\
             X-Ringfence-Event: 0192f0c1-2345-7000-8000-000000000001\r\n\
             Content-Length: {}\r\nConnection: close",
            body.len()
        )
    );
    assert_eq!(
        body,
        "Ringfence refused this: connect evil.test:443\n\
         reason: a rule forbids evil.test (forbidden)\n\
         rule: base/network/no-evil\n\
         policy: 7\n\
         next step: ask for another host\n\
         event: 0192f0c1-2345-7000-8000-000000000001\n\
         \n\
         This is a policy decision, not a network fault. Do not retry and do not look for \
         another route: ask the operator to allow it.\n"
    );
}

#[test]
fn head_gets_the_length_and_no_body() {
    let head = request("HEAD / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    let answer = String::from_utf8(Answer::of(&refusal()).write(Some(&head))).unwrap();
    assert!(answer.contains("\r\nContent-Length: "), "{answer}");
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
}

#[test]
fn the_client_chooses_between_text_and_json() {
    for (fields, json) in [
        ("", false),
        ("User-Agent: curl/8.5.0\r\nAccept: */*\r\n", false),
        ("Accept: text/html, application/json;q=0.5\r\n", false),
        ("Accept: application/vnd.github+json\r\n", true),
        ("Accept: */*\r\nUser-Agent: Go-http-client/1.1\r\n", true),
        ("Accept: text/plain\r\nUser-Agent: axios/1.7\r\n", false),
    ] {
        let head = request(&format!("GET / HTTP/1.1\r\nHost: a.test\r\n{fields}\r\n"));
        assert_eq!(wants_json(|name| head.headers.get(name)), json, "{fields}");
    }
}
