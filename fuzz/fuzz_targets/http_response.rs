//! A response head. The first octet chooses the method of the request.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ringfence_gateway::wire::http::{
    BodyKind, ResponseHead, ResponseReader, Version, read_response, write_response,
};

fuzz_target!(|input: &[u8]| {
    let Some((choice, input)) = input.split_first() else {
        return;
    };
    let method = ["GET", "HEAD", "CONNECT"][usize::from(*choice) % 3];
    let whole = read_response(input, method);
    let mut reader = ResponseReader::new(method);
    let grown = (0..=input.len()).find_map(|end| reader.read(&input[..end]).transpose());
    assert_eq!(whole.is_err(), matches!(grown, Some(Err(_))));
    let Ok(Some((head, length))) = whole else {
        return;
    };
    assert_eq!(grown, Some(Ok((head.clone(), length))));
    assert!((100..600).contains(&head.status) && head.status != 101);
    if method == "HEAD" || matches!(head.status, 100..200 | 204 | 304) {
        assert_eq!(head.body, BodyKind::None);
    }
    check_written(&head, method);
    let mut adapted = head;
    adapted.adapt(Version::Http11, true);
    assert_ne!(adapted.body, BodyKind::UntilClose);
    check_written(&adapted, method);
});

fn check_written(head: &ResponseHead, method: &str) {
    let mut wire = Vec::new();
    write_response(head, &mut wire);
    let (again, length) = read_response(&wire, method).unwrap().unwrap();
    assert_eq!(length, wire.len());
    let expected = ResponseHead {
        version: Version::Http11,
        keep_alive: head.keep_alive || head.is_interim(),
        ..head.clone()
    };
    assert_eq!(again, expected);
}
