//! Packs that are read while they arrive.

use std::fs::File;
use std::mem::discriminant;
use std::os::unix::fs::FileExt as _;
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use proptest::prelude::*;
use ringfence_model::git::ObjectFormat::Sha1;
use ringfence_model::git::Oid;

use super::maker::{Maker, Step, delta, name, spooled};
use crate::pack::{Arriving, Excess, Kind, Pack, PackError, PackLimits, Part};

/// A pack that arrives, and the thread that reads it.
struct Coming {
    arriving: Arriving,
    file: File,
    pack: Vec<u8>,
    /// The names of the objects, as they are shown.
    shown: Receiver<Oid>,
    reading: JoinHandle<Result<Pack, PackError>>,
}

impl Coming {
    fn new(pack: &[u8], limits: PackLimits) -> Self {
        let mut spooled = spooled(&[]);
        let file = spooled.pack.try_clone().unwrap();
        let (arriving, arrived) = Arriving::new();
        spooled.arrived = arrived;
        let (show, shown) = channel();
        let reading = thread::spawn(move || {
            let mut watch = |part: &Part<'_>| {
                if let Some(oid) = part.last {
                    // Not every test listens.
                    let _ = show.send(oid);
                }
            };
            Pack::watched(spooled, Sha1, &limits, &mut watch)
        });
        let pack = pack.to_vec();
        Self {
            arriving,
            file,
            pack,
            shown,
            reading,
        }
    }

    /// So much of it is there.
    fn has(&self, octets: usize) {
        self.file.write_all_at(&self.pack[..octets], 0).unwrap();
        self.arriving.has(octets as u64);
    }

    fn all(self) -> Result<Pack, PackError> {
        self.has(self.pack.len());
        self.arriving.finish();
        self.reading.join().unwrap()
    }
}

fn noise(octets: u32) -> Vec<u8> {
    let words = 0..octets / 4;
    words
        .flat_map(|word| word.wrapping_mul(2_654_435_761).to_le_bytes())
        .collect()
}

/// Blobs, one of them long, and a delta against one that comes later; where each ends.
fn some() -> (Vec<u8>, Vec<(Oid, usize)>) {
    some_of(2_800_000)
}

fn some_of(octets: u32) -> (Vec<u8>, Vec<(Oid, usize)>) {
    let mut maker = Maker::new();
    let mut ends = Vec::new();
    for content in [b"one".as_slice(), &noise(octets), b"the last"] {
        let oid = maker.blob(content);
        ends.push((oid, usize::try_from(maker.at()).unwrap()));
    }
    let base = name(Sha1, Kind::Blob, b"base");
    let delta = delta(4, 6, &[Step::Copy(0, 4), Step::Insert(b"!!")]);
    maker.delta_of(&base, &delta);
    maker.blob(b"base");
    (maker.finish(), ends)
}

#[test]
fn objects_are_shown_as_soon_as_they_are_there() {
    let (pack, ends) = some();
    let coming = Coming::new(&pack, PackLimits::default());
    for (oid, end) in ends {
        // The last twenty octets may be the trailer, and are not read.
        coming.has(end + 20);
        assert_eq!(coming.shown.recv(), Ok(oid));
    }
    assert!(coming.shown.try_recv().is_err());
    assert_eq!(coming.all().unwrap().len(), 5);
}

#[test]
fn every_object_is_shown_once_and_whole() {
    let (pack, _) = some();
    let mut shown = Vec::new();
    let mut content = Vec::new();
    let mut watch = |part: &Part<'_>| {
        content.extend_from_slice(part.octets);
        if let Some(oid) = part.last {
            assert_eq!(name(Sha1, part.kind, &content), oid);
            content.clear();
            shown.push(oid);
        }
    };
    let limits = PackLimits::default();
    let read = Pack::watched(spooled(&pack), Sha1, &limits, &mut watch).unwrap();
    shown.sort_unstable();
    shown.dedup();
    assert_eq!(shown.len(), read.len());
}

#[test]
fn a_pack_that_is_lost_on_the_way_is_not_waited_for() {
    let (pack, ends) = some();
    for octets in [0, 5, 12, 40, ends[1].1, pack.len() - 1, pack.len()] {
        let coming = Coming::new(&pack, PackLimits::default());
        coming.has(octets);
        drop(coming.arriving);
        let read = coming.reading.join().unwrap();
        assert!(matches!(read, Err(PackError::Stopped)), "{octets}");
    }
}

#[test]
fn a_pack_that_ends_early_is_refused_like_one_that_is_cut_off() {
    let (pack, ends) = some();
    for octets in [0, 12, 31, 40, ends[1].1, pack.len() - 1] {
        let mut coming = Coming::new(&pack, PackLimits::default());
        coming.pack.truncate(octets);
        let read = coming.all();
        let is_refused = matches!(read, Err(PackError::Malformed { .. } | PackError::Trailer));
        assert!(is_refused, "{octets}");
    }
}

#[test]
fn what_is_wrong_is_told_while_the_rest_still_comes() {
    let (mut pack, ends) = some();
    pack[ends[0].1] = 0;
    let coming = Coming::new(&pack, PackLimits::default());
    coming.has(ends[1].1);
    let read = coming.reading.join().unwrap();
    assert!(matches!(read, Err(PackError::Malformed { .. })));
}

#[test]
fn octets_after_the_end_are_refused_whenever_they_come() {
    let (mut pack, _) = some();
    let whole = pack.len();
    pack.push(0);
    let coming = Coming::new(&pack, PackLimits::default());
    coming.has(whole);
    let read = coming.all();
    assert!(matches!(read, Err(PackError::Malformed { .. })));
}

#[test]
fn what_may_be_inflated_grows_with_what_has_arrived() {
    let mut maker = Maker::new();
    maker.blob(&[0; 100_000]);
    let early = usize::try_from(maker.at()).unwrap() + 20;
    maker.blob(&noise(20_000));
    let pack = maker.finish();
    let limits = |inflated_times| PackLimits {
        inflated_times,
        inflated_free: 1000,
        ..PackLimits::default()
    };
    // The pack as a whole has enough octets for what it inflates to, its begin has not.
    let coming = Coming::new(&pack, limits(10));
    coming.has(early);
    let waited = coming.shown.recv_timeout(Duration::from_millis(50));
    assert!(waited.is_err());
    assert_eq!(coming.all().unwrap().len(), 2);
    let read = Coming::new(&pack, limits(1)).all();
    assert!(matches!(
        read,
        Err(PackError::TooMuch(Excess::InflatedOctets))
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn how_it_arrives_does_not_matter(
        cuts in prop::collection::vec(0_usize..300_000, 0..8),
        changed in prop::option::of(0_usize..300_000),
    ) {
        let (mut pack, _) = some_of(280_000);
        if let Some(changed) = changed {
            let place = changed % pack.len();
            pack[place] ^= 1;
        }
        // Where a stream is found to be damaged depends on the pieces that it is inflated in.
        let said = |read: Result<Pack, PackError>| {
            read.map(|pack| pack.len()).map_err(|error| discriminant(&error))
        };
        let whole = Pack::open(spooled(&pack), Sha1, &PackLimits::default());
        let coming = Coming::new(&pack, PackLimits::default());
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % pack.len()).collect();
        cuts.sort_unstable();
        for cut in cuts {
            coming.has(cut);
        }
        prop_assert_eq!(said(coming.all()), said(whole));
    }
}
