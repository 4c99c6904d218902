//! Random rules and actions from a small world, so that they often meet.

use std::num::NonZeroU16;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use ringfence_model::{Access, Scheme};

use crate::document::{
    ApiMatch, ApiRule, Cidr, Method, NetworkMatch, NetworkRule, Others, ParamCondition,
    PathPattern, Protocol, QueryConditions, TextPattern,
};

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
    let paths = subsequence(
        vec![
            "/", "/a", "/A/", "/a/*", "/a/**", "/**/b", "/*/b/**", "/a;x",
        ],
        1..=3,
    )
    .prop_map(parsed);
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
        tunnel in prop::bool::weighted(0.2),
        (methods, paths) in any_limits(),
        addresses in option::weighted(0.3, subsequence(vec!["10.0.0.0/8", "10.1.0.0/16", "2606:4700::/32"], 1..=2)),
        expires in any_expiry(),
    ) -> NetworkRule {
        let limited = methods.is_some() || paths.is_some();
        let unreadable = limited && protocol == Protocol::Tcp;
        let protocol = if forbid || unreadable { Protocol::Auto } else { protocol };
        let is_tls = matches!(protocol, Protocol::Auto | Protocol::Tls);
        let plain_host = host.is_some_and(|host| host != "host.ringfence.internal");
        let default_ports = cidr.and_then(|_| NonZeroU16::new(22)).map(|port| vec![port]);
        let terms = NetworkMatch {
            host: host.map(|host| host.parse().unwrap()),
            cidr: cidr.map(|cidr| cidr.parse().unwrap()),
            ports: if forbid { ports } else { ports.or(default_ports) },
            protocol,
            tunnel: tunnel && is_tls && !limited && !forbid,
            methods,
            paths,
            addresses: addresses.filter(|_| plain_host && !forbid).map(parsed::<Cidr>),
            expires,
            ..NetworkMatch::default()
        };
        if forbid { NetworkRule::Forbid(terms) } else { NetworkRule::Allow(terms) }
    }
}

fn any_query() -> impl Strategy<Value = QueryConditions> {
    let values = subsequence(vec!["1", "2"], 1..=2).prop_map(parsed::<TextPattern>);
    let param = (select(vec!["x", "y"]), option::of(values), prop::bool::ANY);
    let params = vec(param, 1..3).prop_map(|params| {
        let param = |(name, matches, required): (&str, _, _)| ParamCondition {
            name: name.to_owned(),
            matches,
            required,
        };
        params.into_iter().map(param).collect::<Vec<_>>()
    });
    (option::weighted(0.8, params), prop::bool::ANY).prop_map(|(params, allow)| QueryConditions {
        others: if allow && params.is_some() {
            Others::Allow
        } else {
            Others::Deny
        },
        params,
    })
}

prop_compose! {
    pub(super) fn any_api_rule()(
        host in select(vec!["a.test", "b.a.test", "*.a.test", "d.test", "host.ringfence.internal"]),
        forbid in prop::bool::weighted(0.25),
        ports in option::weighted(0.3, any_ports()),
        http in prop::bool::weighted(0.3),
        (methods, paths) in any_limits(),
        query in option::weighted(0.4, any_query()),
        credential in option::weighted(0.5, select(vec!["one", "two"])),
        access in option::weighted(0.2, select(vec![Access::Read, Access::Write])),
        addresses in option::weighted(0.3, subsequence(vec!["10.0.0.0/8", "10.1.0.0/16"], 1..=2)),
        expires in any_expiry(),
    ) -> ApiRule {
        let shared = ApiMatch {
            ports,
            methods,
            paths,
            expires,
            ..ApiMatch::new(host.parse().unwrap())
        };
        if forbid {
            let query = query.map(|query| QueryConditions { others: Others::Allow, ..query });
            let query = query.filter(|query| query.params.is_some());
            return ApiRule::Forbid(ApiMatch { query, ..shared });
        }
        let plain_host = host != "host.ringfence.internal";
        ApiRule::Allow(ApiMatch {
            query,
            access,
            scheme: http.then_some(Scheme::Http),
            credential: credential.map(|name| name.parse().unwrap()),
            addresses: addresses.filter(|_| plain_host).map(parsed::<Cidr>),
            ..shared
        })
    }
}

pub(super) fn any_profiles() -> impl Strategy<Value = Vec<Profile>> {
    let profile = |name: &'static str| {
        (vec(any_rule(), 0..6), vec(any_api_rule(), 0..4)).prop_map(move |(network, api)| Profile {
            api,
            ..Profile::new(name.parse().unwrap(), network)
        })
    };
    (profile("one"), profile("two")).prop_map(|(first, second)| vec![first, second])
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
    let starts = vec![
        "",
        "GET http://",
        "POST http://",
        "GET https://",
        "POST https://",
    ];
    let paths = vec![
        "/", "/a", "/a/", "/a/b", "/a/b/c", "/x/b", "/A", "/A/B/", "/a;x", "/a%3Bx/b", "/a;y",
    ];
    let queries = vec![
        "", "", "?x=1", "?x=2", "?x=1&x=2", "?y=1&x=1", "?z=1", "?z=1;x=2",
    ];
    (
        select(hosts),
        select(vec![22, 80, 443, 8080]),
        select(starts),
        select(paths),
        select(queries),
    )
        .prop_map(|(host, port, start, path, query)| match start {
            "" => action(&format!("{host}:{port}")),
            start => action(&format!("{start}{host}:{port}{path}{query}")),
        })
}
