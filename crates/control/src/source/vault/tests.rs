use super::*;

#[test]
fn a_reference_names_mount_path_and_field() {
    for text in [
        "secret/agents/web#token",
        "kv/a b/c#client secret",
        "secret/ü#x",
    ] {
        assert_eq!(VaultRef::parse(text).unwrap().to_string(), text);
    }
    let encoded = VaultRef::parse("kv/a b/c?d/%2e#x").unwrap().encoded();
    assert_eq!(encoded, "/v1/kv/data/a%20b/c%3Fd/%252e");
    for text in [
        "",
        "secret",
        "secret/agents",
        "secret#token",
        "secret/#token",
        "/agents#token",
        "secret/a#",
        "secret/../sys#token",
        "secret/a//b#token",
        "secret/./b#token",
        "secret/a\r\n#token",
    ] {
        assert_eq!(VaultRef::parse(text), None, "{text}");
    }
    let long = format!("secret/{}#a", "a".repeat(VAULT_PATH_OCTETS));
    assert_eq!(VaultRef::parse(&long), None);
}

fn read(status: u16, body: &str) -> Result<Secret, SourceError> {
    let response = OwnResponse {
        status,
        headers: Vec::new(),
        body: Secret::new(body),
        trailers: Vec::new(),
    };
    parse(&response, "token")
}

#[test]
fn a_field_of_a_versioned_secret_is_read() {
    let body = r#"{"request_id":"x","data":{"data":{"n":1,"f":1.5,"o":{"a":[null]},"l":[{}],"b":true,"z":null,
        "token":"hunter2"},"metadata":{"version":3,"destroyed":false}},"warnings":null}"#;
    assert_eq!(read(200, body).unwrap(), Secret::new("hunter2"));
}

#[test]
fn any_other_answer_gives_nothing_and_is_not_repeated() {
    let with = |data: &str| format!(r#"{{"data":{{"data":{data},"metadata":{{"version":1}}}}}}"#);
    for body in [
        "<html>canary</html>".to_owned(),
        String::new(),
        "{}".to_owned(),
        r#"{"data":{"token":"canary"}}"#.to_owned(),
        r#"{"data":{"data":{"token":"canary"}}}"#.to_owned(),
        with("null"),
        with(r#""canary""#),
        with("{}"),
        with(r#"{"token":""}"#),
        with(r#"{"token":7}"#),
        with(r#"{"token":["canary"]}"#),
        with(r#"{"token":"canary","token":"b"}"#),
        with(r#"{"Token":"canary"}"#),
    ] {
        let shown = read(200, &body).unwrap_err().to_string();
        assert!(
            shown.contains("Vault") && !shown.contains("canary"),
            "{body}: {shown}"
        );
    }
    for (status, expected) in [
        (301, "redirect"),
        (307, "redirect"),
        (403, "may not read"),
        (404, "no such secret"),
        (503, "sealed"),
        (204, "unexpected"),
    ] {
        let shown = read(status, r#"{"errors":["canary"]}"#)
            .unwrap_err()
            .to_string();
        assert!(
            shown.contains(expected) && !shown.contains("canary"),
            "{shown}"
        );
    }
}
