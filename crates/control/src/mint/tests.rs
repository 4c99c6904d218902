//! Each kind against an issuer that is faithful on the wire, over TLS.

mod assertions;
mod assume_role;
mod broker;
mod entra;
mod faults;
mod github;
mod oauth;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use jiff::ToSpan;
use ringfence_gateway::{Config, HostTarget};
use ringfence_model::Scheme;
use ringfence_testkit::issuer::github_app::{GithubApp, GithubAppServer};
use ringfence_testkit::issuer::jwt::Verifier;
use ringfence_testkit::issuer::keys::ClientKey;
use ringfence_testkit::issuer::oauth::OauthServer;
use ringfence_testkit::issuer::salesforce::{self, Salesforce};
use ringfence_testkit::{Ca, Workdir};

use super::*;
use crate::credential::Binding;

/// Where issuers live and who reaches them.
struct World {
    workdir: Workdir,
    ca: Ca,
    config: Config,
}

impl World {
    fn new() -> Self {
        let workdir = Workdir::new().unwrap();
        let ca = Ca::new(&workdir).unwrap();
        let mut config = Config::default();
        config.dial.extra_roots = vec![ca.certificate().to_owned()];
        Self {
            workdir,
            ca,
            config,
        }
    }

    /// Leads these names to a server.
    fn lead(&mut self, names: &[&str], to: SocketAddr) {
        for name in names {
            let target = HostTarget {
                address: to.ip(),
                port: Some(to.port()),
            };
            self.config.dial.hosts.insert(name.parse().unwrap(), target);
        }
    }

    fn outbound(&self) -> Outbound {
        Outbound::new(&self.config).unwrap()
    }

    async fn mint(&self, given: &(Definition, Secrets)) -> Result<Minted, MintError> {
        self.mint_at(given, Timestamp::now).await
    }

    async fn mint_at(
        &self,
        (definition, secrets): &(Definition, Secrets),
        clock: fn() -> Timestamp,
    ) -> Result<Minted, MintError> {
        let minted = prepare_by(definition, secrets, &self.outbound(), clock).await;
        if let Err(error) = &minted {
            assert_tells_nothing(error, secrets);
        }
        minted
    }
}

/// Issuers.
impl World {
    fn rsa(&self) -> ClientKey {
        ClientKey::rsa(&self.workdir, "client").unwrap()
    }

    fn verifier(&self, key: &ClientKey) -> Verifier {
        Verifier::new(&self.workdir, &key.public()).unwrap()
    }

    fn oauth(&mut self) -> OauthServer {
        let server = OauthServer::start(&self.workdir, &self.ca, "login.acme.test").unwrap();
        self.lead(&["login.acme.test"], server.https());
        server
    }

    fn salesforce(&mut self, key: &ClientKey) -> Salesforce {
        let verifier = self.verifier(key);
        let server = Salesforce::start(&self.workdir, &self.ca, verifier).unwrap();
        self.lead(&[salesforce::LOGIN, salesforce::INSTANCE], server.https());
        server
    }

    fn github(&mut self, key: &ClientKey, name: &str) -> GithubAppServer {
        let app = GithubApp::new(self.verifier(key));
        let server = app.start(&self.workdir, &self.ca, name).unwrap();
        self.lead(&[name], server.https());
        server
    }
}

/// Neither form of an error holds any secret, or a line of one.
fn assert_tells_nothing(error: &MintError, secrets: &Secrets) {
    let shown = format!("{error} {error:?} {error:#?}");
    assert!(!shown.contains("canary"), "{shown}");
    for (name, secret) in secrets.iter() {
        let text = String::from_utf8_lossy(secret.expose()).into_owned();
        for line in text.lines().filter(|line| line.len() > 3) {
            assert!(!shown.contains(line), "{name}: {shown}");
        }
    }
}

fn credential(
    kind: Kind,
    host: &str,
    settings: &[(&str, &str)],
    secrets: &[(&str, &str)],
) -> (Definition, Secrets) {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let definition = Definition {
        name: "acme".parse().unwrap(),
        kind,
        binding: Binding::parse(host, None, Scheme::Https).unwrap(),
        settings: settings.iter().map(owned).collect::<BTreeMap<_, _>>(),
        source: None,
        version: 7,
        created: Timestamp::now(),
        rotated: None,
        revoked: None,
    };
    let mut held = Secrets::default();
    for (name, value) in secrets {
        held.set(*name, Secret::new(*value));
    }
    (definition, held)
}

/// The token, after a look at the rest of the material.
fn token(minted: &Minted, secrets: &Secrets) -> String {
    let material = &minted.material;
    assert!(material.minted);
    assert_eq!((material.name.as_str(), material.version), ("acme", 7));
    let value = material.value.clone().unwrap();
    let token = String::from_utf8(value.expose().to_vec()).unwrap();
    let [
        Injection::Header {
            name,
            value: header,
        },
    ] = material.injections.as_slice()
    else {
        panic!("{material:?}");
    };
    assert_eq!(name, "authorization");
    assert_eq!(*header, Secret::new(format!("Bearer {token}")));
    assert!(material.secrets.contains(&value));
    for (name, secret) in secrets.iter().chain(minted.replaced.iter()) {
        assert!(
            material.secrets.contains(secret),
            "{name} would not be scrubbed"
        );
    }
    token
}

/// How long the material is good for, in seconds by this clock.
fn life(minted: &Minted, clock: fn() -> Timestamp) -> i64 {
    minted.expires.unwrap().duration_since(clock()).as_secs()
}

fn ahead() -> Timestamp {
    Timestamp::now() + 5.minutes()
}

fn behind() -> Timestamp {
    Timestamp::now() - 5.minutes()
}
