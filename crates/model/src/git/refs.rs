//! Objects and refs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::limits::REF_NAME_OCTETS;

/// The hash that a repository names its objects by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ObjectFormat {
    /// 20 octets.
    Sha1,
    /// 32 octets.
    Sha256,
}

impl ObjectFormat {
    /// Octets of a name.
    #[must_use]
    pub const fn octets(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    /// Hexadecimal digits of a name.
    #[must_use]
    pub const fn digits(self) -> usize {
        self.octets() * 2
    }

    /// As git writes it in `object-format=`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
        }
    }
}

/// The name of an object, in its canonical text: 40 or 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid {
    octets: [u8; 32],
    is_sha256: bool,
}

/// Why a text is not the name of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an object is named by 40 or 64 lower-case hexadecimal digits")]
pub struct OidError;

impl Oid {
    /// From the octets of a hash of this format.
    ///
    /// # Errors
    /// When they are not as many as the format has.
    pub fn new(format: ObjectFormat, octets: &[u8]) -> Result<Self, OidError> {
        let mut all = [0; 32];
        let place = all.get_mut(..format.octets()).ok_or(OidError)?;
        if octets.len() != place.len() {
            return Err(OidError);
        }
        place.copy_from_slice(octets);
        Ok(Self {
            octets: all,
            is_sha256: format == ObjectFormat::Sha256,
        })
    }

    /// The name of no object: in a push, a ref that is not there.
    #[must_use]
    pub const fn null(format: ObjectFormat) -> Self {
        Self {
            octets: [0; 32],
            is_sha256: matches!(format, ObjectFormat::Sha256),
        }
    }

    /// Whether it is the name of no object.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.octets == [0; 32]
    }

    /// Which hash it is of.
    #[must_use]
    pub const fn format(&self) -> ObjectFormat {
        if self.is_sha256 {
            ObjectFormat::Sha256
        } else {
            ObjectFormat::Sha1
        }
    }

    /// Its octets, 20 or 32.
    #[must_use]
    pub fn as_octets(&self) -> &[u8] {
        self.octets
            .get(..self.format().octets())
            .unwrap_or_default()
    }
}

impl FromStr for Oid {
    type Err = OidError;

    fn from_str(text: &str) -> Result<Self, OidError> {
        let format = match text.len() {
            40 => ObjectFormat::Sha1,
            64 => ObjectFormat::Sha256,
            _ => return Err(OidError),
        };
        let digit = |octet: u8| match octet {
            b'0'..=b'9' => Ok(octet - b'0'),
            b'a'..=b'f' => Ok(octet - b'a' + 10),
            _ => Err(OidError),
        };
        let mut octets = [0; 32];
        for (place, pair) in octets.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            if let [high, low] = pair {
                *place = digit(*high)? << 4 | digit(*low)?;
            }
        }
        Ok(Self {
            octets,
            is_sha256: format == ObjectFormat::Sha256,
        })
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for octet in self.as_octets() {
            write!(f, "{octet:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Oid {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Oid {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The full name of a ref that git takes as valid (`git check-ref-format`), in visible ASCII or
/// UTF-8, below `refs/`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RefName(String);

/// Why a text is not the full name of a ref.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefNameError {
    /// It does not begin with `refs/`.
    #[error("a ref is named in full, `refs/…`")]
    NotFull,
    /// It is longer than [`REF_NAME_OCTETS`].
    #[error("the name of the ref is longer than {REF_NAME_OCTETS} octets")]
    TooLong,
    /// Git does not take it.
    #[error("the name of the ref is not valid")]
    Invalid,
}

impl RefName {
    /// Reads a name.
    ///
    /// # Errors
    /// See [`RefNameError`].
    pub fn new(name: &str) -> Result<Self, RefNameError> {
        if name.len() > REF_NAME_OCTETS {
            return Err(RefNameError::TooLong);
        }
        let Some(rest) = name.strip_prefix("refs/") else {
            return Err(RefNameError::NotFull);
        };
        let has_invalid_char = name
            .chars()
            .any(|c| c.is_control() || matches!(c, ' ' | '~' | '^' | ':' | '?' | '*' | '[' | '\\'));
        let has_invalid_part = rest.split('/').any(|part| {
            part.is_empty()
                || part.starts_with('.')
                || part.ends_with('.')
                || part.to_ascii_lowercase().ends_with(".lock")
        });
        if has_invalid_char || has_invalid_part || name.contains("..") || name.contains("@{") {
            return Err(RefNameError::Invalid);
        }
        Ok(Self(name.to_owned()))
    }

    /// The name in full.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a tag.
    #[must_use]
    pub fn is_tag(&self) -> bool {
        self.0.starts_with("refs/tags/")
    }
}

impl TryFrom<String> for RefName {
    type Error = RefNameError;

    fn try_from(name: String) -> Result<Self, RefNameError> {
        Self::new(&name)
    }
}

impl From<RefName> for String {
    fn from(name: RefName) -> Self {
        name.0
    }
}

impl fmt::Display for RefName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One ref of a push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefUpdate {
    /// The ref.
    pub name: RefName,
    /// What it must be for the push to go on; null where it must not be.
    pub old: Oid,
    /// What it becomes; null where it is deleted.
    pub new: Oid,
    /// What that is.
    pub change: RefChange,
}

/// What happens to a ref.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefChange {
    /// It is made; not a tag.
    Create,
    /// It moves to a commit that the old one is an ancestor of: proven.
    FastForward,
    /// It moves elsewhere, so that commits may be lost.
    Force,
    /// It moves, and it is not known yet whether forward: before the proof.
    Update,
    /// It is deleted, whether a tag or not.
    Delete,
    /// A tag is made.
    TagCreate,
    /// A tag is moved.
    TagMove,
}

impl RefChange {
    /// What the names of an update tell by themselves.
    #[must_use]
    pub fn of(name: &RefName, old: &Oid, new: &Oid) -> Self {
        match (old.is_null(), new.is_null(), name.is_tag()) {
            (_, true, _) => Self::Delete,
            (true, false, true) => Self::TagCreate,
            (true, false, false) => Self::Create,
            (false, false, true) => Self::TagMove,
            (false, false, false) => Self::Update,
        }
    }

    /// Its name in a rule, for example `fast-forward`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::FastForward => "fast-forward",
            Self::Force => "force",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::TagCreate => "tag-create",
            Self::TagMove => "tag-move",
        }
    }
}
