//! Signed assertions: Salesforce and Google.

use ringfence_testkit::api::{Api, ApiResponse};
use ringfence_testkit::issuer::keys::ClientKey;
use ringfence_testkit::issuer::salesforce;
use serde_json::json;

use super::*;

pub(super) fn salesforce_user(key: &ClientKey, host: &str) -> (Definition, Secrets) {
    let settings = [
        (
            "token_url",
            "https://login.salesforce.com/services/oauth2/token",
        ),
        ("issuer", salesforce::CONSUMER_KEY),
        ("subject", salesforce::USER),
        ("audience", "https://login.salesforce.com"),
    ];
    let secrets = [("private_key", key.private_pem.as_str())];
    credential(Kind::JwtBearer, host, &settings, &secrets)
}

#[tokio::test]
async fn a_signed_assertion_is_traded_for_a_session_of_one_host() {
    let mut world = World::new();
    let key = world.rsa();
    let server = world.salesforce(&key);
    for host in [salesforce::INSTANCE, "*.my.salesforce.com"] {
        let given = salesforce_user(&key, host);
        let minted = world.mint(&given).await.unwrap();
        assert!(server.accepts(&token(&minted, &given.1)));
        let instance = minted.host.as_ref().map(HostName::as_str);
        assert_eq!(
            (instance, minted.expires),
            (Some(salesforce::INSTANCE), None)
        );
    }
    for elsewhere in [
        "https://evil.test",
        "https://acme.my.salesforce.com.evil.test",
        "",
    ] {
        server.move_to(elsewhere);
        let error = world
            .mint(&salesforce_user(&key, "*.my.salesforce.com"))
            .await
            .unwrap_err();
        assert!(error.to_string().contains("instance_url"), "{error}");
    }
}

#[tokio::test]
async fn an_assertion_of_another_key_is_refused() {
    let mut world = World::new();
    let key = world.rsa();
    let _server = world.salesforce(&key);
    let other = ClientKey::rsa(&world.workdir, "other").unwrap();
    let error = world
        .mint(&salesforce_user(&other, salesforce::INSTANCE))
        .await
        .unwrap_err();
    assert_eq!(
        error,
        MintError::Refused("invalid_grant: invalid assertion".to_owned())
    );
}

fn service_account(key: &ClientKey, token_uri: &str) -> (Definition, Secrets) {
    let file = json!({
        "type": "service_account",
        "project_id": "acme",
        "private_key_id": "key-1",
        "private_key": key.private_pem,
        "client_email": "agent@acme.iam.gserviceaccount.com",
        "token_uri": token_uri,
    });
    let settings = [(
        "scope",
        "https://www.googleapis.com/auth/devstorage.read_only",
    )];
    let secrets = [("key", file.to_string())];
    let secrets = secrets
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    credential(
        Kind::GcpServiceAccount,
        "storage.googleapis.com",
        &settings,
        &secrets,
    )
}

#[tokio::test]
async fn the_key_file_of_a_service_account_is_traded_for_a_token() {
    let mut world = World::new();
    let key = world.rsa();
    let verifier = world.verifier(&key);
    let google = Api::start(
        &world.workdir,
        &world.ca,
        &["oauth2.googleapis.com"],
        move |request| {
            let assertion = request.form("assertion").unwrap_or_default();
            let is_sound = verifier.read(&assertion).is_ok_and(|jwt| {
                jwt.header["kid"] == "key-1"
                    && jwt.claim("iss") == "agent@acme.iam.gserviceaccount.com"
                    && jwt.claim("aud") == "https://oauth2.googleapis.com/token"
                    && jwt.claim("scope").ends_with("devstorage.read_only")
                    && jwt.check_times(3600).is_ok()
            });
            match is_sound {
                true => ApiResponse::json(
                    200,
                    &json!({"access_token": "ya29.c", "token_type": "Bearer", "expires_in": 3599}),
                ),
                false => ApiResponse::json(
                    400,
                    &json!({"error": "invalid_grant", "error_description": "Invalid JWT Signature."}),
                ),
            }
        },
    );
    let google = google.unwrap();
    world.lead(&["oauth2.googleapis.com"], google.https());
    let given = service_account(&key, "https://oauth2.googleapis.com/token");
    let minted = world.mint(&given).await.unwrap();
    assert_eq!(token(&minted, &given.1), "ya29.c");
    let other = ClientKey::rsa(&world.workdir, "other").unwrap();
    let error = world
        .mint(&service_account(
            &other,
            "https://oauth2.googleapis.com/token",
        ))
        .await;
    let expected = "invalid_grant: Invalid JWT Signature.";
    assert_eq!(error.unwrap_err(), MintError::Refused(expected.to_owned()));
}

#[test]
fn the_token_uri_of_a_key_file_leads_to_google_unless_a_setting_says_where() {
    let world = World::new();
    let key = world.rsa();
    for uri in [
        "https://evil.test/token",
        "http://oauth2.googleapis.com/token",
        "https://oauth2.googleapis.com:8443/token",
        "https://oauth2.googleapis.com.evil.test/token",
        "https://oauth2.googleapis.com@evil.test/token",
        "",
    ] {
        let (mut definition, secrets) = service_account(&key, uri);
        let error = check(&definition, &secrets).unwrap_err();
        assert!(error.to_string().contains("token_uri"), "{uri}: {error}");
        assert_tells_nothing(&error, &secrets);
        let setting = "https://sts.acme.test/token".to_owned();
        definition.settings.insert("token_url".to_owned(), setting);
        assert_eq!(check(&definition, &secrets), Ok(()), "{uri}");
    }
    for file in [
        "",
        "hunter2",
        "{}",
        r#"{"type":"authorized_user","client_secret":"hunter2"}"#,
    ] {
        let mut given = service_account(&key, "");
        given.1.set("key", Secret::new(file));
        let error = check(&given.0, &given.1).unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
