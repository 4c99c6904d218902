//! `ringfence token`: what sandboxes hold in place of credentials.

use anyhow::anyhow;
use jiff::Timestamp;
use ringfence_control::tokens;
use ringfence_store::{TokenRecord, Vault};
use serde::Serialize;

use crate::args::token::{TokenArguments, TokenVerb};
use crate::config::Settings;
use crate::failure::Failure;
use crate::link::credentials::{closed, reach, refused};
use crate::output;
use crate::verbs::credential;

/// Does what the person asked for. Returns the exit code.
pub(crate) fn token(arguments: &TokenArguments, settings: &Settings) -> Result<i32, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::internal)?;
    runtime.block_on(async {
        let vault = reach(settings)?.vault().await.map_err(closed)?;
        let code = with(&vault, &arguments.verb).await;
        vault.close().await;
        code
    })
}

async fn with(vault: &Vault, verb: &TokenVerb) -> Result<i32, Failure> {
    match verb {
        TokenVerb::List { all, json } => list(vault, *all, *json).await,
        TokenVerb::Find { json } => find(vault, *json).await,
        TokenVerb::Revoke { id, json } => {
            if !vault.revoke_token(*id).await.map_err(refused)? {
                return Err(Failure::Usage(anyhow!(
                    "there is no token {id}, or it ended before"
                )));
            }
            if *json {
                output::json(&Revoked { id: id.to_string() });
            } else {
                output::line(&format!("revoked {id}"));
            }
            Ok(0)
        }
    }
}

#[derive(Serialize)]
struct Revoked {
    id: String,
}

/// A token. Its JSON is a promise.
#[derive(Serialize)]
struct Shown {
    id: String,
    agent: String,
    run: String,
    sandbox: String,
    credentials: Vec<String>,
    issued: Timestamp,
    expires: Timestamp,
    revoked: Option<Timestamp>,
}

impl Shown {
    fn of(token: TokenRecord) -> Self {
        Self {
            id: token.id.to_string(),
            agent: token.agent.to_string(),
            run: token.run.to_string(),
            sandbox: token.sandbox.to_string(),
            credentials: token.scope.iter().map(ToString::to_string).collect(),
            issued: token.issued,
            expires: token.expires,
            revoked: token.revoked,
        }
    }
}

/// Whose the token on standard input is.
async fn find(vault: &Vault, json: bool) -> Result<i32, Failure> {
    let given = credential::secret::read(None)?;
    let found = tokens::owner(vault, given.expose().trim_ascii()).await;
    let Some(token) = found.map_err(refused)? else {
        return Err(Failure::Unavailable(anyhow!(
            "this token was not issued here, or ended long ago"
        )));
    };
    let state = if token.is_valid(Timestamp::now()) {
        "valid"
    } else {
        "ended"
    };
    let shown = Shown::of(token);
    if json {
        output::json(&shown);
    } else {
        output::line(&format!(
            "{} of agent {} in run {}, for {}; {state}",
            shown.id,
            shown.agent,
            shown.run,
            shown.credentials.join(", ")
        ));
    }
    Ok(0)
}

async fn list(vault: &Vault, all: bool, json: bool) -> Result<i32, Failure> {
    let now = Timestamp::now();
    let tokens = vault.tokens(None).await.map_err(refused)?;
    let tokens = tokens
        .into_iter()
        .filter(|token| all || token.is_valid(now));
    let rows: Vec<_> = tokens
        .map(|token| (token.is_valid(now), Shown::of(token)))
        .collect();
    if json {
        rows.iter().for_each(|(_, shown)| output::json(shown));
        return Ok(0);
    }
    let rows = rows.into_iter().map(|(is_valid, shown)| {
        vec![
            shown.id,
            shown.agent,
            shown.credentials.join(", "),
            shown.run,
            if is_valid { "valid" } else { "ended" }.to_owned(),
        ]
    });
    output::table(&["id", "agent", "for", "run", "state"], rows.collect());
    Ok(0)
}
