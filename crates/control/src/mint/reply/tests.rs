use ringfence_model::Scheme;

use super::super::words::Hidden;
use super::*;

const NOW: &str = "2026-11-22T12:00:00Z";

fn answer(status: u16, content_type: Option<&str>, body: &str) -> Answer {
    Answer {
        status,
        content_type: content_type.map(str::to_owned),
        body: Secret::new(body),
        time: NOW.parse().unwrap(),
        date: None,
        hidden: Hidden::default().with(vec![Secret::new("the-client-secret")]),
    }
}

fn read(body: &str) -> Result<Token, MintError> {
    token(&answer(200, Some("application/json;charset=UTF-8"), body))
}

/// A reply with these members beside a good token and type.
fn with(members: &str) -> Result<Token, MintError> {
    read(&format!(
        r#"{{"access_token":"good-token","token_type":"Bearer"{members}}}"#
    ))
}

fn words(result: Result<Token, MintError>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn a_reply_of_the_standard_is_a_token() {
    let token = with(r#","expires_in":3600,"refresh_token":"next","scope":"a b","x":[{}]"#);
    let token = token.unwrap();
    assert_eq!(token.access_token, Secret::new("good-token"));
    assert_eq!(token.refresh_token, Some(Secret::new("next")));
    assert_eq!(token.expires, Some("2026-11-22T13:00:00Z".parse().unwrap()));
    for members in ["", r#","expires_in":null,"refresh_token":null"#] {
        let token = with(members).unwrap();
        assert_eq!((token.expires, token.refresh_token), (None, None));
    }
    let lower = r#"{"access_token":"00D!AQ.~+/=","token_type":"bearer","expires_in":"60"}"#;
    assert!(read(lower).unwrap().expires.is_some());
}

#[test]
fn a_reply_that_is_no_token_makes_none() {
    for body in [
        "",
        "<!DOCTYPE html><html>canary</html>",
        "access_token=canary&token_type=Bearer",
        "[]",
        "null",
        "\"canary\"",
        r#"{"access_token":"canary""#,
        r#"{"access_token":"canary","token_type":"Bearer"} trailing"#,
        r#"{"access_token":"canary","access_token":"b","token_type":"Bearer"}"#,
        r#"{"access_token":["canary"],"token_type":"Bearer"}"#,
        r#"{"access_token":7,"token_type":"Bearer"}"#,
        r#"{"access_token":"canary","token_type":"Bearer","expires_in":[1]}"#,
        r#"{"access_token":"canary","token_type":"Bearer","instance_url":1}"#,
    ] {
        let shown = words(read(body));
        assert!(
            shown.contains("not usable") && !shown.contains("canary"),
            "{shown}"
        );
    }
    let deep = "[".repeat(100_000);
    assert!(read(&deep).is_err());
}

#[test]
fn the_type_must_be_bearer() {
    for kind in [
        r#""mac""#,
        r#""""#,
        r#""Bearer ""#,
        r#""DPoP""#,
        "null",
        r#""bearer\u0000""#,
    ] {
        let body = format!(r#"{{"access_token":"canary","token_type":{kind}}}"#);
        assert!(words(read(&body)).contains("token_type"), "{kind}");
    }
    assert!(words(read(r#"{"access_token":"canary"}"#)).contains("token_type"));
    assert!(read(r#"{"access_token":"canary","token_type":1}"#).is_err());
}

#[test]
fn a_token_that_would_break_a_header_is_refused() {
    for token in [
        "",
        " ",
        "a b",
        "a\\r\\nx-evil: 1",
        "a\\n",
        "a\\u0000",
        "a\\tb",
        "\\u007f",
        "tökén",
        "a\\u2028b",
    ] {
        let access = format!(r#"{{"access_token":"{token}","token_type":"Bearer"}}"#);
        assert!(words(read(&access)).contains("`access_token`"), "{token}");
        let refresh = with(&format!(r#","refresh_token":"{token}""#));
        assert!(words(refresh).contains("`refresh_token`"), "{token}");
    }
    let long = "a".repeat(TOKEN_OCTETS + 1);
    let body = format!(r#"{{"access_token":"{long}","token_type":"Bearer"}}"#);
    assert!(words(read(&body)).contains("longer"));
    let missing = read(r#"{"token_type":"Bearer"}"#);
    assert!(words(missing).contains("`access_token` is missing"));
}

#[test]
fn a_life_that_cannot_be_is_refused() {
    for seconds in [
        "0",
        "-1",
        "-9223372036854775808",
        "18446744073709551615",
        "316224001",
        "99999999999999999999999",
        "1.5",
        "1e3",
        "true",
        "{}",
        r#""""#,
        r#""-5""#,
        r#""+5""#,
        r#""1h""#,
        r#"" 5""#,
    ] {
        let read = with(&format!(r#","expires_in":{seconds}"#));
        assert!(read.is_err(), "{seconds}");
    }
}

#[test]
fn only_the_expected_status_and_type_are_read() {
    let good = r#"{"access_token":"canary","token_type":"Bearer"}"#;
    let json = Some("application/json");
    for (status, content_type, expected) in [
        (200, Some("text/html"), "type is not"),
        (200, Some("application/jsonp"), "type is not"),
        (200, Some("text/json"), "type is not"),
        (200, None, "type is not"),
        (201, json, "status 201 is not expected"),
        (204, json, "status 204 is not expected"),
        (302, json, "redirect"),
        (400, json, "refused: it answered with status 400"),
        (401, None, "refused: it answered with status 401"),
        (429, json, "cannot be reached: it answered with status 429"),
        (500, json, "cannot be reached: it answered with status 500"),
        (
            503,
            Some("text/html"),
            "cannot be reached: it answered with status 503",
        ),
        (100, json, "status 100 is not expected"),
        (999, json, "status 999 is not expected"),
    ] {
        let shown = words(token(&answer(status, content_type, good)));
        assert!(
            shown.contains(expected),
            "{status} {content_type:?}: {shown}"
        );
        assert!(!shown.contains("canary"), "{shown}");
    }
    assert!(token(&answer(200, Some("application/token+json"), good)).is_ok());
    assert!(token(&answer(200, Some("Application/JSON"), good)).is_ok());
}

#[test]
fn a_refusal_is_shown_in_its_own_words_without_secrets() {
    let refused = |body: &str| words(token(&answer(400, Some("application/json"), body)));
    let plain = r#"{"error":"invalid_scope","error_description":"no such scope"}"#;
    assert_eq!(
        refused(plain),
        "its issuer refused: invalid_scope: no such scope"
    );
    let telling = r#"{"error":"invalid_client","error_description":"not the-client-secret"}"#;
    assert!(
        !refused(telling).contains("the-client"),
        "{}",
        refused(telling)
    );
}

#[test]
fn the_instance_must_be_a_host_of_the_credential() {
    let exact = Binding::parse("acme.my.salesforce.com", None, Scheme::Https).unwrap();
    let below = Binding::parse("*.my.salesforce.com", None, Scheme::Https).unwrap();
    let good = "https://acme.my.salesforce.com";
    for binding in [&exact, &below] {
        assert_eq!(
            instance(binding, good).unwrap().as_str(),
            "acme.my.salesforce.com"
        );
        for url in [
            "https://evil.test",
            "https://acme.my.salesforce.com.evil.test",
            "https://acme.my.salesforce.com:8443",
            "http://acme.my.salesforce.com",
            "https://acme.my.salesforce.com@evil.test",
            "https://192.0.2.1",
            "acme.my.salesforce.com",
            "",
        ] {
            let shown = instance(binding, url).unwrap_err().to_string();
            assert!(
                shown.contains("instance_url") && !shown.contains("evil"),
                "{url}"
            );
        }
    }
    assert!(instance(&exact, "https://other.my.salesforce.com").is_err());
}
