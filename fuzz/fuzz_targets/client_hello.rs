//! A ClientHello: the same at every split and in other records, and never beyond its limit.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ringfence_gateway::wire::client_hello::{ClientHello, Progress, read};
use ringfence_gateway::wire::limits::CLIENT_HELLO_OCTETS;

fuzz_target!(|input: &[u8]| {
    let whole = read(input);
    if let Progress::Hello(hello) = &whole {
        assert!(hello.length <= input.len().min(CLIENT_HELLO_OCTETS));
        assert_eq!(read(&input[..hello.length]), whole);
        assert_eq!(read(&input[..hello.length - 1]), Progress::Incomplete);
        in_other_records(hello, &input[..hello.length]);
    }
    // What was said about a prefix stays true.
    let prefix = read(&input[..input.len() / 2]);
    if prefix != Progress::Incomplete {
        assert_eq!(prefix, whole);
    }
});

/// The same handshake message in records of another size.
fn in_other_records(hello: &ClientHello, records: &[u8]) {
    let mut message = Vec::new();
    let mut rest = records;
    while let [_, _, _, high, low, tail @ ..] = rest {
        let (content, tail) = tail.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        message.extend_from_slice(content);
        rest = tail;
    }
    let size = 1 + message.len() % 97;
    let mut fragments = Vec::new();
    for part in message.chunks(size) {
        fragments.extend_from_slice(&[22, 3, 1, 0, part.len() as u8]);
        fragments.extend_from_slice(part);
    }
    if fragments.len() <= CLIENT_HELLO_OCTETS {
        let expected = ClientHello {
            length: fragments.len(),
            ..hello.clone()
        };
        assert_eq!(read(&fragments), Progress::Hello(expected));
    }
}
