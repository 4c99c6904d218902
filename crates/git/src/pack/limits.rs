//! What reading one pack may cost.

use crate::limits::{
    PACK_CHANGED_PATHS, PACK_COMPARED_ENTRIES, PACK_DELTA_DEPTH, PACK_INFLATED_OCTETS,
    PACK_INSTRUCTIONS, PACK_OBJECT_OCTETS, PACK_OBJECTS,
};

/// What reading one pack may cost. How many octets the pack itself may have is the bound of who
/// spools it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackLimits {
    /// Objects.
    pub objects: u32,
    /// Octets of one object, inflated.
    pub object_octets: u64,
    /// Octets of everything that is inflated: objects, deltas, and what the deltas make. The
    /// scratch file stays below this.
    pub inflated_octets: u64,
    /// How much may be inflated for each octet of the pack, beyond what is free.
    pub inflated_times: u64,
    /// How much may be inflated however short the pack is.
    pub inflated_free: u64,
    /// Deltas from an object down to one that is whole.
    pub delta_depth: u16,
    /// Instructions of all deltas.
    pub instructions: u64,
    /// Entries of trees that are compared to find which paths changed.
    pub compared_entries: u64,
    /// Changed paths that are told.
    pub changed_paths: u64,
}

impl Default for PackLimits {
    fn default() -> Self {
        Self {
            objects: PACK_OBJECTS,
            object_octets: PACK_OBJECT_OCTETS,
            inflated_octets: PACK_INFLATED_OCTETS,
            inflated_times: 0,
            inflated_free: PACK_INFLATED_OCTETS,
            delta_depth: PACK_DELTA_DEPTH,
            instructions: PACK_INSTRUCTIONS,
            compared_entries: PACK_COMPARED_ENTRIES,
            changed_paths: PACK_CHANGED_PATHS,
        }
    }
}
