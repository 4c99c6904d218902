//! A pack: never a panic, nothing past the limits, and what is taken is what it claims.
//!
//! The first octet of the input tells whether the rest is the body of a pack as it is, or objects
//! that are deflated here, so that deltas and contents are reached past zlib's checksum.

#![no_main]

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt as _;
use std::sync::LazyLock;

use flate2::{Compression, write::ZlibEncoder};
use libfuzzer_sys::fuzz_target;
use ringfence_git::pack::{Arrived, Pack, PackLimits, Spooled, Stop};
use ringfence_model::git::{ObjectFormat, Oid};
use sha2::{Digest as _, Sha256};

static FILES: LazyLock<[File; 2]> =
    LazyLock::new(|| [(); 2].map(|()| tempfile::tempfile().unwrap()));

const INFLATED: u64 = 256 << 10;

fuzz_target!(|input: &[u8]| {
    let Some((&mode, rest)) = input.split_first() else {
        return;
    };
    let pack = match mode & 1 {
        0 => sealed(u32::from(mode >> 1), rest.to_vec()),
        _ => objects(rest),
    };
    let [file, scratch] = &*FILES;
    file.set_len(0).unwrap();
    scratch.set_len(0).unwrap();
    file.write_all_at(&pack, 0).unwrap();
    let spooled = Spooled {
        pack: file.try_clone().unwrap(),
        arrived: Arrived::whole(pack.len() as u64),
        scratch: scratch.try_clone().unwrap(),
        room: |_| Ok(()),
        stop: Stop::new(),
    };
    let limits = PackLimits {
        objects: 200,
        object_octets: 64 << 10,
        inflated_octets: INFLATED,
        inflated_times: 0,
        inflated_free: INFLATED,
        delta_depth: 10,
        instructions: 10_000,
        compared_entries: 10_000,
        changed_paths: 1_000,
    };
    let opened = Pack::open(spooled, ObjectFormat::Sha256, &limits);
    assert!(scratch.metadata().unwrap().len() <= INFLATED);
    if let Ok(pack) = opened {
        check(&pack);
    }
});

fn check(pack: &Pack) {
    let mut tips = Vec::new();
    let visited = pack.visit(&mut |object| {
        let mut content = Vec::new();
        object.content.read_to_end(&mut content).unwrap();
        assert_eq!(content.len() as u64, object.size);
        assert_eq!(name(object.kind.as_str(), &content), object.oid);
        tips.push(object.oid);
        ControlFlow::Continue(())
    });
    visited.unwrap();
    assert_eq!(tips.len(), pack.len());
    if let Ok(reached) = pack.reached(&tips) {
        reached.check_all().unwrap();
        for tip in &tips {
            reached.path_of(tip).unwrap();
        }
    }
    if let (Ok(history), [first, .., last]) = (pack.history(), tips.as_slice()) {
        history.reaches(first, last).unwrap();
    }
    pack.changed_paths(pack, &mut |_| ControlFlow::Continue(()))
        .ok();
}

/// A pack of objects that are told as a kind, a base, a length and a content each.
fn objects(mut rest: &[u8]) -> Vec<u8> {
    let (mut body, mut starts, mut names) = (Vec::new(), Vec::new(), Vec::new());
    while let [kind, base, length, after @ ..] = rest {
        let (content, after) = after.split_at(usize::from(*length).min(after.len()));
        rest = after;
        let kind = kind & 7;
        starts.push(body.len());
        let size = content.len();
        body.push(kind << 4 | (size & 15) as u8 | if size > 15 { 0x80 } else { 0 });
        if size > 15 {
            body.push((size >> 4) as u8);
        }
        let kinds = ["", "commit", "tree", "blob", "tag", "", "", ""];
        names.push(name(kinds[usize::from(kind)], content));
        let base = usize::from(*base) % starts.len();
        match kind {
            6 => body.extend(distance(starts[starts.len() - 1] - starts[base])),
            7 => body.extend(names[base].as_octets()),
            _ => {}
        }
        let mut encoder = ZlibEncoder::new(&mut body, Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap();
    }
    sealed(starts.len() as u32, body)
}

fn distance(mut distance: usize) -> Vec<u8> {
    let mut octets = vec![(distance & 0x7f) as u8];
    while distance > 0x7f {
        distance = (distance >> 7) - 1;
        octets.insert(0, (distance & 0x7f) as u8 | 0x80);
    }
    octets
}

fn sealed(count: u32, body: Vec<u8>) -> Vec<u8> {
    let header = [b"PACK\0\0\0\x02".as_slice(), &count.to_be_bytes()].concat();
    let mut pack = [header, body].concat();
    let trailer = Sha256::digest(&pack);
    pack.extend(trailer);
    pack
}

fn name(kind: &str, content: &[u8]) -> Oid {
    let mut hash = Sha256::new();
    hash.update(format!("{kind} {}\0", content.len()));
    hash.update(content);
    Oid::new(ObjectFormat::Sha256, &hash.finalize()).unwrap()
}
