//! `ringfence mcp login` and `logout`: a person's word at an authorization server, kept as a sealed
//! credential.

use std::io::{self, BufRead, IsTerminal, Read};
use std::sync::Arc;

use anyhow::{Context, anyhow};
use jiff::Timestamp;
use ringfence_control::command;
use ringfence_control::credential::Definition;
use ringfence_control::limits::{SECRET_OCTETS, SETTING_OCTETS};
use ringfence_control::login::{
    self, Listener, Login, LoginError, Registration, State, Target, Tokens, Wanted,
};
use ringfence_gateway::Outbound;
use ringfence_model::mcp::McpServer;
use ringfence_model::{CredentialName, Secret};
use ringfence_store::{Vault, changes_file};
use serde::Serialize;
use tokio::runtime::Runtime;

use super::server;
use crate::args::mcp::{ChosenArguments, LoginArguments};
use crate::config::Settings;
use crate::failure::Failure;
use crate::link::credentials::{close_memory, closed, reach, refused};
use crate::verbs::credential::{not_done, prompt, secret};
use crate::{output, paths};

/// Logs in. Returns the exit code.
pub(super) fn login(arguments: &LoginArguments, settings: &Settings) -> Result<i32, Failure> {
    close_memory()?;
    let target = target(&arguments.chosen)?;
    let wanted = Wanted {
        issuer: arguments.issuer.clone(),
        scope: arguments.scope.clone(),
        registration: registration(arguments)?,
    };
    runtime()?.block_on(async {
        let vault = reach(settings)?.vault().await.map_err(closed)?;
        // What cannot be sealed is not asked for.
        vault.unlock().await.map_err(refused)?;
        let outbound = Outbound::new(&settings.gateway).map_err(Failure::usage)?;
        let done = with(arguments, target, wanted, (&vault, &outbound)).await;
        vault.close().await;
        done
    })
}

async fn with(
    arguments: &LoginArguments,
    target: Target,
    wanted: Wanted,
    (vault, outbound): (&Vault, &Outbound),
) -> Result<i32, Failure> {
    let server = target.server.name.to_string();
    if target.is_plain() {
        output::say(
            "ringfence: this server speaks no TLS; its tokens go there in plain text, on this machine",
        );
    }
    let mut login = Login::discover(target, wanted, outbound)
        .await
        .map_err(not_logged_in)?;
    output::say(&format!("{server} takes tokens of {}", login.issuer()));
    output::say(&format!(
        "they are asked for {} with {}",
        login.resource(),
        login.scope().map_or_else(
            || "no scopes named".to_owned(),
            |scope| format!("the scopes: {scope}")
        )
    ));
    login
        .check_kept(vault, arguments.client_credentials)
        .await
        .map_err(not_logged_in)?;
    let (kept, ends) = if arguments.client_credentials {
        login.by_client_credentials().await.map_err(not_logged_in)?;
        (login.keep_client(vault).await.map_err(not_logged_in)?, None)
    } else {
        let tokens = match arguments.device {
            true => on_device(&mut login).await,
            false => in_browser(&mut login, arguments).await,
        };
        let tokens = tokens.map_err(not_logged_in)?;
        let ends = tokens.expires().filter(|_| !tokens.are_renewed());
        (
            login.keep(vault, tokens).await.map_err(not_logged_in)?,
            ends,
        )
    };
    tell(&server, &login, &kept, ends, arguments.json);
    Ok(0)
}

async fn in_browser(login: &mut Login, arguments: &LoginArguments) -> Result<Tokens, LoginError> {
    // Also where nobody waits at it: then nobody else can.
    let listener = Listener::bind(arguments.port)?;
    let ticket = Arc::new(login.begin(&listener.redirect()).await?);
    output::say(&format!("open this in a browser:\n{}", ticket.url()));
    if arguments.browser
        && let Err(error) = command::open_in_browser(ticket.url())
    {
        output::say(&format!("ringfence: {error}; open it yourself"));
    }
    let code = if arguments.no_listen {
        output::say("then paste the address that it was led to at the end, which it cannot show:");
        ticket.pasted(&line()?)?
    } else {
        output::say("waiting for the browser");
        listener.wait(Arc::clone(&ticket)).await?
    };
    login.redeem(&ticket, &code).await
}

async fn on_device(login: &mut Login) -> Result<Tokens, LoginError> {
    let ticket = login.begin_on_device().await?;
    output::say(&format!(
        "open {}\nand give this code there: {}",
        ticket.url, ticket.user_code
    ));
    login.finish_on_device(&ticket).await
}

/// One line of standard input, which holds a code that is worth nothing without what stays here.
fn line() -> Result<String, LoginError> {
    let mut line = String::new();
    let longest = u64::try_from(4 * SETTING_OCTETS).unwrap_or(u64::MAX);
    let mut stdin = io::stdin().lock().take(longest);
    let read = stdin.read_line(&mut line);
    read.map_err(|error| LoginError::Given(format!("no address was read: {error}")))?;
    Ok(line)
}

/// What was done. Its JSON is a promise.
#[derive(Serialize)]
struct Done<'a> {
    server: &'a str,
    issuer: &'a str,
    resource: &'a str,
    scope: Option<&'a str>,
    credential: &'a CredentialName,
    kind: &'static str,
    version: u64,
    upstream: String,
    /// When it ends without being renewed; none where it is renewed.
    ends: Option<Timestamp>,
}

fn tell(server: &str, login: &Login, kept: &Definition, ends: Option<Timestamp>, json: bool) {
    if json {
        output::json(&Done {
            server,
            issuer: login.issuer(),
            resource: login.resource(),
            scope: login.scope(),
            credential: &kept.name,
            kind: kept.kind.as_str(),
            version: kept.version,
            upstream: kept.upstream(),
            ends,
        });
        return;
    }
    output::line(&format!(
        "logged in to {server}: sealed as {} version {}, for {}",
        kept.name,
        kept.version,
        kept.upstream()
    ));
    if let Some(ends) = ends {
        output::line(&format!(
            "it is not renewed and ends at {ends}; then log in again"
        ));
    }
}

/// Ends a login. Returns the exit code.
pub(super) fn logout(chosen: &ChosenArguments, settings: &Settings) -> Result<i32, Failure> {
    close_memory()?;
    let target = target(chosen)?;
    let (server, name) = (&target.server.name, &target.credential);
    let was_given_back = runtime()?.block_on(async {
        let vault = reach(settings)?.vault().await.map_err(closed)?;
        let outbound = Outbound::new(&settings.gateway).map_err(Failure::usage)?;
        let ended = login::forget(&vault, name, &outbound).await;
        vault.close().await;
        ended.map_err(not_logged_in)
    })?;
    output::line(&format!(
        "logged out of {server}; its tokens are gone from the store"
    ));
    if !was_given_back {
        output::say(
            "the authorization server has not taken them back: it may list the login until it ends there",
        );
    }
    Ok(0)
}

/// How each server stands with its credential.
pub(super) fn states(
    servers: &[(McpServer, String)],
    settings: &Settings,
) -> Result<Vec<&'static str>, Failure> {
    let is_needed = servers
        .iter()
        .any(|(server, _)| server.credential.is_some());
    let data = paths::data().map_err(Failure::usage)?;
    // A store that was never used is not made by looking.
    let records = if is_needed && changes_file(&data).exists() {
        runtime()?.block_on(async {
            let vault = reach(settings).ok()?.vault().await.ok()?;
            let records = vault.credentials().await.ok();
            vault.close().await;
            records
        })
    } else {
        Some(Vec::new())
    };
    let now = Timestamp::now();
    let state = |(server, _): &(McpServer, String)| match (&server.credential, &records) {
        (None, _) => "none",
        (Some(_), None) => "unknown",
        (Some(name), Some(records)) => {
            let record = records.iter().find(|record| record.name == *name);
            match login::state(record, now) {
                State::Missing => "missing",
                State::Sealed => "sealed",
                State::LoggedIn => "logged-in",
                State::Ended => "ended",
            }
        }
    };
    Ok(servers.iter().map(state).collect())
}

fn target(chosen: &ChosenArguments) -> Result<Target, Failure> {
    let name = &chosen.server;
    let mut servers = server::described_in_full(&chosen.profiles)?.into_iter();
    let found = servers.find(|(terms, _)| terms.name == *name);
    let (terms, profile) = found.ok_or_else(|| {
        Failure::Usage(anyhow!(
            "no profile describes a server `{name}`: name the profile with --profile, or ringfence mcp server add --help"
        ))
    })?;
    let server = terms.server();
    let credential = server.credential.clone().ok_or_else(|| {
        Failure::Usage(anyhow!(
            "the profile `{profile}` names no credential for `{name}`, which the tokens would become: add `credential: {name}` to the server there"
        ))
    })?;
    let networks = terms.addresses.unwrap_or_default();
    Ok(Target {
        networks: networks.iter().map(ToString::to_string).collect(),
        server,
        credential,
    })
}

fn registration(arguments: &LoginArguments) -> Result<Registration, Failure> {
    if let Some(url) = &arguments.client_metadata_url {
        return Ok(Registration::Document(url.clone()));
    }
    let Some(id) = arguments.client_id.clone() else {
        return Ok(Registration::Automatic);
    };
    let secret = match &arguments.client_secret_file {
        Some(file) => Some(secret::read(Some(file))?),
        None if arguments.client_secret => Some(asked(arguments)?),
        None => None,
    };
    let secret = secret.as_ref().map(one_line).transpose()?;
    Ok(Registration::Known { id, secret })
}

fn asked(arguments: &LoginArguments) -> Result<Secret, Failure> {
    if io::stdin().is_terminal() {
        return prompt::hidden("client secret: ")
            .context("no secret was read from the terminal")
            .map_err(Failure::Usage);
    }
    if arguments.no_listen {
        return Err(Failure::Usage(anyhow!(
            "standard input cannot be both the secret and the address: use --client-secret-file"
        )));
    }
    secret::read(None)
}

fn one_line(given: &Secret) -> Result<Secret, Failure> {
    let text = given.expose();
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    if text.is_empty() || text.len() > SECRET_OCTETS || text.iter().any(u8::is_ascii_control) {
        return Err(Failure::Usage(anyhow!(
            "the client secret is empty, too long, or has more than one line"
        )));
    }
    Ok(Secret::new(text))
}

fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::internal)
}

fn not_logged_in(error: LoginError) -> Failure {
    match error {
        LoginError::Given(_) => Failure::usage(error),
        LoginError::Refused(_) | LoginError::Mint(_) => Failure::Refused(error.into()),
        LoginError::Unreachable { .. } | LoginError::TimedOut(_) | LoginError::Listen(_) => {
            Failure::Unavailable(error.into())
        }
        LoginError::Kept(error) => not_done(error),
        LoginError::Vault(error) => refused(error),
        LoginError::Random => Failure::internal(error),
    }
}
