//! Logging in to an MCP server with OAuth 2.1, as the protocol has it: the server names its
//! authorization server (`metadata`), a client is known there or registered (`register`), a person
//! says yes in a browser (`ticket`, `listen`), and what is given out becomes a credential (`keep`).
//!
//! All of it happens outside of every sandbox. Each answer is a stranger's: it is bounded, read
//! strictly, and leads only where `places` says that it may.

mod challenge;
mod device;
mod error;
mod keep;
mod limits;
mod listen;
mod metadata;
mod places;
mod register;
mod target;
mod ticket;

use ringfence_gateway::{Outbound, OutboundError, OwnRequest};
use ringfence_model::Secret;

pub use device::DeviceTicket;
pub use error::LoginError;
pub use keep::{State, forget, state};
pub use listen::Listener;
pub use register::Registration;
pub use target::Target;
pub use ticket::Ticket;

use crate::mint::{self, Grant, Token};
use challenge::Challenge;
use error::refused;
use metadata::{Issuer, ResourceDocument};
use places::Places;
use register::Registered;
use ticket::Journey;

/// What a person says of a login beyond its server.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The authorization server, where the person names it.
    pub issuer: Option<String>,
    /// The scopes, where the person chooses them.
    pub scope: Option<String>,
    /// How the client is known.
    pub registration: Registration,
}

/// A login: who gives tokens for a server, and what they are asked for.
pub struct Login {
    target: Target,
    places: Places,
    registration: Registration,
    issuer: Issuer,
    resource: String,
    scope: Option<String>,
    client: Option<Registered>,
}

/// What was given out.
#[derive(Debug)]
pub struct Tokens(Token);

impl Login {
    /// Finds out who gives tokens for a server. Nobody is asked for any yet.
    ///
    /// # Errors
    /// Where what the server or its authorization server says cannot be relied on.
    pub async fn discover(
        target: Target,
        wanted: Wanted,
        outbound: &Outbound,
    ) -> Result<Self, LoginError> {
        target.binding()?;
        let places = Places::new(&target, outbound, wanted.issuer.is_some())?;
        let challenge = challenged(&places).await?;
        let described = described(&target, &places, &challenge).await?;
        let (resource, name, scopes) = match described {
            Some(document) => {
                let name = document.issuer(wanted.issuer.as_deref())?;
                (document.resource, name, document.scopes_supported)
            }
            None => match &wanted.issuer {
                Some(issuer) => (target.url(), issuer.clone(), None),
                None => {
                    return Err(refused(format!(
                        "{} does not say who gives out tokens for it (RFC 9728): if you know, name it with --issuer, or seal a key: ringfence credential add --help",
                        target.url()
                    )));
                }
            },
        };
        let issuer = Issuer::find(&name, &places).await?;
        let scope = metadata::scope(
            wanted.scope.as_deref(),
            challenge.scope.as_deref(),
            scopes.as_deref(),
            &issuer.document,
        )?;
        Ok(Self {
            registration: wanted.registration,
            client: None,
            target,
            places,
            issuer,
            resource,
            scope,
        })
    }

    /// The authorization server, as it writes itself.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer.name
    }

    /// The scopes that are asked for.
    #[must_use]
    pub fn scope(&self) -> Option<&str> {
        self.scope.as_deref()
    }

    /// What the tokens will be for.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// Begins an attempt whose answer is brought to this redirect.
    ///
    /// # Errors
    /// Where the authorization server has no safe way for that, or does not know the client.
    pub async fn begin(&mut self, redirect: &str) -> Result<Ticket, LoginError> {
        let issuer = &self.issuer;
        let authorization = issuer.authorization.as_ref().ok_or_else(|| {
            refused("the authorization server has no place for a browser; use --device or --client-credentials")
        })?;
        if !issuer.has_challenges {
            return Err(refused(
                "the authorization server does not say that it checks challenges of the kind S256 (PKCE), so a code could be stolen on its way; ask whoever runs it",
            ));
        }
        let registration = &self.registration;
        let client = Registered::get(registration, issuer, &self.places, Some(redirect)).await?;
        let ticket = Ticket::new(Journey {
            authorization,
            issuer: &issuer.name,
            is_issuer_told: issuer
                .document
                .authorization_response_iss_parameter_supported,
            client: &client.id,
            redirect,
            resource: &self.resource,
            scope: self.scope.as_deref(),
            again: self.target.again(),
        })?;
        self.client = Some(client);
        Ok(ticket)
    }

    /// Gives the code of an attempt for tokens.
    ///
    /// # Errors
    /// Where the authorization server does not take it.
    pub async fn redeem(&self, ticket: &Ticket, code: &Secret) -> Result<Tokens, LoginError> {
        let fields: Vec<(&str, &[u8])> = vec![
            ("grant_type", b"authorization_code"),
            ("code", code.expose()),
            ("redirect_uri", ticket.redirect.as_bytes()),
            ("code_verifier", ticket.verifier.expose()),
            ("resource", self.resource.as_bytes()),
        ];
        let hidden = vec![code.clone(), ticket.verifier.clone()];
        self.granted(fields, hidden).await
    }

    /// Asks for tokens with the client's own secret, and nobody's word beside it.
    ///
    /// # Errors
    /// Where the client has no secret, or the authorization server gives nothing.
    pub async fn by_client_credentials(&mut self) -> Result<Tokens, LoginError> {
        let known = matches!(
            &self.registration,
            Registration::Known {
                secret: Some(_),
                ..
            }
        );
        if !known {
            return Err(LoginError::Given(
                "client credentials are a client's own: give --client-id and --client-secret"
                    .to_owned(),
            ));
        }
        let client = Registered::get(&self.registration, &self.issuer, &self.places, None).await?;
        self.client = Some(client);
        // RFC 6749, section 4.4.3: there is no refresh token to ask for.
        let words = self.scope.as_deref().unwrap_or_default().split(' ');
        let words: Vec<&str> = words.filter(|it| *it != metadata::OFFLINE).collect();
        self.scope = Some(words.join(" ")).filter(|scope| !scope.is_empty());
        let fields = self.with_scope(vec![
            ("grant_type", b"client_credentials"),
            ("resource", self.resource.as_bytes()),
        ]);
        self.granted(fields, Vec::new()).await
    }

    fn with_scope<'a>(&'a self, mut fields: Vec<(&'a str, &'a [u8])>) -> Vec<(&'a str, &'a [u8])> {
        let scope = self.scope.as_deref();
        fields.extend(scope.map(|scope| ("scope", scope.as_bytes())));
        fields
    }

    fn client(&self) -> Result<&Registered, LoginError> {
        let client = self.client.as_ref();
        client.ok_or_else(|| LoginError::Given("the login was not begun".to_owned()))
    }

    async fn granted(
        &self,
        fields: Vec<(&str, &[u8])>,
        hidden: Vec<Secret>,
    ) -> Result<Tokens, LoginError> {
        let client = self.client()?;
        let grant = Grant {
            endpoint: &self.issuer.token,
            client: client.client(),
            fields,
            hidden: hidden.into_iter().chain(client.secret.clone()).collect(),
        };
        Ok(Tokens(mint::granted(&grant, self.places.outbound()).await?))
    }
}

/// Asks the server as an agent would, without a token, to hear what it wants.
async fn challenged(places: &Places) -> Result<Challenge, LoginError> {
    let header = |name: &str, value: &str| (name.to_owned(), Secret::new(value));
    let request = OwnRequest {
        method: "POST".to_owned(),
        url: places.server().url(),
        headers: vec![
            header("accept", "application/json, text/event-stream"),
            header("content-type", "application/json"),
        ],
        body: Secret::new(HELLO),
    };
    let answer = match places.send("the server", request).await {
        Ok(answer) => answer,
        // It answers with a stream, which has no end, and so wants nothing for this.
        Err(LoginError::Unreachable {
            source: OutboundError::TimedOut | OutboundError::Exchange(_),
            ..
        })
        | Err(LoginError::Refused(_)) => return Ok(Challenge::default()),
        Err(error) => return Err(error),
    };
    if !matches!(answer.status, 401 | 403) {
        return Ok(Challenge::default());
    }
    let values = answer
        .headers
        .iter()
        .filter(|(name, _)| name == "www-authenticate");
    let challenge = challenge::bearer(values.map(|(_, value)| value.as_str()))?;
    Ok(challenge.unwrap_or_default())
}

/// The first message of any client (2025-11-25).
const HELLO: &str = concat!(
    r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","#,
    r#""capabilities":{},"clientInfo":{"name":"ringfence","version":"1"}}}"#
);

/// What the server says of itself: where its challenge says, else at the usual places.
async fn described(
    target: &Target,
    places: &Places,
    challenge: &Challenge,
) -> Result<Option<ResourceDocument>, LoginError> {
    let server = places.server();
    let mut at = Vec::new();
    match &challenge.resource_metadata {
        Some(text) => {
            let named = places.read("where the server describes itself", text)?;
            if !named.is_beside(server) {
                return Err(refused(format!(
                    "the server says that {named} describes it, which is another server; ask whoever runs it"
                )));
            }
            at.push(named);
        }
        None => {
            let paths = metadata::resource_paths(server.path());
            at.extend(paths.iter().map(|path| server.at(path)));
        }
    }
    for at in &at {
        let found: Option<ResourceDocument> = places.metadata(at).await?;
        if let Some(document) = found {
            document.check(target, places)?;
            return Ok(Some(document));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
