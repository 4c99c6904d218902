//! Decisions by table, the known ways around allow-lists, and the words of every refusal.

mod api;
mod conditions;
mod git;
mod llm;
mod mcp;
mod oracle;
mod paths;
mod properties;
mod strategies;

use std::fmt::Write as _;
use std::net::IpAddr;

use ringfence_model::{Generation, RuleRef};

use super::*;
use crate::document::{Profile, RuleId, TestAction};

const HEAD: &str = "apiVersion: ringfence/v1\nkind: Profile\n";

fn snapshot(rules: &str) -> Snapshot {
    let mut yaml = format!("{HEAD}name: p\n");
    if !rules.is_empty() {
        yaml.push_str("network:\n");
    }
    for rule in rules.lines().map(str::trim).filter(|line| !line.is_empty()) {
        writeln!(yaml, "  - {rule}").unwrap();
    }
    Snapshot::compile(Generation(7), &Profile::parse("p.yaml", &yaml).unwrap()).unwrap()
}

fn action(text: &str) -> Action {
    text.parse::<TestAction>().unwrap().action()
}

fn now() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

fn decide(rules: &str, text: &str) -> Verdict {
    snapshot(rules).decide(&action(text), now())
}

fn carries(verdict: &Verdict) -> String {
    let Some(grant) = &verdict.grant else {
        return verdict.decision.code.to_string();
    };
    let kinds = [
        (grant.tls, "tls"),
        (grant.http, "http"),
        (grant.opaque, "opaque"),
        (grant.https, "https"),
    ];
    let kinds: Vec<_> = kinds
        .into_iter()
        .filter_map(|(is, name)| is.then_some(name))
        .collect();
    kinds.join(" ")
}

fn permits(verdict: &Verdict, address: &str) -> bool {
    let address: IpAddr = address.parse().unwrap();
    verdict.grant.as_ref().unwrap().addresses.permits(address)
}

#[test]
fn protocols_follow_the_port_unless_the_rule_says_otherwise() {
    for (rule, port, carried) in [
        ("{host: a.test}", 443, "tls"),
        ("{host: a.test}", 80, "http"),
        ("{host: a.test}", 22, "port-not-allowed"),
        (
            "{host: a.test, ports: [22, 443, 80]}",
            22,
            "tls http opaque",
        ),
        ("{host: a.test, ports: [8443], protocol: tls}", 8443, "tls"),
        ("{host: a.test, ports: [443], protocol: http}", 443, "http"),
        ("{host: a.test, ports: [443], protocol: tcp}", 443, "opaque"),
        ("{host: a.test, methods: [GET]}", 80, "http"),
        ("{host: a.test, methods: [GET]}", 443, "https"),
        (
            "{host: a.test, methods: [GET], protocol: tls, ports: [8443]}",
            8443,
            "https",
        ),
        ("{host: a.test, tunnel: true}", 443, "tls"),
        ("{host: a.test, tunnel: true}", 80, "http"),
        (
            "{host: a.test, tunnel: true, ports: [8443]}",
            8443,
            "tls http opaque",
        ),
        (
            "{host: a.test, paths: [/], ports: [8080]}",
            8080,
            "http https",
        ),
        (
            "{host: a.test, paths: [/], ports: [443], protocol: http}",
            443,
            "http",
        ),
    ] {
        let verdict = decide(&format!("allow: {rule}"), &format!("a.test:{port}"));
        assert_eq!(carries(&verdict), carried, "{rule} on {port}");
        assert_eq!(verdict.grant.is_some(), verdict.decision.is_allow());
    }
}

#[test]
fn no_rules_allow_nothing() {
    for text in [
        "a.test:443",
        "10.0.0.1:443",
        "GET http://a.test/",
        "host.ringfence.internal:80",
    ] {
        assert!(!decide("", text).decision.is_allow(), "{text}");
        let nothing = Snapshot::deny_all(Generation(0));
        assert!(!nothing.decide(&action(text), now()).decision.is_allow());
    }
}

#[test]
fn a_wildcard_covers_labels_below_and_nothing_beside() {
    let rule = "allow: {host: '*.a.test'}";
    for name in ["b.a.test", "c.b.a.test", "B.A.TEST", "b.a.test."] {
        assert!(
            decide(rule, &format!("{name}:443")).decision.is_allow(),
            "{name}"
        );
    }
    for name in [
        "a.test",
        "xa.test",
        "b.a.test.evil.test",
        "evil.test",
        "test",
    ] {
        assert!(
            !decide(rule, &format!("{name}:443")).decision.is_allow(),
            "{name}"
        );
    }
}

#[test]
fn forbid_wins_over_every_allow() {
    let rules = "allow: {id: wide, host: '*.a.test'}
        allow: {id: exact, host: b.a.test, ports: [443, 8443]}
        forbid: {id: no, host: b.a.test, ports: [443]}";
    let verdict = decide(rules, "b.a.test:443");
    assert_eq!(verdict.decision.code, ReasonCode::Forbidden);
    assert_eq!(
        verdict.decision.rule,
        Some(RuleRef("p/network/no".to_owned()))
    );
    assert!(decide(rules, "b.a.test:8443").decision.is_allow());
    assert!(decide(rules, "c.a.test:443").decision.is_allow());
}

#[test]
fn a_forbid_without_ports_is_for_every_port() {
    let rules = "allow: {host: '*.a.test', ports: [22, 443]}
        forbid: {host: b.a.test}";
    assert_eq!(
        decide(rules, "b.a.test:22").decision.code,
        ReasonCode::Forbidden
    );
    let rules = "allow: {cidr: 10.0.0.0/8, ports: [22]}
        forbid: {cidr: 10.1.0.0/16}";
    assert_eq!(
        decide(rules, "10.1.0.1:22").decision.code,
        ReasonCode::Forbidden
    );
    assert!(decide(rules, "10.2.0.1:22").decision.is_allow());
}

#[test]
fn a_forbid_that_would_have_to_read_takes_away_what_cannot_be_read() {
    let rules = "allow: {host: a.test, ports: [80, 443, 8080]}
        forbid: {id: no-posts, host: a.test, methods: [POST]}";
    assert_eq!(carries(&decide(rules, "a.test:443")), "https");
    assert_eq!(carries(&decide(rules, "a.test:80")), "http");
    assert_eq!(carries(&decide(rules, "a.test:8080")), "http https");
    assert_eq!(carries(&decide(rules, "GET http://a.test/")), "http");
    assert_eq!(carries(&decide(rules, "POST http://a.test/")), "forbidden");
    assert_eq!(carries(&decide(rules, "GET https://a.test/")), "https");
    assert_eq!(carries(&decide(rules, "POST https://a.test/")), "forbidden");
    let opaque = "allow: {host: a.test, ports: [22], protocol: tcp}
        allow: {host: a.test, tunnel: true}
        forbid: {id: no-posts, host: a.test, methods: [POST]}";
    for text in ["a.test:22", "a.test:443", "GET https://a.test/"] {
        let verdict = decide(opaque, text);
        assert_eq!(carries(&verdict), "needs-interception", "{text}");
        assert_eq!(verdict.decision.rule.unwrap().0, "p/network/no-posts");
    }
}

#[test]
fn requests_are_matched_by_method_and_path() {
    let rules = "allow: {host: a.test, methods: [GET], paths: ['/repos/**']}
        forbid: {host: a.test, paths: ['/repos/secret/**']}";
    for (text, carried) in [
        ("GET http://a.test/repos/x?y=/../z", "http"),
        ("HEAD http://a.test/repos/x", "method-not-allowed"),
        ("GET http://a.test/other", "path-not-allowed"),
        ("GET http://a.test/repos/secret", "forbidden"),
        ("GET http://a.test/repos/secret/x", "forbidden"),
        ("GET http://a.test:8080/repos/x", "port-not-allowed"),
        ("GET http://b.test/repos/x", "no-rule"),
    ] {
        assert_eq!(carries(&decide(rules, text)), carried, "{text}");
    }
}

#[test]
fn an_expired_allow_allows_nothing_and_a_running_one_says_until_when() {
    let expired = "allow: {host: a.test, expires: '2026-06-01T00:00:00Z'}";
    assert_eq!(
        decide(expired, "a.test:443").decision.code,
        ReasonCode::RuleExpired
    );
    let running = "allow: {host: a.test, expires: '2026-06-01T02:00:00Z'}
        allow: {host: a.test, expires: '2026-06-01T01:00:00Z'}
        allow: {host: a.test}
        allow: {host: a.test, ports: [22], expires: '2026-06-01T00:30:00Z'}";
    let verdict = decide(running, "a.test:443");
    let until: Timestamp = "2026-06-01T01:00:00Z".parse().unwrap();
    assert_eq!(verdict.grant.unwrap().valid_until, Some(until));
}

#[test]
fn an_expired_forbid_forbids_nothing() {
    let rules = "allow: {host: a.test}
        forbid: {host: a.test, expires: '2026-05-31T23:59:59Z'}";
    assert!(decide(rules, "a.test:443").decision.is_allow());
}

#[test]
fn a_name_resolves_to_public_addresses_unless_a_rule_names_others() {
    let verdict = decide("allow: {host: a.test}", "a.test:443");
    assert!(permits(&verdict, "8.8.8.8"));
    for address in [
        "10.0.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "::1",
        "fd00::1",
        "::ffff:8.8.8.8",
        "::ffff:10.0.0.1",
        "64:ff9b::808:808",
        "fe80::1",
    ] {
        assert!(!permits(&verdict, address), "{address}");
    }
    let named = decide(
        "allow: {host: a.test, addresses: [10.0.0.0/8]}",
        "a.test:443",
    );
    assert!(permits(&named, "10.0.0.1"));
    assert!(permits(&named, "::ffff:10.0.0.1"));
    for address in ["8.8.8.8", "11.0.0.1", "::a00:1", "2001:db8::a00:1"] {
        assert!(!permits(&named, address), "{address}");
    }
    let both = decide(
        "allow: {host: a.test, addresses: [10.0.0.0/8]}
        allow: {host: a.test}
        allow: {host: a.test, ports: [22], addresses: [192.168.0.0/16]}",
        "a.test:443",
    );
    assert!(permits(&both, "10.0.0.1") && permits(&both, "8.8.8.8"));
    assert!(!permits(&both, "192.168.0.1"));
}

#[test]
fn a_forbidden_network_is_out_of_reach_for_names_as_well() {
    let rules = "allow: {host: a.test, addresses: [10.0.0.0/8]}
        allow: {host: b.test}
        forbid: {cidr: 10.1.0.0/16}
        forbid: {cidr: 8.8.8.0/24, ports: [443]}
        forbid: {cidr: 9.9.9.9/32, expires: '2020-01-01T00:00:00Z'}";
    let named = decide(rules, "a.test:443");
    assert!(permits(&named, "10.2.0.1"));
    assert!(!permits(&named, "10.1.0.1"));
    assert!(!permits(&named, "::ffff:10.1.0.1"));
    assert!(!permits(&decide(rules, "b.test:443"), "8.8.8.8"));
    assert!(permits(&decide(rules, "b.test:80"), "8.8.8.8"));
    assert!(permits(&decide(rules, "b.test:443"), "9.9.9.9"));
}

#[test]
fn a_forbidden_network_is_named_whatever_leads_to_it() {
    let rules = "allow: {host: a.test, ports: [443]}
        allow: {host: host.ringfence.internal, ports: [443]}
        forbid: {cidr: 127.0.0.0/8, ports: [443]}
        forbid: {cidr: 10.0.0.0/8, ports: [8443]}
        forbid: {cidr: 10.0.0.0/16, ports: [8443], methods: [DELETE]}
        forbid: {cidr: 192.168.0.0/16, expires: '2020-01-01T00:00:00Z'}";
    for host in ["a.test", "host.ringfence.internal"] {
        let verdict = decide(rules, &format!("{host}:443"));
        let addresses = verdict.grant.unwrap().addresses;
        for (address, rule) in [
            ("127.0.0.1:443", Some("p/network/3")),
            // Decided on as port 443, dialled elsewhere.
            ("127.0.0.1:8443", Some("p/network/3")),
            ("[::ffff:127.0.0.1]:443", Some("p/network/3")),
            ("10.0.0.1:8443", Some("p/network/4")),
            ("10.0.0.1:443", None),
            ("192.168.0.1:443", None),
            ("8.8.8.8:443", None),
        ] {
            let found = addresses.barred_by(address.parse().unwrap());
            assert_eq!(found.map(|rule| rule.0.as_str()), rule, "{host} {address}");
        }
    }
}

#[test]
fn an_address_is_decided_on_as_an_address() {
    let rules = "allow: {cidr: 10.0.0.0/8, ports: [22]}
        allow: {cidr: '2001:db8::/32', ports: [22]}
        allow: {host: a.test, ports: [22]}";
    for (text, carried) in [
        ("10.1.2.3:22", "tls http opaque"),
        ("[2001:db8::1]:22", "tls http opaque"),
        ("[::ffff:10.1.2.3]:22", "tls http opaque"),
        ("10.1.2.3:443", "port-not-allowed"),
        ("11.1.2.3:22", "address-not-named"),
        ("[::a01:203]:22", "address-not-named"),
        ("[64:ff9b::a01:203]:22", "address-not-named"),
    ] {
        let verdict = decide(rules, text);
        assert_eq!(carries(&verdict), carried, "{text}");
    }
    let verdict = decide(rules, "10.1.2.3:22");
    assert!(permits(&verdict, "10.1.2.3") && permits(&verdict, "::ffff:10.1.2.3"));
    assert!(!permits(&verdict, "10.1.2.4") && !permits(&verdict, "8.8.8.8"));
}

#[test]
fn a_v6_network_never_matches_v4() {
    let rules = "allow: {cidr: '::/1', ports: [22]}
        allow: {cidr: '::/8', ports: [22]}";
    assert_eq!(carries(&decide(rules, "10.0.0.1:22")), "address-not-named");
    assert_eq!(
        carries(&decide(rules, "[::ffff:10.0.0.1]:22")),
        "address-not-named"
    );
    let verdict = decide("allow: {host: a.test, addresses: ['::/1']}", "a.test:443");
    assert!(!permits(&verdict, "10.0.0.1") && !permits(&verdict, "::ffff:10.0.0.1"));
}

#[test]
fn ringfence_itself_is_out_of_reach_and_the_host_is_its_loopback() {
    let rules = "allow: {host: host.ringfence.internal, ports: [3000]}";
    for name in [
        "ringfence.internal",
        "llm.ringfence.internal",
        "otel.ringfence.internal",
        "x.host.ringfence.internal",
        "LLM.Ringfence.Internal.",
    ] {
        let verdict = decide(rules, &format!("{name}:3000"));
        assert_eq!(verdict.decision.code, ReasonCode::ControlPlane, "{name}");
        assert_eq!(verdict.decision.next_step, None);
    }
    let verdict = decide(rules, "host.ringfence.internal:3000");
    assert!(permits(&verdict, "127.0.0.1"));
    assert!(!permits(&verdict, "127.0.0.2") && !permits(&verdict, "8.8.8.8"));
    assert!(
        !decide(rules, "host.ringfence.internal:22")
            .decision
            .is_allow()
    );
    assert_eq!(
        decide(rules, "evilringfence.internal:3000").decision.code,
        ReasonCode::NoRule
    );
}

#[test]
fn every_decision_explains_itself() {
    let rules = "allow: {id: web, host: a.test, methods: [GET], paths: ['/docs/**', /index.html]}
        allow: {id: ssh, host: a.test, ports: [22], protocol: tcp}
        allow: {id: old, host: old.test, expires: '2026-05-01T00:00:00Z'}
        forbid: {id: no, host: '*.evil.test', reason: known to collect secrets}
        allow: {host: b.test}
        forbid: {id: no-admin, host: b.test, paths: ['/admin/**']}
        allow: {id: pinned, host: pinned.test, tunnel: true}
        forbid: {id: no-posts, host: pinned.test, methods: [POST]}
        allow: {id: lan, cidr: 10.0.0.0/8, ports: [1, 2, 3, 4, 5, 6, 7, 8]}";
    let mut report = String::new();
    for text in [
        "a.test:22",
        "a.test:80",
        "a.test:443",
        "a.test:25",
        "GET http://a.test/docs/x",
        "POST http://a.test/docs/x",
        "GET http://a.test/private",
        "GET http://a.test:22/",
        "old.test:443",
        "x.evil.test:443",
        "GET http://x.evil.test/",
        "b.test:443",
        "GET http://b.test/admin/x",
        "GET https://b.test/admin/x",
        "pinned.test:443",
        "GET https://pinned.test/",
        "unknown.test:443",
        "10.0.0.1:9",
        "10.0.0.1:1",
        "192.0.2.1:443",
        "[2001:db8::1]:443",
        "mcp.ringfence.internal:80",
    ] {
        let decision = decide(rules, text).decision;
        let rule = decision
            .rule
            .map_or_else(|| "-".to_owned(), |rule| rule.to_string());
        writeln!(
            report,
            "{text}\n  {} {} {rule}\n  {}",
            decision.effect, decision.code, decision.reason
        )
        .unwrap();
        if let Some(step) = decision.next_step {
            writeln!(report, "  next: {step}").unwrap();
        }
    }
    insta::assert_snapshot!(report);
}

#[test]
fn text_that_the_agent_chose_is_escaped_and_cut() {
    let Action::Http(mut request) = action("GET http://a.test/") else {
        panic!("a request");
    };
    request.method = "\u{1b}[31mX".to_owned();
    request.path = format!("/{}", "a".repeat(5_000));
    let decision = snapshot("allow: {host: a.test, methods: [GET]}")
        .decide(&Action::Http(request), now())
        .decision;
    assert!(!decision.reason.contains('\u{1b}'), "{}", decision.reason);
    assert!(decision.reason.len() < 500);
    assert!(decision.next_step.unwrap().len() < 500);
}
