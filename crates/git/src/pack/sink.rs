//! Where the content of an object goes while it is made: to the scratch file, and past who watches.

use ringfence_model::git::{ObjectFormat, Oid};

use super::scratch::Scratch;
use super::{Entries, Kind};

/// Some of an object, shown while the pack is read.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// What the object is.
    pub kind: Kind,
    /// The next octets of its content. Those of anything but a blob come at once.
    pub octets: &'a [u8],
    /// Its name, where these are its last octets; the object is valid then.
    pub last: Option<Oid>,
    /// What names objects.
    pub format: ObjectFormat,
}

impl<'a> Part<'a> {
    /// The entries of a tree; nothing of what is none.
    #[must_use]
    pub fn entries(&self) -> Option<Entries<'a>> {
        let is_tree = self.kind == Kind::Tree && self.last.is_some();
        is_tree.then(|| Entries::of_checked(self.format, self.octets))
    }
}

/// Who watches the objects of a pack while it is read: each is shown once, and each whole before the
/// next begins.
pub type Watch<'w> = dyn FnMut(&Part<'_>) + 'w;

/// Where the content of an object goes.
pub(super) struct Sink<'w> {
    pub(super) scratch: Scratch,
    watch: &'w mut Watch<'w>,
}

impl<'w> Sink<'w> {
    pub(super) fn new(scratch: Scratch, watch: &'w mut Watch<'w>) -> Self {
        Self { scratch, watch }
    }

    pub(super) fn show(&mut self, part: &Part<'_>) {
        (self.watch)(part);
    }
}
