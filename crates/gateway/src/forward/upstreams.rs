//! What all exchanges share: TLS, the credentials in the form in which responses are searched for
//! them, and the answers to preconditions. All of it is bounded, and none of it outlives what it
//! was made from.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use ringfence_inspect::ScrubSet;
use ringfence_model::{CredentialName, ReasonCode, Secret};

use super::fault::Fault;
use super::precondition::Preconditions;
use crate::config::{Config, ConfigError};
use crate::limits::CREDENTIALS_READIED;
use crate::pipeline::{Injection, Material};
use crate::tls::{ClientIdentity, UpstreamTls};

/// What all exchanges share.
pub(crate) struct Upstreams {
    pub(super) tls: UpstreamTls,
    pub(super) preconditions: Preconditions,
    readied: Mutex<HashMap<CredentialName, Kept>>,
}

struct Kept {
    of: Weak<Material>,
    ready: Arc<Ready>,
}

/// A credential, ready for exchanges.
#[derive(Debug)]
pub(super) struct Ready {
    /// What is searched for in responses.
    pub(super) set: ScrubSet,
    /// The client certificate of it.
    pub(super) identity: Option<Arc<ClientIdentity>>,
    /// Its values in lower case, as they would stand in the name of a header.
    lower: Vec<Secret>,
}

impl Upstreams {
    pub(crate) fn new(config: &Config) -> Result<Self, ConfigError> {
        Ok(Self {
            tls: UpstreamTls::new(&config.dial.extra_roots)?,
            preconditions: Preconditions::default(),
            readied: Mutex::default(),
        })
    }

    /// The credential made ready. Compiling its patterns costs more than a request, so it is done
    /// once for each version.
    ///
    /// # Errors
    /// Why it cannot be used, in words that hold nothing of it.
    pub(super) fn ready(&self, material: &Arc<Material>) -> Result<Arc<Ready>, String> {
        let readied = || self.readied.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = readied().get(&material.name)
            && std::ptr::eq(kept.of.as_ptr(), Arc::as_ptr(material))
        {
            return Ok(Arc::clone(&kept.ready));
        }
        let ready = Arc::new(Ready::new(material)?);
        let mut readied = readied();
        readied.retain(|_, kept| kept.of.strong_count() > 0);
        if readied.len() < CREDENTIALS_READIED {
            let kept = Kept {
                of: Arc::downgrade(material),
                ready: Arc::clone(&ready),
            };
            readied.insert(material.name.clone(), kept);
        }
        Ok(ready)
    }
}

impl Ready {
    fn new(material: &Material) -> Result<Self, String> {
        let values = values(material);
        let set = ScrubSet::new(&values).map_err(|error| error.to_string())?;
        let lower = values
            .iter()
            .filter(|value| value.expose().len() >= LEAST_NAME_OCTETS)
            .map(|value| Secret::new(value.expose().to_ascii_lowercase()))
            .collect();
        let mut identity = None;
        for injection in &material.injections {
            if let Injection::Certificate(certificate) = injection {
                let parsed = ClientIdentity::new(certificate).map_err(|error| error.to_string())?;
                identity = Some(Arc::new(parsed));
            }
        }
        Ok(Self {
            set,
            identity,
            lower,
        })
    }

    /// The same, with the signature that these headers hold.
    pub(super) fn with_signature(&self, headers: &HeaderMap) -> Result<Self, Fault> {
        let text = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
        let at = text.and_then(|text| text.iter().rposition(|octet| *octet == b'='));
        let signature = text.zip(at).and_then(|(text, at)| text.get(at + 1..));
        let signature = Secret::new(signature.unwrap_or_default());
        let set = ScrubSet::new(&[signature]).and_then(|set| self.set.merge(&set));
        let set = set.map_err(|error| {
            Fault::refused(ReasonCode::CredentialUnavailable, error.to_string())
        })?;
        Ok(Self {
            set,
            identity: self.identity.clone(),
            lower: self.lower.clone(),
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
            Injection::Certificate(_) => (None, None),
        };
        value.into_iter().chain(token).cloned()
    });
    injected.chain(material.value.clone()).collect()
}

/// Shorter values would be found in names by chance.
const LEAST_NAME_OCTETS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::SigV4;

    #[test]
    fn a_credential_that_does_not_say_what_to_hide_hides_all_that_it_injects() {
        let keys = SigV4 {
            access_key: "AKIDEXAMPLE".to_owned(),
            secret_key: Secret::new("the secret key"),
            session_token: Some(Secret::new("the session token")),
            region: "eu-central-1".to_owned(),
            service: "s3".to_owned(),
        };
        let material = Material {
            name: "aws".parse().unwrap(),
            version: 1,
            injections: vec![Injection::SigV4(keys)],
            value: None,
            secrets: Vec::new(),
            minted: false,
        };
        let hidden = values(&material);
        let hidden: Vec<&[u8]> = hidden.iter().map(Secret::expose).collect();
        assert_eq!(hidden, [&b"the secret key"[..], b"the session token"]);
    }
}
