use super::*;
use crate::limits::{GUESSABLE_PLACES, WITHHELD_VALUES};
use crate::pipeline::SigV4;

fn material(name: &str, secrets: &[&str]) -> Material {
    Material {
        name: name.parse().unwrap(),
        version: 1,
        injections: Vec::new(),
        value: secrets.first().map(|value| Secret::new(*value)),
        secrets: secrets.iter().map(|value| Secret::new(*value)).collect(),
        minted: true,
    }
}

/// What a response is searched for where one value was given out.
pub(in crate::forward) fn withholding(value: &str) -> Withholding {
    let withheld = Withheld::default();
    withheld
        .add(&material("a", &[value]), &host("api.test"))
        .unwrap();
    withheld.from(None, Some(&host("api.test")))
}

fn host(name: &str) -> Host {
    Host::Name(name.parse().unwrap())
}

fn token(number: usize) -> String {
    format!("token-number-{number}-of-the-issuer")
}

fn hides(withholding: &mut Withholding, value: &str) -> bool {
    withholding.hidden().set.finds(value.as_bytes())
}

#[test]
fn a_credential_that_does_not_say_what_to_hide_hides_all_that_it_injects() {
    let keys = SigV4 {
        access_key: "AKIDEXAMPLE".to_owned(),
        secret_key: Secret::new("the secret key"),
        session_token: Some(Secret::new("the session token")),
        region: "eu-central-1".to_owned(),
        service: "s3".to_owned(),
    };
    let material = Material {
        injections: vec![Injection::SigV4(keys)],
        ..material("aws", &[])
    };
    let hidden = values(&material);
    let hidden: Vec<&[u8]> = hidden.iter().map(Secret::expose).collect();
    assert_eq!(hidden, [&b"the secret key"[..], b"the session token"]);
}

#[test]
fn what_one_credential_adds_every_response_is_searched_for_at_once() {
    let withheld = Withheld::default();
    let mut before = withheld.from(None, None);
    assert!(withheld.is_empty() && before.newer().is_none());
    withheld
        .add(
            &material("a", &["value 1 of credential a"]),
            &host("api.test"),
        )
        .unwrap();
    assert!(
        before
            .newer()
            .is_some_and(|set| set.finds(b"value 1 of credential a"))
    );
    assert!(before.newer().is_none());
    let b = "b".parse().unwrap();
    for mut after in [withheld.from(None, None), withheld.from(Some(&b), None)] {
        assert!(hides(&mut after, "value 1 of credential a"));
    }
    assert!(!withheld.is_empty());
}

#[test]
fn the_same_values_again_are_no_new_generation() {
    let withheld = Withheld::default();
    withheld
        .add(
            &material("a", &["value 1 of credential a"]),
            &host("api.test"),
        )
        .unwrap();
    let mut follows = withheld.from(None, None);
    for _ in 0..5 {
        withheld
            .add(
                &material("a", &["value 1 of credential a"]),
                &host("api.test"),
            )
            .unwrap();
    }
    assert!(follows.newer().is_none());
    assert_eq!(withheld.given.lock().unwrap().everywhere().len(), 1);
}

fn add(given: &mut Given, name: &str, values: &[&str]) -> Result<bool, String> {
    let values = values.iter().map(|value| Secret::new(*value)).collect();
    let values = Values {
        shared: values,
        ..Values::default()
    };
    given.add(&name.parse().unwrap(), values)
}

#[test]
fn of_many_generations_the_oldest_are_forgotten_and_never_the_last_two() {
    let mut given = Given::default();
    add(&mut given, "fixed", &["never changed"]).unwrap();
    let last = 3 * WITHHELD_VALUES;
    for number in 0..=last {
        add(&mut given, "minted", &[&token(number), "base"]).unwrap();
    }
    let held = given.everywhere();
    assert_eq!(held.len(), WITHHELD_VALUES);
    for value in [&token(last), &token(last - 1), "never changed", "base"] {
        assert!(held.contains(&Secret::new(value)), "{value}");
    }
    assert!(!held.contains(&Secret::new(token(0))));
}

#[test]
fn a_value_that_could_not_be_searched_for_beside_those_in_use_is_not_given_out() {
    let mut given = Given::default();
    for number in 0..WITHHELD_VALUES {
        let name = format!("credential-{number}");
        add(&mut given, &name, &[&token(number)]).unwrap();
    }
    let withheld = Withheld::default();
    *withheld.given.lock().unwrap() = given.clone();
    let refused = withheld.add(
        &material("more", &["one too many of them: 64"]),
        &host("api.test"),
    );
    assert!(refused.unwrap_err().contains("values to keep from"));
    assert_eq!(
        withheld.given.lock().unwrap().everywhere().len(),
        WITHHELD_VALUES
    );
    // There is room left for the signature of a request.
    let hidden = Hidden::new(&given.everywhere()).unwrap();
    let signed = hidden.with(&Secret::new("0123456789abcdef")).unwrap();
    assert!(signed.set.finds(b"0123456789abcdef"));
}

#[test]
fn a_signature_stays_searched_for_when_another_value_is_added() {
    let withheld = Withheld::default();
    let mut follows = withheld.from(None, None);
    let mut headers = HeaderMap::new();
    let signed = "AWS4-HMAC-SHA256 Signature=0123456789abcdef";
    headers.insert(AUTHORIZATION, signed.parse().unwrap());
    follows.sign(&headers).unwrap();
    withheld
        .add(
            &material("a", &["value 1 of credential a"]),
            &host("api.test"),
        )
        .unwrap();
    for value in ["0123456789abcdef", "value 1 of credential a"] {
        assert!(hides(&mut follows, value), "{value}");
    }
}

#[test]
fn a_private_key_is_searched_for_in_the_responses_of_its_own_credential() {
    const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END";
    let withheld = Withheld::default();
    withheld
        .add(
            &material("app", &["the token 1 of the app", KEY]),
            &host("api.test"),
        )
        .unwrap();
    withheld
        .add(
            &material("other", &["another token 2 of it"]),
            &host("api.test"),
        )
        .unwrap();
    let app = "app".parse().unwrap();
    let mut own = withheld.from(Some(&app), None);
    let mut others = withheld.from(None, None);
    for value in ["the token 1 of the app", "another token 2 of it"] {
        assert!(
            hides(&mut own, value) && hides(&mut others, value),
            "{value}"
        );
    }
    assert!(hides(&mut own, KEY));
    assert!(!others.hidden().set.spans_lines());
    // One that is sent as it is, is searched for everywhere.
    withheld
        .add(
            &material("lines", &["a value 1\nof two lines"]),
            &host("api.test"),
        )
        .unwrap();
    assert!(hides(&mut others, "a value 1\nof two lines"));
}

#[test]
fn a_value_that_could_be_guessed_is_searched_for_where_it_was_sent_alone() {
    let withheld = Withheld::default();
    let (here, there) = (host("api.test"), host("evil.test"));
    let encoded = "Basic YWRtaW46aHVudGVyMmh1bnRlcjI=";
    let basic = Material {
        minted: false,
        ..material("a", &["hunter2hunter2", encoded])
    };
    let mut before = withheld.from(None, Some(&here));
    withheld.add(&basic, &here).unwrap();
    withheld.add(&material("b", &[&token(1)]), &there).unwrap();
    let a = "a".parse().unwrap();
    for mut inside in [
        withheld.from(None, Some(&here)),
        withheld.from(Some(&a), Some(&here)),
    ] {
        for value in ["hunter2hunter2", encoded, &token(1)] {
            assert!(hides(&mut inside, value), "{value}");
        }
    }
    assert!(hides(&mut before, "hunter2hunter2"));
    for mut outside in [withheld.from(None, Some(&there)), withheld.from(None, None)] {
        assert!(hides(&mut outside, &token(1)));
        // What it is sent as says as much of it.
        for value in ["hunter2hunter2", encoded] {
            assert!(!hides(&mut outside, value), "{value}");
        }
    }
    let redirected = before.at(&withheld, &there).hidden();
    assert!(!redirected.set.finds(b"hunter2hunter2"));
    // Where it is sent as well, it is searched for as well, and responses that last go over to it.
    let mut lasts = withheld.from(None, Some(&there));
    withheld.add(&basic, &there).unwrap();
    assert!(hides(&mut lasts, "hunter2hunter2"));
}

#[test]
fn a_minted_token_is_searched_for_everywhere_though_it_was_minted_with_a_password() {
    let withheld = Withheld::default();
    let minted = material("a", &[&token(1), "hunter2"]);
    withheld.add(&minted, &host("api.test")).unwrap();
    let mut outside = withheld.from(None, None);
    assert!(hides(&mut outside, &token(1)) && !hides(&mut outside, "hunter2"));
}

#[test]
fn a_value_that_could_be_guessed_and_a_private_key_are_both_searched_for() {
    const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END";
    let withheld = Withheld::default();
    let here = host("api.test");
    let own = material("app", &[&token(1), KEY]);
    withheld.add(&own, &here).unwrap();
    let other = material("other", &["hunter2"]);
    withheld.add(&other, &here).unwrap();
    let app = "app".parse().unwrap();
    let mut both = withheld.from(Some(&app), Some(&here));
    assert!(hides(&mut both, KEY) && hides(&mut both, "hunter2"));
}

#[test]
fn a_credential_that_could_be_guessed_is_used_with_so_many_hosts() {
    let withheld = Withheld::default();
    let basic = material("a", &["hunter2"]);
    for number in 0..GUESSABLE_PLACES {
        let host = host(&format!("h{number}.test"));
        withheld.add(&basic, &host).unwrap();
        withheld.add(&basic, &host).unwrap();
    }
    let refused = withheld.add(&basic, &host("more.test")).unwrap_err();
    assert!(refused.contains("could be guessed"), "{refused}");
    let long = material("b", &[&token(1)]);
    withheld.add(&long, &host("more.test")).unwrap();
}
