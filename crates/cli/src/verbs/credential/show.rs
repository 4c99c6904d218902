//! Credentials as they are shown: everything but the secrets.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ringfence_control::credential::Definition;
use ringfence_control::credentials;
use ringfence_model::CredentialName;
use ringfence_policy::Profile;
use ringfence_store::Vault;
use serde::Serialize;

use crate::failure::Failure;
use crate::link::credentials::refused;
use crate::{output, profiles};

/// A credential. Its JSON is a promise.
#[derive(Serialize)]
pub(super) struct Shown {
    name: CredentialName,
    kind: &'static str,
    upstream: String,
    settings: BTreeMap<String, String>,
    secrets: Vec<&'static str>,
    source: Option<String>,
    version: u64,
    created: Timestamp,
    rotated: Option<Timestamp>,
    revoked: Option<Timestamp>,
}

impl Shown {
    pub(super) fn of(definition: &Definition) -> Self {
        let secrets = definition.kind.secrets().iter();
        Self {
            name: definition.name.clone(),
            kind: definition.kind.as_str(),
            upstream: definition.upstream(),
            settings: definition.settings.clone(),
            secrets: secrets.map(|field| field.name).collect(),
            source: definition.source.as_ref().map(ToString::to_string),
            version: definition.version,
            created: definition.created,
            rotated: definition.rotated,
            revoked: definition.revoked,
        }
    }

    fn state(&self) -> &'static str {
        match (self.revoked, &self.source) {
            (Some(_), _) => "revoked",
            (None, Some(_)) => "from its source",
            (None, None) => "sealed",
        }
    }
}

pub(super) async fn list(vault: &Vault, json: bool) -> Result<i32, Failure> {
    let mut shown = Vec::new();
    for (record, definition) in credentials::list(vault).await.map_err(refused)? {
        match definition {
            Ok(definition) => shown.push(Shown::of(&definition)),
            Err(error) => {
                output::error(&format!("{}: {:#}", record.name, anyhow::Error::new(error)))
            }
        }
    }
    if json {
        shown.iter().for_each(output::json);
        return Ok(0);
    }
    if shown.is_empty() {
        output::say(
            "there are no credentials; `ringfence credential add --help` tells how to add one",
        );
        return Ok(0);
    }
    let rows = shown.iter().map(|shown| {
        vec![
            shown.name.to_string(),
            shown.kind.to_owned(),
            shown.upstream.clone(),
            shown.version.to_string(),
            shown.state().to_owned(),
            shown
                .rotated
                .unwrap_or(shown.created)
                .strftime(DAY)
                .to_string(),
        ]
    });
    let heading = ["name", "kind", "for", "version", "state", "since"];
    output::table(&heading, rows.collect());
    Ok(0)
}

#[derive(Serialize)]
struct Looked {
    #[serde(flatten)]
    shown: Shown,
    profiles: Vec<String>,
    tokens: Vec<Held>,
}

/// A token that stands for the credential.
#[derive(Serialize)]
struct Held {
    id: String,
    agent: String,
    run: String,
    expires: Timestamp,
}

pub(super) async fn show(vault: &Vault, name: &CredentialName, json: bool) -> Result<i32, Failure> {
    let record = vault.credential(name).await.map_err(refused)?;
    let definition = Definition::stored(&record).map_err(Failure::internal)?;
    let now = Timestamp::now();
    let tokens = vault.tokens(None).await.map_err(refused)?;
    let tokens = tokens
        .into_iter()
        .filter(|token| token.is_valid(now) && token.scope.contains(name));
    let looked = Looked {
        shown: Shown::of(&definition),
        profiles: used_by(name),
        tokens: tokens
            .map(|token| Held {
                id: token.id.to_string(),
                agent: token.agent.to_string(),
                run: token.run.to_string(),
                expires: token.expires,
            })
            .collect(),
    };
    if json {
        output::json(&looked);
    } else {
        print(&looked);
    }
    Ok(0)
}

fn print(looked: &Looked) {
    let shown = &looked.shown;
    let line = |name: &str, value: &str| output::line(&format!("{name:<10}{value}"));
    line("name", shown.name.as_str());
    line("kind", shown.kind);
    line("for", &shown.upstream);
    for (name, value) in &shown.settings {
        line("setting", &format!("{name}={}", output::name(value)));
    }
    match &shown.source {
        Some(source) => line("secret", &format!("from {}", output::name(source))),
        None => line("secret", &shown.secrets.join(", ")),
    }
    line("version", &shown.version.to_string());
    line("added", &shown.created.strftime(TIME).to_string());
    for (name, time) in [("rotated", shown.rotated), ("revoked", shown.revoked)] {
        if let Some(time) = time {
            line(name, &time.strftime(TIME).to_string());
        }
    }
    for profile in &looked.profiles {
        line("used by", &format!("profile {profile}"));
    }
    for token in &looked.tokens {
        line(
            "used by",
            &format!(
                "token {} of agent {} in run {}",
                token.id, token.agent, token.run
            ),
        );
    }
}

/// The person's own profiles whose rules name the credential. One that cannot be read is passed
/// over: `ringfence policy check` tells what is wrong with it.
fn used_by(name: &CredentialName) -> Vec<String> {
    let profiles = profiles::own().into_iter();
    let names = |profile: &Profile| {
        let in_rules = profile.rule_credentials().any(|it| it == name);
        let mut tokens = profile.tokens().iter();
        in_rules || tokens.any(|grant| grant.credentials.contains(name))
    };
    let mut used: Vec<_> = profiles
        .filter(names)
        .map(|profile| profile.name.to_string())
        .collect();
    used.sort();
    used
}

const DAY: &str = "%Y-%m-%d";
const TIME: &str = "%Y-%m-%d %H:%M UTC";
