//! SOCKS5 messages octet by octet, and those that name something doubtful.

use proptest::prelude::*;

use super::*;

fn request(kind: u8, address: &[u8], port: u16) -> Vec<u8> {
    [&[5, 1, 0, kind], address, &port.to_be_bytes()].concat()
}

fn named(name: &[u8], port: u16) -> Vec<u8> {
    let length = u8::try_from(name.len()).unwrap();
    request(3, &[&[length], name].concat(), port)
}

#[test]
fn reads_a_greeting_at_every_split() {
    for (wire, length) in [
        (&[5, 1, 0][..], 3),
        (&[5, 2, 0, 2], 4),
        (&[5, 3, 2, 1, 0], 5),
        (&[5, 1, 0, 5, 1], 3),
    ] {
        for end in 0..length {
            assert_eq!(read_greeting(&wire[..end]), Ok(None));
        }
        assert_eq!(read_greeting(wire), Ok(Some(length)));
    }
}

#[test]
fn refuses_clients_that_insist_on_a_login() {
    for greeting in [&[5, 0][..], &[5, 1, 2], &[5, 2, 1, 2]] {
        assert_eq!(read_greeting(greeting), Err(SocksError::NoMethod));
    }
    assert_eq!(SocksError::NoMethod.answer(), [5, 0xff]);
}

#[test]
fn refuses_other_versions_without_an_answer() {
    assert_eq!(read_greeting(&[4, 1, 0]), Err(SocksError::Version));
    assert_eq!(read_request(&[4]), Err(SocksError::Version));
    assert!(SocksError::Version.answer().is_empty());
}

#[test]
fn reads_every_form_of_address_at_every_split() {
    let v6 = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    let mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1];
    for (wire, expected) in [
        (request(1, &[192, 0, 2, 1], 443), "192.0.2.1:443"),
        (request(4, &v6, 22), "[2001:db8::1]:22"),
        (request(4, &mapped, 80), "192.0.2.1:80"),
        (named(b"Example.COM", 443), "example.com:443"),
        (named(b"example.com.", 443), "example.com:443"),
        (named(b"192.0.2.1", 443), "192.0.2.1:443"),
        (named(b"2001:db8::1", 443), "[2001:db8::1]:443"),
        (named(b"::ffff:192.0.2.1", 443), "192.0.2.1:443"),
    ] {
        for end in 0..wire.len() {
            assert_eq!(read_request(&wire[..end]), Ok(None), "{expected} at {end}");
        }
        let followed = [&wire[..], b"\x16\x03"].concat();
        let expected: Destination = expected.parse().unwrap();
        assert_eq!(read_request(&followed), Ok(Some((expected, wire.len()))));
    }
}

#[test]
fn refuses_names_that_a_resolver_could_read_differently() {
    for name in [
        &b""[..],
        b"evil\0.google.com",
        b"a b",
        b"a_b.example",
        b"a..b",
        b"127.1",
        b"0x7f000001",
        b"2130706433",
        b"b\xc3\xbccher.example",
        b"\xff",
        b"a.example:80",
        b"user@a.example",
        b"*.example.com",
    ] {
        let read = read_request(&named(name, 443));
        assert_eq!(read, Err(SocksError::Name), "{name:?}");
    }
}

#[test]
fn refuses_all_but_connect() {
    for (wire, error, code) in [
        (&[5, 2, 0, 1, 1, 2, 3, 4, 0, 80][..], SocksError::Command, 7),
        (&[5, 3, 0, 1, 1, 2, 3, 4, 0, 80], SocksError::Command, 7),
        (&[5, 1, 1, 1, 1, 2, 3, 4, 0, 80], SocksError::Reserved, 1),
        (&[5, 1, 0, 2], SocksError::AddressType, 8),
        (&[5, 1, 0, 1, 1, 2, 3, 4, 0, 0], SocksError::Port, 1),
    ] {
        assert_eq!(read_request(wire), Err(error));
        assert_eq!(error.answer(), [5, code, 0, 1, 0, 0, 0, 0, 0, 0]);
    }
}

#[test]
fn answers_with_the_code_of_the_outcome() {
    assert_eq!(reply(Reply::Succeeded), [5, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    assert_eq!(reply(Reply::NotAllowed)[1], 2);
    assert_eq!(reply(Reply::AddressTypeNotSupported)[1], 8);
}

proptest! {
    #[test]
    fn never_panics_and_never_goes_back_on_its_word(
        octets in proptest::collection::vec(any::<u8>(), 0..40),
        tail in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let wire = [&[5, 1, 0], &octets[..]].concat();
        let longer = [&wire[..], &tail].concat();
        let first = read_request(&wire);
        if first != Ok(None) {
            prop_assert_eq!(read_request(&longer), first);
        }
        let first = read_greeting(&octets);
        if first != Ok(None) {
            let longer = [&octets[..], &tail].concat();
            prop_assert_eq!(read_greeting(&longer), first);
        }
    }
}
