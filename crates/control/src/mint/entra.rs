//! Microsoft Entra ID: client credentials of an application at the v2.0 endpoint, with a client
//! secret or with a certificate (RFC 7523, section 2.2).

use ringfence_model::Secret;

use super::MintError;
use super::assertion::{Algorithm, Claims, Signer};
use super::exchange::{Asked, FORM, Issuer, encoded, form};
use super::reply::{self, Token};
use super::settings::{Given, unusable};
use crate::endpoint::Endpoint;

/// The login service of the public cloud.
const AUTHORITY: &str = "https://login.microsoftonline.com";

/// An application of a directory.
pub(super) struct Application<'a> {
    endpoint: Endpoint,
    /// The endpoint as a URL: whom an assertion is for.
    audience: String,
    client_id: &'a str,
    scope: &'a str,
    proof: Proof<'a>,
}

enum Proof<'a> {
    Secret(&'a Secret),
    Certificate(Box<Signer>),
}

impl<'a> Application<'a> {
    pub(super) fn read(given: Given<'a>) -> Result<Self, MintError> {
        let tenant = given.required("tenant")?;
        let is_plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-.".contains(&octet);
        if !tenant.bytes().all(is_plain) || tenant.starts_with('.') {
            return Err(unusable(
                "tenant",
                "it is the id or a domain of a directory",
            ));
        }
        let scope = given.required("scope")?;
        if !scope.ends_with("/.default") || scope.contains(' ') {
            return Err(unusable(
                "scope",
                "it is one resource with /.default, as https://management.azure.com/.default",
            ));
        }
        let path = format!("/{tenant}/oauth2/v2.0/token");
        let authority = given.setting("authority").unwrap_or(AUTHORITY);
        let endpoint = given.endpoint("authority", AUTHORITY)?.join(&path);
        Ok(Self {
            endpoint,
            audience: format!("{}{path}", authority.trim_end_matches('/')),
            client_id: given.required("client_id")?,
            scope,
            proof: Proof::read(given)?,
        })
    }

    pub(super) async fn ask(&self, issuer: &Issuer<'_>) -> Result<Token, MintError> {
        let answer = match &self.proof {
            Proof::Secret(secret) => {
                let proof: &[(&str, &[u8])] = &[("client_secret", secret.expose())];
                let hidden = encoded(secret.expose());
                issuer.post(self.asked(proof, hidden)).await?
            }
            Proof::Certificate(signer) => {
                let make = |now| {
                    let assertion = signer.sign(self.claims(), now)?;
                    let proof: &[(&str, &[u8])] = &[
                        ("client_assertion_type", ASSERTION_TYPE),
                        ("client_assertion", assertion.expose()),
                    ];
                    Ok(self.asked(proof, assertion.clone()))
                };
                issuer.post_signed(make).await?
            }
        };
        Ok(Token {
            refresh_token: None,
            instance_url: None,
            ..reply::token(&answer)?
        })
    }

    fn claims(&self) -> Claims<'_> {
        Claims {
            iss: self.client_id,
            sub: Some(self.client_id),
            aud: Some(&self.audience),
            scope: None,
        }
    }

    fn asked(&self, proof: &[(&str, &[u8])], hidden: Secret) -> Asked {
        let mut fields: Vec<(&str, &[u8])> = vec![
            ("grant_type", b"client_credentials"),
            ("client_id", self.client_id.as_bytes()),
            ("scope", self.scope.as_bytes()),
        ];
        fields.extend(proof);
        Asked {
            endpoint: self.endpoint.clone(),
            headers: Vec::new(),
            content_type: FORM,
            body: form(&fields),
            signed: None,
            hidden: vec![hidden],
        }
    }
}

impl<'a> Proof<'a> {
    fn read(given: Given<'a>) -> Result<Self, MintError> {
        let key = given.secret("private_key");
        let certificate = given.secret("certificate");
        match (given.secret("client_secret"), key, certificate) {
            (Some(secret), None, None) => Ok(Self::Secret(secret)),
            (None, Some(key), Some(certificate)) => {
                let signer = Signer::new(Algorithm::PS256, "private_key", key)?;
                let signer = signer.with_certificate("certificate", certificate)?;
                Ok(Self::Certificate(Box::new(signer)))
            }
            _ => Err(MintError::NoSecret(
                "it needs `client_secret`, or `private_key` and `certificate`".to_owned(),
            )),
        }
    }
}

const ASSERTION_TYPE: &[u8] = b"urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
