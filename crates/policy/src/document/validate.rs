//! What a profile must satisfy beyond its shape: no rule that could never match, that says
//! two things, or that reaches for more than a person may grant.

mod api;
mod git;
mod llm;
mod mcp;

use std::collections::{HashMap, HashSet};

use ringfence_model::{HostName, HostPattern};

use super::outline::Part;
use super::{
    NetworkMatch, NetworkRule, PathPattern, PolicyTest, Profile, Protocol, RuleId, TestAction,
};
use crate::error::PolicyError;
use crate::limits::{LIST_ENTRIES, RULES, TESTS, TEXT_OCTETS, VARIABLE_OCTETS};
use api::check_api_rule;
use git::{check_git, check_upstream_set};
use llm::{check_alias_set, check_llm, check_provider_set};
use mcp::{check_mcp, check_server_set};

/// The zone of the gateway itself.
pub(crate) const GATEWAY_ZONE: &str = "ringfence.internal";

/// The one name in the gateway's zone that a rule may allow: the host's own loopback.
pub(crate) const HOST_NAME: &str = "host.ringfence.internal";

/// What is wrong with a profile, and where in it.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) document: usize,
    pub(crate) at: Vec<Part>,
    message: String,
    help: &'static str,
}

impl Fault {
    fn new(at: &[Part], message: impl Into<String>, help: &'static str) -> Self {
        Self {
            document: 0,
            at: at.to_vec(),
            message: message.into(),
            help,
        }
    }

    fn below(mut self, outer: &[Part]) -> Self {
        self.at.splice(0..0, outer.iter().copied());
        self
    }

    pub(crate) fn into_error(self, source_name: &str) -> PolicyError {
        PolicyError::new(source_name, self.message).with_help(self.help)
    }
}

/// Whether a name is the gateway's own, which no rule reaches.
pub(crate) fn is_control_plane(name: &HostName) -> bool {
    name.is_within(GATEWAY_ZONE) && name.as_str() != HOST_NAME
}

/// Checks profiles against each other.
pub(crate) fn check_set(profiles: &[Profile]) -> Result<(), Fault> {
    let mut names = HashMap::new();
    for (document, profile) in profiles.iter().enumerate() {
        if names.insert(&profile.name, document).is_some() {
            let message = format!("there are two profiles `{}`", profile.name);
            let help = "rename one; rules are called by the name of their profile";
            let fault = Fault::new(&[Part::Key("name")], message, help);
            return Err(Fault { document, ..fault });
        }
    }
    check_upstream_set(profiles)?;
    check_provider_set(profiles)?;
    check_alias_set(profiles)?;
    check_server_set(profiles)?;
    let rules: usize = profiles.iter().map(Profile::rule_count).sum();
    if rules > RULES {
        let message = format!("{rules} rules are more than the {RULES} that are supported");
        return Err(Fault::new(
            &[],
            message,
            "split the profiles over several agents",
        ));
    }
    Ok(())
}

/// Checks one profile.
pub(crate) fn check(profile: &Profile) -> Result<(), Fault> {
    if let Some(text) = &profile.description {
        check_text(text).map_err(|fault| fault.below(&[Part::Key("description")]))?;
    }
    if profile.tests.len() > TESTS {
        let message = format!("a profile has at most {TESTS} tests");
        return Err(Fault::new(
            &[Part::Key("tests")],
            message,
            "split the profile",
        ));
    }
    let effect = |is_forbid| if is_forbid { "forbid" } else { "allow" };
    let mut ids = Ids::default();
    for (index, rule) in profile.network.iter().enumerate() {
        let effect = Part::Key(effect(rule.is_forbid()));
        let place = [Part::Key("network"), Part::Item(index), effect];
        let id = rule.terms().id.as_ref();
        check_rule(rule)
            .and_then(|()| ids.add(id))
            .map_err(|fault| fault.below(&place))?;
    }
    let mut ids = Ids::default();
    for (index, rule) in profile.api.iter().enumerate() {
        let effect = Part::Key(effect(rule.is_forbid()));
        let place = [Part::Key("api"), Part::Item(index), effect];
        let id = rule.terms().id.as_ref();
        check_api_rule(rule)
            .and_then(|()| ids.add(id))
            .map_err(|fault| fault.below(&place))?;
    }
    check_git(profile)?;
    check_llm(profile)?;
    check_mcp(profile)?;
    check_tests(profile)?;
    check_tokens(profile)
}

/// A test names a repository or a provider that a rule could be about.
fn check_tests(profile: &Profile) -> Result<(), Fault> {
    for (index, test) in profile.tests.iter().enumerate() {
        let effect = match test {
            PolicyTest::Allow(_) => "allow",
            PolicyTest::Deny(_) => "deny",
        };
        if let Err(error) = test.tried().action_in(profile) {
            let at = [Part::Key("tests"), Part::Item(index), Part::Key(effect)];
            let help = match test.tried() {
                TestAction::Llm(_) => {
                    "as in `{llm: {provider: anthropic, model: claude-sonnet-4-5}}`"
                }
                TestAction::Mcp(_) => "as in `{mcp: {server: salesforce, tool: query}}`",
                _ => "as in `{git: {repo: github/acme/docs, push: refs/heads/main}}`",
            };
            return Err(Fault::new(&at, error.to_string(), help));
        }
    }
    Ok(())
}

/// The ids of one section so far.
#[derive(Default)]
struct Ids<'a>(HashSet<&'a str>);

impl<'a> Ids<'a> {
    fn add(&mut self, id: Option<&'a RuleId>) -> Result<(), Fault> {
        match id {
            Some(id) if !self.0.insert(id.as_str()) => Err(Fault::new(
                &[Part::Key("id")],
                format!("there are two rules with the id `{id}`"),
                "an id is unique within its section",
            )),
            _ => Ok(()),
        }
    }
}

/// Variables with tokens, and variables with values: each has one meaning.
fn check_tokens(profile: &Profile) -> Result<(), Fault> {
    let mut names = HashSet::new();
    for (index, token) in profile.tokens.iter().enumerate() {
        let place = [Part::Key("tokens"), Part::Item(index)];
        for (name, length) in [
            ("env", token.env.len()),
            ("credentials", token.credentials.len()),
        ] {
            if length == 0 {
                let message = format!("`{name}` is an empty list, so the token is for nothing");
                let fault = Fault::new(&[Part::Key(name)], message, "name at least one entry");
                return Err(fault.below(&place));
            }
            check_lists(&[(name, Some(length))]).map_err(|fault| fault.below(&place))?;
        }
        for name in &token.env {
            if !names.insert(name) || profile.environment.contains_key(name) {
                let message = format!("the variable `{name}` is set twice");
                let help = "give every variable one token or one value";
                return Err(Fault::new(&[Part::Key("env")], message, help).below(&place));
            }
        }
    }
    let is_sound = |value: &String| value.len() <= VARIABLE_OCTETS && !value.contains('\0');
    if profile.environment.values().all(is_sound) {
        return Ok(());
    }
    let message = format!("a value has at most {VARIABLE_OCTETS} octets and no NUL");
    let help = "keep long values in a file";
    Err(Fault::new(&[Part::Key("environment")], message, help))
}

/// Checks one rule by itself.
pub(crate) fn check_rule(rule: &NetworkRule) -> Result<(), Fault> {
    let terms = rule.terms();
    check_target(terms)?;
    check_lists(&[
        ("ports", terms.ports.as_ref().map(Vec::len)),
        ("methods", terms.methods.as_ref().map(Vec::len)),
        ("paths", terms.paths.as_ref().map(Vec::len)),
        ("addresses", terms.addresses.as_ref().map(Vec::len)),
    ])?;
    check_scopes(terms.paths.as_deref())?;
    if let Some(text) = &terms.reason {
        check_text(text).map_err(|fault| fault.below(&[Part::Key("reason")]))?;
    }
    if rule.is_forbid() {
        check_forbid(terms)
    } else {
        check_allow(terms)
    }
}

fn check_target(terms: &NetworkMatch) -> Result<(), Fault> {
    match (&terms.host, &terms.cidr) {
        (Some(_), Some(_)) => Err(Fault::new(
            &[Part::Key("cidr")],
            "a rule has `host` or `cidr`, not both",
            "write `addresses: [CIDR]` for the networks that the host may resolve into",
        )),
        (None, None) => Err(Fault::new(
            &[],
            "the rule has neither `host` nor `cidr`",
            "add `host: NAME`; no rule matches every destination",
        )),
        (Some(host), None) => check_host(host),
        (None, Some(_)) => Ok(()),
    }
}

fn check_host(host: &HostPattern) -> Result<(), Fault> {
    let refused = match host {
        HostPattern::Exact(name) => is_control_plane(name),
        HostPattern::Below(zone) => zone.is_within(GATEWAY_ZONE),
    };
    if refused {
        return Err(Fault::new(
            &[Part::Key("host")],
            format!("`{host}` is Ringfence itself, which no rule can open"),
            "a service on this machine is reached as `host.ringfence.internal` with its port",
        ));
    }
    Ok(())
}

/// Refuses patterns that name a scope, where no path with one matches.
fn check_scopes(paths: Option<&[PathPattern]>) -> Result<(), Fault> {
    let mut patterns = paths.into_iter().flatten();
    match patterns.position(PathPattern::names_scope) {
        None => Ok(()),
        Some(index) => Err(Fault::new(
            &[Part::Key("paths"), Part::Item(index)],
            "an encoded slash is matched by an allow of `api` with `scopedNames: true` only",
            "add `scopedNames: true`; a forbid takes both readings, and is written with `/`",
        )),
    }
}

/// Lists by the names of their fields, with their lengths where they are there.
fn check_lists(lists: &[(&'static str, Option<usize>)]) -> Result<(), Fault> {
    for (name, length) in lists {
        let (name, length) = (*name, *length);
        match length {
            Some(0) => {
                return Err(Fault::new(
                    &[Part::Key(name)],
                    format!("`{name}` is an empty list, which matches nothing"),
                    "name at least one entry, or leave the list out for its default",
                ));
            }
            Some(length) if length > LIST_ENTRIES => {
                return Err(Fault::new(
                    &[Part::Key(name)],
                    format!("`{name}` has more than {LIST_ENTRIES} entries"),
                    "split the rule",
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

fn check_allow(terms: &NetworkMatch) -> Result<(), Fault> {
    if terms.cidr.is_some() && terms.ports.is_none() {
        return Err(Fault::new(
            &[],
            "an allow of a `cidr` must name its ports",
            "add `ports: [443]` with the ports that are needed",
        ));
    }
    if terms.is_limited() && terms.protocol == Protocol::Tcp {
        return Err(Fault::new(
            &[Part::Key("protocol")],
            "`methods` and `paths` cannot be checked with `protocol: tcp`",
            "leave `protocol` out, or leave `methods` and `paths` out",
        ));
    }
    check_tunnel(terms)?;
    check_networks(terms)
}

fn check_tunnel(terms: &NetworkMatch) -> Result<(), Fault> {
    let at = [Part::Key("tunnel")];
    if !terms.tunnel {
        return Ok(());
    }
    if terms.is_limited() {
        let help = "leave `tunnel` out: the gateway must read the requests to check them";
        let message = "`methods` and `paths` cannot be checked in a tunnel";
        return Err(Fault::new(&at, message, help));
    }
    if matches!(terms.protocol, Protocol::Http | Protocol::Tcp) {
        let protocol = terms.protocol.as_str();
        let message = format!("`tunnel` is about TLS, which `protocol: {protocol}` is not");
        return Err(Fault::new(&at, message, "leave one of them out"));
    }
    Ok(())
}

fn check_networks(terms: &NetworkMatch) -> Result<(), Fault> {
    let everything = "a network of every address would also open private and metadata addresses";
    if terms.cidr.is_some_and(|cidr| cidr.is_everything()) {
        let help = "name the networks that are needed";
        return Err(Fault::new(&[Part::Key("cidr")], everything, help));
    }
    let Some(addresses) = &terms.addresses else {
        return Ok(());
    };
    let at = [Part::Key("addresses")];
    if terms.cidr.is_some() {
        let help = "`addresses` says where a host may resolve to; leave it out beside `cidr`";
        return Err(Fault::new(&at, "`addresses` belongs to `host`", help));
    }
    if terms.host.as_ref().is_some_and(is_host_name) {
        let message = format!("`{HOST_NAME}` is always this machine's loopback address");
        return Err(Fault::new(&at, message, "leave `addresses` out"));
    }
    if let Some(index) = addresses.iter().position(|cidr| cidr.is_everything()) {
        let help = "leave `addresses` out for public addresses, or name the networks";
        return Err(Fault::new(&[Part::Item(index)], everything, help).below(&at));
    }
    Ok(())
}

fn is_host_name(host: &HostPattern) -> bool {
    matches!(host, HostPattern::Exact(name) if name.as_str() == HOST_NAME)
}

fn check_forbid(terms: &NetworkMatch) -> Result<(), Fault> {
    if !terms.protocol.is_auto() {
        return Err(Fault::new(
            &[Part::Key("protocol")],
            "a forbid covers every protocol",
            "leave `protocol` out",
        ));
    }
    if terms.tunnel {
        return Err(Fault::new(
            &[Part::Key("tunnel")],
            "a forbid has no `tunnel`",
            "leave `tunnel` out; a forbid with `methods` or `paths` also ends tunnels",
        ));
    }
    if terms.addresses.is_some() {
        return Err(Fault::new(
            &[Part::Key("addresses")],
            "a forbid has no `addresses`",
            "write `forbid: {cidr: CIDR}`: it also keeps names from resolving into the network",
        ));
    }
    Ok(())
}

fn check_text(text: &str) -> Result<(), Fault> {
    if text.len() > TEXT_OCTETS {
        let message = format!("the text is longer than {TEXT_OCTETS} octets");
        return Err(Fault::new(&[], message, "say it shorter"));
    }
    if text.chars().any(|c| c.is_control() && c != '\n') {
        let help = "write plain text; it is shown on terminals and in refusals";
        return Err(Fault::new(&[], "the text holds control characters", help));
    }
    Ok(())
}
