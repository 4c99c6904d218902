//! Who asks: a client that the authorization server knows already, one that describes itself at a
//! URL, or one that is registered now (RFC 7591).

use ringfence_gateway::OwnRequest;
use ringfence_model::Secret;
use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, Serialize};

use super::error::{LoginError, refused};
use super::limits::CLIENT_ID_OCTETS;
use super::metadata::Issuer;
use super::places::{Places, json};
use crate::endpoint::Endpoint;
use crate::mint::{Client, Proof};

/// How the client is known.
#[derive(Debug, Clone)]
pub enum Registration {
    /// It was registered before, by a person.
    Known {
        /// Its id.
        id: String,
        /// Its secret; none for a public one.
        secret: Option<Secret>,
    },
    /// By a document at this URL, where the authorization server reads such.
    Document(String),
    /// It is registered when it is needed.
    Automatic,
}

/// A client of an authorization server.
#[derive(Debug, Clone)]
pub(super) struct Registered {
    pub(super) id: String,
    pub(super) secret: Option<Secret>,
    pub(super) method: Method,
}

/// How it proves itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    None,
    Basic,
    Body,
}

impl Method {
    const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Basic => "client_secret_basic",
            Self::Body => "client_secret_post",
        }
    }

    /// The word of the setting `client_auth`.
    pub(super) const fn setting(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::None | Self::Basic => "basic",
        }
    }

    /// The first of these that the authorization server takes. One that does not say takes Basic.
    fn first(of: &[Self], issuer: &Issuer) -> Result<Self, LoginError> {
        let known = issuer
            .document
            .token_endpoint_auth_methods_supported
            .as_ref();
        let is_taken = |method: &&Self| match known {
            None => true,
            Some(known) => known.iter().any(|it| it == method.name()),
        };
        of.iter().find(is_taken).copied().ok_or_else(|| {
            LoginError::Given(
                "the authorization server does not take a client that proves itself like this; \
                 register one with it by hand, and give --client-id (and --client-secret)"
                    .to_owned(),
            )
        })
    }
}

impl Registered {
    pub(super) fn client(&self) -> Client<'_> {
        let proof = match (&self.secret, self.method) {
            (None, _) | (_, Method::None) => Proof::Public,
            (Some(secret), Method::Basic) => Proof::Basic(secret),
            (Some(secret), Method::Body) => Proof::Body(secret),
        };
        Client {
            id: &self.id,
            proof,
        }
    }

    /// The client, registered where that is needed.
    pub(super) async fn get(
        registration: &Registration,
        issuer: &Issuer,
        places: &Places,
        redirect: Option<&str>,
    ) -> Result<Self, LoginError> {
        match registration {
            Registration::Known { id, secret } => {
                let of: &[Method] = match secret {
                    Some(_) => &[Method::Basic, Method::Body],
                    // That a public client is not listed does not say that it is not taken.
                    None => return Self::public(id),
                };
                Ok(Self {
                    id: checked(id)?,
                    secret: secret.clone(),
                    method: Method::first(of, issuer)?,
                })
            }
            Registration::Document(url) => Self::document(url, issuer),
            Registration::Automatic => match &issuer.document.registration_endpoint {
                Some(text) => {
                    let at = places.read("the registration endpoint", text)?;
                    Self::register(&at, issuer, places, redirect).await
                }
                None => Err(LoginError::Given(
                    "the authorization server registers no clients by itself: register one there \
                     (a native app with the redirect http://127.0.0.1/callback), and give --client-id"
                        .to_owned(),
                )),
            },
        }
    }

    fn public(id: &str) -> Result<Self, LoginError> {
        Ok(Self {
            id: checked(id)?,
            secret: None,
            method: Method::None,
        })
    }

    fn document(url: &str, issuer: &Issuer) -> Result<Self, LoginError> {
        let read = Endpoint::parse(url)
            .map_err(|error| LoginError::Given(format!("--client-metadata-url: {error}")))?;
        if read.path() == "/" {
            return Err(LoginError::Given(
                "--client-metadata-url: it needs a path".to_owned(),
            ));
        }
        if !issuer.document.client_id_metadata_document_supported {
            return Err(LoginError::Given(
                "the authorization server reads no client metadata from URLs: leave \
                 --client-metadata-url out, or give --client-id"
                    .to_owned(),
            ));
        }
        Self::public(url)
    }

    async fn register(
        at: &Endpoint,
        issuer: &Issuer,
        places: &Places,
        redirect: Option<&str>,
    ) -> Result<Self, LoginError> {
        let method = Method::first(&[Method::None, Method::Basic, Method::Body], issuer)?;
        let asked = Asked {
            client_name: "Ringfence",
            redirect_uris: redirect.into_iter().collect(),
            grant_types: match redirect {
                Some(_) => vec!["authorization_code", "refresh_token"],
                None => vec![DEVICE_GRANT, "refresh_token"],
            },
            response_types: redirect.map(|_| "code").into_iter().collect(),
            token_endpoint_auth_method: method.name(),
            application_type: "native",
        };
        let body = serde_json::to_vec(&asked)
            .map_err(|_| refused("no registration can be written; give --client-id"))?;
        let what = at.to_string();
        let answer = places.send(&what, post(at, body)).await?;
        if !matches!(answer.status, 200 | 201) {
            return Err(refused(format!(
                "{what} registers no client (status {}): register one by hand, and give --client-id",
                answer.status
            )));
        }
        let granted: Granted = json(&what, &answer)?;
        granted.client(method, redirect)
    }
}

/// RFC 8628, section 3.4.
pub(super) const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

fn post(at: &Endpoint, body: Vec<u8>) -> OwnRequest {
    let header = |name: &str| (name.to_owned(), Secret::new("application/json"));
    OwnRequest {
        method: "POST".to_owned(),
        url: at.url(),
        headers: vec![header("accept"), header("content-type")],
        body: Secret::new(body),
    }
}

#[derive(Serialize)]
struct Asked<'a> {
    client_name: &'a str,
    redirect_uris: Vec<&'a str>,
    grant_types: Vec<&'a str>,
    response_types: Vec<&'a str>,
    token_endpoint_auth_method: &'a str,
    application_type: &'a str,
}

#[derive(Deserialize)]
struct Granted {
    client_id: String,
    client_secret: Option<Hidden>,
    token_endpoint_auth_method: Option<String>,
    redirect_uris: Option<Vec<String>>,
}

impl Granted {
    fn client(self, asked: Method, redirect: Option<&str>) -> Result<Registered, LoginError> {
        let lacks =
            |uris: &Vec<String>| redirect.is_some_and(|own| !uris.iter().any(|it| it == own));
        if self.redirect_uris.as_ref().is_some_and(lacks) {
            return Err(refused(
                "the authorization server registered another redirect than was asked for; register a client by hand, and give --client-id",
            ));
        }
        let method = match self.token_endpoint_auth_method.as_deref() {
            None => asked,
            Some("none") => Method::None,
            Some("client_secret_basic") => Method::Basic,
            Some("client_secret_post") => Method::Body,
            Some(_) => {
                return Err(refused(
                    "the authorization server wants the client to prove itself in a way that is not supported; register one by hand, and give --client-id and --client-secret",
                ));
            }
        };
        let secret = self.client_secret.map(|it| it.0);
        let secret = secret.filter(|_| method != Method::None);
        if method != Method::None && secret.is_none() {
            return Err(refused(
                "the authorization server registered a client without the secret that it wants; register one by hand, and give --client-id and --client-secret",
            ));
        }
        Ok(Registered {
            id: checked(&self.client_id)?,
            secret,
            method,
        })
    }
}

/// A client id goes into URLs and forms, and is shown.
fn checked(id: &str) -> Result<String, LoginError> {
    let is_plain = !id.is_empty() && id.bytes().all(|octet| matches!(octet, b' '..=b'~'));
    if is_plain && id.len() <= CLIENT_ID_OCTETS {
        return Ok(id.to_owned());
    }
    Err(refused(
        "the client id is empty, too long or holds characters that no client id has; give --client-id",
    ))
}

/// A string that is secret.
struct Hidden(Secret);

impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(HiddenVisitor)
    }
}

struct HiddenVisitor;

impl Visitor<'_> for HiddenVisitor {
    type Value = Hidden;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Hidden, E> {
        Ok(Hidden(Secret::new(text)))
    }
}
