//! The compiled decision against a naive reading of the same rules, on random rules and
//! actions: one rule after the other, no index, every clause of the language spelled out.

use std::net::IpAddr;
use std::num::NonZeroU16;

use ipnet::IpNet;
use ringfence_model::{Access, Destination, HostPattern, HttpRequest, Scheme, classify};

use super::*;
use crate::document::{
    ApiMatch, Cidr, Method, NetworkMatch, Others, PathPattern, Protocol, QueryConditions,
};

pub(super) const ADDRESSES: &[&str] = &[
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
pub(super) struct Reading {
    pub(super) tls: bool,
    pub(super) http: bool,
    pub(super) opaque: bool,
    pub(super) https: bool,
    pub(super) permitted: Vec<&'static str>,
    pub(super) valid_until: Option<Timestamp>,
    /// The rules whose terms count.
    pub(super) terms: Vec<String>,
    pub(super) credential: Option<String>,
    pub(super) access: Option<Access>,
}

/// A rule of either section.
struct Plain<'a> {
    name: String,
    is_forbid: bool,
    host: Option<&'a HostPattern>,
    net: Option<IpNet>,
    ports: Option<&'a Vec<NonZeroU16>>,
    methods: Option<&'a Vec<Method>>,
    paths: Option<&'a Vec<PathPattern>>,
    addresses: Option<&'a Vec<Cidr>>,
    expires: Option<Timestamp>,
    network: Option<&'a NetworkMatch>,
    api: Option<&'a ApiMatch>,
}

/// What one rule offers, or all of them together: bytes by kind.
#[derive(Clone, Copy, Default)]
struct Kinds {
    tunnel: bool,
    tls: bool,
    http: bool,
    opaque: bool,
    https: bool,
}

impl Kinds {
    fn any(self) -> bool {
        self.tunnel || self.tls || self.http || self.opaque || self.https
    }

    fn or(self, other: Self) -> Self {
        Self {
            tunnel: self.tunnel || other.tunnel,
            tls: self.tls || other.tls,
            http: self.http || other.http,
            opaque: self.opaque || other.opaque,
            https: self.https || other.https,
        }
    }

    fn readable(self) -> Self {
        Self {
            http: self.http,
            https: self.https,
            ..Self::default()
        }
    }
}

fn plain(profiles: &[Profile]) -> Vec<Plain<'_>> {
    let mut all = Vec::new();
    for profile in profiles {
        for (index, rule) in profile.network.iter().enumerate() {
            let terms = rule.terms();
            all.push(Plain {
                name: named(profile, "network", index, terms.id.as_ref()),
                is_forbid: rule.is_forbid(),
                host: terms.host.as_ref(),
                net: terms.cidr.map(|cidr| cidr.net()),
                ports: terms.ports.as_ref(),
                methods: terms.methods.as_ref(),
                paths: terms.paths.as_ref(),
                addresses: terms.addresses.as_ref(),
                expires: terms.expires,
                network: Some(terms),
                api: None,
            });
        }
        for (index, rule) in profile.api.iter().enumerate() {
            let terms = rule.terms();
            all.push(Plain {
                name: named(profile, "api", index, terms.id.as_ref()),
                is_forbid: rule.is_forbid(),
                host: Some(&terms.host),
                net: None,
                ports: terms.ports.as_ref(),
                methods: terms.methods.as_ref(),
                paths: terms.paths.as_ref(),
                addresses: terms.addresses.as_ref(),
                expires: terms.expires,
                network: None,
                api: Some(terms),
            });
        }
    }
    all
}

fn named(profile: &Profile, section: &str, index: usize, id: Option<&RuleId>) -> String {
    match id {
        Some(id) => format!("{}/{section}/{id}", profile.name),
        None => format!("{}/{section}/{}", profile.name, index + 1),
    }
}

/// What the rules say, read one by one. None is a denial.
pub(super) fn interpret(profiles: &[Profile], action: &Action, now: Timestamp) -> Option<Reading> {
    let Destination { host, port } = action.destination();
    if let Host::Name(name) = host
        && name.as_str() != "host.ringfence.internal"
        && (name.as_str() == "ringfence.internal" || name.as_str().ends_with(".ringfence.internal"))
    {
        return None;
    }
    let rules = plain(profiles);
    let rules: Vec<_> = rules
        .iter()
        .filter(|rule| rule.expires.is_none_or(|expires| expires > now))
        .collect();
    let about = |rule: &&&Plain<'_>| rule.is_about(host) && rule.has_port(*port);
    let mut readable_only = false;
    for forbid in rules.iter().filter(|rule| rule.is_forbid).filter(about) {
        match request_of(action) {
            Some(request) if forbid.matches(request) => return None,
            None if !forbid.is_limited() => return None,
            _ => readable_only = true,
        }
    }
    let mut carried = Kinds::default();
    let mut needs_reading = false;
    let mut counted = Vec::new();
    for allow in rules.iter().filter(|rule| !rule.is_forbid).filter(about) {
        let offered = allow.offers(action);
        needs_reading |= offered.https && !offered.tls;
        let offered = if readable_only {
            offered.readable()
        } else {
            offered
        };
        if offered.any() {
            carried = carried.or(offered);
            counted.push(*allow);
        }
    }
    if counted.is_empty() {
        return None;
    }
    let passes_unread = carried.tls && !needs_reading && request_of(action).is_none();
    let https = carried.https && !passes_unread;
    let tunnel = carried.tunnel && !(request_of(action).is_some() && https);
    let sent = sent(&counted, action, https || carried.http)?;
    // Where rules say how a request is sent, no other rule says where to.
    let sending = counted.iter().copied();
    let sending: Vec<_> = sending.filter(|rule| sent.0.contains(&rule.name)).collect();
    let reaching = if sent.0.is_empty() {
        &counted
    } else {
        &sending
    };
    let is_permitted =
        |address: &&str| permits(address.parse().unwrap(), (host, *port), reaching, &rules);
    Some(Reading {
        tls: passes_unread || tunnel,
        http: carried.http,
        opaque: carried.opaque,
        https,
        permitted: ADDRESSES.iter().copied().filter(is_permitted).collect(),
        valid_until: counted.iter().filter_map(|rule| rule.expires).min(),
        terms: sent.0,
        credential: sent.1,
        access: sent.2,
    })
}

type HowSent = (Vec<String>, Option<String>, Option<Access>);

/// None where two credentials would fit.
fn sent(counted: &[&Plain<'_>], action: &Action, is_read: bool) -> Option<HowSent> {
    let Some(request) = request_of(action) else {
        return Some((Vec::new(), None, None));
    };
    let credential = |rule: &Plain<'_>| Some(rule.api?.credential.as_ref()?.as_str().to_owned());
    let api: Vec<_> = counted.iter().filter(|rule| rule.api.is_some()).collect();
    let with: Vec<_> = api
        .iter()
        .filter(|rule| credential(rule).is_some())
        .collect();
    let reads = matches!(request.method.as_str(), "GET" | "HEAD");
    let own = if reads { Access::Read } else { Access::Write };
    let (mut names, credential, writes): (Vec<_>, _, _) = if !with.is_empty() {
        let first = credential(with[0]);
        if with.iter().any(|rule| credential(rule) != first) {
            return None;
        }
        let writes = with.iter().any(|rule| rule.access(own) == Access::Write);
        (
            with.iter().map(|rule| rule.name.clone()).collect(),
            first,
            writes,
        )
    } else if !api.is_empty() {
        let writes = api.iter().any(|rule| rule.access(own) == Access::Write);
        (
            api.iter().map(|rule| rule.name.clone()).collect(),
            None,
            writes,
        )
    } else {
        let all = counted.iter().all(|rule| rule.is_limited());
        let names = counted.iter().filter(|_| all).map(|rule| rule.name.clone());
        (names.collect(), None, own == Access::Write)
    };
    names.sort();
    let access = if writes { Access::Write } else { Access::Read };
    Some((names, credential, is_read.then_some(access)))
}

fn request_of(action: &Action) -> Option<&HttpRequest> {
    match action {
        Action::Http(request) => Some(request),
        Action::Connect(_) | Action::Git(_) | Action::Llm(_) | Action::Mcp(_) => None,
    }
}

impl Plain<'_> {
    fn is_about(&self, host: &Host) -> bool {
        match (host, self.host, self.net) {
            (Host::Name(name), Some(pattern), _) => pattern.matches(name),
            (Host::Address(address), None, Some(net)) => net.contains(address),
            _ => false,
        }
    }

    fn has_port(&self, port: u16) -> bool {
        match (self.ports, self.api) {
            (Some(ports), _) => ports.iter().any(|known| known.get() == port),
            (None, _) if self.is_forbid => true,
            (None, Some(api)) if api.scheme == Some(Scheme::Http) => port == 80,
            (None, Some(_)) => port == 443,
            (None, None) => port == 443 || port == 80,
        }
    }

    fn is_limited(&self) -> bool {
        let api = self.api.is_some_and(|api| api.query.is_some());
        self.methods.is_some() || self.paths.is_some() || api
    }

    fn access(&self, own: Access) -> Access {
        self.api.and_then(|api| api.access).unwrap_or(own)
    }

    fn offers(&self, action: &Action) -> Kinds {
        let all = self.kinds(action.destination().port);
        match request_of(action) {
            None => all,
            Some(request) if !self.matches(request) => Kinds::default(),
            Some(request) if request.scheme == Scheme::Http => Kinds {
                http: all.http,
                ..Kinds::default()
            },
            // A tunnel would carry it unread; what `tls` stands for is read here.
            Some(_) => Kinds {
                https: all.https,
                tunnel: all.tunnel,
                ..Kinds::default()
            },
        }
    }

    fn kinds(&self, port: u16) -> Kinds {
        let Some(terms) = self.network else {
            let is_http = self.api.is_some_and(|api| api.scheme == Some(Scheme::Http));
            return Kinds {
                http: is_http,
                https: !is_http,
                ..Kinds::default()
            };
        };
        let auto = terms.protocol == Protocol::Auto;
        let tls = terms.protocol == Protocol::Tls || auto && port != 80;
        let special = port == 80 || port == 443;
        let all = Kinds {
            tunnel: tls && terms.tunnel,
            tls: tls && !terms.tunnel,
            https: tls && !terms.tunnel,
            http: terms.protocol == Protocol::Http || auto && port != 443,
            opaque: terms.protocol == Protocol::Tcp || auto && !special,
        };
        if self.is_limited() {
            all.readable()
        } else {
            all
        }
    }

    fn matches(&self, request: &HttpRequest) -> bool {
        let method = self.methods.is_none_or(|methods| {
            let is_known = |known: &Method| {
                known.as_str() == request.method
                    || self.is_forbid && known.as_str().eq_ignore_ascii_case(&request.method)
            };
            methods.iter().any(is_known)
        });
        let query = self.api.and_then(|api| api.query.as_ref());
        let query = query.is_none_or(|query| self.matches_query(query, request));
        method && query && self.matches_path(&request.path.replace("%3B", ";"))
    }

    fn matches_path(&self, path: &str) -> bool {
        let has_parameters = path.contains(';');
        let is_strict = self.api.is_some() && !self.is_forbid && has_parameters;
        let Some(patterns) = self.paths else {
            return !is_strict;
        };
        let whole: Vec<_> = path.split('/').collect();
        patterns.iter().any(|pattern| {
            let text = pattern.as_str();
            let segments: Vec<_> = text.split('/').collect();
            let named = !is_strict || text.contains(';');
            named && matches_segments(&segments, &whole) || self.is_forbid && forbids(text, path)
        })
    }

    /// The generator writes no escapes.
    fn matches_query(&self, query: &QueryConditions, request: &HttpRequest) -> bool {
        let text = request.query.as_deref().unwrap_or_default();
        if text.contains(';') {
            return self.is_forbid;
        }
        let pairs: Vec<_> = text
            .split('&')
            .filter_map(|it| it.split_once('='))
            .collect();
        let named = query.params.as_deref().unwrap_or_default();
        let takes = named.iter().all(|param| {
            let mut values = pairs.iter().filter(|(name, _)| *name == param.name);
            let is_taken = |value: &str| {
                let patterns = param.matches.as_ref();
                patterns.is_none_or(|all| all.iter().any(|it| it.as_str() == value))
            };
            let is_there = values.clone().next().is_some();
            if self.is_forbid {
                values.any(|(_, value)| is_taken(value))
            } else {
                values.all(|(_, value)| is_taken(value)) && (is_there || !param.required)
            }
        });
        let is_named = |name: &str| named.iter().any(|param| param.name == name);
        let others = query.others == Others::Allow || pairs.iter().all(|(name, _)| is_named(name));
        takes && others
    }
}

/// Only the wildcards that the generator uses: whole segments.
/// A forbid matches what any server could read: without parameters, in another case, and with or
/// without a slash at the end.
fn forbids(pattern: &str, path: &str) -> bool {
    let trimmed = |text: &str| match text.trim_end_matches('/') {
        "" => "/".to_owned(),
        text => text.to_owned(),
    };
    let (pattern, path) = (pattern.to_lowercase(), path.to_lowercase());
    let cut = |it: &str| it.split(';').next().unwrap().to_owned();
    let bare: Vec<_> = path.split('/').map(cut).collect();
    let bare = bare.join("/");
    let paths = [trimmed(&path), trimmed(&bare), path, bare];
    let patterns = [trimmed(&pattern), pattern];
    let split = |text: &str| text.split('/').map(str::to_owned).collect::<Vec<_>>();
    patterns.iter().any(|pattern| {
        let pattern = split(pattern);
        let pattern: Vec<_> = pattern.iter().map(String::as_str).collect();
        paths.iter().any(|path| {
            let path = split(path);
            let path: Vec<_> = path.iter().map(String::as_str).collect();
            matches_segments(&pattern, &path)
        })
    })
}

fn matches_segments(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern, path) {
        ([], []) => true,
        (["**", rest @ ..], _) => {
            (0..=path.len()).any(|skipped| matches_segments(rest, &path[skipped..]))
        }
        (["*", rest @ ..], [_, tail @ ..]) => matches_segments(rest, tail),
        ([word, rest @ ..], [segment, tail @ ..]) => {
            word == segment && matches_segments(rest, tail)
        }
        _ => false,
    }
}

fn permits(
    given: IpAddr,
    (host, port): (&Host, u16),
    counted: &[&Plain<'_>],
    rules: &[&Plain<'_>],
) -> bool {
    let address = given.to_canonical();
    let forbidden = rules.iter().any(|rule| {
        rule.is_forbid && rule.is_about(&Host::Address(address)) && rule.has_port(port)
    });
    match host {
        Host::Address(only) => *only == address,
        Host::Name(name) if name.as_str() == "host.ringfence.internal" => {
            !forbidden && address.to_string() == "127.0.0.1"
        }
        Host::Name(_) => {
            !forbidden
                && counted.iter().any(|rule| match rule.addresses {
                    None => classify(given).is_public(),
                    Some(nets) => nets.iter().any(|cidr| cidr.net().contains(&address)),
                })
        }
    }
}
