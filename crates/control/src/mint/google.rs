//! Google Cloud service accounts: an assertion signed with the key of the account (RFC 7523).

use ringfence_model::{Host, Secret};
use serde::Deserialize;

use super::MintError;
use super::assertion::{Algorithm, Claims, Signer};
use super::exchange::Issuer;
use super::jwt_bearer::asked;
use super::reply::{self, Text, Token};
use super::settings::{Given, unusable};
use crate::endpoint::Endpoint;

/// Where Google gives out tokens. The key file names it as well, and is believed in nothing else.
const TOKEN_HOST: &str = "oauth2.googleapis.com";

/// A service account.
pub(super) struct ServiceAccount<'a> {
    endpoint: Endpoint,
    audience: String,
    signer: Signer,
    private_key: Secret,
    email: String,
    scope: &'a str,
}

/// What is needed of the key file.
#[derive(Deserialize)]
struct KeyFile {
    r#type: String,
    client_email: String,
    private_key: Text,
    private_key_id: Option<String>,
    token_uri: String,
}

impl<'a> ServiceAccount<'a> {
    pub(super) fn read(given: Given<'a>) -> Result<Self, MintError> {
        let wrong = |why| unusable("key", why);
        let scope = given.required("scope")?;
        let setting = given.setting("token_url");
        let set = setting
            .map(|_| given.endpoint("token_url", ""))
            .transpose()?;
        let key = given.required_secret("key")?;
        let file: KeyFile = parse(key)
            .filter(|file: &KeyFile| file.r#type == "service_account")
            .ok_or_else(|| wrong("it is not the key file of a service account"))?;
        let audience = setting.unwrap_or(&file.token_uri);
        let endpoint = match set {
            Some(endpoint) => endpoint,
            None => Endpoint::parse(audience)
                .ok()
                .filter(is_google)
                .ok_or_else(|| {
                    wrong("its token_uri is not at https://oauth2.googleapis.com; give token_url")
                })?,
        };
        let signer = Signer::new(Algorithm::RS256, "key", &file.private_key.0)?
            .with_key_id(file.private_key_id.as_deref());
        Ok(Self {
            endpoint,
            audience: audience.to_owned(),
            signer,
            private_key: file.private_key.0,
            email: file.client_email,
            scope,
        })
    }

    pub(super) async fn ask(&self, issuer: &Issuer<'_>) -> Result<Token, MintError> {
        let claims = Claims {
            iss: &self.email,
            sub: None,
            aud: Some(&self.audience),
            scope: Some(self.scope),
        };
        let make = |now| {
            let assertion = self.signer.sign(claims, now)?;
            let mut asked = asked(&self.endpoint, assertion, None);
            asked.hidden.push(self.private_key.clone());
            Ok(asked)
        };
        let answer = issuer.post_signed(make).await?;
        Ok(Token {
            refresh_token: None,
            instance_url: None,
            ..reply::token(&answer)?
        })
    }
}

/// The parser's own words would repeat what it read.
fn parse(key: &Secret) -> Option<KeyFile> {
    serde_json::from_slice(key.expose()).ok()
}

fn is_google(endpoint: &Endpoint) -> bool {
    let destination = endpoint.destination();
    let is_named = matches!(&destination.host, Host::Name(name) if name.as_str() == TOKEN_HOST);
    is_named && destination.port == 443
}
