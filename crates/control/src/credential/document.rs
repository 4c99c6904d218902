//! The stored form of a definition's public part: JSON with a version. The store authenticates it
//! together with the secrets, so a binding cannot be changed behind a secret's back.

use std::collections::BTreeMap;

use ringfence_model::Scheme;
use ringfence_store::CredentialRecord;
use serde::{Deserialize, Serialize};

use super::{Binding, BindingError, Definition, SettingsError};
use crate::source::{SourceError, SourceRef};

/// The version that is written.
const FORMAT: u16 = 1;

/// Why a stored definition cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// Not JSON of this form.
    #[error("the stored credential is not readable")]
    Json(#[from] serde_json::Error),
    /// A version of a later program.
    #[error("the stored credential has format {0}, which this version does not know")]
    Format(u16),
    /// Its kind or settings.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Its binding.
    #[error(transparent)]
    Binding(#[from] BindingError),
    /// Its source.
    #[error(transparent)]
    Source(#[from] SourceError),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: u16,
    kind: String,
    host: String,
    port: u16,
    scheme: Scheme,
    path: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    settings: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<String>,
}

impl Definition {
    /// The stored form of its public part.
    ///
    /// # Errors
    /// Never for a definition that was read or checked; serialising says otherwise by type only.
    pub fn document(&self) -> Result<String, DocumentError> {
        Ok(serde_json::to_string(&Document {
            format: FORMAT,
            kind: self.kind.to_string(),
            host: self.binding.host.to_string(),
            port: self.binding.port,
            scheme: self.binding.scheme,
            path: self.binding.path_prefix.clone(),
            settings: self.settings.clone(),
            source: self.source.as_ref().map(SourceRef::to_string),
        })?)
    }

    /// Reads a stored credential.
    ///
    /// # Errors
    /// Where it was written by a later version, or is not what any version writes.
    pub fn stored(record: &CredentialRecord) -> Result<Self, DocumentError> {
        let document: Document = serde_json::from_str(&record.document)?;
        if document.format != FORMAT {
            return Err(DocumentError::Format(document.format));
        }
        let authority = format!("{}:{}", document.host, document.port);
        let kind: super::Kind = document.kind.parse()?;
        kind.check(&document.settings)?;
        let source = document.source.as_deref().map(str::parse);
        Ok(Self {
            name: record.name.clone(),
            kind,
            binding: Binding::parse(&authority, Some(&document.path), document.scheme)?,
            settings: document.settings,
            source: source.transpose()?,
            version: record.version,
            created: record.created,
            rotated: record.rotated,
            revoked: record.revoked,
        })
    }
}

#[cfg(test)]
mod tests {
    use ringfence_model::CredentialName;

    use super::*;

    /// The stored form of version 1 as it was first released; it must be readable for ever.
    const SAMPLES_V1: &str = include_str!("samples-v1.jsonl");

    fn record(document: &str) -> CredentialRecord {
        let name: CredentialName = "github".parse().unwrap();
        CredentialRecord {
            id: "0192f0c1-0000-7000-8000-000000000001".to_owned(),
            name,
            version: 3,
            revision: 4,
            document: document.to_owned(),
            created: "2026-11-22T06:00:00Z".parse().unwrap(),
            rotated: None,
            revoked: None,
        }
    }

    #[test]
    fn samples_of_version_1_round_trip() {
        assert!(SAMPLES_V1.lines().count() >= 3);
        for line in SAMPLES_V1.lines() {
            let definition = Definition::stored(&record(line)).unwrap();
            assert_eq!(definition.document().unwrap(), line);
            assert_eq!(definition.version, 3);
        }
    }

    #[test]
    fn a_later_format_is_not_guessed_at() {
        let line = SAMPLES_V1.lines().next().unwrap();
        let later = line.replace("\"format\":1", "\"format\":2");
        assert!(matches!(
            Definition::stored(&record(&later)),
            Err(DocumentError::Format(2))
        ));
        let more = line.replace("\"port\":443", "\"port\":443,\"hosts\":[]");
        assert!(matches!(
            Definition::stored(&record(&more)),
            Err(DocumentError::Json(_))
        ));
    }
}
