//! A request head: what is read is what a common parser reads, what is written reads back as
//! the same, and octet by octet gives what the whole gives.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ringfence_gateway::wire::http::{
    BodyKind, Glimpse, RequestHead, RequestReader, TargetForm, Version, glimpse, read_request,
    write_request,
};
use ringfence_gateway::wire::limits::HTTP_FIELDS;

fuzz_target!(|input: &[u8]| {
    let whole = read_request(input);
    let mut reader = RequestReader::default();
    let grown = (0..=input.len()).find_map(|end| reader.read(&input[..end]).transpose());
    // The error of an early octet may come before that of a later one; the head may not differ.
    assert_eq!(whole.is_err(), matches!(grown, Some(Err(_))));
    let seen = glimpse(input);
    let Ok(Some((head, length))) = whole else {
        return;
    };
    let read = Glimpse::Request(head.method.clone(), head.target.clone());
    assert_eq!(seen, Some(read));
    assert_eq!(grown, Some(Ok((head.clone(), length))));
    check_against_httparse(&input[..length], &head);
    if let Some(path) = head.target.path() {
        check_path(path);
    }
    for form in [TargetForm::Origin, TargetForm::Absolute] {
        check_written(&head, form);
    }
});

fn check_written(head: &RequestHead, form: TargetForm) {
    let mut wire = Vec::new();
    write_request(head, form, &mut wire);
    let (again, length) = read_request(&wire).unwrap().unwrap();
    assert_eq!(length, wire.len());
    assert_eq!(again.target.path(), head.target.path());
    assert_eq!(again.target.query(), head.target.query());
    let expected = RequestHead {
        target: again.target.clone(),
        version: Version::Http11,
        ..head.clone()
    };
    assert_eq!(again, expected);
    let mut twice = Vec::new();
    write_request(&again, form, &mut twice);
    assert_eq!(twice, wire);
}

fn check_path(path: &str) {
    assert!(path == "*" || path.starts_with('/'));
    assert!(!path.contains("//") && !path.contains(['\\', '?', '#', ' ']));
    assert!(
        path.split('/')
            .all(|segment| segment != "." && segment != "..")
    );
    let plain: Vec<_> = path
        .split('/')
        .filter(|segment| !is_scoped(segment))
        .collect();
    let upper = plain.join("/").to_ascii_uppercase();
    for hidden in ["%2F", "%5C", "%2E", "%00", "%0D", "%0A"] {
        assert!(!upper.contains(hidden));
    }
}

/// Whether a segment is `@scope%2Fname`, in which alone an encoded slash may be.
fn is_scoped(segment: &str) -> bool {
    let name = segment.strip_prefix('@');
    let parts = name.and_then(|name| name.split_once("%2F"));
    let is_part = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.contains('%');
    parts.is_some_and(|(scope, name)| is_part(scope) && is_part(name))
}

fn check_against_httparse(wire: &[u8], head: &RequestHead) {
    let mut fields = [httparse::EMPTY_HEADER; HTTP_FIELDS * 2];
    let mut theirs = httparse::Request::new(&mut fields);
    match theirs.parse(wire) {
        Ok(status) => assert_eq!(status, httparse::Status::Complete(wire.len())),
        // It counts the fields that we take out too.
        Err(httparse::Error::TooManyHeaders) => return,
        Err(error) => panic!("httparse refuses what we read: {error}"),
    }
    assert_eq!(theirs.method, Some(head.method.as_str()));
    let chunked = theirs
        .headers
        .iter()
        .any(|field| field.name.eq_ignore_ascii_case("transfer-encoding"));
    assert_eq!(chunked, head.body == BodyKind::Chunked);
    let mut theirs = theirs.headers.iter();
    for (name, value) in head.headers.iter() {
        assert!(theirs.any(|their| their.name == name && their.value == value));
    }
}
