//! `ringfence setup`: what a coding agent needs, in one command.

mod clients;

use std::collections::BTreeMap;
use std::path::Path;

use ringfence_control::credential::{Binding, Kind};
use ringfence_control::credentials::{self, NewCredential};
use ringfence_model::{CredentialName, Scheme};
use ringfence_store::Vault;
use serde::Serialize;

use super::credential::{not_done, secret};
use crate::args::credential::SecretArguments;
use crate::args::setup::{AgentKind, SetupArguments, SetupVerb};
use crate::config::Settings;
use crate::failure::Failure;
use crate::link::credentials::{close_memory, closed, reach, refused};
use crate::output;

/// What there is to know of an agent.
struct Agent {
    /// The built-in profile.
    profile: &'static str,
    /// How it is started.
    program: &'static str,
    /// The package that it comes in.
    package: &'static str,
    /// What the profile calls the credential.
    credential: &'static str,
    host: &'static str,
    kind: Kind,
    settings: &'static [(&'static str, &'static str)],
}

const fn agent(kind: AgentKind) -> Agent {
    let anthropic = Agent {
        profile: "claude-code",
        program: "claude",
        package: "@anthropic-ai/claude-code",
        credential: "anthropic",
        host: "api.anthropic.com",
        kind: Kind::Header,
        settings: &[("name", "x-api-key")],
    };
    match kind {
        AgentKind::ClaudeCode => anthropic,
        AgentKind::Opencode => Agent {
            profile: "opencode",
            program: "opencode",
            package: "opencode-ai",
            ..anthropic
        },
        AgentKind::Codex => Agent {
            profile: "codex",
            program: "codex",
            package: "@openai/codex",
            credential: "openai",
            host: "api.openai.com",
            kind: Kind::Bearer,
            settings: &[],
        },
        AgentKind::GeminiCli => Agent {
            profile: "gemini-cli",
            program: "gemini",
            package: "@google/gemini-cli",
            credential: "gemini",
            host: "generativelanguage.googleapis.com",
            kind: Kind::Header,
            settings: &[("name", "x-goog-api-key")],
        },
    }
}

#[derive(Serialize)]
struct SetUp {
    profile: &'static str,
    credential: &'static str,
    added: bool,
    installed: bool,
    command: String,
}

/// Does what the person asked for. Returns the exit code.
pub(crate) fn setup(arguments: &SetupArguments, settings: &Settings) -> Result<i32, Failure> {
    match (&arguments.verb, arguments.agent) {
        (Some(SetupVerb::Mcp(asked)), _) => clients::show(asked),
        (None, Some(agent)) => of_agent(&self::agent(agent), arguments, settings),
        (None, None) => Err(Failure::Usage(anyhow::anyhow!(
            "say for which agent: ringfence setup --help"
        ))),
    }
}

fn of_agent(
    agent: &Agent,
    arguments: &SetupArguments,
    settings: &Settings,
) -> Result<i32, Failure> {
    close_memory()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::internal)?;
    let added = runtime.block_on(async {
        let vault = reach(settings)?.vault().await.map_err(closed)?;
        let added = add(&vault, agent, arguments).await;
        vault.close().await;
        added
    })?;
    let done = SetUp {
        profile: agent.profile,
        credential: agent.credential,
        added,
        installed: is_installed(agent.program),
        command: format!(
            "ringfence run --profile {} -- {}",
            agent.profile, agent.program
        ),
    };
    if arguments.json {
        output::json(&done);
    } else {
        tell(agent, &done);
    }
    Ok(0)
}

fn tell(agent: &Agent, done: &SetUp) {
    output::line(&match done.added {
        true => format!(
            "sealed the credential {} for {}",
            agent.credential, agent.host
        ),
        false => format!(
            "the credential {} is there already; `ringfence credential rotate {}` gives it another key",
            agent.credential, agent.credential
        ),
    });
    if !done.installed {
        output::line(&format!(
            "{} is not installed: npm install -g {}",
            agent.program, agent.package
        ));
    }
    output::line(&format!("now: {}", done.command));
}

/// Seals the key, unless there is one; whether it was sealed now.
async fn add(vault: &Vault, agent: &Agent, arguments: &SetupArguments) -> Result<bool, Failure> {
    let name: CredentialName = agent.credential.parse().map_err(Failure::internal)?;
    vault.unlock().await.map_err(refused)?;
    let known = vault.credentials().await.map_err(refused)?;
    if known.iter().any(|it| it.name == name) {
        return Ok(false);
    }
    let settings: BTreeMap<String, String> = agent
        .settings
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    let binding = Binding::parse(agent.host, None, Scheme::Https).map_err(Failure::usage)?;
    let secret = SecretArguments {
        file: arguments.file.clone(),
        ..SecretArguments::default()
    };
    let new = NewCredential {
        origin: secret::origin(agent.kind, &secret)?,
        name,
        kind: agent.kind,
        binding,
        settings,
    };
    credentials::add(vault, new).await.map_err(not_done)?;
    Ok(true)
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| Path::new(&directory).join(program).is_file())
}
