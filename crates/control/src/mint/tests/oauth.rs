//! OAuth 2.0 with a secret of the client.

use ringfence_testkit::issuer::{CLIENT_ID, CLIENT_SECRET};

use super::*;

const TOKEN_URL: (&str, &str) = ("token_url", "https://login.acme.test/token");

#[tokio::test]
async fn client_credentials_are_traded_for_a_token() {
    let mut world = World::new();
    let server = world.oauth();
    for client_auth in ["basic", "body"] {
        let settings = [
            TOKEN_URL,
            ("client_id", CLIENT_ID),
            ("client_auth", client_auth),
            ("scope", "read write"),
            ("parameters", "tenant=a%26b&x=1"),
        ];
        let secrets = [("client_secret", CLIENT_SECRET)];
        let given = credential(
            Kind::Oauth2ClientCredentials,
            "api.acme.test",
            &settings,
            &secrets,
        );
        let minted = world.mint(&given).await.unwrap();
        assert!(server.accepts(&token(&minted, &given.1)), "{client_auth}");
        assert!((3590..=3600).contains(&life(&minted, Timestamp::now)));
        assert!(minted.replaced.is_empty() && minted.host.is_none());
    }
    let [basic, body] = server.requests().try_into().unwrap();
    assert_eq!(basic.form("scope").as_deref(), Some("read write"));
    assert_eq!(basic.form("tenant").as_deref(), Some("a&b"));
    assert!(basic.header("authorization").is_some() && basic.form("client_secret").is_none());
    assert!(body.header("authorization").is_none() && body.form("client_secret").is_some());
}

#[tokio::test]
async fn a_wrong_secret_is_refused_in_the_issuers_words() {
    let mut world = World::new();
    let _server = world.oauth();
    let settings = [TOKEN_URL, ("client_id", CLIENT_ID)];
    let secrets = [("client_secret", "hunter2")];
    let given = credential(
        Kind::Oauth2ClientCredentials,
        "api.acme.test",
        &settings,
        &secrets,
    );
    let error = world.mint(&given).await.unwrap_err();
    assert_eq!(
        error,
        MintError::Refused("invalid_client: who is that?".to_owned())
    );
}

#[tokio::test]
async fn a_refresh_token_that_is_replaced_is_given_back_to_be_kept() {
    let mut world = World::new();
    let server = world.oauth();
    let first = server.refresh_token().unwrap();
    let settings = [TOKEN_URL, ("client_id", CLIENT_ID)];
    let secrets = [
        ("client_secret", CLIENT_SECRET),
        ("refresh_token", first.as_str()),
    ];
    let mut given = credential(
        Kind::Oauth2RefreshToken,
        "api.acme.test",
        &settings,
        &secrets,
    );
    for _ in 0..3 {
        let minted = world.mint(&given).await.unwrap();
        assert!(server.accepts(&token(&minted, &given.1)));
        let next = minted.replaced.get("refresh_token").unwrap();
        assert_eq!(Some(next.clone()), server.refresh_token().map(Secret::new));
        given.1.set("refresh_token", next.clone());
    }
    given.0.source = Some("file:/run/secrets/refresh".parse().unwrap());
    let error = world.mint(&given).await.unwrap_err();
    assert!(error.to_string().contains("cannot be kept"), "{error}");
}
