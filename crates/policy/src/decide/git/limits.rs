//! How large a push may be.

use crate::document::PushLimits;
use crate::limits::{LFS_OCTETS, PUSH_INFLATED_OCTETS, PUSH_OBJECTS, PUSH_PACK_OCTETS, PUSH_REFS};

/// How large a push may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GitLimits {
    /// Most octets of the pack.
    pub pack_octets: u64,
    /// Most objects of the pack.
    pub objects: u64,
    /// Most octets of all its objects together, inflated.
    pub inflated_octets: u64,
    /// Most refs that one push changes.
    pub refs: u64,
    /// Most octets of one LFS object.
    pub lfs_octets: u64,
}

impl Default for GitLimits {
    fn default() -> Self {
        Self {
            pack_octets: PUSH_PACK_OCTETS,
            objects: PUSH_OBJECTS,
            inflated_octets: PUSH_INFLATED_OCTETS,
            refs: PUSH_REFS,
            lfs_octets: LFS_OCTETS,
        }
    }
}

impl GitLimits {
    pub(crate) fn of(stated: Option<&PushLimits>) -> Self {
        let default = Self::default();
        let Some(stated) = stated else {
            return default;
        };
        Self {
            pack_octets: stated.pack_octets.unwrap_or(default.pack_octets),
            objects: stated.objects.unwrap_or(default.objects),
            inflated_octets: stated.inflated_octets.unwrap_or(default.inflated_octets),
            refs: stated.refs.unwrap_or(default.refs),
            lfs_octets: stated.lfs_octets.unwrap_or(default.lfs_octets),
        }
    }

    /// What one of two lets through.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            pack_octets: self.pack_octets.max(other.pack_octets),
            objects: self.objects.max(other.objects),
            inflated_octets: self.inflated_octets.max(other.inflated_octets),
            refs: self.refs.max(other.refs),
            lfs_octets: self.lfs_octets.max(other.lfs_octets),
        }
    }
}
