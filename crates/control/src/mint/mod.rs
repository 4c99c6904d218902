//! Minting: what an issuer gives out for a credential. One file for each kind of issuer; what they
//! have in common is in `exchange` (asking), `reply` (reading what comes back), `assertion`
//! (signing) and `words` (what may be said of a failure).
//!
//! An issuer's answer is read strictly: what is not exactly a token makes no material at all.

mod assertion;
mod assume_role;
mod entra;
mod exchange;
mod github;
mod google;
mod jwt_bearer;
mod limits;
mod login;
mod oauth;
mod reply;
mod settings;
mod words;

use jiff::Timestamp;
use ringfence_gateway::{Injection, Material, Outbound};
use ringfence_model::{HostName, Secret};
use zeroize::Zeroizing;

use crate::credential::{Definition, Kind, Secrets};
use exchange::Issuer;
pub(crate) use exchange::form;
pub(crate) use login::{Grant, ask_nothing, asked_by_device, granted};
pub(crate) use oauth::{Client, Proof};
pub(crate) use reply::Token;

/// What an issuer gave out.
#[derive(Debug)]
pub struct Minted {
    /// What requests are given; its `minted` is true, its `secrets` include those of `Secrets`.
    pub material: Material,
    /// When it ends; none where the issuer does not say.
    pub expires: Option<Timestamp>,
    /// The only host that it may be sent to, where the issuer named one within the binding.
    pub host: Option<HostName>,
    /// Secret fields that the issuer replaced, which must be kept, as a new refresh token.
    pub replaced: Secrets,
}

/// Why nothing was minted. The words may be shown to the agent, so they hold no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MintError {
    /// The issuer cannot be reached.
    #[error("its issuer cannot be reached: {0}")]
    Unreachable(String),
    /// The issuer says no.
    #[error("its issuer refused: {0}")]
    Refused(String),
    /// The issuer's answer is not what it must be.
    #[error("its issuer's answer is not usable: {0}")]
    Malformed(String),
    /// A setting or a secret is not usable.
    #[error("it is not usable: {0}")]
    Settings(String),
    /// A secret is missing.
    #[error("it is not complete: {0}")]
    NoSecret(String),
}

/// Asks the issuer of `definition`, which is of a kind that has one.
///
/// # Errors
/// Where the issuer gives nothing that is usable.
pub async fn prepare(
    definition: &Definition,
    secrets: &Secrets,
    outbound: &Outbound,
) -> Result<Minted, MintError> {
    prepare_by(definition, secrets, outbound, Timestamp::now).await
}

/// Whether an issuer could be asked with this: every setting and secret is read as for use.
///
/// # Errors
/// Where one is not usable.
pub fn check(definition: &Definition, secrets: &Secrets) -> Result<(), MintError> {
    Plan::read(definition, secrets).map(drop)
}

/// The same for a credential whose secrets come from a source, and are not known yet.
///
/// # Errors
/// Where a setting is not usable.
pub fn check_settings(definition: &Definition) -> Result<(), MintError> {
    match check(definition, &Secrets::default()) {
        Err(MintError::NoSecret(_)) => Ok(()),
        checked => checked,
    }
}

async fn prepare_by(
    definition: &Definition,
    secrets: &Secrets,
    outbound: &Outbound,
    clock: fn() -> Timestamp,
) -> Result<Minted, MintError> {
    let plan = Plan::read(definition, secrets)?;
    let issuer = Issuer::new(outbound, clock, secrets);
    match plan.ask(&issuer).await? {
        Granted::Token(token) => minted(definition, secrets, token),
        Granted::Keys(keys) => Ok(keys.minted(definition, secrets)),
    }
}

/// What an issuer gave out.
enum Granted {
    Token(Token),
    Keys(assume_role::Keys),
}

/// How the issuer of a credential is asked.
enum Plan<'a> {
    ClientCredentials(oauth::ClientCredentials<'a>),
    Refresh(oauth::Refresh<'a>),
    Login(login::Login<'a>),
    JwtBearer(jwt_bearer::JwtBearer<'a>),
    Github(github::Installation<'a>),
    Entra(entra::Application<'a>),
    Google(google::ServiceAccount<'a>),
    AssumeRole(assume_role::AssumeRole<'a>),
}

impl<'a> Plan<'a> {
    fn read(definition: &'a Definition, secrets: &'a Secrets) -> Result<Self, MintError> {
        let given = settings::Given::new(definition, secrets);
        match definition.kind {
            Kind::Oauth2ClientCredentials => {
                oauth::ClientCredentials::read(given).map(Self::ClientCredentials)
            }
            Kind::Oauth2RefreshToken => oauth::Refresh::read(given).map(Self::Refresh),
            Kind::Oauth2Login => login::Login::read(given).map(Self::Login),
            Kind::JwtBearer => jwt_bearer::JwtBearer::read(given).map(Self::JwtBearer),
            Kind::GithubApp => github::Installation::read(given).map(Self::Github),
            Kind::AzureEntra => entra::Application::read(given).map(Self::Entra),
            Kind::GcpServiceAccount => google::ServiceAccount::read(given).map(Self::Google),
            Kind::AwsAssumeRole => assume_role::AssumeRole::read(given).map(Self::AssumeRole),
            Kind::Header
            | Kind::Bearer
            | Kind::Basic
            | Kind::Query
            | Kind::AwsSigv4
            | Kind::Mtls
            | Kind::SshKey => Err(MintError::Settings(format!(
                "a credential of kind {} has no issuer",
                definition.kind
            ))),
        }
    }

    async fn ask(&self, issuer: &Issuer<'_>) -> Result<Granted, MintError> {
        let token = match self {
            Self::ClientCredentials(plan) => plan.ask(issuer).await,
            Self::Refresh(plan) => plan.ask(issuer).await,
            Self::Login(plan) => plan.ask(issuer).await,
            Self::JwtBearer(plan) => plan.ask(issuer).await,
            Self::Github(plan) => plan.ask(issuer).await,
            Self::Entra(plan) => plan.ask(issuer).await,
            Self::Google(plan) => plan.ask(issuer).await,
            Self::AssumeRole(plan) => return plan.ask(issuer).await.map(Granted::Keys),
        };
        token.map(Granted::Token)
    }
}

fn minted(definition: &Definition, secrets: &Secrets, token: Token) -> Result<Minted, MintError> {
    let host = token
        .instance_url
        .as_deref()
        .map(|url| reply::instance(&definition.binding, url))
        .transpose()?;
    let mut replaced = Secrets::default();
    let mut hidden = vec![token.access_token.clone()];
    hidden.extend(secrets.iter().map(|(_, secret)| secret.clone()));
    if let Some(refresh_token) = token.refresh_token {
        hidden.push(refresh_token.clone());
        replaced.set(oauth::REFRESH_TOKEN, refresh_token);
    }
    let mut header = Zeroizing::new(Vec::with_capacity(
        BEARER.len() + token.access_token.expose().len(),
    ));
    header.extend_from_slice(BEARER);
    header.extend_from_slice(token.access_token.expose());
    Ok(Minted {
        material: Material {
            name: definition.name.clone(),
            version: definition.version,
            injections: vec![Injection::Header {
                name: "authorization".to_owned(),
                value: Secret::new(header.as_slice()),
            }],
            value: Some(token.access_token),
            secrets: hidden,
            minted: true,
        },
        expires: token.expires,
        host,
        replaced,
    })
}

const BEARER: &[u8] = b"Bearer ";

#[cfg(test)]
mod tests;
