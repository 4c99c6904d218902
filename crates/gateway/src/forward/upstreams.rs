//! What all exchanges share: TLS, the credentials that were made ready, what must not come back of
//! them, and the answers to preconditions. All of it is bounded.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use ringfence_inspect::ScrubSet;
use ringfence_model::{CredentialName, Host};

use super::precondition::Preconditions;
use super::withheld::Withheld;
use crate::config::{Config, ConfigError};
use crate::limits::CREDENTIALS_READIED;
use crate::pipeline::{Injection, Material};
use crate::ssh::SshIdentity;
use crate::tls::{ClientIdentity, UpstreamTls};

/// What all exchanges share.
pub(crate) struct Upstreams {
    pub(super) tls: UpstreamTls,
    pub(super) preconditions: Preconditions,
    pub(super) withheld: Withheld,
    /// By the credential and the host that it is for.
    readied: Mutex<HashMap<(CredentialName, Host), Kept>>,
}

struct Kept {
    of: Weak<Material>,
    ready: Arc<Ready>,
}

/// A credential, ready for exchanges.
#[derive(Debug)]
pub(super) struct Ready {
    /// The client certificate of it.
    pub(super) identity: Option<Arc<ClientIdentity>>,
    /// Its key for SSH.
    pub(super) ssh: Option<Arc<SshIdentity>>,
}

impl Upstreams {
    pub(crate) fn new(config: &Config) -> Result<Self, ConfigError> {
        Ok(Self {
            tls: UpstreamTls::new(&config.dial.extra_roots)?,
            preconditions: Preconditions::default(),
            withheld: Withheld::default(),
            readied: Mutex::default(),
        })
    }

    /// All values that are withheld from every agent, but for those that could be guessed: whether a
    /// text holds one of these is not to be asked.
    pub(crate) fn withheld(&self) -> ScrubSet {
        self.withheld.from(None, None).hidden().set.clone()
    }

    /// The credential made ready for a host, and its values withheld from every response from now on. Compiling
    /// them costs more than a request, so it is done once for each version.
    ///
    /// # Errors
    /// Why it cannot be used, in words that hold nothing of it.
    pub(super) fn ready(
        &self,
        material: &Arc<Material>,
        host: &Host,
    ) -> Result<Arc<Ready>, String> {
        let readied = || self.readied.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (material.name.clone(), host.clone());
        if let Some(kept) = readied().get(&key)
            && std::ptr::eq(kept.of.as_ptr(), Arc::as_ptr(material))
        {
            return Ok(Arc::clone(&kept.ready));
        }
        let ready = Arc::new(Ready::new(material)?);
        self.withheld.add(material, host)?;
        let mut readied = readied();
        readied.retain(|_, kept| kept.of.strong_count() > 0);
        if readied.len() < CREDENTIALS_READIED {
            let kept = Kept {
                of: Arc::downgrade(material),
                ready: Arc::clone(&ready),
            };
            readied.insert(key, kept);
        }
        Ok(ready)
    }
}

impl Ready {
    fn new(material: &Material) -> Result<Self, String> {
        let (mut identity, mut ssh) = (None, None);
        for injection in &material.injections {
            match injection {
                Injection::Certificate(certificate) => {
                    let parsed = ClientIdentity::new(certificate);
                    let parsed = parsed.map_err(|error| error.to_string())?;
                    identity = Some(Arc::new(parsed));
                }
                Injection::SshKey(key) => {
                    let parsed = SshIdentity::new(key).map_err(|error| error.to_string())?;
                    ssh = Some(Arc::new(parsed));
                }
                Injection::Header { .. } | Injection::Query { .. } | Injection::SigV4(_) => {}
            }
        }
        Ok(Self { identity, ssh })
    }
}
