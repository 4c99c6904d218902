//! OAuth 2.0 with a secret of the client: client credentials (RFC 6749, section 4.4) and refresh
//! tokens (section 6). A refresh token that the issuer replaces is kept.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ringfence_model::Secret;
use zeroize::Zeroizing;

use super::MintError;
use super::exchange::{Asked, FORM, Issuer, encoded, form};
use super::reply::{self, Token};
use super::settings::{Given, unusable};
use crate::endpoint::Endpoint;

/// The secret field that holds a refresh token.
pub(super) const REFRESH_TOKEN: &str = "refresh_token";

/// Grant `client_credentials`.
pub(super) struct ClientCredentials<'a> {
    endpoint: Endpoint,
    client: Client<'a>,
    fields: Vec<(String, String)>,
}

/// Grant `refresh_token`.
pub(super) struct Refresh<'a> {
    endpoint: Endpoint,
    client: Client<'a>,
    refresh_token: &'a Secret,
    fields: Vec<(String, String)>,
    /// Whether a new refresh token can be kept, which it cannot where the old one comes from a
    /// source.
    keeps: bool,
}

/// Who asks, and how it proves that (RFC 6749, section 2.3.1).
pub(crate) struct Client<'a> {
    pub(crate) id: &'a str,
    pub(crate) proof: Proof<'a>,
}

/// How a client proves who it is.
pub(crate) enum Proof<'a> {
    /// In the header `Authorization`.
    Basic(&'a Secret),
    /// In the body.
    Body(&'a Secret),
    /// A public client has none.
    Public,
}

impl<'a> ClientCredentials<'a> {
    pub(super) fn read(given: Given<'a>) -> Result<Self, MintError> {
        let endpoint = given.endpoint("token_url", "")?;
        let mut fields = given.parameters()?;
        for name in ["scope", "audience", "resource"] {
            let value = given.setting(name);
            fields.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        }
        let client = Client::read(given, given.secret("client_secret"))?;
        if matches!(client.proof, Proof::Public) {
            given.required_secret("client_secret")?;
        }
        Ok(Self {
            endpoint,
            client,
            fields,
        })
    }

    pub(super) async fn ask(&self, issuer: &Issuer<'_>) -> Result<Token, MintError> {
        let mut fields: Vec<(&str, &[u8])> = vec![("grant_type", b"client_credentials")];
        let more = self.fields.iter();
        fields.extend(more.map(|(name, value)| (name.as_str(), value.as_bytes())));
        let asked = self.client.asked(&self.endpoint, fields);
        let token = reply::token(&issuer.post(asked).await?)?;
        // RFC 6749, section 4.4.3: there should be none, and there is no use for it.
        Ok(Token {
            refresh_token: None,
            ..token
        })
    }
}

impl<'a> Refresh<'a> {
    pub(super) fn read(given: Given<'a>) -> Result<Self, MintError> {
        let mut fields = given.parameters()?;
        let scope = given.setting("scope");
        fields.extend(scope.map(|scope| ("scope".to_owned(), scope.to_owned())));
        Ok(Self {
            endpoint: given.endpoint("token_url", "")?,
            client: Client::read(given, given.secret("client_secret"))?,
            refresh_token: given.required_secret(REFRESH_TOKEN)?,
            fields,
            keeps: given.definition.source.is_none(),
        })
    }

    pub(super) async fn ask(&self, issuer: &Issuer<'_>) -> Result<Token, MintError> {
        let mut fields: Vec<(&str, &[u8])> = vec![
            ("grant_type", b"refresh_token"),
            (REFRESH_TOKEN, self.refresh_token.expose()),
        ];
        let more = self.fields.iter();
        fields.extend(more.map(|(name, value)| (name.as_str(), value.as_bytes())));
        let asked = self.client.asked(&self.endpoint, fields);
        let mut token = reply::token(&issuer.post(asked).await?)?;
        token.refresh_token.take_if(|new| new == self.refresh_token);
        if token.refresh_token.is_some() && !self.keeps {
            return Err(MintError::Settings(
                "its issuer replaces the refresh token at every use, and the new one cannot be \
                 kept where the old one comes from; rotate it to a sealed one"
                    .to_owned(),
            ));
        }
        Ok(token)
    }
}

impl<'a> Client<'a> {
    pub(super) fn read(given: Given<'a>, secret: Option<&'a Secret>) -> Result<Self, MintError> {
        let id = given.required("client_id")?;
        let proof = match (given.setting("client_auth").unwrap_or("basic"), secret) {
            ("basic" | "body", None) => Proof::Public,
            ("basic", Some(secret)) => Proof::Basic(secret),
            ("body", Some(secret)) => Proof::Body(secret),
            _ => return Err(unusable("client_auth", "it is basic or body")),
        };
        Ok(Self { id, proof })
    }

    pub(super) fn asked<'b>(
        &'b self,
        endpoint: &Endpoint,
        mut fields: Vec<(&'b str, &'b [u8])>,
    ) -> Asked {
        let mut headers = Vec::new();
        let mut hidden = Vec::new();
        match &self.proof {
            Proof::Basic(secret) => {
                let pair = basic(self.id, secret);
                headers.push(("authorization".to_owned(), with_scheme(&pair)));
                hidden.push(pair);
            }
            Proof::Body(secret) => {
                fields.push(("client_id", self.id.as_bytes()));
                fields.push(("client_secret", secret.expose()));
                hidden.push(encoded(secret.expose()));
            }
            Proof::Public => fields.push(("client_id", self.id.as_bytes())),
        }
        Asked {
            endpoint: endpoint.clone(),
            headers,
            content_type: FORM,
            body: form(&fields),
            signed: None,
            hidden,
        }
    }
}

/// Both are form-encoded first, as RFC 6749, section 2.3.1 says.
fn basic(id: &str, secret: &Secret) -> Secret {
    let (id, secret) = (encoded(id.as_bytes()), encoded(secret.expose()));
    let parts = [id.expose(), b":", secret.expose()];
    let pair = Zeroizing::new(parts.concat());
    Secret::new(Zeroizing::new(STANDARD.encode(pair.as_slice())).as_bytes())
}

fn with_scheme(pair: &Secret) -> Secret {
    let value = Zeroizing::new([b"Basic ", pair.expose()].concat());
    Secret::new(value.as_slice())
}
