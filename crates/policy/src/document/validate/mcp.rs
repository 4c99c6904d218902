//! What the sections `mcp` and `mcpServers` must satisfy beyond their shape.

mod hosted;

use std::collections::HashMap;

use ringfence_model::HostPattern;
use ringfence_model::mcp::{McpServer, ServerName};

use super::super::outline::Part;
use super::super::{McpMatch, McpRule, McpServerTerms, Profile};
use super::{Fault, Ids, check_host, check_lists, check_text, is_host_name};
use crate::limits::MCP_SERVERS;

/// Checks both sections of one profile.
pub(super) fn check_mcp(profile: &Profile) -> Result<(), Fault> {
    check_servers(profile)?;
    let mut ids = Ids::default();
    for (index, rule) in profile.mcp.iter().enumerate() {
        let effect = if rule.is_forbid() { "forbid" } else { "allow" };
        let place = [Part::Key("mcp"), Part::Item(index), Part::Key(effect)];
        check_rule(rule, profile)
            .and_then(|()| ids.add(rule.terms().id.as_ref()))
            .map_err(|fault| fault.below(&place))?;
    }
    Ok(())
}

/// Checks servers of several profiles against each other: one name is one server, and one place has
/// one name.
pub(super) fn check_server_set(profiles: &[Profile]) -> Result<(), Fault> {
    let mut known: HashMap<&ServerName, &McpServerTerms> = HashMap::new();
    let mut places: Vec<McpServer> = Vec::new();
    for (document, profile) in profiles.iter().enumerate() {
        for (index, terms) in profile.mcp_servers.iter().enumerate() {
            let name = &terms.name;
            let at = [Part::Key("mcpServers"), Part::Item(index)];
            let is_same = *known.entry(name).or_insert(terms) == terms;
            let server = terms.server();
            let other = overlapping(&server, &places).cloned();
            places.push(server);
            let message = match other {
                _ if !is_same => format!("another profile describes the server `{name}` otherwise"),
                Some(other) => format!("another profile calls this server `{other}`"),
                None => continue,
            };
            let help = "describe a server alike in all profiles that name it";
            let fault = Fault::new(&at, message, help);
            return Err(Fault { document, ..fault });
        }
    }
    Ok(())
}

/// The name of another server at the same place.
fn overlapping<'a>(server: &McpServer, known: &'a [McpServer]) -> Option<&'a ServerName> {
    let is_there = |other: &&McpServer| {
        other.name != server.name
            && other.destination == server.destination
            && other.path.eq_ignore_ascii_case(&server.path)
    };
    known.iter().find(is_there).map(|other| &other.name)
}

fn check_servers(profile: &Profile) -> Result<(), Fault> {
    if profile.mcp_servers.len() > MCP_SERVERS {
        let message = format!("a profile describes at most {MCP_SERVERS} servers");
        return Err(Fault::new(
            &[Part::Key("mcpServers")],
            message,
            "split the profile",
        ));
    }
    let mut known: Vec<McpServer> = Vec::new();
    for (index, terms) in profile.mcp_servers.iter().enumerate() {
        let place = [Part::Key("mcpServers"), Part::Item(index)];
        let server = terms.server();
        check_terms(terms, &server)
            .and_then(|()| check_new(&server, &known))
            .map_err(|fault| fault.below(&place))?;
        known.push(server);
    }
    Ok(())
}

fn check_new(server: &McpServer, known: &[McpServer]) -> Result<(), Fault> {
    let name = &server.name;
    if known.iter().any(|other| other.name == *name) {
        let message = format!("there is already a server `{name}`");
        let help = "give it another name";
        return Err(Fault::new(&[Part::Key("name")], message, help));
    }
    match overlapping(server, known) {
        None => Ok(()),
        Some(other) => Err(Fault::new(
            &[Part::Key("url")],
            format!("this is the server `{other}` already"),
            "a server has one name, so that what is said about it holds",
        )),
    }
}

fn check_terms(terms: &McpServerTerms, server: &McpServer) -> Result<(), Fault> {
    if terms.name.is_own() {
        let message = format!("`{}` is the gateway's own server", terms.name);
        let help = "give it another name; rules can name the gateway's own as it is";
        return Err(Fault::new(&[Part::Key("name")], message, help));
    }
    if terms.url.is_none() {
        return hosted::check(terms);
    }
    hosted::check_none(terms)?;
    check_lists(&[("addresses", terms.addresses.as_ref().map(Vec::len))])?;
    let at = [Part::Key("url")];
    let Some(name) = server.destination.host.name() else {
        let help = "as in `https://mcp.corp.example/mcp`";
        return Err(Fault::new(&at, "the host of a server has a name", help));
    };
    let host = HostPattern::Exact(name.clone());
    check_host(&host).map_err(|fault| Fault {
        at: at.to_vec(),
        ..fault
    })?;
    let at = [Part::Key("addresses")];
    if is_host_name(&host) && terms.addresses.is_some() {
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

fn check_rule(rule: &McpRule, profile: &Profile) -> Result<(), Fault> {
    let terms = rule.terms();
    let mut servers = profile.mcp_servers.iter();
    let described = servers.find(|it| it.name == terms.server);
    if described.is_none() && !terms.server.is_own() {
        return Err(Fault::new(
            &[Part::Key("server")],
            format!("there is no server `{}`", terms.server),
            "describe it in `mcpServers` of the same profile, as in `{name: salesforce, url: \"https://mcp.corp.example/mcp\"}`",
        ));
    }
    // An empty list is not absent: an allow with it allows none.
    let length = |length: Option<usize>| length.filter(|&it| it > 0 || rule.is_forbid());
    check_lists(&[
        ("tools", length(terms.tools.as_ref().map(Vec::len))),
        ("resources", length(terms.resources.as_ref().map(Vec::len))),
        ("prompts", length(terms.prompts.as_ref().map(Vec::len))),
        ("features", length(terms.features.as_ref().map(Vec::len))),
        (
            "elicitationHosts",
            terms.elicitation_hosts.as_ref().map(Vec::len),
        ),
    ])?;
    if let Some(text) = &terms.reason {
        check_text(text).map_err(|fault| fault.below(&[Part::Key("reason")]))?;
    }
    if rule.is_forbid() {
        return check_forbid(terms);
    }
    if terms.rate.is_some_and(|rate| rate.requests == 0) {
        let help = "leave the rule out to allow nothing";
        return Err(Fault::new(
            &[Part::Key("rate")],
            "a rate of no messages allows none",
            help,
        ));
    }
    let calls_none = terms.tools.iter().flatten().next().is_none();
    if terms.approval.is_some() && calls_none {
        return Err(Fault::new(
            &[Part::Key("approval")],
            "`approval` is about calls of tools, and the rule allows none",
            "add `tools`, or leave it out",
        ));
    }
    if terms.server.is_own() && terms.credential.is_some() {
        return Err(Fault::new(
            &[Part::Key("credential")],
            "the gateway's own server takes no credential",
            "leave it out",
        ));
    }
    let of_server = described.and_then(|it| it.credential.as_ref());
    let credential = terms.credential.as_ref().or(of_server);
    if terms.token_required && credential.is_none() {
        return Err(Fault::new(
            &[Part::Key("tokenRequired")],
            "`tokenRequired` says how a credential is used, and the rule has none",
            "add `credential: NAME`, or leave it out",
        ));
    }
    Ok(())
}

/// What a forbid has beside what it matches would count for nothing.
fn check_forbid(terms: &McpMatch) -> Result<(), Fault> {
    for (key, is_there) in [
        ("elicitationHosts", terms.elicitation_hosts.is_some()),
        ("pin", terms.pin.is_some()),
        ("recheck", terms.recheck.is_some()),
        ("secrets", terms.secrets.is_some()),
        ("capture", terms.capture),
        ("approval", terms.approval.is_some()),
        ("rate", terms.rate.is_some()),
        ("credential", terms.credential.is_some()),
        ("tokenRequired", terms.token_required),
    ] {
        if is_there {
            let message = format!("`{key}` belongs to an allow");
            return Err(Fault::new(&[Part::Key(key)], message, "leave it out"));
        }
    }
    for (index, tool) in terms.tools.iter().flatten().enumerate() {
        let key = match tool {
            tool if tool.access().is_some() => "access",
            tool if tool.needs_approval() => "approval",
            _ => continue,
        };
        return Err(Fault::new(
            &[Part::Key("tools"), Part::Item(index), Part::Key(key)],
            format!("`{key}` belongs to an allow"),
            "leave it out",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
