use ringfence_model::llm::{LlmEndpoint, LlmFacts, LlmRequest, Money, TokenUsage};

use super::*;
use crate::testing::{allowed, closed, denied, denied_git, story};

#[test]
fn counts_what_was_allowed_and_denied_by_destination() {
    let mut tally = Tally::default();
    for record in &story() {
        tally.feed(record);
    }
    assert_eq!(
        serde_json::to_value(tally.counts()).unwrap(),
        serde_json::json!({
            "allowed": 2,
            "denied": 3,
            // Those of the request are in its connection's.
            "sent": 1034,
            "received": 8192,
            "allowed_by_destination": [
                { "destination": { "host": "docs.test", "port": 443 }, "count": 2 },
            ],
            "denied_by_destination": [
                {
                    "destination": { "host": "docs.test", "port": 443 },
                    "code": "sni-mismatch",
                    "count": 1,
                },
                {
                    "destination": { "host": "evil.test", "port": 443 },
                    "code": "no-rule",
                    "count": 1,
                    "next_step": "ringfence allow evil.test:443",
                },
                {
                    "destination": { "host": "2001:db8::1", "port": 22 },
                    "code": "no-rule",
                    "count": 1,
                    "next_step": "ringfence allow [2001:db8::1]:22",
                },
            ],
        })
    );
}

#[test]
fn git_is_counted_by_repository() {
    let mut tally = Tally::default();
    for repository in ["github/acme/web", "github/acme/docs", "github/acme/web"] {
        tally.feed(&Record::Opened(denied_git(1, repository)));
    }
    let counts = tally.counts().denied_by_destination;
    let groups: Vec<_> = counts
        .iter()
        .map(|denied| {
            let repository = denied.repository.as_ref().map(ToString::to_string);
            (repository.unwrap(), denied.count)
        })
        .collect();
    assert_eq!(
        groups,
        [
            ("github/acme/docs".to_owned(), 1),
            ("github/acme/web".to_owned(), 2)
        ]
    );
}

#[test]
fn what_a_request_moved_is_counted_with_its_connection_alone() {
    let mut tally = Tally::default();
    let connection = allowed(1, "docs.test:443");
    let mut request = allowed(2, "docs.test:443");
    request.parent = Some(connection.id);
    for event in [connection, request] {
        tally.feed(&Record::Opened(event));
    }
    let closings = [2, 1].map(|event| closed(event, Outcome::Done));
    for closing in &closings {
        tally.feed(&Record::Closed(closing.clone()));
    }
    let counts = tally.counts();
    assert!(counts.sent > 0);
    assert_eq!(
        (counts.sent, counts.received),
        (closings[1].sent, closings[1].received)
    );
}

#[test]
fn a_destination_whose_every_action_was_refused_later_was_not_allowed() {
    let mut tally = Tally::default();
    tally.feed(&Record::Opened(allowed(1, "docs.test:443")));
    let mut refused = closed(1, Outcome::Refused(ReasonCode::Revoked));
    refused.next_step = Some("ask".to_owned());
    tally.feed(&Record::Closed(refused.clone()));
    tally.feed(&Record::Closed(refused));
    let counts = tally.counts();
    assert_eq!((counts.allowed, counts.denied), (0, 1));
    assert!(counts.allowed_by_destination.is_empty());
    let next_step = counts.denied_by_destination[0].next_step.as_deref();
    assert_eq!(next_step, Some("ask"));
}

#[test]
fn memory_is_bounded_while_the_sums_go_on() {
    let mut tally = Tally::default();
    let many = u32::try_from(TALLY_DESTINATIONS).unwrap() * 2;
    for number in 0..many {
        tally.feed(&Record::Opened(denied(
            number,
            &format!("h{number}.test:443"),
        )));
        tally.feed(&Record::Opened(allowed(
            number,
            &format!("h{number}.test:443"),
        )));
    }
    let counts = tally.counts();
    assert_eq!(
        (counts.allowed, counts.denied),
        (u64::from(many), u64::from(many))
    );
    assert_eq!(counts.denied_by_destination.len(), TALLY_DESTINATIONS);
    assert_eq!(counts.allowed_by_destination.len(), TALLY_DESTINATIONS);
}

fn asked(mut event: Event) -> Event {
    let destination = event.action.destination().clone();
    event.action = Action::Llm(Box::new(LlmRequest {
        destination,
        provider: "anthropic".parse().unwrap(),
        endpoint: LlmEndpoint::Messages,
        model: Some("claude-test".to_owned()),
        alias: None,
        path: "/v1/messages".to_owned(),
        query: None,
        stream: false,
        max_output_tokens: None,
        hosted: Vec::new(),
        octets: 100,
    }));
    event
}

fn answered(number: u32, usage: (u64, u64), cost: Option<u64>) -> Closing {
    Closing {
        llm: Some(Box::new(LlmFacts {
            usage: Some(TokenUsage {
                input: usage.0,
                output: usage.1,
                ..TokenUsage::default()
            }),
            cost: cost.map(Money::from_nanos),
            estimated: cost.is_none(),
            ..LlmFacts::default()
        })),
        ..closed(number, Outcome::Status(200))
    }
}

#[test]
fn what_models_took_is_added_up_and_what_they_were_not_asked_is_not() {
    let mut tally = Tally::default();
    assert!(tally.counts().llm.is_none());
    let place = "api.anthropic.test:443";
    for record in [
        Record::Opened(allowed(1, place)),
        Record::Opened(asked(allowed(2, place))),
        Record::Opened(asked(allowed(3, place))),
        Record::Opened(asked(denied(4, place))),
        Record::Opened(asked(allowed(5, place))),
        Record::Closed(answered(2, (1_000, 20), Some(3_412_500))),
        Record::Closed(answered(3, (u64::MAX, 7), None)),
        Record::Closed(closed(5, Outcome::Refused(ReasonCode::BudgetExhausted))),
        Record::Closed(closed(1, Outcome::Done)),
    ] {
        tally.feed(&record);
    }
    assert_eq!(
        serde_json::to_value(tally.counts().llm).unwrap(),
        serde_json::json!({
            "requests": 2,
            "denied": 2,
            "input_tokens": u64::MAX,
            "output_tokens": 27,
            "cost": 3_412_500,
            "estimated": 1,
            "without_price": 1,
        })
    );
}
