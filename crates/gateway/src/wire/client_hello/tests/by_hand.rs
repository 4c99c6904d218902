//! Hellos that no honest client sends.

use proptest::prelude::*;

use super::*;

/// A hello in one record with these extensions.
fn with_extensions(extensions: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut list = Vec::new();
    for (kind, content) in extensions {
        list.extend_from_slice(&kind.to_be_bytes());
        list.extend_from_slice(&behind_length(content));
    }
    with_tail(&behind_length(&list))
}

/// A hello in one record that ends like this behind the compression methods.
fn with_tail(tail: &[u8]) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend_from_slice(&[7; 32]);
    body.extend_from_slice(&[0, 0, 2, 0x13, 0x01, 1, 0]);
    body.extend_from_slice(tail);
    in_record(&in_message(1, &body))
}

fn in_message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind], &length[1..], body].concat()
}

fn in_record(message: &[u8]) -> Vec<u8> {
    [&[22, 3, 1], &behind_length(message)[..]].concat()
}

fn behind_length(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&length, content].concat()
}

fn server_names(names: &[(u8, &[u8])]) -> (u16, Vec<u8>) {
    let mut list = Vec::new();
    for (kind, name) in names {
        list.push(*kind);
        list.extend_from_slice(&behind_length(name));
    }
    (EXTENSION_SERVER_NAME, behind_length(&list))
}

fn alpn(names: &[&[u8]]) -> (u16, Vec<u8>) {
    let mut list = Vec::new();
    for name in names {
        list.push(u8::try_from(name.len()).unwrap());
        list.extend_from_slice(name);
    }
    (EXTENSION_ALPN, behind_length(&list))
}

fn assert_invalid(wire: &[u8], what: &str) {
    let read = read(wire);
    assert!(matches!(read, Progress::Invalid(_)), "{what}: {read:?}");
}

#[test]
fn reads_a_hello_without_extensions() {
    let wire = with_tail(&[]);
    let read = assert_incremental(&wire);
    assert_eq!((read.sni, read.alpn.len(), read.ech), (None, 0, false));
}

#[test]
fn tells_other_protocols_apart() {
    for other in [
        &b"GET / HTTP/1.1\r\n"[..],
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"\x80\x2e\x01\x00\x02",
        b"\x16\x01",
        b"\x16\x02\x00",
        b"\x15\x03\x01\x00\x02",
        b"\x05\x01\x00",
    ] {
        assert_eq!(read(other), Progress::NotTls, "{other:02x?}");
    }
    assert_eq!(read(b"\x16"), Progress::Incomplete);
}

#[test]
fn folds_the_case_of_the_server_name() {
    let wire = with_extensions(&[server_names(&[(0, b"ExAmPlE.com")])]);
    assert_eq!(hello(&wire).sni, Some("example.com".parse().unwrap()));
}

#[test]
fn refuses_server_names_with_more_than_one_reading() {
    for (names, what) in [
        (&[][..], "an empty list"),
        (&[(0, &b"a.example"[..]), (0, b"b.example")], "two names"),
        (&[(0, b"a.example"), (0, b"a.example")], "one name twice"),
        (&[(1, b"a.example")], "another type of name"),
        (&[(0, b"a.example"), (1, b"b")], "a second type of name"),
        (&[(0, b"")], "an empty name"),
        (&[(0, b"192.0.2.1")], "an IPv4 address"),
        (&[(0, b"2001:db8::1")], "an IPv6 address"),
        (&[(0, b"[2001:db8::1]")], "an address in brackets"),
        (&[(0, b"a.example.")], "a trailing dot"),
        (&[(0, b"evil\0.example.com")], "a NUL"),
        (&[(0, b"a_b.example")], "an underscore"),
        (&[(0, b"b\xc3\xbccher.example")], "a name not in ASCII"),
        (&[(0, b"\xff.example")], "no UTF-8"),
        (&[(0, b"a.example:443")], "a port"),
    ] {
        assert_invalid(&with_extensions(&[server_names(names)]), what);
    }
}

#[test]
fn refuses_an_extension_that_comes_twice() {
    let name = server_names(&[(0, b"a.example")]);
    let other = server_names(&[(0, b"b.example")]);
    assert_invalid(&with_extensions(&[name.clone(), other]), "two lists");
    assert_invalid(&with_extensions(&[name.clone(), name]), "the same twice");
    let grease = (0x0a0a, vec![]);
    assert_invalid(&with_extensions(&[grease.clone(), grease]), "GREASE");
}

#[test]
fn sees_every_published_form_of_encrypted_hello() {
    for kind in [
        0xfe0d, 0xfe08, 0xfe09, 0xfe0a, 0xfe0c, 0xffce, 0xff02, 0xfd00, 0xda09,
    ] {
        // The second form is the marker inside an encrypted hello: one octet, 1.
        for content in [vec![], vec![1]] {
            let wire = with_extensions(&[(kind, content), (0x0a0a, vec![])]);
            assert!(hello(&wire).ech, "{kind:x}");
        }
    }
    assert!(!hello(&with_extensions(&[(0xff01, vec![0])])).ech);
}

#[test]
fn keeps_the_order_of_the_protocols_offered() {
    let wire = with_extensions(&[alpn(&[b"h2", b"http/1.1", b"\0\xff"])]);
    let expected: [&[u8]; 3] = [b"h2", b"http/1.1", b"\0\xff"];
    assert_eq!(hello(&wire).alpn, expected);
}

#[test]
fn refuses_malformed_and_endless_protocol_lists() {
    let raw = |content: &[u8]| with_extensions(&[(EXTENSION_ALPN, content.to_vec())]);
    assert_invalid(&with_extensions(&[alpn(&[])]), "no protocol");
    assert_invalid(&with_extensions(&[alpn(&[b"h2", b""])]), "an empty one");
    assert_invalid(&raw(&[0, 4, 2, b'h', b'2']), "too short");
    assert_invalid(&raw(&[0, 2, 1, b'x', 0]), "a tail");
    assert_invalid(&raw(&[0, 2, 2, b'x']), "a protocol cut off");
    let many = [&b"x"[..]; ALPN_PROTOCOLS + 1];
    assert_invalid(&with_extensions(&[alpn(&many)]), "too many");
    let most = with_extensions(&[alpn(&many[1..])]);
    assert_eq!(hello(&most).alpn.len(), ALPN_PROTOCOLS);
}

#[test]
fn refuses_malformed_messages() {
    let sound = with_extensions(&[server_names(&[(0, b"a.example")])]);
    let longer = |at: usize| {
        let mut wire = sound.clone();
        wire[at] += 1;
        wire
    };
    assert_invalid(&in_record(&in_message(2, &[0; 40])), "a ServerHello");
    assert_invalid(&in_record(&in_message(1, &[])), "an empty message");
    assert_invalid(&with_tail(&[0, 1, 0]), "half an extension");
    assert_invalid(&with_tail(&[0, 0, 9]), "data behind the extensions");
    assert_invalid(&with_tail(&[0]), "half a length");
    assert_invalid(&[22, 3, 1, 0, 0], "an empty record");
    assert_invalid(&[22, 3, 1, 0x40, 1, 1], "an overlong record");
    assert_invalid(&longer(9), "another version of the message");
    assert_invalid(&longer(43), "a session id that is not there");
    assert_invalid(&longer(45), "an odd list of suites");
    assert_invalid(&longer(48), "more compression methods than there are");
    assert_invalid(&longer(4), "data behind the message, announced");
    let mut followed = longer(4);
    followed.push(0);
    assert_invalid(&followed, "data behind the message");
}

#[test]
fn refuses_another_record_amid_the_hello() {
    let wire = with_extensions(&[server_names(&[(0, b"a.example")])]);
    let mut fragments = fragment(&wire, 20);
    let second = 5 + 20;
    for (at, octet) in [(second, 20), (second, 23), (second + 1, 2)] {
        let before = std::mem::replace(&mut fragments[at], octet);
        assert_invalid(&fragments, "an interruption");
        fragments[at] = before;
    }
    hello(&fragments);
    fragments.splice(second..second, [22, 3, 1, 0, 0]);
    assert_invalid(&fragments, "an empty record");
}

#[test]
fn holds_hellos_to_their_limit() {
    let room = CLIENT_HELLO_OCTETS - with_extensions(&[(21, vec![])]).len();
    let largest = with_extensions(&[(21, vec![0; room])]);
    assert_eq!(hello(&largest).length, CLIENT_HELLO_OCTETS);
    let larger = with_extensions(&[(21, vec![0; room + 1])]);
    assert_invalid(&larger, "the whole");
    assert_invalid(&larger[..CLIENT_HELLO_OCTETS], "all but the end");
    assert_invalid(&[22, 3, 1, 0x40, 0, 1, 0, 0x40, 1], "an announced length");
    let headers = fragment(&largest, 1);
    assert_invalid(&headers, "record headers count");
    assert_invalid(&headers[..CLIENT_HELLO_OCTETS], "record headers, early");
}

#[test]
fn holds_extensions_to_their_limit() {
    let some = |count: usize| {
        let kinds = 1000..1000 + u16::try_from(count).unwrap();
        with_extensions(&kinds.map(|kind| (kind, vec![])).collect::<Vec<_>>())
    };
    hello(&some(CLIENT_HELLO_EXTENSIONS));
    assert_invalid(&some(CLIENT_HELLO_EXTENSIONS + 1), "one more");
}

proptest! {
    #[test]
    fn never_panics_and_never_goes_back_on_its_word(
        noise in proptest::collection::vec(any::<u8>(), 0..200),
        tail in proptest::collection::vec(any::<u8>(), 0..50),
        at in 0..120usize,
        flip in any::<u8>(),
    ) {
        let names = server_names(&[(0, b"a.example")]);
        let mut sound = fragment(&with_extensions(&[names, alpn(&[b"h2"])]), 30);
        let at = at.min(sound.len() - 1);
        sound[at] ^= flip;
        let noise = [&[22, 3, 1, 0, 60, 1, 0, 0, 56, 3, 3], &noise[..]].concat();
        for wire in [noise, sound] {
            let first = read(&wire);
            let longer = [&wire[..], &tail].concat();
            if first != Progress::Incomplete {
                prop_assert_eq!(read(&longer), first);
            }
        }
    }
}
