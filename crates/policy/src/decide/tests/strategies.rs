//! Random rules and actions from a small world, so that they often meet.

use std::num::NonZeroU16;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::document::{Cidr, Method, NetworkMatch, NetworkRule, PathPattern, Protocol};

fn any_ports() -> impl Strategy<Value = Vec<NonZeroU16>> {
    subsequence(vec![22, 80, 443, 8080], 1..=4)
        .prop_map(|ports| ports.into_iter().filter_map(NonZeroU16::new).collect())
}

fn any_expiry() -> impl Strategy<Value = Option<Timestamp>> {
    option::weighted(
        0.3,
        select(vec![
            "2026-05-31T00:00:00Z",
            "2026-06-01T00:00:00Z",
            "2026-06-02T00:00:00Z",
            "2026-06-03T00:00:00Z",
        ]),
    )
    .prop_map(|text| text.map(|text| text.parse().unwrap()))
}

fn parsed<T: std::str::FromStr>(texts: Vec<&'static str>) -> Vec<T> {
    texts
        .into_iter()
        .filter_map(|text| text.parse().ok())
        .collect()
}

fn any_limits() -> impl Strategy<Value = (Option<Vec<Method>>, Option<Vec<PathPattern>>)> {
    let methods = subsequence(vec!["GET", "POST"], 1..=2).prop_map(parsed);
    let paths =
        subsequence(vec!["/", "/a", "/a/*", "/a/**", "/**/b", "/*/b/**"], 1..=3).prop_map(parsed);
    (option::weighted(0.3, methods), option::weighted(0.3, paths))
}

fn any_target() -> impl Strategy<Value = (Option<&'static str>, Option<&'static str>)> {
    let hosts = vec![
        "a.test",
        "b.a.test",
        "c.b.a.test",
        "d.test",
        "*.a.test",
        "*.b.a.test",
        "host.ringfence.internal",
    ];
    let networks = vec![
        "10.0.0.0/8",
        "10.1.0.0/16",
        "10.1.0.1/32",
        "8.8.0.0/16",
        "::/1",
        "2606:4700::/32",
    ];
    prop_oneof![
        3 => select(hosts).prop_map(|host| (Some(host), None)),
        1 => select(networks).prop_map(|cidr| (None, Some(cidr))),
    ]
}

prop_compose! {
    pub(super) fn any_rule()(
        (host, cidr) in any_target(),
        forbid in prop::bool::weighted(0.25),
        ports in option::of(any_ports()),
        protocol in select(vec![Protocol::Auto, Protocol::Auto, Protocol::Tls, Protocol::Http, Protocol::Tcp]),
        (methods, paths) in any_limits(),
        addresses in option::weighted(0.3, subsequence(vec!["10.0.0.0/8", "10.1.0.0/16", "2606:4700::/32"], 1..=2)),
        expires in any_expiry(),
    ) -> NetworkRule {
        let limited = methods.is_some() || paths.is_some();
        let unreadable = limited && matches!(protocol, Protocol::Tls | Protocol::Tcp);
        let plain_host = host.is_some_and(|host| host != "host.ringfence.internal");
        let default_ports = cidr.and_then(|_| NonZeroU16::new(22)).map(|port| vec![port]);
        let terms = NetworkMatch {
            host: host.map(|host| host.parse().unwrap()),
            cidr: cidr.map(|cidr| cidr.parse().unwrap()),
            ports: if forbid { ports } else { ports.or(default_ports) },
            protocol: if forbid || unreadable { Protocol::Auto } else { protocol },
            methods,
            paths,
            addresses: addresses.filter(|_| plain_host && !forbid).map(parsed::<Cidr>),
            expires,
            ..NetworkMatch::default()
        };
        if forbid { NetworkRule::Forbid(terms) } else { NetworkRule::Allow(terms) }
    }
}

pub(super) fn any_profiles() -> impl Strategy<Value = Vec<Profile>> {
    (vec(any_rule(), 0..6), vec(any_rule(), 0..6)).prop_map(|(first, second)| {
        vec![
            Profile::new("one".parse().unwrap(), first),
            Profile::new("two".parse().unwrap(), second),
        ]
    })
}

pub(super) fn any_action() -> impl Strategy<Value = Action> {
    let hosts = vec![
        "a.test",
        "b.a.test",
        "c.b.a.test",
        "x.b.a.test",
        "d.test",
        "xa.test",
        "host.ringfence.internal",
        "llm.ringfence.internal",
        "10.0.0.1",
        "10.1.0.1",
        "8.8.8.8",
        "[2606:4700::1]",
        "[::ffff:10.1.0.1]",
    ];
    let starts = vec!["", "GET http://", "POST http://", "GET https://"];
    let paths = vec!["/", "/a", "/a/", "/a/b", "/a/b/c", "/x/b"];
    (
        select(hosts),
        select(vec![22, 80, 443, 8080]),
        select(starts),
        select(paths),
    )
        .prop_map(|(host, port, start, path)| match start {
            "" => action(&format!("{host}:{port}")),
            start => action(&format!("{start}{host}:{port}{path}")),
        })
}
