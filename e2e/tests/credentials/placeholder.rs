//! Tokens that are replaced where the client put them, in the places that belong to a credential: header, Basic password, the query of a
//! credential that goes there, and named fields of the body. Anywhere else they are refused.

use ringfence_testkit::api::echo;
use serde_json::json;

use super::desk::{Desk, SECRET, acme_profile};

const SEND: &str = r#"
set -e
echo "$API_TOKEN" > token
curl -sS --fail -o a -H "X-Api-Key: key $API_TOKEN" https://api.acme.test/header
curl -sS --fail -o b -u "user:$API_TOKEN" https://api.acme.test/basic
curl -sS --fail -o d -H 'Content-Type: application/json' -d "{\"client_secret\":\"$API_TOKEN\",\"n\":1.50}" https://api.acme.test/json
curl -sS --fail -o e -d "grant_type=password&client_secret=$API_TOKEN" https://api.acme.test/form
curl -sS --fail -o f https://api.acme.test/none
refused() { curl -sS -o refused -w '%{http_code} ' "$@"; grep -c 'no credential belongs' refused; }
refused -H 'Content-Type: application/json' -d "{\"title\":\"$API_TOKEN\"}" https://api.acme.test/elsewhere
refused "https://api.acme.test/query?a=1&key=$API_TOKEN&b=2"
refused -H "X-Title: $API_TOKEN" https://api.acme.test/header
refused "https://api.acme.test/path/$API_TOKEN"
"#;

#[test]
fn a_token_is_replaced_where_it_stands_and_escaped_as_it_must_be_there() {
    let mut desk = Desk::new();
    let api = desk.api("api.acme.test", echo);
    desk.acme("auth: placeholder, tokenFields: [\"/client_secret\"]");
    let ended = desk.host.run().profile("api").sh(SEND);
    assert_eq!(ended.code, 0, "{ended}");
    let token = desk.read("token").trim().to_owned();
    assert_eq!(ended.stdout, "403 1\n".repeat(4), "{ended}");
    let [header, basic, document, form, none] = api.requests().try_into().unwrap();
    assert_eq!(
        header.header("x-api-key"),
        Some(format!("key {SECRET}").as_str())
    );
    assert_eq!(header.header("authorization"), None);
    // user: and the secret
    let expected = "Basic dXNlcjpzM2NyZXQvS2V5K29mPWFjbWVfNGY5ZDgxYzJ+Nzc=";
    assert_eq!(basic.header("authorization"), Some(expected));
    assert_eq!(document.json()["client_secret"], json!(SECRET));
    assert_eq!(form.form("client_secret").as_deref(), Some(SECRET));
    assert_eq!(
        none.header("authorization"),
        None,
        "nothing is added where nothing stood"
    );
    for name in ["a", "b", "d", "e", "f"] {
        assert!(!desk.read(name).contains(SECRET), "{name}");
    }
    for request in [&header, &basic, &document, &form] {
        assert!(!format!("{request:?}").contains(&token), "{request:?}");
    }
}

const SEND_QUERY: &str = r#"
echo "$API_TOKEN" > token
curl -sS --fail -o a "https://api.acme.test/query?a=1&key=$API_TOKEN&b=2"
"#;

#[test]
fn a_token_in_the_query_is_replaced_where_the_credential_goes_there() {
    let mut desk = Desk::new();
    let api = desk.api("api.acme.test", echo);
    let kept = [
        "acme",
        "--kind",
        "query",
        "--host",
        "api.acme.test",
        "--set",
        "name=key",
    ];
    desk.keep(&kept, SECRET);
    desk.host.profile("api", &acme_profile("auth: placeholder"));
    let ended = desk.host.run().profile("api").sh(SEND_QUERY);
    assert_eq!(ended.code, 0, "{ended}");
    let [query] = api.requests().try_into().unwrap();
    assert_eq!(
        query.query,
        "a=1&key=s3cret%2FKey%2Bof%3Dacme_4f9d81c2~77&b=2"
    );
    assert!(
        !format!("{query:?}").contains(desk.read("token").trim()),
        "{query:?}"
    );
    assert!(!desk.read("a").contains(SECRET));
}
