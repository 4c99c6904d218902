//! SOCKS5 messages: the same at every split, and a destination has one spelling.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ringfence_gateway::wire::socks5::{SocksError, read_greeting, read_request};
use ringfence_model::Destination;

fuzz_target!(|input: &[u8]| {
    check_splits(input, read_greeting);
    check_splits(input, read_request);
    if let Ok(Some((destination, used))) = read_request(input) {
        assert!(used <= input.len() && destination.port != 0);
        let again: Destination = destination.to_string().parse().unwrap();
        assert_eq!(again, destination);
    }
});

fn check_splits<T: PartialEq + std::fmt::Debug>(
    input: &[u8],
    read: impl Fn(&[u8]) -> Result<Option<T>, SocksError>,
) {
    let whole = read(input);
    for end in 0..input.len() {
        let prefix = read(&input[..end]);
        if prefix != Ok(None) {
            assert_eq!(prefix, whole);
            return;
        }
    }
}
