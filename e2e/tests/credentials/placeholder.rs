//! Tokens that are replaced where the client put them: header, Basic password, query and named fields of the body.

use ringfence_testkit::api::echo;
use serde_json::json;

use super::desk::{Desk, SECRET};

const SEND: &str = r#"
set -e
echo "$API_TOKEN" > token
curl -sS --fail -o a -H "X-Api-Key: key $API_TOKEN" https://api.acme.test/header
curl -sS --fail -o b -u "user:$API_TOKEN" https://api.acme.test/basic
curl -sS --fail -o c "https://api.acme.test/query?a=1&key=$API_TOKEN&b=2"
curl -sS --fail -o d -H 'Content-Type: application/json' -d "{\"client_secret\":\"$API_TOKEN\",\"n\":1.50}" https://api.acme.test/json
curl -sS --fail -o e -d "grant_type=password&client_secret=$API_TOKEN" https://api.acme.test/form
curl -sS --fail -o f https://api.acme.test/none
curl -sS --fail -o g -H 'Content-Type: application/json' -d "{\"title\":\"$API_TOKEN\"}" https://api.acme.test/elsewhere
"#;

#[test]
fn a_token_is_replaced_where_it_stands_and_escaped_as_it_must_be_there() {
    let mut desk = Desk::new();
    let api = desk.api("api.acme.test", echo);
    desk.acme("auth: placeholder, tokenFields: [\"/client_secret\"]");
    let ended = desk.host.run().profile("api").sh(SEND);
    assert_eq!(ended.code, 0, "{ended}");
    let token = desk.read("token").trim().to_owned();
    let [header, basic, query, document, form, none, elsewhere] =
        api.requests().try_into().unwrap();
    assert_eq!(
        header.header("x-api-key"),
        Some(format!("key {SECRET}").as_str())
    );
    assert_eq!(header.header("authorization"), None);
    // user: and the secret
    let expected = "Basic dXNlcjpzM2NyZXQvS2V5K29mPWFjbWVfNGY5ZDgxYzJ+Nzc=";
    assert_eq!(basic.header("authorization"), Some(expected));
    assert_eq!(
        query.query,
        "a=1&key=s3cret%2FKey%2Bof%3Dacme_4f9d81c2~77&b=2"
    );
    assert_eq!(document.json()["client_secret"], json!(SECRET));
    let title = elsewhere.json()["title"].clone();
    assert_eq!(title, json!(token), "the rule names another field");
    assert_eq!(form.form("client_secret").as_deref(), Some(SECRET));
    assert_eq!(
        none.header("authorization"),
        None,
        "nothing is added where nothing stood"
    );
    for name in ["a", "b", "c", "d", "e", "f", "g"] {
        assert!(!desk.read(name).contains(SECRET), "{name}");
    }
    for request in [&header, &basic, &query, &form] {
        assert!(!format!("{request:?}").contains(&token), "{request:?}");
    }
}
