//! Names of objects: hashes of their content, with a look for SHA-1 collision attacks.

use ringfence_model::git::{ObjectFormat, Oid};
use sha1_checked::Digest as _;
use sha2::Digest as _;

use super::{Kind, PackError};

/// A hash that is being made.
pub(super) enum Hasher {
    Sha1(Box<sha1_checked::Sha1>),
    Sha256(Box<sha2::Sha256>),
}

impl Hasher {
    /// The name of an object.
    pub(super) fn object(format: ObjectFormat, kind: Kind, size: u64) -> Self {
        let mut hasher = match format {
            ObjectFormat::Sha1 => Self::Sha1(Box::default()),
            ObjectFormat::Sha256 => Self::Sha256(Box::default()),
        };
        hasher.update(format!("{} {size}\0", kind.as_str()).as_bytes());
        hasher
    }

    /// The checksum at the end of a pack. It names nothing, so a collision gains nothing, and
    /// without the look for one it is several times as fast.
    pub(super) fn checksum(format: ObjectFormat) -> Self {
        match format {
            ObjectFormat::Sha1 => {
                let builder = sha1_checked::Sha1::builder().detect_collision(false);
                Self::Sha1(Box::new(builder.build()))
            }
            ObjectFormat::Sha256 => Self::Sha256(Box::default()),
        }
    }

    pub(super) fn update(&mut self, octets: &[u8]) {
        match self {
            Self::Sha1(hash) => hash.update(octets),
            Self::Sha256(hash) => hash.update(octets),
        }
    }

    pub(super) fn finish(self) -> Result<Oid, PackError> {
        let oid = match self {
            Self::Sha1(hash) => {
                let result = hash.try_finalize();
                if result.has_collision() {
                    return Err(PackError::Collision);
                }
                Oid::new(ObjectFormat::Sha1, result.hash())
            }
            Self::Sha256(hash) => Oid::new(ObjectFormat::Sha256, &hash.finalize()),
        };
        oid.map_err(|_| PackError::Trailer)
    }
}
