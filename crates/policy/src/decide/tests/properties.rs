//! What holds for all rules and actions: the naive reading, and what people rely on.

use std::num::NonZeroU16;

use proptest::collection::vec;
use proptest::prelude::*;
use ringfence_model::Destination;

use super::oracle::{ADDRESSES, Reading, interpret};
use super::strategies::{any_action, any_api_rule, any_profiles, any_rule};
use super::*;
use crate::document::{ApiRule, NetworkRule, ProfileRule};

fn compiled(profiles: &[Profile]) -> Snapshot {
    Snapshot::compile(Generation(1), profiles).unwrap()
}

fn read(verdict: &Verdict) -> Option<Reading> {
    verdict.grant.as_ref().map(|grant| Reading {
        tls: grant.tls,
        http: grant.http,
        opaque: grant.opaque,
        https: grant.https,
        permitted: ADDRESSES
            .iter()
            .copied()
            .filter(|address| grant.addresses.permits(address.parse().unwrap()))
            .collect(),
        valid_until: grant.valid_until,
        terms: grant
            .terms
            .iter()
            .map(|terms| terms.rule.0.clone())
            .collect(),
        credential: verdict
            .decision
            .credential
            .as_ref()
            .map(ToString::to_string),
        access: verdict.decision.access,
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
        for (index, rule) in profile.api.iter_mut().enumerate() {
            let (ApiRule::Allow(terms) | ApiRule::Forbid(terms)) = rule;
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
            profile.api.reverse();
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
    fn no_forbid_allows_anything(
        profiles in any_profiles(),
        more in vec(any_rule(), 1..5),
        api in vec(any_api_rule(), 0..5),
        action in any_action(),
    ) {
        let before = compiled(&profiles).decide(&action, now());
        let more = more.into_iter().filter(NetworkRule::is_forbid).collect();
        let mut narrower = profiles;
        let mut third = Profile::new("three".parse().unwrap(), more);
        third.api = api.into_iter().filter(ApiRule::is_forbid).collect();
        narrower.push(third);
        let after = compiled(&narrower).decide(&action, now());
        prop_assert!(before.decision.is_allow() || !after.decision.is_allow());
        if let (Some(before), Some(after)) = (read(&before), read(&after)) {
            let (was_tls, was_https) = (before.tls, before.https || before.tls);
            prop_assert!(was_tls >= after.tls && was_https >= after.https);
            prop_assert!(before.http >= after.http && before.opaque >= after.opaque);
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
        let (section, line) = (rule.section(), rule.to_line());
        let yaml = format!("{HEAD}name: three\n{section}:\n  - {line}\n");
        let mut wider = profiles;
        wider.extend(Profile::parse("suggested", &yaml).unwrap());
        let (network, api) = (&wider[2].network, &wider[2].api);
        let read = network.iter().cloned().map(|rule| ProfileRule::Network(Box::new(rule)));
        let read_api = api.iter().cloned().map(|rule| ProfileRule::Api(Box::new(rule)));
        prop_assert_eq!(read.chain(read_api).collect::<Vec<_>>(), vec![rule]);
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
