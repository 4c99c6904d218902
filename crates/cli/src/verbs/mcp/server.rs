//! `ringfence mcp server`: servers that rules can name, in a profile.

use std::collections::BTreeSet;

use ringfence_model::mcp::{McpServer, ServerName};
use ringfence_policy::{McpServerTerms, append_mcp_server, remove_mcp_server};
use serde::Serialize;

use super::login;
use crate::args::mcp::AddArguments;
use crate::config::Settings;
use crate::failure::Failure;
use crate::profiles::edit::Document;
use crate::{output, profiles};

/// Describes a server. Returns the exit code.
pub(super) fn add(arguments: &AddArguments) -> Result<i32, Failure> {
    let addresses = &arguments.addresses;
    let terms = McpServerTerms {
        name: arguments.name.clone(),
        url: arguments.url.clone(),
        credential: arguments.credential.clone(),
        addresses: (!addresses.is_empty()).then(|| addresses.clone()),
        trace: false,
        command: (!arguments.command.is_empty()).then(|| arguments.command.clone()),
        tools: None,
        openapi: None,
        builtin: None,
        profile: arguments.sandbox.clone(),
        workspace: None,
        read: None,
        environment: None,
        sessions: None,
    };
    let document = Document::named(arguments.profile.as_deref())?;
    let text = append_mcp_server(&document.text, document.name.as_str(), &terms)?;
    document.replace(&text)?;
    output::line(&format!("added: {}", terms.to_line()));
    output::line(&format!("in {}", document.path.display()));
    output::line(&format!(
        "rules about it stand there too, as in: mcp: [{{allow: {{server: {}, tools: [\"…\"]}}}}]",
        terms.name
    ));
    Ok(0)
}

/// Takes a server out. Returns the exit code.
pub(super) fn remove(name: &ServerName, profile: Option<&str>) -> Result<i32, Failure> {
    let document = Document::named(profile)?;
    let text = remove_mcp_server(&document.text, document.name.as_str(), name)?;
    document.replace(&text)?;
    output::line(&format!("removed {name} from {}", document.path.display()));
    Ok(0)
}

/// A server that rules can name. Its JSON is a promise.
#[derive(Debug, Serialize)]
struct Shown {
    name: String,
    url: String,
    credential: Option<String>,
    /// How the credential stands: `none`, `missing`, `sealed`, `logged-in`, `ended`, or `unknown`
    /// where the store cannot be read.
    login: &'static str,
    profile: String,
}

/// The servers that profiles describe, each name once, with the profile.
pub(super) fn described(named: &[String]) -> Result<Vec<(McpServer, String)>, Failure> {
    let terms = described_in_full(named)?.into_iter();
    Ok(terms
        .map(|(terms, profile)| (terms.server(), profile))
        .collect())
}

/// The same, with all that profiles say of them.
pub(super) fn described_in_full(
    named: &[String],
) -> Result<Vec<(McpServerTerms, String)>, Failure> {
    let mut found = profiles::own();
    for name in named {
        found.extend(profiles::find(name)?);
    }
    let mut known = BTreeSet::new();
    let mut servers = Vec::new();
    for profile in found {
        let name = profile.name.to_string();
        for terms in &profile.mcp_servers {
            if known.insert(terms.name.clone()) {
                servers.push((terms.clone(), name.clone()));
            }
        }
    }
    Ok(servers)
}

/// Lists servers. Returns the exit code.
pub(super) fn list(named: &[String], json: bool, settings: &Settings) -> Result<i32, Failure> {
    let servers = described(named)?;
    let states = login::states(&servers, settings)?;
    let shown = servers
        .into_iter()
        .zip(states)
        .map(|((server, profile), login)| Shown {
            name: server.name.to_string(),
            url: format!(
                "{}://{}{}",
                server.scheme.as_str(),
                server.destination,
                server.path
            ),
            credential: server.credential.map(|it| it.to_string()),
            login,
            profile,
        });
    let shown: Vec<Shown> = shown.collect();
    if json {
        output::json(&shown);
        return Ok(0);
    }
    if shown.is_empty() {
        output::say("no profile describes a server: ringfence mcp server add --help");
        return Ok(0);
    }
    let row = |it: &Shown| {
        let credential = it.credential.clone().unwrap_or_else(|| "-".to_owned());
        vec![
            it.name.clone(),
            it.url.clone(),
            credential,
            it.login.to_owned(),
            it.profile.clone(),
        ]
    };
    output::table(
        &["name", "where", "credential", "login", "profile"],
        shown.iter().map(row).collect(),
    );
    Ok(0)
}
