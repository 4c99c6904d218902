//! The gateway's port to the credentials, backed by the vault: which there are, where each may go,
//! and what a request is given. It follows what other processes change in the vault.

mod making;
mod unsaved;

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use ringfence_gateway::{
    Answer, CredentialError, Credentials, Injection, Material, Need, Outbound, Tokens,
};
use ringfence_model::{CredentialName, SandboxId};
use ringfence_store::Vault;
use tokio::sync::{Mutex as AsyncMutex, OnceCell, watch};
use tokio::time::Instant;

use crate::cache::{Cache, Key, Made, Ready, unavailable};
use crate::credential::Binding;
use crate::known::Known;
use crate::limits::{FIRST_PAUSE, ROTATIONS_WAITED};
use crate::reach::{OpenError, Reach};
use crate::tokens;
use crate::trial::{self, TrialError};
use unsaved::Unsaved;

/// The credentials of one gateway. Clones are the same one.
#[derive(Clone)]
pub struct Broker(Arc<Inner>);

struct Inner {
    reach: Reach,
    outbound: OnceCell<Outbound>,
    vault: OnceCell<Vault>,
    /// The last failure to open the vault.
    closed: Mutex<Option<(Instant, String)>>,
    known: RwLock<Arc<Known>>,
    /// One reading of the vault at a time, so that an older one does not replace a newer one.
    reading: AsyncMutex<()>,
    cache: Arc<Cache>,
    unsaved: Unsaved,
    changes: watch::Sender<u64>,
    /// The announcement that was followed last.
    announced: Mutex<Option<SystemTime>>,
    sandboxes: Mutex<Vec<(SandboxId, Arc<Tokens>)>>,
}

impl Broker {
    /// A broker that opens the vault when a credential is first needed.
    #[must_use]
    pub fn new(reach: Reach) -> Self {
        Self(Arc::new(Inner {
            reach,
            outbound: OnceCell::new(),
            vault: OnceCell::new(),
            closed: Mutex::default(),
            known: RwLock::default(),
            reading: AsyncMutex::default(),
            cache: Arc::default(),
            unsaved: Unsaved::default(),
            changes: watch::Sender::new(0),
            announced: Mutex::default(),
            sandboxes: Mutex::default(),
        }))
    }

    /// Opens the vault and sees that the master key is the right one.
    ///
    /// # Errors
    /// Where the key is missing or wrong, or the database fails.
    pub async fn open(&self) -> Result<Vault, OpenError> {
        self.0.vault().await
    }

    /// Keeps the tokens of a sandbox as they are in the vault, now and after every change.
    ///
    /// # Errors
    /// Where the vault fails.
    pub async fn attach(&self, sandbox: SandboxId, held: Arc<Tokens>) -> Result<(), OpenError> {
        let vault = self.0.vault().await?;
        tokens::refresh(&vault, sandbox, &held).await?;
        let mut sandboxes = lock(&self.0.sandboxes);
        sandboxes.push((sandbox, held));
        Ok(())
    }

    /// Waits until the vault is open and was looked at.
    pub async fn opened(&self) {
        let mut changes = self.0.changes.subscribe();
        // The sender lives as long as this broker.
        let _ = changes.wait_for(|changes| *changes > 0).await;
    }

    /// Looks whether another process changed something, and takes it over. Cheap where nothing
    /// changed, and where no credential was needed yet.
    pub async fn refresh(&self) {
        if let Some(vault) = self.0.vault.get() {
            self.0.follow(vault).await;
        }
    }

    /// Makes a credential ready as for a request that it covers, and tells what it is.
    ///
    /// # Errors
    /// Where it cannot be had.
    pub async fn prepare(&self, name: &CredentialName) -> Result<Prepared, CredentialError> {
        let ready = self.0.ready(name).await?;
        Ok(Prepared {
            material: Arc::clone(&ready.material),
            binding: ready.binding.clone(),
            life: ready.life,
        })
    }

    /// Sends a `GET` with the credential, from here and not from a sandbox, to see whether the
    /// upstream takes it. Returns the status code.
    ///
    /// # Errors
    /// Where the credential is not for that URL or cannot be had, or no answer comes.
    pub async fn trial(&self, name: &CredentialName, url: &str) -> Result<u16, TrialError> {
        trial::get(self, name, url).await
    }

    pub(crate) async fn outbound(
        &self,
        name: &CredentialName,
    ) -> Result<&Outbound, CredentialError> {
        self.0.outbound(name).await
    }

    /// Waits for mintings that are under way: what an issuer gave out is kept.
    pub async fn close(&self) {
        self.0.cache.close().await;
    }
}

/// A credential that was made ready.
#[derive(Debug)]
pub struct Prepared {
    /// What a request is given.
    pub material: Arc<Material>,
    /// Where it may go.
    pub binding: Binding,
    /// How long it is good for; none for ever.
    pub life: Option<Duration>,
}

impl Prepared {
    /// Where it may go, for people.
    #[must_use]
    pub fn upstream(&self) -> String {
        let injections = &self.material.injections;
        let is_ssh = |injection| matches!(injection, &Injection::SshKey(_));
        self.binding.shown(injections.iter().any(is_ssh))
    }
}

impl Inner {
    async fn vault(&self) -> Result<Vault, OpenError> {
        let opened = self.vault.get_or_try_init(|| async {
            let vault = self.reach.vault().await?;
            vault.unlock().await?;
            self.follow(&vault).await;
            Ok::<_, OpenError>(vault)
        });
        opened.await.cloned()
    }

    /// The vault, for a request. A failure is kept for a moment.
    async fn vault_for(&self, name: &CredentialName) -> Result<Vault, CredentialError> {
        if let Some(vault) = self.vault.get() {
            return Ok(vault.clone());
        }
        let failed = lock(&self.closed).clone();
        if let Some((_, reason)) = failed.filter(|(at, _)| at.elapsed() < FIRST_PAUSE) {
            return Err(unavailable(name, reason));
        }
        self.vault().await.map_err(|error| {
            let reason = format!("the credential store is not usable: {error}");
            *lock(&self.closed) = Some((Instant::now(), reason.clone()));
            unavailable(name, reason)
        })
    }

    async fn follow(&self, vault: &Vault) {
        let reading = self.reading.lock().await;
        let before = self.known();
        let known = match vault.changes().await {
            Ok(seen) if before.seen == Some(seen) && !before.has_retired() => return,
            Ok(seen) => Known::read(vault, seen).await,
            Err(error) => Err(error),
        };
        let mut known = known.unwrap_or_else(|error| {
            Known::unreadable(format!("the credential store is not usable: {error}"))
        });
        known.retire(&before);
        let has_fault_still = known.fault.is_some() && before.fault.is_some();
        let known = Arc::new(known);
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&known);
        self.cache
            .retain(|(name, version)| known.has(name, *version));
        self.follow_tokens(vault).await;
        drop(reading);
        if !has_fault_still {
            self.changes.send_modify(|changes| *changes += 1);
        }
    }

    /// Takes over what was announced before now, though the news of it may still be on its way: a
    /// request that is made after a revocation has returned does not get the secret any more.
    async fn keep_up(&self, vault: &Vault) {
        let announced = vault.announced();
        if *lock(&self.announced) != announced {
            self.follow(vault).await;
            *lock(&self.announced) = announced;
        }
    }

    async fn follow_tokens(&self, vault: &Vault) {
        let sandboxes = lock(&self.sandboxes).clone();
        for (sandbox, held) in sandboxes {
            if tokens::refresh(vault, sandbox, &held).await.is_err() {
                // Which are revoked is not known, so none counts.
                held.replace(Vec::new());
            }
        }
    }

    fn known(&self) -> Arc<Known> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is ready of the version in force. A request that waits while it is rotated gets the
    /// new one.
    async fn ready(self: &Arc<Self>, name: &CredentialName) -> Made {
        let vault = self.vault_for(name).await?;
        let mut made = self.ready_now(&vault, name).await;
        for _ in 0..ROTATIONS_WAITED {
            match &made {
                Err((_, seen)) if self.known().seen != *seen => {
                    made = self.ready_now(&vault, name).await;
                }
                _ => break,
            }
        }
        made.map_err(|(error, _)| error)
    }

    /// A failure comes with what was known of the vault then.
    async fn ready_now(
        self: &Arc<Self>,
        vault: &Vault,
        name: &CredentialName,
    ) -> Result<Arc<Ready>, (CredentialError, Option<u64>)> {
        let known = self.known();
        let made = self.ready_of(&known, vault, name).await;
        made.map_err(|error| (error, known.seen))
    }

    async fn ready_of(
        self: &Arc<Self>,
        known: &Known,
        vault: &Vault,
        name: &CredentialName,
    ) -> Made {
        if let Some(fault) = &known.fault {
            return Err(unavailable(name, fault.clone()));
        }
        let unknown = || CredentialError::Unknown(name.clone());
        let stored = known.versions.get(name).ok_or_else(unknown)?;
        if let Err(fault) = &stored.definition {
            return Err(unavailable(name, fault.clone()));
        }
        let key: Key = (name.clone(), stored.version);
        let make = || {
            let (inner, vault, name) = (Arc::clone(self), vault.clone(), name.clone());
            async move { inner.make(&vault, &name).await }
        };
        self.cache.get(&key, make).await
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Credentials for Broker {
    fn material<'a>(
        &'a self,
        need: Need<'a>,
    ) -> Answer<'a, Result<Arc<Material>, CredentialError>> {
        Box::pin(async move {
            let not_for = || CredentialError::NotFor {
                name: need.name.clone(),
                upstream: format!("{}{}", need.destination, need.path),
            };
            let covers =
                |binding: &Binding| binding.covers(need.destination, need.scheme, need.path);
            // Nothing is opened or minted for an upstream that it is not for.
            let vault = self.0.vault_for(need.name).await?;
            self.0.keep_up(&vault).await;
            let known = self.0.known();
            let stored = known.versions.get(need.name);
            if let Some(Ok(definition)) = stored.map(|stored| &stored.definition)
                && !covers(&definition.binding)
            {
                return Err(not_for());
            }
            let ready = self.0.ready(need.name).await?;
            let is_its_host = ready
                .host
                .as_ref()
                .is_none_or(|host| need.destination.host.name() == Some(host));
            if !covers(&ready.binding) || !is_its_host {
                return Err(not_for());
            }
            Ok(Arc::clone(&ready.material))
        })
    }

    fn in_use(&self) -> bool {
        self.0.vault.initialized()
    }

    fn rejected(&self, material: &Material) {
        let known = self.0.known();
        if let Some(stored) = known.versions.get(&material.name) {
            let key = (material.name.clone(), stored.version);
            self.0.cache.rejected(&key, material);
        }
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    fn is_current(&self, material: &Material) -> bool {
        self.0.known().is_current(&material.name, material.version)
    }
}

#[cfg(test)]
mod tests;
