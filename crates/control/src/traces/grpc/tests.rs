use ringfence_model::Secret;

use super::*;

fn response(status: u16, trailers: &[(&str, &str)], body: &[u8]) -> OwnResponse {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    OwnResponse {
        status,
        headers: Vec::new(),
        body: Secret::new(body),
        trailers: trailers.iter().map(owned).collect(),
    }
}

fn status(trailers: &[(&str, &str)]) -> Status {
    answered(&response(200, trailers, b"")).unwrap_err()
}

#[test]
fn a_message_stands_behind_its_length() {
    assert_eq!(framed(b"abc"), b"\0\0\0\0\x03abc");
    let taken = response(200, &[("grpc-status", "0")], &framed(b"abc"));
    assert_eq!(answered(&taken), Ok(b"abc".as_slice()));
}

#[test]
fn what_was_taken_is_taken_whatever_its_message() {
    for body in [
        &b""[..],
        b"\0\0\0",
        b"\0\0\0\0\x04abc",
        b"\x01\0\0\0\x03abc",
    ] {
        let taken = response(200, &[("grpc-status", "0")], body);
        assert_eq!(answered(&taken), Ok(b"".as_slice()), "{body:?}");
    }
}

#[test]
fn a_status_is_found_after_the_answer_or_in_its_place() {
    let refused = [("grpc-status", "3"), ("grpc-message", "too%20many%0Aspans")];
    let after = status(&refused);
    assert_eq!(
        (after.code, after.words.as_str()),
        (Code::Grpc(3), "too many\nspans")
    );
    let mut alone = response(200, &[], b"");
    alone.headers = vec![("grpc-status".to_owned(), "3".to_owned())];
    assert_eq!(answered(&alone).unwrap_err().code, Code::Grpc(3));
    for trailers in [&[][..], &[("grpc-status", "x")], &[("grpc-status", "-1")]] {
        assert_eq!(status(trailers).code, Code::Grpc(UNKNOWN), "{trailers:?}");
    }
    let http = response(404, &[("grpc-status", "0")], b"");
    assert_eq!(answered(&http).unwrap_err().code, Code::Http(404));
}

#[test]
fn some_codes_pass_by() {
    let passing = |code: u32| status(&[("grpc-status", &code.to_string())]).is_passing();
    let found: Vec<u32> = (1..=16).filter(|code| passing(*code)).collect();
    assert_eq!(found, [1, 4, 10, 11, 14, 15]);
    let http = |status: u16| answered(&response(status, &[], b"")).unwrap_err();
    let found: Vec<u16> = (300..600)
        .filter(|status| http(*status).is_passing())
        .collect();
    assert_eq!(found, [429, 502, 503, 504]);
}

#[test]
fn exhausted_resources_pass_by_where_the_collector_says_when() {
    // google.rpc.Status { code: 8, details: [RetryInfo { retry_delay: 2 s }] }
    const DETAILS: &str =
        "CAgaMAoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIECgIIAg==";
    for text in [DETAILS, DETAILS.trim_end_matches('=')] {
        let exhausted = status(&[("grpc-status", "8"), ("grpc-status-details-bin", text)]);
        assert_eq!(exhausted.after, Some(Duration::from_secs(2)), "{text}");
        assert!(exhausted.is_passing());
    }
    let long = "A".repeat(DETAILS_OCTETS + 4);
    for text in ["!", "AAAA", long.as_str()] {
        let exhausted = status(&[("grpc-status", "8"), ("grpc-status-details-bin", text)]);
        assert!(!exhausted.is_passing(), "{text}");
    }
}
