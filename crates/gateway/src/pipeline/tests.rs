//! The promises of the pipeline: no allow without a record, no record without an end, and no
//! permit that outlives its rule.

use std::time::Duration;

use jiff::Timestamp;
use ringfence_model::{Action, Effect, EventId, Outcome, ReasonCode};
use tokio::time::timeout;

use super::*;
use crate::testing::{Stack, connect_to};

const TLS: &str = "  - allow: { host: api.test, ports: [443] }";
const TCP: &str = "  - allow: { host: api.test, ports: [443], protocol: tcp }";
const OTHER: &str = "  - allow: { host: other.test, ports: [443] }";

fn outcome(stack: &Stack, event: EventId) -> Outcome {
    stack.audit.closing_of(event).unwrap().outcome
}

#[test]
fn an_allowed_action_is_recorded_before_its_permit_exists() {
    let stack = Stack::new(TLS);
    let permit = stack.permit("api.test:443");
    let opened = stack.audit.opened();
    assert_eq!(opened.len(), 1);
    assert_eq!(opened[0].id, permit.event());
    assert_eq!(opened[0].action, connect_to("api.test:443"));
    assert_eq!(opened[0].decision.effect, Effect::Allow);
    assert!(permit.grant().tls && !permit.grant().opaque);
}

#[test]
fn a_denied_action_is_recorded_and_gives_a_refusal_only() {
    let stack = Stack::new(TLS);
    let action = connect_to("evil.test:443");
    let refusal = stack
        .gateway
        .decide(&stack.session, action, None)
        .err()
        .unwrap();
    assert_eq!(refusal.code(), ReasonCode::NoRule);
    assert_eq!(refusal.tried, "connect evil.test:443");
    assert_eq!(refusal.event, Some(stack.audit.opened()[0].id));
    assert!(refusal.decision.next_step.is_some());
}

#[test]
fn nothing_is_allowed_that_cannot_be_recorded() {
    let stack = Stack::new(TLS);
    stack.audit.fail(true);
    let decide = || {
        stack
            .gateway
            .decide(&stack.session, connect_to("api.test:443"), None)
    };
    let refusal = decide().err().unwrap();
    assert_eq!(refusal.code(), ReasonCode::Unavailable);
    assert_eq!(refusal.event, None);
    assert!(refusal.decision.reason.contains("no space left"));
    stack.audit.fail(false);
    assert!(decide().is_ok());
}

#[test]
fn a_permit_that_is_dropped_is_recorded_as_aborted() {
    let stack = Stack::new(TLS);
    let permit = stack.permit("api.test:443");
    let event = permit.event();
    permit.meter().add_sent(7);
    drop(permit);
    assert_eq!(outcome(&stack, event), Outcome::Aborted);
    assert_eq!(stack.audit.closing_of(event).unwrap().sent, 7);
}

#[test]
fn a_permit_is_closed_once() {
    let stack = Stack::new(TLS);
    let permit = stack.permit("api.test:443");
    let event = permit.event();
    permit.finish(Outcome::Done);
    assert_eq!(outcome(&stack, event), Outcome::Done);
    assert_eq!(stack.audit.records().len(), 2);
}

#[test]
fn an_event_stays_open_while_what_came_of_it_is_still_to_be_noted() {
    let stack = Stack::new(TLS);
    let permit = stack.permit("api.test:443");
    let event = permit.event();
    let (first, second) = (permit.git().hold(), permit.git().hold());
    permit.finish(Outcome::Status(200));
    drop(first);
    assert_eq!(stack.audit.closing_of(event), None);
    second.note(|facts| facts.objects = Some(3));
    drop(second);
    let closing = stack.audit.closing_of(event).unwrap();
    assert_eq!(closing.outcome, Outcome::Status(200));
    assert_eq!(closing.git.unwrap().objects, Some(3));
    assert_eq!(stack.audit.records().len(), 2);
}

#[test]
fn a_hold_that_ends_first_leaves_the_event_to_its_permit() {
    let stack = Stack::new(TLS);
    let permit = stack.permit("api.test:443");
    let event = permit.event();
    drop(permit.git().hold());
    assert_eq!(stack.audit.closing_of(event), None);
    permit.finish(Outcome::Done);
    assert_eq!(outcome(&stack, event), Outcome::Done);
}

#[test]
fn a_refusal_after_the_decision_closes_the_same_event() {
    let stack = Stack::new(TLS);
    let permit = stack.permit("api.test:443");
    let event = permit.event();
    let refusal = permit.refuse(ReasonCode::SniMismatch, "another name");
    assert_eq!(refusal.event, Some(event));
    let refused = Outcome::Refused(ReasonCode::SniMismatch);
    assert_eq!(outcome(&stack, event), refused);
}

#[test]
fn a_connection_carries_only_what_was_granted_and_only_one_thing() {
    let stack = Stack::new(TLS);
    let permit = stack.permit("api.test:443");
    assert!(!permit.carry(Transport::Opaque));
    assert!(permit.carry(Transport::Tls));
    assert!(!permit.carry(Transport::Http));
    assert_eq!(permit.transport(), Some(Transport::Tls));
}

#[tokio::test]
async fn a_permit_is_revoked_when_the_new_policy_does_not_allow_it() {
    let stack = Stack::new(TLS);
    let permit = stack.permit("api.test:443");
    let watching = stack.gateway.revoked(&permit);
    tokio::pin!(watching);
    assert!(timeout(Duration::ZERO, &mut watching).await.is_err());
    stack.publish(2, &format!("{TLS}\n{OTHER}"));
    assert!(timeout(Duration::ZERO, &mut watching).await.is_err());
    stack.publish(3, OTHER);
    let decision = watching.await;
    assert_eq!(decision.code, ReasonCode::Revoked);
    assert_eq!(decision.generation.0, 3);
}

#[tokio::test]
async fn a_policy_that_changed_before_the_watch_began_counts_too() {
    let stack = Stack::new(TLS);
    let permit = stack.permit("api.test:443");
    stack.publish(2, OTHER);
    let decision = stack.gateway.revoked(&permit).await;
    assert_eq!(decision.code, ReasonCode::Revoked);
}

#[tokio::test]
async fn a_permit_is_revoked_when_only_another_transport_is_left() {
    let stack = Stack::new(TCP);
    let permit = stack.permit("api.test:443");
    assert!(permit.carry(Transport::Opaque));
    stack.publish(2, TLS);
    let decision = stack.gateway.revoked(&permit).await;
    assert_eq!(decision.code, ReasonCode::Revoked);
}

#[tokio::test]
async fn a_permit_ends_when_its_rule_expires() {
    let soon = Timestamp::now() + Duration::from_millis(150);
    let rules = format!("  - allow: {{ host: api.test, ports: [443], expires: \"{soon}\" }}");
    let stack = Stack::new(&rules);
    let permit = stack.permit("api.test:443");
    let decision = stack.gateway.revoked(&permit).await;
    assert!(Timestamp::now() >= soon);
    assert_eq!(decision.code, ReasonCode::Revoked);
}

#[test]
fn a_synthetic_address_is_the_name_that_it_was_handed_out_for() {
    let stack = Stack::new(TLS);
    let name = "api.test".parse().unwrap();
    let (v4, v6) = stack.session.names().assign(&name).unwrap();
    for address in [format!("{v4}:443"), format!("[{v6}]:443")] {
        let place = stack.session.place(address.parse().unwrap());
        assert_eq!(place, Place::Upstream("api.test:443".parse().unwrap()));
    }
}

#[test]
fn synthetic_addresses_that_nobody_asked_for_lead_nowhere() {
    let stack = Stack::new(TLS);
    for address in ["198.18.3.4:443", "198.19.255.1:443", "[fd00:5afe::77]:443"] {
        let place = stack.session.place(address.parse().unwrap());
        assert!(matches!(place, Place::Unmapped(_)), "{address}: {place:?}");
    }
}

#[test]
fn the_gateway_is_no_destination_but_its_host_may_be() {
    let stack = Stack::new(TLS);
    for place in [
        "198.18.0.1:22",
        "[fd00:5afe::1]:3128",
        "ringfence.internal:80",
        "web.ringfence.internal:443",
        "a.host.ringfence.internal:443",
    ] {
        let found = stack.session.place(place.parse().unwrap());
        assert!(
            matches!(found, Place::ControlPlane(_)),
            "{place}: {found:?}"
        );
    }
    for place in ["host.ringfence.internal:5432", "203.0.113.9:22"] {
        let found = stack.session.place(place.parse().unwrap());
        assert_eq!(found, Place::Upstream(place.parse().unwrap()));
    }
}

/// A request in the plain, to this path and query.
fn plain(path: &str, query: Option<&str>) -> Action {
    Action::Http(ringfence_model::HttpRequest {
        destination: "api.test:80".parse().unwrap(),
        scheme: ringfence_model::Scheme::Http,
        method: "GET".to_owned(),
        path: path.to_owned(),
        query: query.map(str::to_owned),
        headers: Vec::new(),
        content: None,
    })
}

#[test]
fn a_token_in_a_url_is_decided_on_and_not_recorded() {
    let token = format!("rf_{}", "aB3-_".repeat(9).get(..43).unwrap());
    let escaped = token.replacen('_', "%5F", 1);
    for (path, query, recorded) in [
        (format!("/a/{token}"), None, plain("/a/rf_", None)),
        (
            format!("/a/x-{token}"),
            None,
            plain(&format!("/a/x-{token}"), None),
        ),
        (format!("/a/{escaped};x"), None, plain("/a/rf_;x", None)),
        (
            "/a".to_owned(),
            Some(format!("k={token}&l=1")),
            plain("/a", Some("k=rf_&l=1")),
        ),
        (
            "/a/%20".to_owned(),
            Some("k=%20".to_owned()),
            plain("/a/%20", Some("k=%20")),
        ),
    ] {
        for rules in [
            "  - allow: { host: api.test }",
            "  - allow: { host: api.test, paths: [/b] }",
        ] {
            let stack = Stack::new(rules);
            let action = plain(&path, query.as_deref());
            let decided = stack.gateway.decide(&stack.session, action.clone(), None);
            let opened = stack.audit.opened();
            assert_eq!(opened[0].action, recorded, "{path}");
            if recorded != action {
                assert!(!format!("{opened:?}").contains(&token[3..]), "{opened:?}");
            }
            if let Ok(permit) = decided {
                assert_eq!(*permit.action(), action);
            }
            let code = ReasonCode::Malformed;
            let refusal = stack.gateway.deny(&stack.session, action, code, "no sense");
            assert_eq!(stack.audit.opened()[1].action, recorded, "{refusal:?}");
        }
    }
}
