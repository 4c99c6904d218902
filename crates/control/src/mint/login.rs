//! What a person's login gave (`login`): how its tokens are got, and how they are kept alive. They
//! go to the token endpoint that was known at the login, at addresses that were good then, and
//! nowhere else.

use jiff::Timestamp;
use ringfence_gateway::Outbound;
use ringfence_model::Secret;

use super::MintError;
use super::exchange::Issuer;
use super::oauth::{Client, REFRESH_TOKEN};
use super::reply::{self, Text, Token, visible};
use super::settings::{Given, unusable};
use crate::credential::Secrets;
use crate::endpoint::Endpoint;

/// The secret field of an access token that nothing renews.
pub(super) const ACCESS_TOKEN: &str = "access_token";

/// The tokens of a login.
pub(super) struct Login<'a> {
    endpoint: Endpoint,
    client: Client<'a>,
    server: &'a str,
    addresses: Vec<&'a str>,
    held: Held<'a>,
    fields: Vec<(&'a str, &'a str)>,
}

enum Held<'a> {
    Refresh(&'a Secret),
    Access(&'a Secret, Option<Timestamp>),
}

impl<'a> Login<'a> {
    pub(super) fn read(given: Given<'a>) -> Result<Self, MintError> {
        let endpoint = Endpoint::parse_near(given.required("token_url")?)
            .map_err(|error| unusable("token_url", &error.to_string()))?;
        let held = match (given.secret(REFRESH_TOKEN), given.secret(ACCESS_TOKEN)) {
            (Some(refresh), _) => Held::Refresh(refresh),
            (None, Some(access)) => Held::Access(access, expires(given.setting("expires"))?),
            (None, None) => {
                return Err(MintError::NoSecret(format!(
                    "it has no token; log in again: ringfence mcp login {}",
                    given.required("server")?
                )));
            }
        };
        let mut fields = vec![("resource", given.required("resource")?)];
        fields.extend(given.setting("scope").map(|scope| ("scope", scope)));
        let addresses = given.setting("addresses").unwrap_or_default();
        Ok(Self {
            endpoint,
            client: Client::read(given, given.secret("client_secret"))?,
            server: given.required("server")?,
            addresses: addresses.split(',').filter(|it| !it.is_empty()).collect(),
            held,
            fields,
        })
    }

    pub(super) async fn ask(&self, issuer: &Issuer<'_>) -> Result<Token, MintError> {
        let asked = match self.held {
            Held::Refresh(refresh) => self.refresh(refresh, issuer).await,
            Held::Access(access, expires) => stored(access, expires, issuer.now()),
        };
        asked.map_err(|error| match error {
            MintError::Refused(words) => MintError::Refused(format!(
                "{words}; log in again: ringfence mcp login {}",
                self.server
            )),
            other => other,
        })
    }

    async fn refresh(&self, refresh: &Secret, issuer: &Issuer<'_>) -> Result<Token, MintError> {
        let addresses = self.addresses.iter().copied();
        let outbound = issuer.outbound().within(addresses);
        let outbound = outbound.map_err(|error| unusable("addresses", &error.to_string()))?;
        let mut fields: Vec<(&str, &[u8])> = vec![
            ("grant_type", b"refresh_token"),
            (REFRESH_TOKEN, refresh.expose()),
        ];
        let more = self.fields.iter();
        fields.extend(more.map(|(name, value)| (*name, value.as_bytes())));
        let asked = self.client.asked(&self.endpoint, fields);
        let answer = issuer.through(&outbound).post(asked).await?;
        let mut token = reply::token(&answer)?;
        token.refresh_token.take_if(|new| new == refresh);
        // A member of Salesforce's; a login is for the server's own host whatever the issuer says.
        token.instance_url = None;
        Ok(token)
    }
}

/// An access token that was given out without another to renew it.
fn stored(access: &Secret, expires: Option<Timestamp>, now: Timestamp) -> Result<Token, MintError> {
    if expires.is_some_and(|expires| expires <= now) {
        return Err(MintError::Refused("the login has ended".to_owned()));
    }
    Ok(Token {
        access_token: access.clone(),
        refresh_token: None,
        expires,
        instance_url: None,
    })
}

fn expires(text: Option<&str>) -> Result<Option<Timestamp>, MintError> {
    let read = text.map(str::parse::<Timestamp>).transpose();
    read.map_err(|_| unusable("expires", "it is not a time"))
}

/// A token request that a login ends with.
pub(crate) struct Grant<'a> {
    /// Where it goes.
    pub(crate) endpoint: &'a Endpoint,
    /// Who asks.
    pub(crate) client: Client<'a>,
    /// Its fields.
    pub(crate) fields: Vec<(&'a str, &'a [u8])>,
    /// What must not be repeated in words.
    pub(crate) hidden: Vec<Secret>,
}

impl Grant<'_> {
    async fn post(&self, outbound: &Outbound) -> Result<super::exchange::Answer, MintError> {
        let none = Secrets::default();
        let issuer = Issuer::new(outbound, Timestamp::now, &none);
        let mut asked = self.client.asked(self.endpoint, self.fields.clone());
        asked.hidden.extend(self.hidden.iter().cloned());
        issuer.post(asked).await
    }
}

/// Asks for tokens.
pub(crate) async fn granted(grant: &Grant<'_>, outbound: &Outbound) -> Result<Token, MintError> {
    let answer = grant.post(outbound).await?;
    if answer.status == 200 && is_bound_to_a_key(&answer.body) {
        return Err(MintError::Malformed(
            "its `token_type` is `DPoP`: the token is bound to a key that each request is signed \
             with, which is not supported; have the server or its authorization server give \
             bearer tokens"
                .to_owned(),
        ));
    }
    Ok(Token {
        instance_url: None,
        ..reply::token(&answer)?
    })
}

fn is_bound_to_a_key(body: &Secret) -> bool {
    #[derive(serde::Deserialize)]
    struct Kind {
        token_type: String,
    }
    let kind = serde_json::from_slice::<Kind>(body.expose());
    kind.is_ok_and(|kind| kind.token_type.eq_ignore_ascii_case("dpop"))
}

/// What a person is asked to do on another device (RFC 8628, section 3.2).
pub(crate) struct Device {
    pub(crate) code: Secret,
    pub(crate) user_code: String,
    pub(crate) uri: String,
    pub(crate) seconds: Option<i64>,
    pub(crate) interval: Option<i64>,
}

/// Asks for a code that a person gives on another device.
pub(crate) async fn asked_by_device(
    grant: &Grant<'_>,
    outbound: &Outbound,
) -> Result<Device, MintError> {
    #[derive(serde::Deserialize)]
    struct Reply {
        device_code: Option<Text>,
        user_code: String,
        verification_uri: String,
        expires_in: Option<i64>,
        interval: Option<i64>,
    }
    let reply: Reply = reply::json(&grant.post(outbound).await?, 200)?;
    Ok(Device {
        code: visible("device_code", reply.device_code)?,
        user_code: reply.user_code,
        uri: reply.verification_uri,
        seconds: reply.expires_in,
        interval: reply.interval,
    })
}

/// Asks where nothing but success matters, as of a revocation (RFC 7009, section 2.2).
pub(crate) async fn ask_nothing(grant: &Grant<'_>, outbound: &Outbound) -> bool {
    grant
        .post(outbound)
        .await
        .is_ok_and(|answer| answer.status == 200)
}
