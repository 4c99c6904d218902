//! The compiled decision against a naive reading of the same rules, on random rules and
//! actions: one rule after the other, no index, every clause of the language spelled out.

use std::net::IpAddr;
use std::num::NonZeroU16;

use proptest::collection::vec;
use proptest::prelude::*;
use ringfence_model::{Destination, HttpRequest, Scheme, classify};

use super::strategies::{any_action, any_profiles, any_rule};
use super::*;
use crate::document::{NetworkMatch, NetworkRule, Protocol};

const ADDRESSES: &[&str] = &[
    "8.8.8.8",
    "9.9.9.9",
    "10.0.0.1",
    "10.1.0.1",
    "127.0.0.1",
    "2606:4700::1",
    "::ffff:10.1.0.1",
    "::ffff:8.8.8.8",
];

#[derive(Debug, PartialEq, Eq)]
struct Reading {
    tls: bool,
    http: bool,
    opaque: bool,
    permitted: Vec<&'static str>,
    valid_until: Option<Timestamp>,
}

/// What the rules say, read one by one. None is a denial.
fn interpret(profiles: &[Profile], action: &Action, now: Timestamp) -> Option<Reading> {
    let rules: Vec<&NetworkRule> = profiles
        .iter()
        .flat_map(|profile| &profile.network)
        .filter(|rule| !is_over(rule.terms(), now))
        .collect();
    let (forbids, allows): (Vec<_>, Vec<_>) = rules.into_iter().partition(|rule| rule.is_forbid());
    let Destination { host, port } = action.destination();
    if let Host::Name(name) = host
        && name.as_str() != "host.ringfence.internal"
        && (name.as_str() == "ringfence.internal" || name.as_str().ends_with(".ringfence.internal"))
    {
        return None;
    }
    let possible = left_by_forbids(&forbids, action)?;
    let mut carried = [false; 3];
    let mut counted = Vec::new();
    for terms in about(&allows, host, *port) {
        let offered = offered_by_allow(terms, action);
        let both = [0, 1, 2].map(|kind| offered[kind] && possible[kind]);
        if both != [false; 3] {
            carried = [0, 1, 2].map(|kind| carried[kind] || both[kind]);
            counted.push(terms);
        }
    }
    let [tls, http, opaque] = carried;
    let is_permitted =
        |address: &&str| permits(address.parse().unwrap(), (host, *port), &counted, &forbids);
    (!counted.is_empty()).then(|| Reading {
        tls,
        http,
        opaque,
        permitted: ADDRESSES.iter().copied().filter(is_permitted).collect(),
        valid_until: counted.iter().filter_map(|terms| terms.expires).min(),
    })
}

/// TLS, HTTP and other bytes: which of them the forbids leave. None is nothing at all.
fn left_by_forbids(forbids: &[&NetworkRule], action: &Action) -> Option<[bool; 3]> {
    let Destination { host, port } = action.destination();
    let mut possible = [true; 3];
    for terms in about(forbids, host, *port) {
        match action {
            Action::Http(request) if request.scheme == Scheme::Http => {
                if matches_request(terms, request) {
                    return None;
                }
            }
            _ if terms.methods.is_none() && terms.paths.is_none() => return None,
            _ => possible = [false, possible[1], false],
        }
    }
    Some(possible)
}

fn offered_by_allow(terms: &NetworkMatch, action: &Action) -> [bool; 3] {
    let port = action.destination().port;
    let limited = terms.methods.is_some() || terms.paths.is_some();
    let auto = terms.protocol == Protocol::Auto;
    let tls = (terms.protocol == Protocol::Tls || auto && port != 80) && !limited;
    let http = terms.protocol == Protocol::Http || auto && port != 443;
    let special = port == 80 || port == 443;
    let opaque = (terms.protocol == Protocol::Tcp || auto && !special) && !limited;
    match action {
        Action::Connect(_) => [tls, http, opaque],
        Action::Http(request) if request.scheme == Scheme::Https => [tls, false, false],
        Action::Http(request) => [false, http && matches_request(terms, request), false],
    }
}

fn permits(
    given: IpAddr,
    (host, port): (&Host, u16),
    counted: &[&NetworkMatch],
    forbids: &[&NetworkRule],
) -> bool {
    let address = given.to_canonical();
    let forbidden = about(forbids, &Host::Address(address), port)
        .next()
        .is_some();
    match host {
        Host::Address(only) => *only == address,
        Host::Name(name) if name.as_str() == "host.ringfence.internal" => {
            !forbidden && address.to_string() == "127.0.0.1"
        }
        Host::Name(_) => {
            !forbidden
                && counted.iter().any(|terms| match &terms.addresses {
                    None => classify(given).is_public(),
                    Some(nets) => nets.iter().any(|cidr| cidr.net().contains(&address)),
                })
        }
    }
}

fn about<'a>(
    rules: &'a [&NetworkRule],
    host: &'a Host,
    port: u16,
) -> impl Iterator<Item = &'a NetworkMatch> {
    rules
        .iter()
        .filter(move |rule| is_about(rule.terms(), host))
        .filter(move |rule| has_port(rule.terms(), port, rule.is_forbid()))
        .map(|rule| rule.terms())
}

fn is_about(terms: &NetworkMatch, host: &Host) -> bool {
    match (host, &terms.host, terms.cidr) {
        (Host::Name(name), Some(pattern), _) => pattern.matches(name),
        (Host::Address(address), None, Some(cidr)) => cidr.net().contains(address),
        _ => false,
    }
}

fn has_port(terms: &NetworkMatch, port: u16, is_forbid: bool) -> bool {
    match &terms.ports {
        Some(ports) => ports.iter().any(|known| known.get() == port),
        None => is_forbid || port == 443 || port == 80,
    }
}

fn is_over(terms: &NetworkMatch, now: Timestamp) -> bool {
    terms.expires.is_some_and(|expires| expires <= now)
}

fn matches_request(terms: &NetworkMatch, request: &HttpRequest) -> bool {
    let method = terms.methods.as_ref().is_none_or(|methods| {
        methods
            .iter()
            .any(|method| method.as_str() == request.method)
    });
    let path = terms.paths.as_ref().is_none_or(|paths| {
        paths.iter().any(|pattern| {
            let pattern: Vec<&str> = pattern.as_str().split('/').collect();
            let path: Vec<&str> = request.path.split('/').collect();
            matches_path(&pattern, &path)
        })
    });
    method && path
}

/// Only the wildcards that the generator uses: whole segments.
fn matches_path(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern, path) {
        ([], []) => true,
        (["**", rest @ ..], _) => {
            (0..=path.len()).any(|skipped| matches_path(rest, &path[skipped..]))
        }
        (["*", rest @ ..], [_, tail @ ..]) => matches_path(rest, tail),
        ([word, rest @ ..], [segment, tail @ ..]) => word == segment && matches_path(rest, tail),
        _ => false,
    }
}

fn compiled(profiles: &[Profile]) -> Snapshot {
    Snapshot::compile(Generation(1), profiles).unwrap()
}

fn read(verdict: &Verdict) -> Option<Reading> {
    verdict.grant.as_ref().map(|grant| Reading {
        tls: grant.tls,
        http: grant.http,
        opaque: grant.opaque,
        permitted: ADDRESSES
            .iter()
            .copied()
            .filter(|address| grant.addresses.permits(address.parse().unwrap()))
            .collect(),
        valid_until: grant.valid_until,
    })
}

/// Rules are named by position; here each is given an id, so that it keeps its name.
fn with_ids(profiles: &[Profile]) -> Vec<Profile> {
    let mut profiles = profiles.to_vec();
    for profile in &mut profiles {
        for (index, rule) in profile.network.iter_mut().enumerate() {
            let (NetworkRule::Allow(terms) | NetworkRule::Forbid(terms)) = rule;
            terms.id = format!("r{index}").parse().ok();
        }
    }
    profiles
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn the_compiled_decision_is_the_naive_one(
        profiles in any_profiles(),
        actions in vec(any_action(), 8),
    ) {
        let snapshot = compiled(&profiles);
        for action in actions {
            let verdict = snapshot.decide(&action, now());
            prop_assert_eq!(verdict.grant.is_some(), verdict.decision.is_allow());
            prop_assert_eq!(read(&verdict), interpret(&profiles, &action, now()), "{}", action);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn order_changes_nothing(profiles in any_profiles(), action in any_action(), turn in 0_usize..6) {
        let profiles = with_ids(&profiles);
        let mut turned = profiles.clone();
        turned.reverse();
        for profile in &mut turned {
            let length = profile.network.len().max(1);
            profile.network.rotate_left(turn % length);
            profile.network.reverse();
        }
        let (straight, turned) = (compiled(&profiles), compiled(&turned));
        let (a, b) = (straight.decide(&action, now()), turned.decide(&action, now()));
        prop_assert_eq!(read(&a), read(&b));
        prop_assert_eq!(a.decision, b.decision);
        prop_assert_eq!(straight.explain(&action, now()), turned.explain(&action, now()));
    }

    #[test]
    fn no_rule_undoes_a_forbid(profiles in any_profiles(), action in any_action()) {
        let Destination { host, port } = action.destination();
        prop_assume!(!matches!(host, Host::Name(name) if is_control_plane(name)));
        let mut forbid = match Profile::from_allow(&action.destination().to_string()).unwrap() {
            NetworkRule::Allow(terms) | NetworkRule::Forbid(terms) => terms,
        };
        forbid.ports = NonZeroU16::new(*port).map(|port| vec![port]);
        let mut all = profiles;
        all.push(Profile::new("three".parse().unwrap(), vec![NetworkRule::Forbid(forbid)]));
        let decision = compiled(&all).decide(&action, now()).decision;
        prop_assert_eq!(decision.code, ReasonCode::Forbidden);
    }

    #[test]
    fn no_forbid_allows_anything(profiles in any_profiles(), more in vec(any_rule(), 1..5), action in any_action()) {
        let before = compiled(&profiles).decide(&action, now());
        let more = more.into_iter().filter(NetworkRule::is_forbid).collect();
        let mut narrower = profiles;
        narrower.push(Profile::new("three".parse().unwrap(), more));
        let after = compiled(&narrower).decide(&action, now());
        prop_assert!(before.decision.is_allow() || !after.decision.is_allow());
        if let (Some(before), Some(after)) = (read(&before), read(&after)) {
            prop_assert!(before.tls >= after.tls && before.http >= after.http && before.opaque >= after.opaque);
            prop_assert!(after.permitted.iter().all(|address| before.permitted.contains(address)));
        }
    }

    #[test]
    fn a_suggestion_is_valid_and_allows_what_it_was_made_for(profiles in any_profiles(), action in any_action()) {
        let snapshot = compiled(&profiles);
        let Some(rule) = snapshot.suggest(&action, now()) else {
            return Ok(());
        };
        prop_assert!(!snapshot.decide(&action, now()).decision.is_allow());
        let yaml = format!("{HEAD}name: three\nnetwork:\n  - {}\n", rule.to_line());
        let mut wider = profiles;
        wider.extend(Profile::parse("suggested", &yaml).unwrap());
        prop_assert_eq!(&wider[2].network, &vec![rule]);
        prop_assert!(compiled(&wider).decide(&action, now()).decision.is_allow(), "{}", yaml);
    }

    #[test]
    fn a_refused_action_never_comes_without_words(profiles in any_profiles(), action in any_action()) {
        let verdict = compiled(&profiles).decide(&action, now());
        prop_assert!(!verdict.decision.reason.is_empty());
        let named = verdict.decision.rule.is_some();
        let unnamed = matches!(
            verdict.decision.code,
            ReasonCode::NoRule | ReasonCode::AddressNotNamed | ReasonCode::ControlPlane
        );
        prop_assert!(named != unnamed, "{:?}", verdict.decision);
    }
}
