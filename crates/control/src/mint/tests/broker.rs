//! The whole way: the vault, the broker, and an issuer whose refresh tokens are good for one use.

use std::path::Path;
use std::sync::Arc;

use ringfence_gateway::{Credentials, Need};
use ringfence_store::{KeySource, Vault};
use ringfence_testkit::issuer::{CLIENT_ID, CLIENT_SECRET};
use tokio::task::JoinSet;

use super::*;
use crate::credentials::{self, NewCredential, Origin};
use crate::keys::KeyConfig;
use crate::source::Sources;
use crate::{Broker, Reach};

impl World {
    fn reach(&self, data: &Path) -> Reach {
        Reach {
            data: data.to_owned(),
            keys: KeyConfig::default(),
            variable: None,
            config: self.config.clone(),
            sources: Sources::default(),
        }
    }

    fn broker(&self, data: &Path) -> Broker {
        Broker::new(self.reach(data))
    }

    async fn seal(&self, data: &Path, refresh_token: &str) {
        let key = KeySource::File(data.join("master.key"));
        let vault = Vault::open(data, key).await.unwrap();
        let settings = [
            ("token_url", "https://login.acme.test/token"),
            ("client_id", CLIENT_ID),
        ];
        let secrets = [
            ("client_secret", CLIENT_SECRET),
            ("refresh_token", refresh_token),
        ];
        let (definition, secrets) = credential(
            Kind::Oauth2RefreshToken,
            "api.acme.test",
            &settings,
            &secrets,
        );
        let new = NewCredential {
            name: definition.name,
            kind: definition.kind,
            binding: definition.binding,
            settings: definition.settings,
            origin: Origin::Sealed(secrets),
        };
        credentials::add(&vault, new).await.unwrap();
    }
}

async fn material(broker: &Broker) -> Arc<Material> {
    let name = "acme".parse().unwrap();
    let destination = "api.acme.test:443".parse().unwrap();
    let need = Need {
        name: &name,
        destination: &destination,
        scheme: Scheme::Https,
        path: "/",
    };
    broker.material(need).await.unwrap()
}

fn text(material: &Material) -> String {
    let value = material.value.clone().unwrap();
    String::from_utf8(value.expose().to_vec()).unwrap()
}

#[tokio::test]
async fn many_requests_ask_once_and_what_is_replaced_outlives_the_process() {
    let mut world = World::new();
    let server = world.oauth();
    let data = world.workdir.dir("data").unwrap();
    world.seal(&data, &server.refresh_token().unwrap()).await;

    let broker = world.broker(&data);
    let mut asking = JoinSet::new();
    for _ in 0..100 {
        let broker = broker.clone();
        asking.spawn(async move { text(&*material(&broker).await) });
    }
    let mut tokens = asking.join_all().await;
    tokens.dedup();
    assert_eq!(tokens.len(), 1);
    assert!(server.accepts(&tokens[0]));
    assert_eq!(server.requests().len(), 1);

    // A 401 has it minted anew, with the refresh token that came last.
    server.revoke_all();
    broker.rejected(&*material(&broker).await);
    assert!(server.accepts(&text(&*material(&broker).await)));
    broker.close().await;

    // Another process goes on with what this one kept.
    let other = world.broker(&data);
    assert!(server.accepts(&text(&*material(&other).await)));
    assert_eq!(server.requests().len(), 3);
    assert!(
        server.refresh_token().is_some(),
        "a refresh token was used twice"
    );
}

#[tokio::test]
async fn a_refresh_token_that_was_replaced_is_kept_though_nobody_waits_any_more() {
    let mut world = World::new();
    let server = world.oauth();
    let data = world.workdir.dir("data").unwrap();
    let first = server.refresh_token().unwrap();
    world.seal(&data, &first).await;

    let broker = world.broker(&data);
    server.hold();
    let mut asking = JoinSet::new();
    let asked = broker.clone();
    asking.spawn(async move { text(&*material(&asked).await) });
    let server = tokio::task::spawn_blocking(move || {
        server.wait_for_held();
        server
    });
    let server = server.await.unwrap();
    assert_ne!(server.refresh_token(), Some(first));
    asking.shutdown().await;
    server.release();
    broker.close().await;

    let other = world.broker(&data);
    assert!(server.accepts(&text(&*material(&other).await)));
    assert_eq!(server.requests().len(), 2);
    assert!(server.refresh_token().is_some());
}

/// The master key is another one when the new refresh token is to be kept, so that it cannot be.
#[tokio::test]
async fn a_refresh_token_that_cannot_be_kept_now_is_kept_later_and_not_used_up() {
    let mut world = World::new();
    let server = world.oauth();
    let data = world.workdir.dir("data").unwrap();
    world.seal(&data, &server.refresh_token().unwrap()).await;
    let file = data.join("master.key");
    let key = Secret::new(std::fs::read(&file).unwrap());
    let broker = Broker::new(Reach {
        variable: Some(key.clone()),
        ..world.reach(&data)
    });

    server.hold();
    let mut asking = JoinSet::new();
    let asked = broker.clone();
    asking.spawn(async move { asked.prepare(&"acme".parse().unwrap()).await });
    let server = tokio::task::spawn_blocking(move || {
        server.wait_for_held();
        server
    });
    let server = server.await.unwrap();
    let vault = Vault::open(&data, KeySource::File(file)).await.unwrap();
    vault.rekey(None).await.unwrap();
    server.release();
    let refused = asking.join_next().await.unwrap().unwrap().unwrap_err();
    assert!(refused.to_string().contains("kept yet"), "{refused}");

    let old = ringfence_store::MasterKey::parse(&key).unwrap();
    vault.rekey(Some(old)).await.unwrap();
    tokio::time::sleep(crate::limits::FIRST_PAUSE).await;
    assert!(server.accepts(&text(&*material(&broker).await)));
    broker.close().await;
    assert_eq!(server.requests().len(), 2);
    let other = world.broker(&data);
    assert!(server.accepts(&text(&*material(&other).await)));
    assert!(server.refresh_token().is_some());
}
