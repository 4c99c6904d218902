//! Credentials of a run: the broker behind the gateway's port, the tokens of the sandbox, and what
//! other processes change in the store. A run whose policy names no credential opens no store.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::anyhow;
use jiff::Timestamp;
use ringfence_control::credential::Definition;
use ringfence_control::limits::POLL;
use ringfence_control::source::{SourceRef, Sources};
use ringfence_control::tokens::{self, Holder};
use ringfence_control::{Broker, OpenError, Reach, keys};
use ringfence_gateway::{Identity, Tokens};
use ringfence_model::{CredentialName, SandboxId, Secret};
use ringfence_policy::Profile;
use ringfence_store::{CredentialRecord, TokenRecord, Vault, VaultError, changes_file};
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use tokio::runtime::Runtime;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::watch::{Look, on_change};
use crate::config::Settings;
use crate::failure::Failure;
use crate::{output, paths, run};

/// Keeps other processes of the same user, and core dumps, from reading the secrets that this
/// process is about to hold.
pub(crate) fn close_memory() -> Result<(), Failure> {
    let closed = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    closed.map_err(|error| Failure::internal(std::io::Error::from(error)))
}

/// How the vault of this machine is reached.
pub(crate) fn reach(settings: &Settings) -> Result<Reach, Failure> {
    // Read once, here; no sandbox is told any variable by itself.
    let secret = |text: String| Secret::new(text.into_bytes());
    let variable = std::env::var(keys::VARIABLE).ok();
    let vault_token = std::env::var(Sources::VAULT_TOKEN).ok();
    Ok(Reach {
        data: paths::data().map_err(Failure::usage)?,
        keys: settings.keys.clone(),
        variable: variable.map(secret),
        config: settings.gateway.clone(),
        sources: Sources::new(settings.sources.clone(), vault_token.map(secret)),
    })
}

/// What the vault refused, by what the person can do about it.
pub(crate) fn refused(error: VaultError) -> Failure {
    match error {
        VaultError::Exists(_)
        | VaultError::Unknown(_)
        | VaultError::Revoked(_)
        | VaultError::KeyNeeded { .. }
        | VaultError::TooMany(_) => Failure::usage(error),
        VaultError::KeyMissing(_)
        | VaultError::KeyWrong { .. }
        | VaultError::KeyChanged { .. }
        | VaultError::Store(_) => Failure::Unavailable(error.into()),
        VaultError::Damaged(_) | VaultError::Random => Failure::internal(error),
    }
}

/// Why the vault cannot be opened.
pub(crate) fn closed(error: OpenError) -> Failure {
    match error {
        OpenError::Vault(error) => refused(error),
        OpenError::Key(_) => Failure::Unavailable(error.into()),
    }
}

/// The credentials of one gateway.
pub(crate) struct LocalCredentials {
    broker: Broker,
    tokens: Arc<Tokens>,
    sandbox: SandboxId,
    /// Variables of the agent with their tokens.
    variables: Vec<(String, String)>,
    /// What is kept of the tokens, until they are granted.
    issued: Vec<TokenRecord>,
    /// Files that hold secrets.
    files: Vec<PathBuf>,
    /// What the store was opened on, where it had to be.
    runtime: Option<Runtime>,
}

impl LocalCredentials {
    /// Opens the store if a profile names a credential, and issues the tokens that profiles grant.
    /// A store that cannot be opened starts nothing.
    pub(crate) fn open(
        settings: &Settings,
        profiles: &[Profile],
        identity: &Identity,
    ) -> Result<Self, Failure> {
        let mut credentials = Self {
            broker: Broker::new(reach(settings)?),
            tokens: Arc::default(),
            sandbox: identity.sandbox,
            variables: Vec::new(),
            issued: Vec::new(),
            files: settings.secret_files(),
            runtime: None,
        };
        let names = named(profiles);
        if names.is_empty() {
            return Ok(credentials);
        }
        close_memory()?;
        let runtime = run::runtime()?;
        runtime.block_on(credentials.start(profiles, identity, &names))?;
        credentials.runtime = Some(runtime);
        Ok(credentials)
    }

    async fn start(
        &mut self,
        profiles: &[Profile],
        identity: &Identity,
        names: &BTreeSet<CredentialName>,
    ) -> Result<(), Failure> {
        let vault = self.broker.open().await.map_err(closed)?;
        self.files.extend(sources(&vault, names).await?);
        self.issue(profiles, identity)
    }

    /// Makes the tokens valid, while the sandbox that holds them is built.
    pub(crate) async fn grant(&mut self) -> Result<(), Failure> {
        let issued = std::mem::take(&mut self.issued);
        if issued.is_empty() {
            return Ok(());
        }
        let vault = self.broker.open().await.map_err(closed)?;
        vault.keep_tokens(&issued).await.map_err(refused)?;
        let held = Arc::clone(&self.tokens);
        let attached = self.broker.attach(self.sandbox, held).await;
        attached.map_err(closed)
    }

    /// One token for each grant, and the variables that hold it.
    fn issue(&mut self, profiles: &[Profile], identity: &Identity) -> Result<(), Failure> {
        let holder = Holder {
            sandbox: identity.sandbox,
            run: identity.run,
            agent: identity.agent.clone(),
        };
        for grant in profiles.iter().flat_map(Profile::tokens) {
            let token = tokens::issue(&holder, grant.credentials.clone(), Timestamp::now());
            let token = token.map_err(Failure::internal)?;
            let text = String::from_utf8_lossy(token.secret.expose()).into_owned();
            for variable in &grant.env {
                let name = variable.as_str().to_owned();
                if self.variables.iter().any(|(present, _)| *present == name) {
                    return Err(Failure::Usage(anyhow!(
                        "two profiles put a token into {name}; one variable holds one token"
                    )));
                }
                self.variables.push((name, text.clone()));
            }
            self.issued.push(token.record);
        }
        Ok(())
    }

    /// The port of the gateway.
    pub(crate) fn port(&self) -> Arc<Broker> {
        Arc::new(self.broker.clone())
    }

    /// The tokens that the sandbox may present.
    pub(crate) fn tokens(&self) -> Arc<Tokens> {
        Arc::clone(&self.tokens)
    }

    /// The variables that profiles set for the agent, those with tokens included.
    pub(crate) fn granted(&self, profiles: &[Profile]) -> BTreeMap<String, String> {
        let plain = profiles.iter().flat_map(Profile::environment);
        let plain = plain.map(|(name, value)| (name.to_owned(), value.to_owned()));
        // A token is not replaced by a plain value of another profile.
        plain.chain(self.variables.iter().cloned()).collect()
    }

    /// Files that no sandbox may see.
    pub(crate) fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The runtime of the run: the one that the store was opened on, else a new one.
    pub(crate) fn runtime(&mut self) -> Result<Runtime, Failure> {
        self.runtime.take().map_or_else(run::runtime, Ok)
    }

    /// Follows what other processes change, from when the store is first needed.
    pub(crate) fn follow(&self, runtime: &Runtime) -> Result<(), Failure> {
        let files = vec![changes_file(&paths::data().map_err(Failure::usage)?)];
        let broker = self.broker.clone();
        // The task ends with the runtime, the thread that tells of changes with the process.
        runtime.spawn(async move {
            broker.opened().await;
            // Where a policy that was loaded later is the first to need it; the kernel never refuses.
            let _ = close_memory();
            let changed = Arc::new(Notify::new());
            let known = Look::at(&files);
            let told = Arc::clone(&changed);
            // Without the watch, changes are noticed by looking once in a while.
            let _ = on_change(files, known, move || told.notify_one());
            loop {
                broker.refresh().await;
                let _ = timeout(POLL, changed.notified()).await;
            }
        });
        Ok(())
    }

    /// Ends the tokens with the run.
    pub(crate) async fn end(&self) {
        self.broker.close().await;
        if !self.variables.is_empty()
            && let Ok(vault) = self.broker.open().await
            && let Err(error) = vault.end_tokens(self.sandbox).await
        {
            // They are worth nothing without this process.
            output::error(&format!("the run's tokens are still listed: {error}"));
        }
    }
}

/// The credentials that rules and tokens name.
fn named(profiles: &[Profile]) -> BTreeSet<CredentialName> {
    let in_rules = profiles.iter().flat_map(Profile::rule_credentials).cloned();
    let grants = profiles.iter().flat_map(Profile::tokens);
    let in_tokens = grants.flat_map(|grant| grant.credentials.iter().cloned());
    in_rules.chain(in_tokens).collect()
}

/// The files that credentials are read from. Says which credentials are not there.
async fn sources(vault: &Vault, names: &BTreeSet<CredentialName>) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    let records = vault.credentials().await.map_err(refused)?;
    for name in names {
        let live = |record: &&_| is_live(record, name);
        let Some(record) = records.iter().find(live) else {
            output::say(&format!(
                "ringfence: there is no credential `{name}`, so rules that need it deny; `ringfence credential add {name}`"
            ));
            continue;
        };
        if let Ok(definition) = Definition::stored(record)
            && let Some(SourceRef::File(path)) = definition.source
        {
            files.push(path);
        }
    }
    Ok(files)
}

fn is_live(record: &CredentialRecord, name: &CredentialName) -> bool {
    record.name == *name && record.revoked.is_none()
}
