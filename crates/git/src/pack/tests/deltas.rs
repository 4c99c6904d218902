//! Deltas: what they resolve to, and chains that nobody should make.

use std::fs::File;
use std::io::{self, Read as _};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use ringfence_model::git::ObjectFormat::{Sha1, Sha256};
use ringfence_model::git::Oid;

use super::maker::{
    Maker, NAME_DELTA, OFFSET_DELTA, Step, deflate, delta, name, open, open_within, spooled,
};
use crate::pack::{Excess, Kind, Pack, PackError, PackLimits, Spooled};

fn blob_name(content: &[u8]) -> Oid {
    name(Sha1, Kind::Blob, content)
}

fn content(pack: &Pack, oid: &Oid) -> Option<Vec<u8>> {
    let mut found = None;
    let visited = pack.visit(&mut |object| {
        if object.oid == *oid {
            let mut octets = Vec::new();
            object.content.read_to_end(&mut octets).unwrap();
            found = Some(octets);
        }
        ControlFlow::Continue(())
    });
    visited.unwrap();
    found
}

fn is_delta_error(result: Result<Pack, PackError>) -> bool {
    matches!(result, Err(PackError::Delta(_)))
}

#[test]
fn resolves_deltas_against_what_came_before() {
    let mut maker = Maker::new();
    let base = maker.at();
    maker.blob(b"0123456789");
    let next = maker.at();
    maker.delta_at(
        base,
        &delta(10, 7, &[Step::Copy(5, 5), Step::Insert(b"ab")]),
    );
    maker.delta_at(next, &delta(7, 9, &[Step::Copy(0, 7), Step::Copy(0, 2)]));
    let pack = maker.open().unwrap();
    for expected in [b"0123456789".as_slice(), b"56789ab", b"56789ab56"] {
        let oid = blob_name(expected);
        assert_eq!(content(&pack, &oid).as_deref(), Some(expected));
        assert_eq!(pack.kind_of(&oid), Some(Kind::Blob));
    }
}

#[test]
fn a_disk_without_room_stops_the_reading() {
    let mut maker = Maker::new();
    let base = maker.at();
    maker.blob(b"0123456789");
    maker.delta_at(base, &delta(10, 2, &[Step::Insert(b"ab")]));
    let full = |_: &File| Err(io::ErrorKind::StorageFull.into());
    let spooled = Spooled {
        room: full,
        ..spooled(&maker.finish())
    };
    let error = Pack::open(spooled, Sha1, &PackLimits::default()).unwrap_err();
    let is_full = |error: &io::Error| error.kind() == io::ErrorKind::StorageFull;
    assert!(
        matches!(&error, PackError::Io(error) if is_full(error)),
        "{error}"
    );
}

#[test]
fn resolves_deltas_against_names_in_any_order() {
    let bodies: Vec<Vec<u8>> = (0..20)
        .map(|n| format!("number {n:02}").into_bytes())
        .collect();
    for format in [Sha1, Sha256] {
        let mut maker = Maker::of(format);
        for pair in bodies.windows(2).rev() {
            let step = delta(9, 9, &[Step::Copy(0, 7), Step::Insert(&pair[1][7..])]);
            maker.delta_of(&name(format, Kind::Blob, &pair[0]), &step);
        }
        maker.blob(&bodies[0]);
        let pack = maker.open().unwrap();
        assert_eq!(pack.len(), 20);
        for body in &bodies {
            let oid = name(format, Kind::Blob, body);
            assert_eq!(content(&pack, &oid).as_ref(), Some(body));
        }
    }
}

#[test]
fn resolves_a_delta_at_an_offset_against_one_that_waits() {
    let mut maker = Maker::new();
    let waits = maker.at();
    maker.delta_of(
        &blob_name(b"base"),
        &delta(4, 5, &[Step::Copy(0, 4), Step::Insert(b"1")]),
    );
    maker.delta_at(waits, &delta(5, 6, &[Step::Copy(0, 5), Step::Insert(b"2")]));
    maker.blob(b"base");
    let pack = maker.open().unwrap();
    assert_eq!(
        content(&pack, &blob_name(b"base12")).as_deref(),
        Some(b"base12".as_slice())
    );
}

#[test]
fn a_delta_has_the_kind_of_its_base_and_is_checked_as_such() {
    let mut maker = Maker::new();
    let at = maker.at();
    let tree = super::maker::tree(&[("100644", b"a", blob_name(b"x"))]);
    maker.whole(Kind::Tree, &tree);
    let size = tree.len() as u64;
    let rest = Step::Copy(8, u32::try_from(size).unwrap() - 8);
    maker.delta_at(at, &delta(size, size, &[Step::Insert(b"100644 /"), rest]));
    assert!(matches!(
        maker.open(),
        Err(PackError::Invalid {
            kind: Kind::Tree,
            ..
        })
    ));
}

#[test]
fn refuses_a_delta_against_what_is_not_in_the_pack() {
    let mut maker = Maker::new();
    maker.blob(b"something");
    maker.delta_of(&blob_name(b"elsewhere"), &delta(9, 1, &[Step::Copy(0, 1)]));
    assert!(matches!(maker.open(), Err(PackError::MissingBase)));
}

#[test]
fn refuses_deltas_against_themselves_and_in_circles() {
    let step = delta(4, 4, &[Step::Copy(0, 4)]);
    let (one, other) = (blob_name(b"1111"), blob_name(b"2222"));
    for bases in [vec![one], vec![one, other], vec![Oid::null(Sha1)]] {
        let mut maker = Maker::new();
        for base in &bases {
            maker.delta_of(base, &step);
        }
        assert!(matches!(maker.open(), Err(PackError::MissingBase)));
    }
    let mut maker = Maker::new();
    maker.entry(OFFSET_DELTA, step.len() as u64, &[0], &deflate(&step));
    assert!(maker.open().is_err());
}

#[test]
fn refuses_offsets_where_no_object_begins() {
    for distance in [
        b"\x01".as_slice(),
        b"\x0c",
        b"\x7f",
        b"\xff\x7f",
        &[0xff; 40],
    ] {
        let mut maker = Maker::new();
        maker.blob(b"base of some length");
        let step = delta(19, 1, &[Step::Copy(0, 1)]);
        maker.entry(OFFSET_DELTA, step.len() as u64, distance, &deflate(&step));
        assert!(maker.open().is_err(), "{distance:?}");
    }
}

#[test]
fn refuses_deltas_that_do_not_fit() {
    let cases = [
        ("another base size", delta(5, 4, &[Step::Copy(0, 4)])),
        ("copies past the base", delta(4, 4, &[Step::Copy(1, 4)])),
        (
            "copies from past the base",
            delta(4, 1, &[Step::Copy(u32::MAX, 1)]),
        ),
        (
            "a size of nothing is 65,536",
            delta(4, 4, &[Step::Copy(0, 0)]),
        ),
        ("makes less", delta(4, 5, &[Step::Copy(0, 4)])),
        ("makes more", delta(4, 3, &[Step::Copy(0, 4)])),
        ("adds more", delta(4, 0, &[Step::Insert(b"x")])),
        (
            "the operation that is none",
            [delta(4, 4, &[Step::Copy(0, 4)]), vec![0]].concat(),
        ),
        (
            "cut off in an insert",
            [delta(4, 4, &[]), vec![4, b'a']].concat(),
        ),
        (
            "cut off in a copy",
            [delta(4, 4, &[]), vec![0x91, 0]].concat(),
        ),
        ("cut off in its sizes", vec![0x84]),
        ("no size of a result", vec![4]),
        ("empty", Vec::new()),
        (
            "sizes with needless octets",
            b"\x84\x00\x04\x90\x04".to_vec(),
        ),
        (
            "a size past 64 bits",
            [b"\x04".as_slice(), &[0xff; 9], b"\x01"].concat(),
        ),
    ];
    for (what, step) in &cases {
        let mut maker = Maker::new();
        let at = maker.at();
        maker.blob(b"base");
        maker.delta_at(at, step);
        assert!(is_delta_error(maker.open()), "{what}, at an offset");
        let mut maker = Maker::new();
        maker.delta_of(&blob_name(b"base"), step);
        maker.blob(b"base");
        assert!(is_delta_error(maker.open()), "{what}, against a name");
    }
}

fn chain(length: u32, of_names: bool) -> Vec<u8> {
    let mut maker = Maker::new();
    let mut at = maker.at();
    let mut oid = maker.blob(b"0000");
    for number in 1..=length {
        let next = format!("{number:04}");
        let step = delta(4, 4, &[Step::Insert(next.as_bytes())]);
        let here = maker.at();
        match of_names {
            true => maker.delta_of(&oid, &step),
            false => maker.delta_at(at, &step),
        }
        (at, oid) = (here, blob_name(next.as_bytes()));
    }
    maker.finish()
}

#[test]
fn refuses_chains_that_are_too_deep() {
    for of_names in [false, true] {
        assert_eq!(open(&chain(512, of_names), Sha1).unwrap().len(), 513);
        assert!(matches!(
            open(&chain(513, of_names), Sha1),
            Err(PackError::TooMuch(Excess::DeltaDepth))
        ));
    }
}

#[test]
fn a_bomb_of_copies_is_counted_by_what_it_makes() {
    let base = vec![7; 1 << 20];
    let copies: Vec<Step<'_>> = (0..250).map(|_| Step::Copy(0, 1 << 20)).collect();
    let mut maker = Maker::new();
    let at = maker.at();
    maker.blob(&base);
    for number in 0..20_u8 {
        let mut steps = vec![Step::Insert(std::slice::from_ref(&number))];
        steps.extend(copies.iter().map(|_| Step::Copy(0, 1 << 20)));
        maker.delta_at(at, &delta(1 << 20, (250 << 20) + 1, &steps));
    }
    let pack = maker.finish();
    assert!(pack.len() < 100 << 10);
    let limits = PackLimits {
        inflated_octets: 128 << 20,
        ..PackLimits::default()
    };
    let started = Instant::now();
    assert!(matches!(
        open_within(&pack, Sha1, &limits),
        Err(PackError::TooMuch(Excess::InflatedOctets))
    ));
    // All of it would be 5 GB to hash.
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[test]
fn small_deltas_against_large_bases_do_not_read_them_each_time() {
    let base: Vec<u8> = (0..4_u32 << 20).map(|n| (n >> 3 & 0xff) as u8).collect();
    let mut maker = Maker::new();
    let ats: Vec<u64> = (0..3_u8)
        .map(|number| {
            let at = maker.at();
            maker.blob(&[base.as_slice(), &[number]].concat());
            at
        })
        .collect();
    let size = base.len() as u64 + 1;
    for number in 0..30_000_u32 {
        let text = number.to_string();
        let steps = [Step::Copy(number * 8, 5), Step::Insert(text.as_bytes())];
        maker.delta_at(
            ats[number as usize % 3],
            &delta(size, 5 + text.len() as u64, &steps),
        );
    }
    let started = Instant::now();
    assert_eq!(maker.open().unwrap().len(), 30_003);
    // Read whole for each delta, the bases would be 120 GB.
    assert!(started.elapsed() < Duration::from_secs(30));
}

#[test]
fn instructions_are_counted() {
    let steps: Vec<Step<'_>> = (0..100).map(|_| Step::Copy(0, 1)).collect();
    let mut maker = Maker::new();
    let at = maker.at();
    maker.blob(b"base");
    maker.delta_at(at, &delta(4, 100, &steps));
    let pack = maker.finish();
    let limits = |instructions| PackLimits {
        instructions,
        ..PackLimits::default()
    };
    assert!(open_within(&pack, Sha1, &limits(100)).is_ok());
    assert!(matches!(
        open_within(&pack, Sha1, &limits(99)),
        Err(PackError::TooMuch(Excess::Instructions))
    ));
}

#[test]
fn one_object_told_in_two_ways_is_refused() {
    let mut maker = Maker::new();
    let at = maker.at();
    maker.blob(b"base");
    maker.delta_at(at, &delta(4, 4, &[Step::Copy(0, 4)]));
    assert!(matches!(maker.open(), Err(PackError::Duplicate(_))));
    let mut maker = Maker::new();
    maker.blob(b"base");
    maker.blob(b"base");
    maker.delta_of(&blob_name(b"base"), &delta(4, 3, &[Step::Copy(0, 3)]));
    assert!(matches!(maker.open(), Err(PackError::Duplicate(_))));
}

#[test]
fn a_name_of_the_other_hash_is_no_base() {
    let mut maker = Maker::of(Sha256);
    maker.blob(b"base");
    let step = delta(4, 1, &[Step::Copy(0, 1)]);
    let short = blob_name(b"base");
    maker.entry(
        NAME_DELTA,
        step.len() as u64,
        short.as_octets(),
        &deflate(&step),
    );
    assert!(maker.open().is_err());
}
