//! OAuth 2.0 with a signed assertion instead of a secret (RFC 7523, section 2.1), as Salesforce
//! and DocuSign want it.

use ringfence_model::Secret;

use super::MintError;
use super::assertion::{Algorithm, Claims, Signer};
use super::exchange::{Asked, FORM, Issuer, form};
use super::reply::{self, Token};
use super::settings::Given;
use crate::endpoint::Endpoint;

/// Grant `urn:ietf:params:oauth:grant-type:jwt-bearer`.
pub(super) struct JwtBearer<'a> {
    endpoint: Endpoint,
    signer: Signer,
    claims: Claims<'a>,
    scope: Option<&'a str>,
}

impl<'a> JwtBearer<'a> {
    pub(super) fn read(given: Given<'a>) -> Result<Self, MintError> {
        let algorithm = Algorithm::read(given.setting("algorithm"))?;
        let endpoint = given.endpoint("token_url", "")?;
        let claims = Claims {
            iss: given.required("issuer")?,
            sub: Some(given.required("subject")?),
            aud: Some(given.required("audience")?),
            scope: None,
        };
        let key = given.required_secret("private_key")?;
        let signer = Signer::new(algorithm, "private_key", key)?;
        Ok(Self {
            endpoint,
            signer: signer.with_key_id(given.setting("key_id")),
            claims,
            scope: given.setting("scope"),
        })
    }

    pub(super) async fn ask(&self, issuer: &Issuer<'_>) -> Result<Token, MintError> {
        let make = |now| {
            let assertion = self.signer.sign(self.claims, now)?;
            Ok(asked(&self.endpoint, assertion, self.scope))
        };
        let answer = issuer.post_signed(make).await?;
        Ok(Token {
            refresh_token: None,
            ..reply::token(&answer)?
        })
    }
}

/// The request that trades an assertion for a token.
pub(super) fn asked(endpoint: &Endpoint, assertion: Secret, scope: Option<&str>) -> Asked {
    let mut fields: Vec<(&str, &[u8])> = vec![
        ("grant_type", b"urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("assertion", assertion.expose()),
    ];
    fields.extend(scope.map(|scope| ("scope", scope.as_bytes())));
    Asked {
        endpoint: endpoint.clone(),
        headers: Vec::new(),
        content_type: FORM,
        body: form(&fields),
        signed: None,
        hidden: vec![assertion],
    }
}
