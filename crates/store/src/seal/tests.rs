use proptest::prelude::*;

use super::*;

const SAMPLE_V1: &str = include_str!("../../tests/samples/sealed-v1.json");

const PLACE: Place<'_> = Place {
    table: "credential_secrets",
    id: "0192f0c1-0000-7000-8000-000000000001",
    field: "value",
    revision: 1,
    context: b"",
};

fn key(octet: u8) -> Secret {
    Secret::new([octet; KEY_OCTETS])
}

#[test]
fn a_sample_of_version_1_opens() {
    let sample: serde_json::Value = serde_json::from_str(SAMPLE_V1).unwrap();
    let text = |name: &str| sample[name].as_str().unwrap();
    let master = MasterKey::parse(&Secret::new(text("key"))).unwrap();
    let place = Place {
        table: text("table"),
        id: text("id"),
        field: text("field"),
        revision: sample["revision"].as_i64().unwrap(),
        context: text("context").as_bytes(),
    };
    let opened = open(master.secret(), &place, text("sealed")).unwrap();
    assert_eq!(opened.expose(), text("plain").as_bytes());
}

#[test]
fn what_is_sealed_twice_does_not_look_the_same() {
    let first = seal(&key(1), &PLACE, b"s3cret").unwrap();
    let second = seal(&key(1), &PLACE, b"s3cret").unwrap();
    assert_ne!(first, second);
}

#[test]
fn a_sealed_value_opens_in_its_own_place_only() {
    let sealed = seal(&key(1), &PLACE, b"s3cret").unwrap();
    let elsewhere = [
        Place {
            table: "credentials",
            ..PLACE
        },
        Place {
            id: "0192f0c1-0000-7000-8000-000000000002",
            ..PLACE
        },
        Place {
            field: "valu",
            ..PLACE
        },
        Place {
            revision: 2,
            ..PLACE
        },
        Place {
            context: b"x",
            ..PLACE
        },
        // The same octets, cut elsewhere.
        Place {
            table: "credential_secret",
            id: "s0192f0c1-0000-7000-8000-000000000001",
            ..PLACE
        },
    ];
    for place in elsewhere {
        let opened = open(&key(1), &place, &sealed);
        assert_eq!(opened, Err(DoesNotOpen), "{place:?}");
    }
    assert_eq!(open(&key(2), &PLACE, &sealed), Err(DoesNotOpen));
    assert_eq!(open(&key(1), &PLACE, &sealed).unwrap().expose(), b"s3cret");
}

#[test]
fn any_changed_bit_is_noticed() {
    let sealed = seal(&key(1), &PLACE, b"s3cret").unwrap();
    let octets = STANDARD.decode(&sealed).unwrap();
    for bit in 0..octets.len() * 8 {
        let mut changed = octets.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let opened = open(&key(1), &PLACE, &STANDARD.encode(changed));
        assert_eq!(opened, Err(DoesNotOpen), "bit {bit}");
    }
}

#[test]
fn what_was_cut_off_or_is_no_sealed_value_is_refused() {
    let sealed = seal(&key(1), &PLACE, b"s3cret").unwrap();
    let octets = STANDARD.decode(&sealed).unwrap();
    for length in 0..octets.len() {
        let cut = STANDARD.encode(&octets[..length]);
        assert_eq!(open(&key(1), &PLACE, &cut), Err(DoesNotOpen), "{length}");
    }
    for text in ["", "!", "s3cret", &sealed[1..]] {
        assert_eq!(open(&key(1), &PLACE, text), Err(DoesNotOpen), "{text}");
    }
}

#[test]
fn master_keys_are_read_in_either_alphabet_and_nothing_else_is() {
    let octets = [0xfb; KEY_OCTETS];
    let expected = Secret::new(octets);
    for text in [
        STANDARD.encode(octets),
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(octets),
        format!("  {}\r\n", STANDARD.encode(octets)),
    ] {
        let key = MasterKey::parse(&Secret::new(text)).unwrap();
        assert_eq!(key.secret(), &expected);
        assert_eq!(format!("{key:?}"), "MasterKey(…)");
    }
    for text in [
        String::new(),
        STANDARD.encode([0xfb; 31]),
        STANDARD.encode([0xfb; 33]),
        "x".repeat(TOO_LONG),
        format!("{} x", STANDARD.encode(octets)),
    ] {
        assert_eq!(MasterKey::parse(&Secret::new(text)), Err(KeyFormatError));
    }
}

const TOO_LONG: usize = 1 << 20;

proptest! {
    #[test]
    fn whatever_is_sealed_opens_again(
        plain in proptest::collection::vec(any::<u8>(), 0..2048),
        key in any::<[u8; KEY_OCTETS]>(),
        field in "[a-z_]{0,20}",
        revision in any::<i64>(),
        context in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        let key = Secret::new(key);
        let place = Place { field: &field, revision, context: &context, ..PLACE };
        let sealed = seal(&key, &place, &plain).unwrap();
        let opened = open(&key, &place, &sealed).unwrap();
        prop_assert_eq!(opened.expose(), plain.as_slice());
    }
}
