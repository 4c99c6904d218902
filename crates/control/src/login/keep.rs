//! What a login gave, as a credential: sealed, for the server at its path alone, and bound to who
//! gave it. Tokens of one authorization server never take the place of another's.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ringfence_gateway::Outbound;
use ringfence_model::CredentialName;
use ringfence_store::{CredentialRecord, Vault, VaultError};

use super::error::LoginError;
use super::register::Registered;
use super::{Login, Tokens};
use crate::credential::{Definition, Kind, Secrets};
use crate::credentials::{self, NewCredential, Origin};
use crate::endpoint::Endpoint;
use crate::mint::{Client, Grant, Proof, ask_nothing};

impl Login {
    /// Seals what was given out. A login of before is replaced, if it is one at the same issuer for
    /// the same server.
    ///
    /// # Errors
    /// Where there is another credential of that name, or the store fails.
    pub async fn keep(&self, vault: &Vault, tokens: Tokens) -> Result<Definition, LoginError> {
        let client = self.client()?;
        let settings = self.settings(client, &tokens);
        let origin = Origin::Sealed(secrets(client, tokens));
        let name = &self.target.credential;
        // Whoever renews the tokens of before is done first.
        let turn = vault.turn().await?;
        let before = live(vault, name).await?;
        let kept = match before {
            None => {
                let new = NewCredential {
                    name: name.clone(),
                    kind: Kind::Oauth2Login,
                    binding: self.target.binding()?,
                    settings,
                    origin,
                };
                credentials::add(vault, new).await?
            }
            Some(record) => {
                self.check_same(&record)?;
                credentials::renew(vault, name, settings, origin).await?
            }
        };
        drop(turn);
        Ok(kept)
    }

    /// Seals the client's own secret, with which each run asks for tokens.
    ///
    /// # Errors
    /// Where there is a credential of that name, or the store fails.
    pub async fn keep_client(&self, vault: &Vault) -> Result<Definition, LoginError> {
        let client = self.client()?;
        let mut settings = BTreeMap::from([
            ("token_url".to_owned(), self.issuer.token.to_string()),
            ("client_id".to_owned(), client.id.clone()),
            ("client_auth".to_owned(), client.method.setting().to_owned()),
            ("resource".to_owned(), self.resource.clone()),
        ]);
        settings.extend(self.scope.clone().map(|scope| ("scope".to_owned(), scope)));
        let mut secrets = Secrets::default();
        if let Some(secret) = &client.secret {
            secrets.set("client_secret", secret.clone());
        }
        let new = NewCredential {
            name: self.target.credential.clone(),
            kind: Kind::Oauth2ClientCredentials,
            binding: self.target.binding()?,
            settings,
            origin: Origin::Sealed(secrets),
        };
        Ok(credentials::add(vault, new).await?)
    }

    /// Whether a login could be kept, before anybody logs in.
    ///
    /// # Errors
    /// Where there is another credential of that name.
    pub async fn check_kept(&self, vault: &Vault, is_clients: bool) -> Result<(), LoginError> {
        let name = &self.target.credential;
        match live(vault, name).await? {
            None => Ok(()),
            Some(_) if is_clients => Err(LoginError::Given(format!(
                "there is a credential `{name}` already; end it first: ringfence credential revoke {name}"
            ))),
            Some(record) => self.check_same(&record),
        }
    }

    fn check_same(&self, record: &CredentialRecord) -> Result<(), LoginError> {
        let (name, server) = (&self.target.credential, &self.target.server.name);
        let before = Definition::stored(record).map_err(credentials::CredentialsError::from)?;
        let is_same = before.kind == Kind::Oauth2Login
            && before.binding == self.target.binding()?
            && before.setting("issuer") == Some(self.issuer.name.as_str())
            && before.setting("resource") == Some(self.resource.as_str());
        if is_same {
            return Ok(());
        }
        Err(LoginError::Given(match before.kind {
            Kind::Oauth2Login => format!(
                "the credential `{name}` is a login at {} for {}, and this would be one at {} for {}; if that is meant, end it first: ringfence mcp logout {server}",
                before.setting("issuer").unwrap_or_default(),
                before.setting("resource").unwrap_or_default(),
                self.issuer.name,
                self.resource,
            ),
            kind => format!(
                "there is a credential `{name}` already, of kind {kind}; have the server name another one, or end it: ringfence credential revoke {name}"
            ),
        }))
    }

    fn settings(&self, client: &Registered, tokens: &Tokens) -> BTreeMap<String, String> {
        let issuer = &self.issuer;
        let mut settings = BTreeMap::new();
        let mut set = |name: &str, value: Option<String>| {
            settings.extend(value.map(|value| (name.to_owned(), value)));
        };
        set("server", Some(self.target.server.name.to_string()));
        set("issuer", Some(issuer.name.clone()));
        set("resource", Some(self.resource.clone()));
        set("token_url", Some(issuer.token.to_string()));
        set("client_id", Some(client.id.clone()));
        set("client_auth", Some(client.method.setting().to_owned()));
        set("scope", self.scope.clone());
        let revocation = issuer.revocation.as_ref();
        set("revocation_url", revocation.map(ToString::to_string));
        let networks = Some(self.target.networks.join(",")).filter(|it| !it.is_empty());
        set("addresses", networks);
        if tokens.0.refresh_token.is_none() {
            set("expires", tokens.0.expires.map(|at| at.to_string()));
        }
        settings
    }
}

impl Tokens {
    /// Whether the authorization server gave something to renew the access token with.
    #[must_use]
    pub const fn are_renewed(&self) -> bool {
        self.0.refresh_token.is_some()
    }

    /// When the access token ends.
    #[must_use]
    pub const fn expires(&self) -> Option<Timestamp> {
        self.0.expires
    }
}

fn secrets(client: &Registered, tokens: Tokens) -> Secrets {
    let mut secrets = Secrets::default();
    match tokens.0.refresh_token {
        // Each run gets an access token of its own by it.
        Some(refresh) => secrets.set("refresh_token", refresh),
        None => secrets.set("access_token", tokens.0.access_token),
    }
    if let Some(secret) = &client.secret {
        secrets.set("client_secret", secret.clone());
    }
    secrets
}

async fn live(
    vault: &Vault,
    name: &CredentialName,
) -> Result<Option<CredentialRecord>, LoginError> {
    match vault.credential(name).await {
        Ok(record) if record.revoked.is_none() => Ok(Some(record)),
        Ok(_) | Err(VaultError::Unknown(_) | VaultError::Revoked(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// How a server stands with its credential, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// There is no credential.
    Missing,
    /// It is no login, but sealed or asked for elsewhere.
    Sealed,
    /// Somebody has logged in.
    LoggedIn,
    /// The login has ended, and nothing renews it.
    Ended,
}

/// How a credential stands.
#[must_use]
pub fn state(record: Option<&CredentialRecord>, now: Timestamp) -> State {
    let Some(record) = record.filter(|record| record.revoked.is_none()) else {
        return State::Missing;
    };
    match Definition::stored(record) {
        Ok(definition) if definition.kind == Kind::Oauth2Login => {
            let expires = definition.setting("expires");
            let expires = expires.and_then(|text| text.parse::<Timestamp>().ok());
            match expires.is_some_and(|expires| expires <= now) {
                true => State::Ended,
                false => State::LoggedIn,
            }
        }
        _ => State::Sealed,
    }
}

/// Ends a login: its tokens are given back where the authorization server takes them, and are
/// removed here in any case. Whether they were given back.
///
/// # Errors
/// Where there is no login of that name, or the store fails.
pub async fn forget(
    vault: &Vault,
    name: &CredentialName,
    outbound: &Outbound,
) -> Result<bool, LoginError> {
    let record = vault.credential(name).await?;
    let definition = Definition::stored(&record).map_err(credentials::CredentialsError::from)?;
    if definition.kind != Kind::Oauth2Login {
        return Err(LoginError::Given(format!(
            "the credential `{name}` is of kind {}, and no login; ringfence credential revoke {name} ends it",
            definition.kind
        )));
    }
    let was_given_back = given_back(vault, &definition, outbound).await;
    vault.revoke(name).await?;
    Ok(was_given_back)
}

/// Gives the tokens back (RFC 7009). Nothing depends on it.
async fn given_back(vault: &Vault, definition: &Definition, outbound: &Outbound) -> bool {
    let at = definition
        .setting("revocation_url")
        .map(Endpoint::parse_near);
    let networks = definition.setting("addresses").unwrap_or_default();
    let networks = networks.split(',').filter(|it| !it.is_empty());
    let (Some(Ok(at)), Ok(outbound)) = (at, outbound.within(networks)) else {
        return false;
    };
    if vault.unlock().await.is_err() {
        return false;
    }
    let Ok(opened) = vault.opened(&definition.name).await else {
        return false;
    };
    let secret = |name: &str| {
        opened
            .secrets
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, it)| it)
    };
    let Some(token) = secret("refresh_token").or_else(|| secret("access_token")) else {
        return false;
    };
    let id = definition.setting("client_id").unwrap_or_default();
    let proof = match (secret("client_secret"), definition.setting("client_auth")) {
        (None, _) => Proof::Public,
        (Some(secret), Some("body")) => Proof::Body(secret),
        (Some(secret), _) => Proof::Basic(secret),
    };
    let grant = Grant {
        endpoint: &at,
        client: Client { id, proof },
        fields: vec![("token", token.expose())],
        hidden: vec![token.clone()],
    };
    ask_nothing(&grant, &outbound).await
}
