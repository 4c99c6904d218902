//! `ringfence credential`: secrets in, never out.

pub(super) mod prompt;
pub(super) mod secret;
mod show;

use std::collections::BTreeMap;

use anyhow::anyhow;
use ringfence_control::credential::{Binding, Definition, Kind};
use ringfence_control::credentials::{self, CredentialsError, NewCredential};
use ringfence_control::{Broker, TrialError};
use ringfence_gateway::CredentialError;
use ringfence_model::{CredentialName, Scheme};
use ringfence_store::{MasterKey, Vault};
use serde::Serialize;

use crate::args::credential::{
    AddArguments, CredentialArguments, CredentialVerb, RotateArguments, SecretArguments,
};
use crate::config::Settings;
use crate::failure::Failure;
use crate::link::credentials::{close_memory, closed, reach, refused};
use crate::output;

/// Does what the person asked for. Returns the exit code.
pub(crate) fn credential(
    arguments: CredentialArguments,
    settings: &Settings,
) -> Result<i32, Failure> {
    close_memory()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::internal)?;
    runtime.block_on(async {
        if let CredentialVerb::Test { name, url, json } = &arguments.verb {
            return test(settings, name, url.as_deref(), *json).await;
        }
        let vault = reach(settings)?.vault().await.map_err(closed)?;
        let code = with(&vault, arguments.verb).await;
        vault.close().await;
        code
    })
}

async fn with(vault: &Vault, verb: CredentialVerb) -> Result<i32, Failure> {
    match verb {
        CredentialVerb::Add(arguments) => add(vault, arguments).await,
        CredentialVerb::List { json } => show::list(vault, json).await,
        CredentialVerb::Show { name, json } => show::show(vault, &name, json).await,
        CredentialVerb::Rotate(arguments) => rotate(vault, arguments).await,
        CredentialVerb::Revoke { name, json } => revoke(vault, &name, json).await,
        CredentialVerb::Rekey { file, json } => rekey(vault, file.as_deref(), json).await,
        CredentialVerb::Test { .. } => Ok(0),
    }
}

async fn add(vault: &Vault, arguments: AddArguments) -> Result<i32, Failure> {
    let AddArguments {
        name, kind, secret, ..
    } = arguments;
    let scheme = if arguments.plain_http {
        Scheme::Http
    } else {
        Scheme::Https
    };
    if kind == Kind::SshKey && arguments.plain_http {
        return Err(Failure::Usage(anyhow!(
            "--plain-http says nothing about SSH"
        )));
    }
    let host = kind.place(&arguments.host);
    let binding = Binding::parse(&host, arguments.path.as_deref(), scheme);
    let binding = binding.map_err(Failure::usage)?;
    let settings = assigned(&secret)?;
    // What can be told before a secret is typed is told before.
    kind.check(&settings).map_err(Failure::usage)?;
    vault.unlock().await.map_err(refused)?;
    let new = NewCredential {
        origin: secret::origin(kind, &secret)?,
        name,
        kind,
        binding,
        settings,
    };
    let added = credentials::add(vault, new).await.map_err(not_done)?;
    done("added", &added, arguments.json);
    Ok(0)
}

async fn rotate(vault: &Vault, arguments: RotateArguments) -> Result<i32, Failure> {
    let RotateArguments { name, secret, json } = arguments;
    vault.unlock().await.map_err(refused)?;
    let record = vault.credential(&name).await.map_err(refused)?;
    let kind = Definition::stored(&record).map_err(Failure::internal)?.kind;
    let settings = assigned(&secret)?;
    let origin = secret::origin(kind, &secret)?;
    let rotated = credentials::rotate(vault, &name, settings, origin).await;
    done("rotated", &rotated.map_err(not_done)?, json);
    Ok(0)
}

async fn revoke(vault: &Vault, name: &CredentialName, json: bool) -> Result<i32, Failure> {
    vault.revoke(name).await.map_err(refused)?;
    if json {
        output::json(&Named { name });
    } else {
        output::line(&format!(
            "revoked {name}; its secret is gone from the store"
        ));
    }
    Ok(0)
}

#[derive(Serialize)]
struct Named<'a> {
    name: &'a CredentialName,
}

#[derive(Serialize)]
struct RekeyedJson {
    credentials: u64,
    file: Option<String>,
}

async fn rekey(vault: &Vault, file: Option<&std::path::Path>, json: bool) -> Result<i32, Failure> {
    vault.unlock().await.map_err(refused)?;
    let key = match (file, vault.key_file()) {
        (None, Some(_)) => None,
        (file, _) => {
            let text = secret::read(file)?;
            Some(MasterKey::parse(&text).map_err(Failure::usage)?)
        }
    };
    let rekeyed = vault.rekey(key).await.map_err(refused)?;
    let file = rekeyed.file.map(|file| output::path(&file));
    if json {
        output::json(&RekeyedJson {
            credentials: rekeyed.credentials,
            file,
        });
        return Ok(0);
    }
    output::line(&format!(
        "{} credentials are sealed under the new master key",
        rekeyed.credentials
    ));
    output::line(&match file {
        Some(file) => format!("it is in {file}; the old one opens nothing any more"),
        None => "now change it where it comes from: the old one opens nothing any more".to_owned(),
    });
    Ok(0)
}

#[derive(Serialize)]
struct Tested<'a> {
    name: &'a CredentialName,
    version: u64,
    upstream: String,
    expires_in_seconds: Option<u64>,
    url: Option<&'a str>,
    status: Option<u16>,
}

/// Makes the credential ready as a run would, and tries it where a URL is given.
async fn test(
    settings: &Settings,
    name: &CredentialName,
    url: Option<&str>,
    json: bool,
) -> Result<i32, Failure> {
    let broker = Broker::new(reach(settings)?);
    broker.open().await.map_err(closed)?;
    let prepared = broker.prepare(name).await.map_err(not_had)?;
    let status = match url {
        Some(url) => Some(broker.trial(name, url).await.map_err(not_tried)?),
        None => None,
    };
    broker.close().await;
    let tested = Tested {
        name,
        version: prepared.material.version,
        upstream: prepared.upstream(),
        expires_in_seconds: prepared.life.map(|life| life.as_secs()),
        url,
        status,
    };
    if json {
        output::json(&tested);
    } else {
        tell(&tested);
    }
    match status {
        Some(401 | 403) => Err(Failure::Unavailable(anyhow!(
            "{} does not take the credential `{name}`",
            url.unwrap_or_default()
        ))),
        _ => Ok(0),
    }
}

fn tell(tested: &Tested<'_>) {
    let Tested {
        name,
        version,
        upstream,
        ..
    } = tested;
    output::line(&format!(
        "{name} version {version} can be had, for {upstream}"
    ));
    if let Some(seconds) = tested.expires_in_seconds {
        output::line(&format!("it is good for {} min", seconds / 60));
    }
    if let (Some(url), Some(status)) = (tested.url, tested.status) {
        output::line(&format!("GET {url} answered {status}"));
    }
}

fn assigned(secret: &SecretArguments) -> Result<BTreeMap<String, String>, Failure> {
    let mut settings = BTreeMap::new();
    for (key, value) in &secret.settings {
        if settings.insert(key.clone(), value.clone()).is_some() {
            return Err(Failure::Usage(anyhow!("--set {key}=… is there twice")));
        }
    }
    Ok(settings)
}

fn done(what: &str, definition: &Definition, json: bool) {
    if json {
        output::json(&show::Shown::of(definition));
    } else {
        output::line(&format!(
            "{what} {} version {}, for {}",
            definition.name,
            definition.version,
            definition.upstream()
        ));
    }
}

pub(super) fn not_done(error: CredentialsError) -> Failure {
    match error {
        CredentialsError::Vault(error) => refused(error),
        other => Failure::usage(other),
    }
}

fn not_had(error: CredentialError) -> Failure {
    match error {
        CredentialError::Unknown(_) => Failure::usage(error),
        CredentialError::NotFor { .. } => Failure::Refused(error.into()),
        CredentialError::Unavailable { .. } => Failure::Unavailable(error.into()),
    }
}

fn not_tried(error: TrialError) -> Failure {
    match error {
        TrialError::Credential(error) => not_had(error),
        TrialError::Upstream(_) => Failure::Unavailable(error.into()),
        TrialError::Url { .. } | TrialError::Kind => Failure::usage(error),
    }
}
