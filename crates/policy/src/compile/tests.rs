use super::*;
use crate::document::{NetworkMatch, NetworkRule};

fn profile(name: &str, rules: Vec<NetworkRule>) -> Profile {
    Profile::new(name.parse().unwrap(), rules)
}

fn allow(spec: &str) -> NetworkRule {
    Profile::from_allow(spec).unwrap()
}

#[test]
fn a_look_up_sees_the_rules_of_its_destination_and_no_others() {
    let mut rules: Vec<_> = (0..10_000)
        .map(|n| allow(&format!("h{n}.a.test")))
        .collect();
    rules.extend((0..1_000).map(|n| allow(&format!("*.z{n}.test"))));
    rules.extend((0..250).map(|n| allow(&format!("10.0.{n}.0/24"))));
    rules.extend([allow("*.a.test"), allow("10.0.0.0/16")]);
    let snapshot = Snapshot::compile(Generation(1), &[profile("p", rules)]).unwrap();
    for (host, rules) in [
        ("h77.a.test", 2),
        ("x.y.z7.test", 1),
        ("z7.test", 0),
        ("10.0.7.7", 2),
        ("10.1.0.1", 0),
        ("other.test", 0),
    ] {
        let host = host.parse().unwrap();
        assert_eq!(snapshot.allows.covering(&host).count(), rules, "{host}");
    }
    assert_eq!(snapshot.rule_count(), 11_252);
}

#[test]
fn two_profiles_of_one_name_are_refused() {
    let twice = [profile("p", vec![]), profile("p", vec![])];
    let error = Snapshot::compile(Generation(1), &twice).unwrap_err();
    assert_eq!(error.message, "there are two profiles `p`");
}

#[test]
fn profiles_that_were_not_parsed_are_checked_as_well() {
    let empty = NetworkMatch::default();
    let no_ports = NetworkMatch {
        cidr: "10.0.0.0/8".parse().ok(),
        ..NetworkMatch::default()
    };
    let control_plane = NetworkMatch {
        host: "llm.ringfence.internal".parse().ok(),
        ..NetworkMatch::default()
    };
    for terms in [empty, no_ports, control_plane] {
        let profile = profile("p", vec![NetworkRule::Allow(terms.clone())]);
        assert!(
            Snapshot::compile(Generation(1), &[profile]).is_err(),
            "{terms:?}"
        );
    }
}

#[test]
fn more_rules_than_are_supported_are_refused() {
    let rule = allow("a.test");
    let profile = profile("p", vec![rule; crate::limits::RULES + 1]);
    let error = Snapshot::compile(Generation(1), &[profile]).unwrap_err();
    assert_eq!(
        error.message,
        "250001 rules are more than the 250000 that are supported"
    );
}

#[test]
fn a_snapshot_keeps_its_number() {
    let snapshot = Snapshot::compile(Generation(42), &[]).unwrap();
    assert_eq!(snapshot.generation(), Generation(42));
    assert_eq!(
        Snapshot::deny_all(Generation(3)).generation(),
        Generation(3)
    );
}
