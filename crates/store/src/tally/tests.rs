use super::*;
use crate::testing::{allowed, closed, denied, story};

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
            "sent": 1551,
            "received": 12288,
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
