//! What the vault holds, as this process last saw it: which credentials there are, in which version,
//! and which versions were rotated so lately that what was sent with them may come to its end.

use std::collections::HashMap;

use ringfence_model::CredentialName;
use ringfence_store::{Vault, VaultError};
use tokio::time::Instant;

use crate::cache::Key;
use crate::credential::Definition;
use crate::limits::ROTATION_GRACE;

/// What the vault held when it was last looked at.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) seen: Option<u64>,
    pub(crate) versions: HashMap<CredentialName, Stored>,
    /// Versions that were rotated just now, and until when what was sent with them goes on.
    retiring: Vec<(Key, Instant)>,
    /// Why it could not be looked at; then nothing is given out.
    pub(crate) fault: Option<String>,
}

/// A credential that was not revoked.
pub(crate) struct Stored {
    /// Its id in the vault: another one where the name was revoked and added again.
    id: String,
    pub(crate) version: u64,
    pub(crate) definition: Result<Definition, String>,
}

impl Known {
    pub(crate) async fn read(vault: &Vault, seen: u64) -> Result<Self, VaultError> {
        let records = vault.credentials().await?;
        let live = records.iter().filter(|record| record.revoked.is_none());
        let stored = live.map(|record| {
            let definition = Definition::stored(record).map_err(|error| error.to_string());
            let version = record.version;
            (
                record.name.clone(),
                Stored {
                    id: record.id.clone(),
                    version,
                    definition,
                },
            )
        });
        Ok(Self {
            seen: Some(seen),
            versions: stored.collect(),
            retiring: Vec::new(),
            fault: None,
        })
    }

    /// Nothing is known, for this reason.
    pub(crate) fn unreadable(fault: String) -> Self {
        Self {
            fault: Some(fault),
            ..Self::default()
        }
    }

    /// Lets what was sent before a rotation come to its end, for a while. A name that was revoked,
    /// whether it was added again or not, has no version in between.
    pub(crate) fn retire(&mut self, before: &Self) {
        let now = Instant::now();
        let kept = before.retiring.iter().filter(|(_, until)| now < *until);
        let mut retiring: Vec<_> = kept.cloned().collect();
        for (name, stored) in &before.versions {
            retiring.push(((name.clone(), stored.version), now + ROTATION_GRACE));
        }
        let is_rotated = |((name, version), _): &(Key, Instant)| {
            let now = self.versions.get(name);
            now.zip(before.versions.get(name))
                .is_some_and(|(now, before)| now.id == before.id && now.version > *version)
        };
        retiring.retain(is_rotated);
        self.retiring = retiring;
    }

    pub(crate) fn has_retired(&self) -> bool {
        let now = Instant::now();
        self.retiring.iter().any(|(_, until)| now >= *until)
    }

    /// Whether what was sent with this version may go on.
    pub(crate) fn is_current(&self, name: &CredentialName, version: u64) -> bool {
        let now = Instant::now();
        let is_it = |((retiring, of), until): &(Key, Instant)| {
            retiring == name && *of == version && now < *until
        };
        // A material may be of a version that this process has not seen yet.
        let stored = self.versions.get(name);
        stored.is_some_and(|stored| version >= stored.version) || self.retiring.iter().any(is_it)
    }

    pub(crate) fn has(&self, name: &CredentialName, version: u64) -> bool {
        self.versions
            .get(name)
            .is_some_and(|stored| stored.version == version)
    }
}
