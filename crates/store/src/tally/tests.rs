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
