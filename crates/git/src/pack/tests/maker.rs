//! Packs made by hand, also such as git does not make.

use std::fs::File;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use ringfence_model::git::{ObjectFormat, Oid};

use crate::pack::hash::Hasher;
use crate::pack::{Arrived, Kind, Pack, PackError, PackLimits, Spooled, Stop};

/// A pack that is being made.
pub(super) struct Maker {
    pub(super) format: ObjectFormat,
    body: Vec<u8>,
    count: u32,
}

/// One instruction of a delta.
pub(super) enum Step<'a> {
    Copy(u32, u32),
    Insert(&'a [u8]),
}

pub(super) const OFFSET_DELTA: u8 = 6;
pub(super) const NAME_DELTA: u8 = 7;

impl Maker {
    pub(super) fn new() -> Self {
        Self::of(ObjectFormat::Sha1)
    }

    pub(super) fn of(format: ObjectFormat) -> Self {
        Self {
            format,
            body: Vec::new(),
            count: 0,
        }
    }

    /// Adds an object whole; its name.
    pub(super) fn whole(&mut self, kind: Kind, content: &[u8]) -> Oid {
        let number = match kind {
            Kind::Commit => 1,
            Kind::Tree => 2,
            Kind::Blob => 3,
            Kind::Tag => 4,
        };
        self.entry(number, content.len() as u64, &[], &deflate(content));
        name(self.format, kind, content)
    }

    pub(super) fn blob(&mut self, content: &[u8]) -> Oid {
        self.whole(Kind::Blob, content)
    }

    /// Adds a delta against what begins at `base`.
    pub(super) fn delta_at(&mut self, base: u64, delta: &[u8]) {
        let distance = offset(self.at() - base);
        self.entry(OFFSET_DELTA, delta.len() as u64, &distance, &deflate(delta));
    }

    /// Adds a delta against a name.
    pub(super) fn delta_of(&mut self, base: &Oid, delta: &[u8]) {
        let size = delta.len() as u64;
        self.entry(NAME_DELTA, size, base.as_octets(), &deflate(delta));
    }

    /// Adds anything.
    pub(super) fn entry(&mut self, kind: u8, size: u64, base: &[u8], deflated: &[u8]) {
        let mut octet = kind << 4 | (size & 0b1111) as u8;
        let mut rest = size >> 4;
        while rest > 0 {
            self.body.push(octet | 0x80);
            octet = (rest & 0x7f) as u8;
            rest >>= 7;
        }
        self.body.push(octet);
        self.raw(base);
        self.raw(deflated);
        self.count += 1;
    }

    pub(super) fn raw(&mut self, octets: &[u8]) {
        self.body.extend_from_slice(octets);
    }

    /// Where the next object begins.
    pub(super) fn at(&self) -> u64 {
        12 + self.body.len() as u64
    }

    pub(super) fn finish(&self) -> Vec<u8> {
        self.finish_as(2, self.count)
    }

    pub(super) fn finish_as(&self, version: u32, count: u32) -> Vec<u8> {
        let mut pack = b"PACK".to_vec();
        pack.extend(version.to_be_bytes());
        pack.extend(count.to_be_bytes());
        pack.extend(&self.body);
        let mut checksum = Hasher::checksum(self.format);
        checksum.update(&pack);
        pack.extend(checksum.finish().unwrap().as_octets());
        pack
    }

    pub(super) fn open(&self) -> Result<Pack, PackError> {
        open(&self.finish(), self.format)
    }
}

pub(super) fn open(pack: &[u8], format: ObjectFormat) -> Result<Pack, PackError> {
    open_within(pack, format, &PackLimits::default())
}

pub(super) fn open_within(
    pack: &[u8],
    format: ObjectFormat,
    limits: &PackLimits,
) -> Result<Pack, PackError> {
    Pack::open(spooled(pack), format, limits)
}

pub(super) fn spooled(pack: &[u8]) -> Spooled {
    let mut file: File = tempfile::tempfile().unwrap();
    file.write_all(pack).unwrap();
    Spooled {
        pack: file,
        arrived: Arrived::whole(pack.len() as u64),
        scratch: tempfile::tempfile().unwrap(),
        room: |_| Ok(()),
        stop: Stop::new(),
    }
}

pub(super) fn name(format: ObjectFormat, kind: Kind, content: &[u8]) -> Oid {
    let mut hasher = Hasher::object(format, kind, content.len() as u64);
    hasher.update(content);
    hasher.finish().unwrap()
}

pub(super) fn deflate(content: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// The instructions of a delta.
pub(super) fn delta(base: u64, result: u64, steps: &[Step<'_>]) -> Vec<u8> {
    let mut delta = Vec::new();
    for mut size in [base, result] {
        while size > 0x7f {
            delta.push((size & 0x7f) as u8 | 0x80);
            size >>= 7;
        }
        delta.push((size & 0x7f) as u8);
    }
    for step in steps {
        match step {
            Step::Insert(octets) => {
                for piece in octets.chunks(127) {
                    delta.push(u8::try_from(piece.len()).unwrap());
                    delta.extend(piece);
                }
            }
            Step::Copy(from, octets) => {
                delta.push(0xff);
                delta.extend(from.to_le_bytes());
                delta.extend(&octets.to_le_bytes()[..3]);
            }
        }
    }
    delta
}

fn offset(mut distance: u64) -> Vec<u8> {
    let mut octets = vec![(distance & 0x7f) as u8];
    distance >>= 7;
    while distance > 0 {
        distance -= 1;
        octets.push((distance & 0x7f) as u8 | 0x80);
        distance >>= 7;
    }
    octets.reverse();
    octets
}

/// The content of a tree.
pub(super) fn tree(entries: &[(&str, &[u8], Oid)]) -> Vec<u8> {
    let mut octets = Vec::new();
    for (mode, name, oid) in entries {
        octets.extend(mode.as_bytes());
        octets.push(b' ');
        octets.extend(*name);
        octets.push(0);
        octets.extend(oid.as_octets());
    }
    octets
}

/// The content of a commit.
pub(super) fn commit(tree: &Oid, parents: &[Oid], message: &str) -> Vec<u8> {
    let parents: String = parents
        .iter()
        .map(|parent| format!("parent {parent}\n"))
        .collect();
    let person = "A <a@example.org> 1700000000 +0000";
    format!("tree {tree}\n{parents}author {person}\ncommitter {person}\n\n{message}\n").into_bytes()
}
