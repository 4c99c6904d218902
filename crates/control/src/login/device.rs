//! Logging in where there is no browser: a person gives a code on another device (RFC 8628).

use std::time::Duration;

use ringfence_model::Secret;
use tokio::time::{Instant, sleep};

use super::error::{LoginError, refused, shown};
use super::limits::{DEVICE_INTERVAL, DEVICE_LONGEST, LOGIN_WAIT};
use super::register::{DEVICE_GRANT, Registered};
use super::{Login, Tokens};
use crate::mint::{self, Grant, MintError};

/// What a person is to do, and how long.
#[derive(Debug)]
pub struct DeviceTicket {
    code: Secret,
    interval: Duration,
    until: Instant,
    /// Where to go.
    pub url: String,
    /// What to type there.
    pub user_code: String,
}

impl Login {
    /// Asks for a code that a person gives on another device.
    ///
    /// # Errors
    /// Where the authorization server has no such way.
    pub async fn begin_on_device(&mut self) -> Result<DeviceTicket, LoginError> {
        let issuer = &self.issuer;
        let endpoint = issuer.device.as_ref().ok_or_else(|| {
            refused("the authorization server knows no login on another device; leave --device out")
        })?;
        let client = Registered::get(&self.registration, issuer, &self.places, None).await?;
        let grant = Grant {
            endpoint,
            client: client.client(),
            fields: self.with_scope(vec![("resource", self.resource.as_bytes())]),
            hidden: client.secret.clone().into_iter().collect(),
        };
        let asked = mint::asked_by_device(&grant, self.places.outbound()).await?;
        let url = self
            .places
            .read_for_browser("where the code is given", &asked.uri)?;
        let seconds = |given: Option<i64>, usual: Duration, longest: Duration| {
            let given = given.and_then(|given| u64::try_from(given).ok());
            given.map_or(usual, Duration::from_secs).min(longest)
        };
        let ticket = DeviceTicket {
            code: asked.code,
            interval: seconds(asked.interval, DEVICE_INTERVAL, DEVICE_LONGEST)
                .max(Duration::from_secs(1)),
            until: Instant::now() + seconds(asked.seconds, LOGIN_WAIT, LOGIN_WAIT),
            url: url.to_string(),
            user_code: shown(&asked.user_code),
        };
        self.client = Some(client);
        Ok(ticket)
    }

    /// Waits until the person is done.
    ///
    /// # Errors
    /// Where the person or the authorization server says no, or nothing comes.
    pub async fn finish_on_device(&self, ticket: &DeviceTicket) -> Result<Tokens, LoginError> {
        let mut interval = ticket.interval;
        while Instant::now() < ticket.until {
            sleep(interval).await;
            let fields: Vec<(&str, &[u8])> = vec![
                ("grant_type", DEVICE_GRANT.as_bytes()),
                ("device_code", ticket.code.expose()),
                ("resource", self.resource.as_bytes()),
            ];
            match self.granted(fields, vec![ticket.code.clone()]).await {
                Err(LoginError::Mint(MintError::Refused(words)))
                    if words.starts_with("authorization_pending") => {}
                Err(LoginError::Mint(MintError::Refused(words)))
                    if words.starts_with("slow_down") =>
                {
                    interval = (interval + DEVICE_INTERVAL).min(DEVICE_LONGEST);
                }
                ended => return ended,
            }
        }
        Err(LoginError::TimedOut(LOGIN_WAIT.as_secs() / 60))
    }
}
