use super::*;

const KEYS: &str = "<Credentials><AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>s</SecretAccessKey>\
    <SessionToken>t==</SessionToken><Expiration>2026-11-22T13:00:00Z</Expiration></Credentials>";

fn answer(content_type: &str, body: &str) -> Answer {
    Answer {
        status: 200,
        content_type: Some(content_type.to_owned()),
        body: Secret::new(body),
        time: "2026-11-22T12:00:00Z".parse().unwrap(),
        date: None,
        hidden: Hidden::default(),
    }
}

fn plan() -> AssumeRole<'static> {
    AssumeRole {
        endpoint: Endpoint::parse("https://sts.test").unwrap(),
        keys: SigV4 {
            access_key: "AKID".to_owned(),
            secret_key: Secret::new("base"),
            session_token: None,
            region: "eu-central-1".to_owned(),
            service: "sts".to_owned(),
        },
        role: "arn:aws:iam::1:role/x",
        session: "x",
        external_id: None,
        seconds: 3600,
        service: "s3",
    }
}

#[test]
fn the_keys_of_an_answer_are_read() {
    let keys = plan().keys(&answer("text/xml; charset=utf-8", KEYS));
    let Keys { keys, expires } = keys.ok().unwrap();
    assert_eq!(
        (keys.access_key.as_str(), keys.service.as_str()),
        ("ASIA1", "s3")
    );
    assert_eq!(keys.secret_key, Secret::new("s"));
    assert_eq!(keys.session_token, Some(Secret::new("t==")));
    assert_eq!(expires, "2026-11-22T13:00:00Z".parse().unwrap());
}

#[test]
fn what_has_two_readings_makes_no_keys() {
    let twice = KEYS.repeat(2);
    for (from, to) in [
        (KEYS, twice.as_str()),
        (
            "<AccessKeyId>ASIA1",
            "<AccessKeyId>ASIA2</AccessKeyId><AccessKeyId>ASIA1",
        ),
        ("ASIA1", "ASIA1<!-- x -->"),
        ("ASIA1", "<![CDATA[ASIA1]]>"),
        ("ASIA1", "ASIA/1"),
        ("ASIA1", ""),
        ("<SecretAccessKey>s", "<SecretAccessKey>&#115;"),
        ("<SecretAccessKey>s", "<SecretAccessKey>s\r\nx: y"),
        ("<SessionToken>t==</SessionToken>", ""),
        ("2026-11-22T13:00:00Z", "2026-11-22T14:00:00Z"),
        ("2026-11-22T13:00:00Z", "2026-11-22T12:00:00Z"),
        ("2026-11-22T13:00:00Z", "soon"),
    ] {
        let body = KEYS.replace(from, to);
        assert_ne!(body, KEYS, "{from}");
        let read = plan().keys(&answer("text/xml", &body));
        assert!(matches!(read, Err(MintError::Malformed(_))), "{to}");
    }
    assert!(plan().keys(&answer("text/html", KEYS)).is_err());
}
