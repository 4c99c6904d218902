//! Hellos of a real client against a real server's reader, and hand-made ones for every
//! ambiguity.

mod against_rustls;
mod by_hand;

use super::*;

fn hello(prefix: &[u8]) -> ClientHello {
    match read(prefix) {
        Progress::Hello(hello) => hello,
        other => panic!("expected a hello, got {other:?}"),
    }
}

/// Every prefix asks for more, and only the whole gives the hello.
fn assert_incremental(wire: &[u8]) -> ClientHello {
    for end in 0..wire.len() {
        assert_eq!(read(&wire[..end]), Progress::Incomplete, "at {end}");
    }
    let whole = hello(wire);
    assert_eq!(whole.length, wire.len());
    whole
}

/// The same handshake message in records of `size` octets.
fn fragment(wire: &[u8], size: usize) -> Vec<u8> {
    let mut fragments = Vec::new();
    for part in wire[5..].chunks(size) {
        fragments.extend_from_slice(&[22, 3, 1]);
        fragments.extend_from_slice(&u16::try_from(part.len()).unwrap().to_be_bytes());
        fragments.extend_from_slice(part);
    }
    fragments
}
