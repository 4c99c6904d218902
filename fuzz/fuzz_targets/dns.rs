//! A DNS query: the answer is an answer to it, small, and names in it are in the map.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ringfence_gateway::wire::dns::{NameMap, read_frame, respond, write_frame};
use ringfence_gateway::wire::limits::DNS_QUERY_OCTETS;

fuzz_target!(|input: &[u8]| {
    let mut names = NameMap::default();
    if let Some(answer) = respond(input, &mut names) {
        assert!((12..512).contains(&answer.len()));
        assert_eq!(answer[..2], input[..2], "the id");
        assert_eq!(answer[2] & 0x82, 0x80, "an answer, not truncated");
        assert_eq!(answer[2] & 0x79, input[2] & 0x79, "the opcode and RD");
        assert_eq!(respond(&answer, &mut names), None, "no loops");
        assert_eq!(respond(input, &mut names), Some(answer), "addresses stay");
    }
    assert!(names.len() <= 1);
    check_frame(input);
});

fn check_frame(input: &[u8]) {
    if let Ok(Some((message, used))) = read_frame(input) {
        assert!(!message.is_empty() && message.len() <= DNS_QUERY_OCTETS);
        let mut wire = Vec::new();
        write_frame(message, &mut wire);
        assert_eq!(wire, input[..used]);
    }
}
