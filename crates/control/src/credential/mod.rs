//! What a credential is: its kind, where it may be sent, its public settings, and the names of its
//! secret fields. The secrets themselves are apart, in [`Secrets`].

mod binding;
mod document;
mod fields;
mod kind;
mod table;

use std::collections::BTreeMap;

use jiff::Timestamp;
use ringfence_model::CredentialName;

pub use binding::{Binding, BindingError};
pub use document::DocumentError;
pub use fields::{Secrets, SecretsError};
pub use kind::{Field, Kind, SettingsError};

use crate::source::SourceRef;

/// A credential without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// Its name, which rules say.
    pub name: CredentialName,
    /// What it is made of and how it gets into a request.
    pub kind: Kind,
    /// Where it may be sent.
    pub binding: Binding,
    /// Its public settings, for example `token_url`.
    pub settings: BTreeMap<String, String>,
    /// Where its secret comes from at use; none where it is sealed in the store.
    pub source: Option<SourceRef>,
    /// Grows with every rotation.
    pub version: u64,
    /// When it was added.
    pub created: Timestamp,
    /// When it was last rotated.
    pub rotated: Option<Timestamp>,
    /// When it was revoked; it is not used any more.
    pub revoked: Option<Timestamp>,
}

impl Definition {
    /// Where it may be sent, for people.
    #[must_use]
    pub fn upstream(&self) -> String {
        self.binding.shown(self.kind == Kind::SshKey)
    }

    /// A setting, where it is there and not empty.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&str> {
        let value = self.settings.get(name)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }
}
