//! GitHub Apps, and clocks that differ.

use jiff::ToSpan;
use ringfence_testkit::issuer::github_app;
use ringfence_testkit::issuer::keys::ClientKey;
use ringfence_testkit::issuer::salesforce;

use super::assertions::salesforce_user;
use super::*;

fn app(key: &ClientKey, repositories: &str, more: &[(&str, &str)]) -> (Definition, Secrets) {
    let mut settings = vec![
        ("app_id", github_app::APP),
        ("installation_id", github_app::INSTALLATION),
        ("repositories", repositories),
        ("permissions", "contents:read,pull_requests:write"),
    ];
    settings.extend(more);
    let secrets = [("private_key", key.private_pem.as_str())];
    credential(Kind::GithubApp, "api.github.com", &settings, &secrets)
}

#[tokio::test]
async fn an_installation_token_is_for_the_named_repositories_only() {
    let mut world = World::new();
    let key = world.rsa();
    let server = world.github(&key, "api.github.com");
    let given = app(&key, "web,handbook", &[]);
    let minted = world.mint(&given).await.unwrap();
    let [issued] = server.issued().try_into().unwrap();
    assert_eq!(token(&minted, &given.1), issued.token);
    assert_eq!(issued.repositories, ["web", "handbook"]);
    assert_eq!(issued.permissions["contents"], "read");
    assert!(!issued.permissions.contains_key("issues"));
    assert!((3590..=3600).contains(&life(&minted, Timestamp::now)));
    let [request] = server.requests().try_into().unwrap();
    assert_eq!(
        request.header("accept"),
        Some("application/vnd.github+json")
    );
    let error = world
        .mint(&app(&key, "web,elsewhere", &[]))
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("does not have all these"),
        "{error}"
    );
}

#[tokio::test]
async fn no_token_is_asked_for_without_repositories_and_permissions() {
    let mut world = World::new();
    let key = world.rsa();
    let server = world.github(&key, "api.github.com");
    for (name, value) in [
        ("repositories", ""),
        ("repositories", " , "),
        ("permissions", ""),
        ("permissions", ","),
        ("installation_id", "7/../8"),
        ("installation_id", "1\r\n"),
        ("app_id", "a b"),
    ] {
        let mut given = app(&key, "web", &[]);
        given.0.settings.insert(name.to_owned(), value.to_owned());
        assert!(
            matches!(check(&given.0, &given.1), Err(MintError::Settings(_))),
            "{name}"
        );
        assert!(
            matches!(check_settings(&given.0), Err(MintError::Settings(_))),
            "{name}"
        );
        let error = world.mint(&given).await.unwrap_err();
        assert!(matches!(error, MintError::Settings(_)), "{name}: {error}");
        given.0.settings.remove(name);
        assert!(check(&given.0, &given.1).is_err(), "{name}");
    }
    assert!(server.requests().is_empty());
    assert_eq!(check_settings(&app(&key, "web", &[]).0), Ok(()));
}

#[tokio::test]
async fn a_github_of_ones_own_is_asked_at_its_own_address() {
    let mut world = World::new();
    let key = world.rsa();
    let server = world.github(&key, "ghe.acme.test");
    let given = app(&key, "web", &[("api_url", "https://ghe.acme.test/api/v3")]);
    world.mint(&given).await.unwrap();
    let [request] = server.requests().try_into().unwrap();
    assert_eq!(request.path, "/api/v3/app/installations/777/access_tokens");
}

#[tokio::test]
async fn a_clock_that_is_five_minutes_wrong_does_not_matter() {
    let mut world = World::new();
    let key = world.rsa();
    let github = world.github(&key, "api.github.com");
    let salesforce = world.salesforce(&key);
    for (clock, count) in [(ahead as fn() -> Timestamp, 2), (behind, 4)] {
        let minted = world.mint_at(&app(&key, "web", &[]), clock).await.unwrap();
        assert!((3590..=3610).contains(&life(&minted, clock)));
        assert_eq!(github.requests().len(), count);
        let given = salesforce_user(&key, salesforce::INSTANCE);
        world.mint_at(&given, clock).await.unwrap();
        assert_eq!(salesforce.requests().len(), count);
    }
    let far = || Timestamp::now() + 2.hours();
    let error = world
        .mint_at(&app(&key, "web", &[]), far)
        .await
        .unwrap_err();
    assert!(matches!(error, MintError::Refused(_)), "{error}");
    assert_eq!(github.requests().len(), 5);
}
