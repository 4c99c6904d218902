//! The secret fields of a credential, and how they are read from what a person or a source gives.

use std::collections::BTreeMap;

use ringfence_gateway::ssh::{SshKeyError, check_ssh_key};
use ringfence_model::Secret;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use zeroize::Zeroizing;

use super::kind::Kind;
use crate::limits::SECRET_OCTETS;

/// Secrets by the name of their field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Secrets(BTreeMap<String, Secret>);

/// Why secrets are not usable. It never repeats what was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretsError {
    /// Nothing was given.
    #[error("there is no secret: it is empty")]
    Empty,
    /// Too long.
    #[error("a secret has at most {SECRET_OCTETS} octets")]
    TooLong,
    /// The kind has no such field.
    #[error(
        "a credential of kind {kind} has no secret field of the name that was given; it has {fields}"
    )]
    Unknown {
        /// The kind.
        kind: Kind,
        /// What the kind has.
        fields: String,
    },
    /// The same field twice.
    #[error("the secret field `{0}` is there twice")]
    Twice(String),
    /// A required field is not there.
    #[error("a credential of kind {kind} needs the secret field `{name}`: {about}")]
    Missing {
        /// The kind.
        kind: Kind,
        /// The field.
        name: &'static str,
        /// What it is.
        about: &'static str,
    },
    /// What should be a private key for SSH is none.
    #[error(transparent)]
    SshKey(#[from] SshKeyError),
    /// A line end or another control character where the value becomes part of a header.
    #[error("the secret field `{0}` holds a line end or another control character")]
    Control(String),
}

impl Secrets {
    /// The secret of a field.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Secret> {
        self.0.get(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Secret)> {
        self.0.iter().map(|(name, secret)| (name.as_str(), secret))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the secret of a field has several lines, as a key in PEM.
    #[must_use]
    pub fn has_lines(field: &str) -> bool {
        !is_one_line(field)
    }

    /// Puts a secret into a field, in place of the one that was there.
    pub fn set(&mut self, name: impl Into<String>, secret: Secret) {
        self.0.insert(name.into(), secret);
    }

    /// Reads what a person or a source gave for a credential of `kind`. Where the kind has one
    /// secret field, all of it is the value. Else it is a JSON object or lines of `FIELD=VALUE`
    /// whose fields are the kind's, or the value of the first field alone. One line end behind a
    /// value is not part of it.
    ///
    /// # Errors
    /// Where it is empty, too long, or names a field that the kind does not have.
    pub fn read(kind: Kind, given: &Secret) -> Result<Self, SecretsError> {
        if given.expose().len() > SECRET_OCTETS {
            return Err(SecretsError::TooLong);
        }
        let text = without_line_end(given.expose());
        if text.is_empty() {
            return Err(SecretsError::Empty);
        }
        if kind.secrets().len() > 1 {
            if let Some(fields) = object(text) {
                return Self::named(kind, fields);
            }
            if let Some(fields) = lines(kind, text) {
                return Self::named(kind, fields);
            }
        }
        let first = kind.secrets().first().map(|field| field.name);
        let value = (first.unwrap_or_default().to_owned(), Secret::new(text));
        Self::named(kind, vec![value])
    }

    /// Secrets by name, each a field of the kind and there once.
    ///
    /// # Errors
    /// Where that is not so.
    pub fn named(kind: Kind, fields: Vec<(String, Secret)>) -> Result<Self, SecretsError> {
        let mut secrets = BTreeMap::new();
        for (name, secret) in fields {
            if !kind.secrets().iter().any(|field| field.name == name) {
                let fields: Vec<_> = kind.secrets().iter().map(|field| field.name).collect();
                return Err(SecretsError::Unknown {
                    kind,
                    fields: fields.join(", "),
                });
            }
            if secret.expose().len() > SECRET_OCTETS {
                return Err(SecretsError::TooLong);
            }
            if secret.expose().is_empty() {
                return Err(SecretsError::Empty);
            }
            if secrets.insert(name.clone(), secret).is_some() {
                return Err(SecretsError::Twice(name));
            }
        }
        Ok(Self(secrets))
    }

    /// Whether all that the kind needs is there, in a form that can be sent.
    ///
    /// # Errors
    /// Where a field is missing, or one that becomes part of a header holds a line end.
    pub fn check(&self, kind: Kind) -> Result<(), SecretsError> {
        for field in kind.secrets() {
            match self.get(field.name) {
                Some(secret) if is_one_line(field.name) && has_control(secret) => {
                    return Err(SecretsError::Control(field.name.to_owned()));
                }
                None if field.is_required => {
                    return Err(SecretsError::Missing {
                        kind,
                        name: field.name,
                        about: field.about,
                    });
                }
                _ => {}
            }
        }
        if kind == Kind::SshKey {
            let key = self.get("private_key");
            key.map(check_ssh_key).transpose()?;
        }
        Ok(())
    }
}

/// Keys, certificates and key files have lines; everything else is a word.
fn is_one_line(field: &str) -> bool {
    !matches!(field, "private_key" | "certificate" | "key")
}

fn has_control(secret: &Secret) -> bool {
    secret.expose().iter().any(u8::is_ascii_control)
}

fn without_line_end(given: &[u8]) -> &[u8] {
    let given = given.strip_suffix(b"\n").unwrap_or(given);
    given.strip_suffix(b"\r").unwrap_or(given)
}

/// Lines of `FIELD=VALUE`; none unless the first line is one.
fn lines(kind: Kind, text: &[u8]) -> Option<Vec<(String, Secret)>> {
    let mut found = Vec::new();
    for line in text.split(|octet| *octet == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            continue;
        }
        let at = line.iter().position(|octet| *octet == b'=')?;
        let (name, value) = line.split_at_checked(at)?;
        let name = std::str::from_utf8(name).ok()?;
        let is_field = kind.secrets().iter().any(|field| field.name == name);
        if !is_field && found.is_empty() {
            return None;
        }
        found.push((name.to_owned(), Secret::new(value.get(1..)?)));
    }
    Some(found)
}

/// The members of a JSON object of strings.
fn object(text: &[u8]) -> Option<Vec<(String, Secret)>> {
    if text.first() != Some(&b'{') {
        return None;
    }
    serde_json::from_slice::<Members>(text)
        .ok()
        .map(|members| members.0)
}

/// Kept in order and with duplicates, which are refused later.
struct Members(Vec<(String, Secret)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object of strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, String>()? {
            let value = Zeroizing::new(value);
            members.push((name, Secret::new(value.as_bytes())));
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: Kind, text: &str) -> Result<Vec<(String, String)>, SecretsError> {
        let secrets = Secrets::read(kind, &Secret::new(text))?;
        let shown = |(name, secret): (&str, &Secret)| {
            let value = String::from_utf8(secret.expose().to_vec()).unwrap();
            (name.to_owned(), value)
        };
        Ok(secrets.iter().map(shown).collect())
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn a_single_secret_is_taken_as_it_is_but_for_one_line_end() {
        for (text, value) in [
            ("s3cret\n", "s3cret"),
            ("s3cret\r\n", "s3cret"),
            ("value=s3cret", "value=s3cret"),
            ("{\"a\":1}", "{\"a\":1}"),
            (" s3cret \n\n", " s3cret \n"),
        ] {
            assert_eq!(
                read(Kind::Bearer, text).unwrap(),
                pairs(&[("value", value)])
            );
        }
    }

    #[test]
    fn several_secrets_are_named() {
        let expected = pairs(&[("secret_key", "a=b/+"), ("session_token", "c")]);
        for text in [
            "secret_key=a=b/+\nsession_token=c\n",
            "{\"session_token\":\"c\",\"secret_key\":\"a=b/+\"}",
        ] {
            assert_eq!(read(Kind::AwsSigv4, text).unwrap(), expected);
        }
        assert_eq!(
            read(Kind::AwsSigv4, "wJalr/XUtn=FEMI\n").unwrap(),
            pairs(&[("secret_key", "wJalr/XUtn=FEMI")])
        );
    }

    #[test]
    fn what_is_no_secret_of_the_kind_is_refused_without_repeating_it() {
        let unknown = read(Kind::AwsSigv4, "secret_key=a\nhunter2=b\n").unwrap_err();
        assert!(matches!(unknown, SecretsError::Unknown { .. }));
        assert!(!unknown.to_string().contains("hunter2"));
        let twice = read(Kind::AwsSigv4, r#"{"secret_key":"a","secret_key":"b"}"#);
        assert!(matches!(twice, Err(SecretsError::Twice(_))));
        assert_eq!(read(Kind::Bearer, "\n"), Err(SecretsError::Empty));
        let long = "x".repeat(SECRET_OCTETS + 1);
        assert_eq!(read(Kind::Bearer, &long), Err(SecretsError::TooLong));
    }

    #[test]
    fn a_value_that_would_break_a_header_is_refused() {
        let secrets = Secrets::read(Kind::Bearer, &Secret::new("a\r\nx-evil: b")).unwrap();
        assert!(matches!(
            secrets.check(Kind::Bearer),
            Err(SecretsError::Control(_))
        ));
        let key = Secret::new("-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n");
        let secrets = Secrets::read(Kind::GithubApp, &key).unwrap();
        assert_eq!(secrets.check(Kind::GithubApp), Ok(()));
    }

    #[test]
    fn a_key_for_ssh_is_one_that_can_be_used() {
        for text in ["hunter2", "ssh-ed25519 AAAA me@home", "-----BEGIN X-----\n"] {
            let secrets = Secrets::read(Kind::SshKey, &Secret::new(text)).unwrap();
            let refused = secrets.check(Kind::SshKey);
            assert!(matches!(refused, Err(SecretsError::SshKey(_))), "{text}");
        }
    }

    #[test]
    fn a_certificate_needs_its_key() {
        let fields = vec![("certificate".to_owned(), Secret::new("x"))];
        let secrets = Secrets::named(Kind::Mtls, fields).unwrap();
        assert!(matches!(
            secrets.check(Kind::Mtls),
            Err(SecretsError::Missing {
                name: "private_key",
                ..
            })
        ));
    }
}
