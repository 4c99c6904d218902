//! What no response may hold: the values of every credential that was made ready in this process,
//! whichever request they were for. An upstream may keep what it was sent with one request and show
//! it in the answer to another, so the responses of all requests are searched for all of them.
//!
//! Whether a text was changed on its way tells whether it holds a value. A value that could be guessed
//! is therefore searched for only where it was sent: else the agent's own server could ask.
//!
//! The compiled values are one immutable thing that all responses share. It is made anew when a
//! value is added, and a response that lasts goes over to it.

mod given;
mod guessable;
#[cfg(test)]
pub(super) mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use ringfence_inspect::ScrubSet;
use ringfence_model::{CredentialName, Host, ReasonCode, Secret};
use tokio::sync::watch;

use super::fault::Fault;
use crate::pipeline::{Injection, Material};
use given::{Given, Values};
use guessable::is_guessable;

/// The values of all credentials that were made ready.
pub(super) struct Withheld {
    given: Mutex<Given>,
    compiled: watch::Sender<Arc<Compiled>>,
}

/// Values, compiled.
#[derive(Debug, Default)]
pub(super) struct Hidden {
    pub(super) set: ScrubSet,
    /// The values in lower case, as they would stand in the name of a header.
    lower: Vec<Secret>,
}

/// What each response is searched for.
#[derive(Debug, Default)]
struct Compiled {
    everywhere: Arc<Hidden>,
    /// The same with what is searched for only in responses to requests with that credential, in
    /// responses of that host, or in those that are both.
    /// Empty where nothing was added yet.
    with: HashMap<(Option<CredentialName>, Option<Host>), Arc<Hidden>>,
}

/// What one response is searched for. It grows while the response lasts.
#[derive(Debug, Clone)]
pub(super) struct Withholding {
    compiled: watch::Receiver<Arc<Compiled>>,
    credential: Option<CredentialName>,
    host: Option<Host>,
    /// The signature of the request, which is good for a repetition of it from anywhere.
    signature: Option<Secret>,
    hidden: Arc<Hidden>,
}

impl Default for Withheld {
    fn default() -> Self {
        Self {
            given: Mutex::default(),
            compiled: watch::Sender::new(Arc::default()),
        }
    }
}

impl Withheld {
    /// Withholds the values of a credential, which is used with this host, from now on. To be called
    /// before any is sent.
    ///
    /// # Errors
    /// Why the credential cannot be used, in words that hold nothing of it: there would be more to
    /// search for than can be.
    pub(super) fn add(&self, material: &Material, host: &Host) -> Result<(), String> {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = given.clone();
        let values = sorted(material);
        let guessable = !values.guessable.is_empty();
        let mut changed = next.add(&material.name, values)?;
        if guessable {
            changed |= next.used(&material.name, host)?;
        }
        if !changed {
            return Ok(());
        }
        let compiled = Compiled::new(&next)?;
        *given = next;
        self.compiled.send_replace(Arc::new(compiled));
        Ok(())
    }

    /// Whether nothing was added yet.
    pub(super) fn is_empty(&self) -> bool {
        self.compiled.borrow().with.is_empty()
    }

    /// What the response of a host to a request with this credential is searched for.
    pub(super) fn from(
        &self,
        credential: Option<&CredentialName>,
        host: Option<&Host>,
    ) -> Withholding {
        let mut compiled = self.compiled.subscribe();
        let hidden = compiled.borrow_and_update().of(credential, host);
        Withholding {
            compiled,
            credential: credential.cloned(),
            host: host.cloned(),
            signature: None,
            hidden,
        }
    }
}

impl Compiled {
    fn new(given: &Given) -> Result<Self, String> {
        let everywhere = given.everywhere();
        let owns = given.own().into_iter();
        let owns = owns.map(|(name, values)| (Some(name), values));
        let hosts = given.guessable().into_iter();
        let hosts: Vec<_> = hosts.map(|(host, values)| (Some(host), values)).collect();
        let mut with = HashMap::new();
        for (name, own) in owns.chain([(None, Vec::new())]) {
            for (host, guessable) in hosts.iter().cloned().chain([(None, Vec::new())]) {
                let values = [everywhere.as_slice(), &own, &guessable].concat();
                let key = (name.cloned(), host.cloned());
                with.insert(key, Arc::new(Hidden::new(&values)?));
            }
        }
        Ok(Self {
            everywhere: Arc::new(Hidden::new(&everywhere)?),
            with,
        })
    }

    fn of(&self, credential: Option<&CredentialName>, host: Option<&Host>) -> Arc<Hidden> {
        let (credential, host) = (credential.cloned(), host.cloned());
        let keys = [
            (credential.clone(), host.clone()),
            (credential, None),
            (None, host),
        ];
        // A credential and a host that each have values of their own have a common entry.
        let found = keys.iter().find_map(|key| self.with.get(key));
        Arc::clone(found.unwrap_or(&self.everywhere))
    }
}

impl Hidden {
    fn new(values: &[Secret]) -> Result<Self, String> {
        let long = values
            .iter()
            .filter(|value| value.expose().len() >= LEAST_NAME_OCTETS);
        Ok(Self {
            set: ScrubSet::new(values).map_err(|error| error.to_string())?,
            lower: long
                .map(|value| Secret::new(value.expose().to_ascii_lowercase()))
                .collect(),
        })
    }

    /// Whether the name of a header holds a value.
    pub(super) fn is_in_name(&self, name: &str) -> bool {
        let name = name.as_bytes();
        self.lower.iter().any(|value| {
            let value = value.expose();
            name.windows(value.len()).any(|window| window == value)
        })
    }

    fn with(&self, value: &Secret) -> Result<Self, String> {
        let one = ScrubSet::new(std::slice::from_ref(value));
        let set = one.and_then(|one| self.set.merge(&one));
        Ok(Self {
            set: set.map_err(|error| error.to_string())?,
            lower: self.lower.clone(),
        })
    }
}

impl Withholding {
    /// What is searched for now.
    pub(super) fn hidden(&mut self) -> Arc<Hidden> {
        self.newer();
        Arc::clone(&self.hidden)
    }

    /// What is searched for from now on, where that is more than when it was last asked.
    pub(super) fn newer(&mut self) -> Option<&ScrubSet> {
        // An error says that the gateway is gone, and nothing is added then.
        if !self.compiled.has_changed().unwrap_or(false) {
            return None;
        }
        let latest = self
            .compiled
            .borrow_and_update()
            .of(self.credential.as_ref(), self.host.as_ref());
        self.hidden = match &self.signature {
            // There is room for one more value in every set, so this does not fail.
            Some(signature) => latest.with(signature).map_or(latest, Arc::new),
            None => latest,
        };
        Some(&self.hidden.set)
    }

    /// The same for the response of another host.
    pub(super) fn at(&self, withheld: &Withheld, host: &Host) -> Self {
        let mut other = withheld.from(self.credential.as_ref(), Some(host));
        if let Some(signature) = &self.signature {
            let merged = other.hidden.with(signature);
            other.hidden = merged.map_or(other.hidden, Arc::new);
            other.signature = Some(signature.clone());
        }
        other
    }

    /// Has the signature that these headers hold searched for as well.
    pub(super) fn sign(&mut self, headers: &HeaderMap) -> Result<(), Fault> {
        let text = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
        let at = text.and_then(|text| text.iter().rposition(|octet| *octet == b'='));
        let signature = text.zip(at).and_then(|(text, at)| text.get(at + 1..));
        let signature = Secret::new(signature.unwrap_or_default());
        self.signature = None;
        let merged = self.hidden().with(&signature);
        let merged =
            merged.map_err(|reason| Fault::refused(ReasonCode::CredentialUnavailable, reason))?;
        self.hidden = Arc::new(merged);
        self.signature = Some(signature);
        Ok(())
    }
}

/// What must not come back: what the credential says, and where it says nothing, what it injects.
fn values(material: &Material) -> Vec<Secret> {
    if !material.secrets.is_empty() {
        return material.secrets.clone();
    }
    let injected = material.injections.iter().flat_map(|injection| {
        let (value, token) = match injection {
            Injection::Header { value, .. } | Injection::Query { value, .. } => (Some(value), None),
            Injection::SigV4(keys) => (Some(&keys.secret_key), keys.session_token.as_ref()),
            Injection::Certificate(_) | Injection::SshKey(_) => (None, None),
        };
        value.into_iter().chain(token).cloned()
    });
    injected.chain(material.value.clone()).collect()
}

/// The values by where they are searched for.
fn sorted(material: &Material) -> Values {
    let mut sorted = Values::default();
    let all = values(material);
    // What a fixed credential is sent as is made of the same secret, and says the same of it.
    let any = !material.minted && all.iter().any(is_guessable);
    for value in all {
        let place = if is_key(material, &value) {
            &mut sorted.own
        } else if any || is_guessable(&value) {
            &mut sorted.guessable
        } else {
            &mut sorted.shared
        };
        place.push(value);
    }
    sorted
}

/// Whether a value is a private key in a text of several lines. It signs and is sent nowhere, so
/// no upstream has it to show; and to search for it, some ten thousand octets of every response
/// would be held back, and no event of a stream be given out before that.
fn is_key(material: &Material, value: &Secret) -> bool {
    let breaks = |octet: &u8| matches!(octet, b'\r' | b'\n');
    value.expose().iter().any(breaks) && material.value.as_ref() != Some(value)
}

/// Shorter values would be found in names by chance.
const LEAST_NAME_OCTETS: usize = 4;
