//! What the commits of a push must be like: whose addresses they carry, and who signed them.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::TextPattern;
use super::super::rule::present;
use crate::limits::SIGNER_KEY_OCTETS;

/// What each commit of a push must be like. What is left out is not asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommitConditions {
    /// E-mail addresses of which the author has one.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<EmailPattern>")]
    pub authors: Option<Vec<EmailPattern>>,
    /// E-mail addresses of which the committer has one.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<EmailPattern>")]
    pub committers: Option<Vec<EmailPattern>>,
    /// SSH keys, by one of which the commit is signed.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<SignerKey>")]
    pub signers: Option<Vec<SignerKey>>,
}

/// E-mail addresses, as in `*@acme.example`: `*` stands for any text. The case of ASCII letters
/// does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^[^@]+@[^@]+$"))]
pub struct EmailPattern {
    text: String,
    folded: TextPattern,
}

/// A public key that signs commits, as in `ssh-ed25519 AAAA… anna@laptop`; what is behind the key is
/// a comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^(ssh-ed25519|ecdsa-sha2-nistp(256|384)) [A-Za-z0-9+/=]+( .*)?$"))]
pub struct SignerKey(String);

/// Why an entry of `commits` was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// A pattern that is none for an address.
    #[error(
        "an address is as in `anna@acme.example` or `*@acme.example`: one `@` with something on both sides, without spaces, `<` and `>`"
    )]
    Email,
    /// Not the public part of a key that can be checked here.
    #[error(
        "a signer is the public part of a key, as in `ssh-ed25519 AAAA…`: `ssh-ed25519`, `ecdsa-sha2-nistp256` or `ecdsa-sha2-nistp384`"
    )]
    Signer,
}

impl EmailPattern {
    /// Whether it stands for an address.
    pub(crate) fn matches(&self, email: &str) -> bool {
        self.folded.matches(&email.to_ascii_lowercase())
    }
}

impl FromStr for EmailPattern {
    type Err = CommitError;

    fn from_str(text: &str) -> Result<Self, CommitError> {
        let parts: Vec<&str> = text.split('@').collect();
        let is_address = parts.len() == 2 && parts.iter().all(|part| !part.is_empty());
        if !is_address || text.contains(['<', '>']) || text.contains(char::is_whitespace) {
            return Err(CommitError::Email);
        }
        let folded = text.to_ascii_lowercase().parse();
        Ok(Self {
            text: text.to_owned(),
            folded: folded.map_err(|_| CommitError::Email)?,
        })
    }
}

impl SignerKey {
    /// Kind and key, without the comment.
    pub(crate) fn key(&self) -> &str {
        let end = self.0.match_indices(' ').nth(1).map(|(at, _)| at);
        end.and_then(|end| self.0.get(..end)).unwrap_or(&self.0)
    }
}

impl FromStr for SignerKey {
    type Err = CommitError;

    fn from_str(text: &str) -> Result<Self, CommitError> {
        let mut words = text.splitn(3, ' ');
        let (kind, key) = (words.next(), words.next());
        let comment = words.next().unwrap_or_default();
        if text.len() > SIGNER_KEY_OCTETS || comment.contains(char::is_control) {
            return Err(CommitError::Signer);
        }
        let key = key.and_then(|key| STANDARD.decode(key).ok());
        match (kind, key) {
            (Some(kind), Some(key)) if is_key(kind, &key) => Ok(Self(text.to_owned())),
            _ => Err(CommitError::Signer),
        }
    }
}

/// Whether octets are a public key of a kind (RFC 4253, section 6.6): its name, then for ECDSA the
/// name of the curve (RFC 5656, section 3.1), then the point, each with its length before it.
fn is_key(kind: &str, octets: &[u8]) -> bool {
    let (curve, point) = match kind {
        "ssh-ed25519" => (None, 32),
        "ecdsa-sha2-nistp256" => (Some("nistp256"), 65),
        "ecdsa-sha2-nistp384" => (Some("nistp384"), 97),
        _ => return false,
    };
    let mut rest = Some(octets);
    let mut next = || {
        let (length, after) = rest?.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (field, after) = after.split_at_checked(length)?;
        rest = Some(after);
        Some(field)
    };
    let is_kind = next() == Some(kind.as_bytes());
    let is_curve = curve.is_none_or(|curve: &str| next() == Some(curve.as_bytes()));
    is_kind
        && is_curve
        && next().is_some_and(|field| field.len() == point)
        && rest.is_some_and(<[u8]>::is_empty)
}

impl TryFrom<String> for EmailPattern {
    type Error = CommitError;

    fn try_from(text: String) -> Result<Self, CommitError> {
        text.parse()
    }
}

impl From<EmailPattern> for String {
    fn from(pattern: EmailPattern) -> Self {
        pattern.text
    }
}

impl fmt::Display for EmailPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for SignerKey {
    type Error = CommitError;

    fn try_from(text: String) -> Result<Self, CommitError> {
        text.parse()
    }
}

impl From<SignerKey> for String {
    fn from(key: SignerKey) -> Self {
        key.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED25519: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUm";

    #[test]
    fn an_address_matches_in_any_case_and_as_a_whole() {
        for (pattern, email, is_matched) in [
            ("*@acme.test", "a@acme.test", true),
            ("*@acme.test", "A@ACME.Test", true),
            ("*@Acme.test", "a@acme.test", true),
            ("*@acme.test", "a@not-acme.test", false),
            ("*@acme.test", "a@acme.test.evil", false),
            ("*@acme.test", "a@b.acme.test", false),
            ("*@*.acme.test", "a@b.acme.test", true),
            ("agent@acme.test", "agent@acme.test", true),
            ("agent@acme.test", "agent2@acme.test", false),
            ("7+*[bot]@users.test", "7+x[bot]@users.test", true),
        ] {
            let parsed: EmailPattern = pattern.parse().unwrap();
            assert_eq!(parsed.matches(email), is_matched, "{pattern} {email}");
            assert_eq!(parsed.to_string(), pattern);
        }
        for odd in [
            "*",
            "acme.test",
            "@acme.test",
            "a@",
            "a@b@c",
            "<a@b>",
            "a b@c",
            "",
            "a@b\n",
        ] {
            assert!(odd.parse::<EmailPattern>().is_err(), "{odd:?}");
        }
    }

    #[test]
    fn a_signer_is_a_key_of_a_kind_that_can_be_checked() {
        let with_comment: SignerKey = format!("{ED25519} anna at her laptop").parse().unwrap();
        assert_eq!(with_comment.key(), ED25519);
        assert_eq!(ED25519.parse::<SignerKey>().unwrap().key(), ED25519);
        let octets = STANDARD.decode(&ED25519[12..]).unwrap();
        let of = |kind: &str, octets: &[u8]| format!("{kind} {}", STANDARD.encode(octets));
        for odd in [
            String::new(),
            "ssh-ed25519".to_owned(),
            "ssh-ed25519 AAAA".to_owned(),
            ED25519.replace(' ', "  "),
            format!("{ED25519}\n"),
            format!("{ED25519} a\nb"),
            of("ecdsa-sha2-nistp256", &octets),
            of("ssh-ed25519", &octets[..50]),
            of("ssh-ed25519", &[&octets[..], b"x"].concat()),
            of("ssh-rsa", b"\0\0\0\x07ssh-rsa\0\0\0\x01\x03\0\0\0\x01\x07"),
            of("ssh-ed25519", b"\xff\xff\xff\xffssh"),
        ] {
            assert!(odd.parse::<SignerKey>().is_err(), "{odd:?}");
        }
    }
}
