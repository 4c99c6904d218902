//! Google Cloud's token endpoint for service accounts (RFC 7523, "Using OAuth 2.0 for Server to Server Applications").

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::json;

use super::jwt::{Jwt, Verifier};
use super::{granted, is_form, lock, oauth_error};
use crate::api::{Api, ApiRequest};
use crate::{Ca, Workdir};

/// Where tokens are given out.
pub const TOKENS: &str = "oauth2.googleapis.com";

/// The service account.
pub const ACCOUNT: &str = "agent@acme.iam.gserviceaccount.com";

/// The only scope that is given.
pub const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// The endpoint, until it is dropped.
pub struct Google {
    api: Api,
}

impl Google {
    /// Starts it; assertions are checked by `verifier`.
    pub fn start(workdir: &Workdir, ca: &Ca, verifier: Verifier) -> io::Result<Self> {
        let state = Arc::new(Mutex::new((verifier, 0)));
        let api = Api::start(workdir, ca, &[TOKENS], move |request| {
            let mut state = lock(&state);
            if let Err(why) = check(&state.0, request) {
                return oauth_error(400, "invalid_grant", why);
            }
            state.1 += 1;
            let body =
                json!({"access_token": token(state.1), "expires_in": 3599, "token_type": "Bearer"});
            granted(&body)
        })?;
        Ok(Self { api })
    }

    /// Where HTTPS is served.
    pub fn https(&self) -> SocketAddr {
        self.api.https()
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<ApiRequest> {
        self.api.requests()
    }
}

/// The access token that is given out as the `number`th.
pub fn token(number: u32) -> String {
    format!("ya29.access-{number}-of-google-Xk3vQ9")
}

/// The key file of the account.
pub fn key_file(private_key: &str) -> String {
    json!({
        "type": "service_account",
        "project_id": "acme",
        "private_key_id": "k1",
        "private_key": private_key,
        "client_email": ACCOUNT,
        "token_uri": format!("https://{TOKENS}/token"),
    })
    .to_string()
}

fn check(verifier: &Verifier, request: &ApiRequest) -> Result<(), &'static str> {
    let field = |name: &str| request.form(name).unwrap_or_default();
    if request.path != "/token" || !is_form(request) {
        return Err("no such path");
    }
    if field("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
        return Err("another grant");
    }
    let jwt: Jwt = verifier.read(&field("assertion"))?;
    let is_right = jwt.field("alg") == "RS256"
        && jwt.claim("iss") == ACCOUNT
        && jwt.claim("scope") == SCOPE
        && jwt.claim("aud") == format!("https://{TOKENS}/token");
    if !is_right {
        return Err("the claims are not right");
    }
    jwt.check_times(3600)
}
