//! Searches the objects of a pack for secrets: while the pack is read, on a thread of its own, or
//! afterwards. Both find the same.

use std::io::{self, Read as _};
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use ringfence_git::pack::{Kind, Object, Pack, PackError, Part};
use ringfence_inspect::secrets::{self, Finding};
use ringfence_inspect::{ScrubSet, Scrubber};
use ringfence_model::git::Oid;

use super::super::limits::{FINDINGS, READ_OCTETS, SEARCH_BATCH_OCTETS, SEARCH_PART_OCTETS};
use super::written::{detector, is_own};

/// An object with something in it.
pub(super) struct Found {
    pub(super) oid: Oid,
    pub(super) kind: Kind,
    pub(super) is_own: bool,
    pub(super) findings: Vec<Finding>,
}

/// What was found in all objects of a pack.
pub(in super::super) struct Searched {
    /// What was looked for.
    pub(super) own: ScrubSet,
    pub(super) found: Vec<Found>,
}

/// Hands the objects of a pack that is read to who searches them. Few are on their way at a time:
/// who reads waits for who searches.
pub(in super::super) struct Handing {
    batch: Batch,
    batches: SyncSender<Batch>,
    emptied: Receiver<Batch>,
}

/// Takes the objects that are handed over, and gives back what they came in.
pub(in super::super) struct Handed {
    batches: Receiver<Batch>,
    emptied: SyncSender<Batch>,
}

/// Texts of objects, one after another.
#[derive(Default)]
struct Batch {
    octets: Vec<u8>,
    parts: Vec<(usize, Kind, Option<Oid>)>,
}

/// Where objects are handed over.
pub(in super::super) fn handing() -> (Handing, Handed) {
    let (batches, handed) = sync_channel(1);
    let (given_back, emptied) = sync_channel(1);
    let handing = Handing {
        batch: Batch::default(),
        batches,
        emptied,
    };
    let handed = Handed {
        batches: handed,
        emptied: given_back,
    };
    (handing, handed)
}

impl Handing {
    /// Takes what a pack shows while it is read.
    pub(in super::super) fn take(&mut self, part: &Part<'_>) {
        let batch = &mut self.batch;
        let from = batch.octets.len();
        match part.entries() {
            Some(entries) => push_names(entries.map(|entry| entry.name), &mut batch.octets),
            None => batch.octets.extend_from_slice(part.octets),
        }
        let octets = batch.octets.len() - from;
        batch.parts.push((octets, part.kind, part.last));
        if batch.octets.len() + batch.parts.len() * SEARCH_PART_OCTETS >= SEARCH_BATCH_OCTETS {
            self.pass();
        }
    }

    /// Hands over the last ones.
    pub(in super::super) fn finish(mut self) {
        self.pass();
    }

    fn pass(&mut self) {
        let empty = self.emptied.try_recv().unwrap_or_default();
        let full = std::mem::replace(&mut self.batch, empty);
        // Who searches ends early only where it failed, which whoever waits for it learns.
        let _ = self.batches.send(full);
    }
}

impl Handed {
    /// Searches everything that is handed over, until nothing more can be.
    pub(in super::super) fn search(self, own: ScrubSet) -> Searched {
        let mut searching = Searching::new(own);
        for mut batch in self.batches {
            searching.batch(&batch);
            // One that grew beyond the usual is let go of.
            if batch.octets.capacity() <= 2 * SEARCH_BATCH_OCTETS {
                batch.octets.clear();
                batch.parts.clear();
                let _ = self.emptied.try_send(batch);
            }
        }
        searching.finish()
    }
}

/// Searches every object of a pack that was read already.
pub(super) fn search_again(pack: &Pack, own: ScrubSet) -> Result<Searched, PackError> {
    let mut searching = Searching::new(own);
    let mut piece = vec![0; READ_OCTETS];
    let mut failed = None;
    pack.visit(&mut |object| {
        let read = searching.object(pack, object, &mut piece);
        match read {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    match failed {
        Some(error) => Err(error),
        None => Ok(searching.finish()),
    }
}

/// One text after another.
struct Searching {
    own: ScrubSet,
    scrubber: Option<Scrubber>,
    others: secrets::Search,
    /// Whether some of a text was taken already.
    is_begun: bool,
    scrubbed: Vec<u8>,
    found: Vec<Found>,
    /// How many own ones and how many others were found.
    counts: (usize, usize),
}

impl Searching {
    fn new(own: ScrubSet) -> Self {
        Self {
            scrubber: None,
            others: detector().search(),
            is_begun: false,
            scrubbed: Vec::new(),
            found: Vec::new(),
            counts: (0, 0),
            own,
        }
    }

    fn batch(&mut self, batch: &Batch) {
        let mut rest = batch.octets.as_slice();
        for (octets, kind, last) in &batch.parts {
            let (text, after) = rest.split_at((*octets).min(rest.len()));
            rest = after;
            match last {
                Some(oid) if !self.is_begun => self.whole(text, *oid, *kind),
                Some(oid) => {
                    self.feed(text);
                    self.end(*oid, *kind);
                }
                None => self.feed(text),
            }
        }
    }

    /// Takes a text that is here whole, without a copy of it.
    fn whole(&mut self, text: &[u8], oid: Oid, kind: Kind) {
        self.feed_own(text);
        self.judge(detector().find(text), oid, kind);
    }

    fn object(
        &mut self,
        pack: &Pack,
        object: &mut Object<'_>,
        piece: &mut [u8],
    ) -> Result<(), PackError> {
        // Between the names are octets of hashes, in which nobody writes.
        if object.kind == Kind::Tree {
            let mut names = Vec::new();
            if let Some(tree) = pack.tree(&object.oid)? {
                push_names(tree.entries().map(|entry| entry.name), &mut names);
            }
            self.feed(&names);
        } else {
            loop {
                let read = object.content.read(piece).map_err(PackError::Io)?;
                let missing = || PackError::Io(io::ErrorKind::InvalidData.into());
                let octets = piece.get(..read).ok_or_else(missing)?;
                if octets.is_empty() {
                    break;
                }
                self.feed(octets);
            }
        }
        self.end(object.oid, object.kind);
        Ok(())
    }

    /// Takes the next octets of a text.
    fn feed(&mut self, octets: &[u8]) {
        self.is_begun = true;
        self.feed_own(octets);
        self.others.feed(octets);
    }

    fn feed_own(&mut self, octets: &[u8]) {
        if !self.own.is_empty() {
            let begun = || Scrubber::new(self.own.clone());
            let scrubber = self.scrubber.get_or_insert_with(begun);
            scrubber.feed(octets, &mut self.scrubbed);
            self.scrubbed.clear();
        }
    }

    /// Ends a text, that of this object.
    fn end(&mut self, oid: Oid, kind: Kind) {
        self.is_begun = false;
        let searched = std::mem::replace(&mut self.others, detector().search());
        self.judge(searched.finish(), oid, kind);
    }

    fn judge(&mut self, findings: Vec<Finding>, oid: Oid, kind: Kind) {
        let owns = self.scrubber.take().map_or(0, |mut scrubber| {
            scrubber.finish(&mut self.scrubbed);
            self.scrubbed.clear();
            scrubber.found()
        });
        // Enough others do not hide one of ours.
        let is_own = (owns > 0 || findings.iter().any(is_own)) && self.counts.0 < FINDINGS;
        let left = FINDINGS.saturating_sub(self.counts.1);
        let findings: Vec<Finding> = findings.into_iter().take(left).collect();
        if !is_own && findings.is_empty() {
            return;
        }
        self.counts.0 += usize::from(is_own);
        self.counts.1 += findings.len();
        self.found.push(Found {
            oid,
            kind,
            is_own,
            findings,
        });
    }

    fn finish(self) -> Searched {
        Searched {
            own: self.own,
            found: self.found,
        }
    }
}

/// One name on each line.
fn push_names<'a>(names: impl Iterator<Item = &'a [u8]>, text: &mut Vec<u8>) {
    for name in names {
        text.extend_from_slice(name);
        text.push(b'\n');
    }
}
