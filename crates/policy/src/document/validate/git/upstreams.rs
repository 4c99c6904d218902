//! Git servers that profiles describe: each can be told from every other, and has what it takes to
//! reach it.

use std::collections::{BTreeMap, HashMap};

use ringfence_model::git::{GitUpstream, UpstreamKind, UpstreamName};
use ringfence_model::{Destination, HostPattern};

use super::super::{Fault, check_host, check_lists, is_host_name};
use crate::document::outline::Part;
use crate::document::{GitUpstreamTerms, Profile};
use crate::limits::{GIT_UPSTREAMS, HOST_KEY_OCTETS, TEXT_OCTETS};

/// Checks servers of several profiles against each other: one name is one server, and one server
/// has one name, so that a repository has one name too.
pub(in crate::document::validate) fn check_upstream_set(profiles: &[Profile]) -> Result<(), Fault> {
    let mut by_name: HashMap<&UpstreamName, &GitUpstreamTerms> = HashMap::new();
    let mut by_place: HashMap<Destination, &UpstreamName> = HashMap::new();
    for (document, profile) in profiles.iter().enumerate() {
        for (index, terms) in profile.git_upstreams.iter().enumerate() {
            let name = &terms.name;
            let at = [Part::Key("gitUpstreams"), Part::Item(index)];
            let same = *by_name.entry(name).or_insert(terms) == terms;
            let place = terms.upstream().destination;
            let known = *by_place.entry(place).or_insert(name);
            let message = if !same {
                format!("another profile describes the git server `{name}` otherwise")
            } else if known != name {
                format!("another profile calls this git server `{known}`")
            } else {
                continue;
            };
            let help = "describe a server alike in all profiles that name it";
            let fault = Fault::new(&at, message, help);
            return Err(Fault { document, ..fault });
        }
    }
    Ok(())
}

pub(super) type Upstreams = BTreeMap<UpstreamName, GitUpstream>;

/// The servers that rules of a profile can name.
pub(super) fn check_upstreams(profile: &Profile) -> Result<Upstreams, Fault> {
    let section = [Part::Key("gitUpstreams")];
    if profile.git_upstreams.len() > GIT_UPSTREAMS {
        let message = format!("a profile describes at most {GIT_UPSTREAMS} git servers");
        return Err(Fault::new(&section, message, "split the profile"));
    }
    let builtin = GitUpstream::builtin().into_iter();
    let mut known: Upstreams = builtin.map(|it| (it.name.clone(), it)).collect();
    for (index, terms) in profile.git_upstreams.iter().enumerate() {
        let place = [Part::Key("gitUpstreams"), Part::Item(index)];
        let upstream = terms.upstream();
        check_upstream(terms)
            .and_then(|()| check_new(&upstream, &known))
            .map_err(|fault| fault.below(&place))?;
        known.insert(upstream.name.clone(), upstream);
    }
    Ok(known)
}

fn check_new(upstream: &GitUpstream, known: &Upstreams) -> Result<(), Fault> {
    let name = &upstream.name;
    if known.contains_key(name) {
        let message = format!("there is already a git server `{name}`");
        return Err(Fault::new(
            &[Part::Key("name")],
            message,
            "give it another name",
        ));
    }
    let destination = &upstream.destination;
    let is_there = |other: &&GitUpstream| {
        other.destination.port == destination.port && other.is_known_as(&destination.host)
    };
    match known.values().find(is_there) {
        None => Ok(()),
        Some(other) => Err(Fault::new(
            &[Part::Key("host")],
            format!("{destination} is the git server `{}` already", other.name),
            "a repository has one name, so that what is said about it holds",
        )),
    }
}

fn check_upstream(terms: &GitUpstreamTerms) -> Result<(), Fault> {
    let host = HostPattern::Exact(terms.host.clone());
    check_host(&host)?;
    check_lists(&[
        ("hostKeys", terms.host_keys.as_ref().map(Vec::len)),
        ("addresses", terms.addresses.as_ref().map(Vec::len)),
    ])?;
    let is_ssh = terms.kind == UpstreamKind::Ssh;
    if is_ssh && terms.host_keys.is_none() {
        let help = "add `hostKeys: [\"ssh-ed25519 AAAA…\"]`, as `ssh-keyscan HOST` prints them";
        return Err(Fault::new(
            &[],
            "a server over SSH needs its `hostKeys`",
            help,
        ));
    }
    for (name, is_wrong) in [
        ("hostKeys", !is_ssh && terms.host_keys.is_some()),
        ("scheme", is_ssh && terms.scheme.is_some()),
    ] {
        if is_wrong {
            let message = format!("`{name}` has no meaning with this `kind`");
            return Err(Fault::new(&[Part::Key(name)], message, "leave it out"));
        }
    }
    check_base_path(terms.base_path.as_deref())?;
    check_keys(terms)?;
    check_addresses(terms, &host)
}

fn check_base_path(path: Option<&str>) -> Result<(), Fault> {
    let is_part = |part: &str| {
        let is_plain = |octet: u8| octet.is_ascii_alphanumeric() || b"._-".contains(&octet);
        !part.is_empty() && part != "." && part != ".." && part.bytes().all(is_plain)
    };
    let is_path = |path: &str| {
        let rest = path.strip_prefix('/');
        path.len() <= TEXT_OCTETS && rest.is_some_and(|rest| rest.split('/').all(is_part))
    };
    if path.is_none_or(is_path) {
        return Ok(());
    }
    Err(Fault::new(
        &[Part::Key("basePath")],
        "a base path is as in `/scm` or `/a/b`, without a slash at its end",
        "leave it out where repositories are right below the host",
    ))
}

fn check_keys(terms: &GitUpstreamTerms) -> Result<(), Fault> {
    for (index, key) in terms.host_keys.iter().flatten().enumerate() {
        let is_word = |c: u8| c.is_ascii_alphanumeric() || b"-@.".contains(&c);
        let is_octet = |c: u8| c.is_ascii_alphanumeric() || b"+/=".contains(&c);
        let is_key = key.split_once(' ').is_some_and(|(kind, octets)| {
            let is_some = !kind.is_empty() && !octets.is_empty();
            is_some && kind.bytes().all(is_word) && octets.bytes().all(is_octet)
        });
        if !is_key || key.len() > HOST_KEY_OCTETS {
            return Err(Fault::new(
                &[Part::Key("hostKeys"), Part::Item(index)],
                "a host key is as in `ssh-ed25519 AAAA…`: kind and key",
                "leave the host and any comment out",
            ));
        }
    }
    Ok(())
}

fn check_addresses(terms: &GitUpstreamTerms, host: &HostPattern) -> Result<(), Fault> {
    let at = [Part::Key("addresses")];
    if is_host_name(host) && terms.addresses.is_some() {
        let message = format!("`{host}` is always this machine's loopback address");
        return Err(Fault::new(&at, message, "leave `addresses` out"));
    }
    let mut networks = terms.addresses.iter().flatten();
    if let Some(index) = networks.position(|cidr| cidr.is_everything()) {
        return Err(Fault::new(
            &[Part::Key("addresses"), Part::Item(index)],
            "a network of every address would also open private and metadata addresses",
            "leave `addresses` out for public addresses, or name the networks",
        ));
    }
    Ok(())
}
